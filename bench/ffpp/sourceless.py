"""Swaps whose source's clip is not there, as in a partial download: what needs no source is read of them all the same.

In the ledger such a frame is `not_available`, and it is not posed, so that it enters no value, word or bold number: a swap
that does nothing keeps expression and pose to perfection, and only the source tells it from a swap. What is read of it
stands beside (reports.results.MetricValue.without_source).

Read are swaps that exist as files, and the reference rows that never see the source. Any other model has to be shown it.
"""

from __future__ import annotations

from dataclasses import replace

from bench.ffpp.clip import Clip
from bench.ffpp.frame import Frame, Sourceless
from bench.ffpp.pair import PairRun
from bench.reading.reader import Image, Status
from bench.swappers import Swapper
from smoothswap.faces.face import Face


def readable_without(swapper: Swapper, source: Clip, target: Clip) -> bool:
    """Whether a pair's source is not there, and there can be swaps to read nevertheless.

    Args:
        swapper: The model.
        source: The source's clip.
        target: The target's clip.

    Returns:
        False for a model that has to be shown the source, and where the target cannot be read either.
    """
    shown = swapper.kind != "finished" and swapper.shows == "source"
    return source.absent and not target.failure and not shown


class SourcelessRun(PairRun):
    """One swapper on one pair without its source; takes what PairRun takes."""

    def frames(self) -> list[Frame]:
        """The pair's rows, all `not_available`; waits for the readings.

        Returns:
            As PairRun.frames; of each frame in which there was a swap to read, what became of it (Frame.sourceless).

        Raises:
            DataError: When a worker process was killed.
        """
        return [self._without(frame) for frame in super().frames()]

    def _clip_failure(self) -> str:
        return ""

    def _problem(self, i: int) -> tuple[Status, str] | None:
        target = self.target.readings[i]
        return None if target.status == "ok" else (target.status, f"target frame: {target.reason}")

    def _face_to_show(self, i: int) -> tuple[Image, Face]:
        """The target's own, to a swapper that does not look at it."""
        return self.target.image(i), self.target.face(i)

    def _without(self, frame: Frame) -> Frame:
        row = frame.row
        if row.status == "not_available":
            return frame
        lost = replace(row, status="not_available", reason=f"source clip: {self.source.failure}")
        found = Sourceless(row.status, row.reason) if frame.posed else None
        return replace(frame, row=lost, posed=False, sourceless=found)
