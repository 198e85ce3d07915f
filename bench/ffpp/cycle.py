"""The way back of a cycle: a swap is swapped once more, with another photo of the target's person.

The true answer is the target, but for what the JPEG between the two ways costs (Protocol.between). The model is called as
for any swap, on the face that was found in its own.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from bench.data.pairs import Pair
from bench.ffpp.clip import Clip
from bench.ffpp.frame import Back, Frame, pixel_error
from bench.ffpp.pair import Context, PairRun
from bench.ffpp.shown import no_frame, source_frame
from bench.reading.pool import Readers
from bench.reading.reader import Reading, Status
from bench.swappers import Swapper, Task
from bench.swappers.apply import Failed, swap
from smoothswap.pixels import Image

QUALITY = 75
"""Of the JPEG between the two ways (Protocol.between)."""


def compressed(image: Image, quality: int = QUALITY) -> Image:
    """What a JPEG leaves of a picture.

    Args:
        image: uint8 [h, w, 3] RGB.
        quality: 1 to 100.

    Returns:
        The same shape, decoded again.
    """
    coded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])[
        1
    ]
    decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


class CycleRun(PairRun):
    """One swapper on one pair, there and back.

    Args:
        context, pair, swapper, source, target, target_path: What PairRun takes.
        again: The clip with another photo of the target's person, read; of some pairs the target's own.
    """

    def __init__(
        self,
        context: Context,
        pair: Pair,
        swapper: Swapper,
        source: Clip,
        target: Clip,
        again: Clip,
        target_path: Path | None = None,
    ) -> None:
        super().__init__(context, pair, swapper, source, target, None, target_path)
        self.again = again

    def frames(self) -> list[Frame]:
        """The pair's rows, each with its way back; waits for the readings of both ways.

        Returns:
            As PairRun.frames.

        Raises:
            DataError: When a worker process was killed.
        """
        frames = super().frames()
        ways = self._ways_back(frames)
        return [replace(frame, back=ways.get(i)) for i, frame in enumerate(frames)]

    def _clip_failure(self) -> str:
        failure = super()._clip_failure()
        if not failure and self.again.failure:
            self._absent = self.again.absent
            failure = f"clip of the other photo: {self.again.failure}"
        return failure

    def _problem(self, i: int) -> tuple[Status, str] | None:
        problem = super()._problem(i)
        if problem is None and self._photo(i) is None:
            own = self.pair.again == self.pair.target
            return "no_face", f"clip of the other photo {self.pair.again}: {no_frame(own)}"
        return problem

    def _photo(self, i: int) -> int | None:
        """Which of the frames of `again` swaps target frame i back."""
        own = self.pair.again == self.pair.target
        return source_frame(self.again, i, self.context.protocol.source_rule, own)

    def _ways_back(self, frames: list[Frame]) -> dict[int, Back]:
        """The way back of every posed frame."""
        ways: dict[int, Back] = {}
        tasks: dict[int, Task] = {}
        pair = Pair(
            self.pair.id, self.pair.target, self.pair.again, self.pair.source_person, self.pair.target_person
        )
        for i, frame in enumerate(frames):
            j = self._photo(i) if frame.posed else None
            if j is None:
                continue
            number, image = self.again.frames.numbers[j], self._swapped[i]
            if frame.swap is None or frame.swap.face is None or isinstance(image, Failed):
                reason = f"no swap to swap back: {frame.row.reason}"
                ways[i] = Back(number, frame.row.status, reason)
                continue
            face, photo = frame.swap.face, (self.again.image(j), self.again.face(j))
            ways[i] = Back(number, "ok")
            tasks[i] = Task(pair, frame.row.frame, compressed(image), photo[0], face, photo[1])
        made = dict(
            zip(tasks, swap(self.swapper, list(tasks.values()), self.context.batch_size), strict=True)
        )
        images = {i: image for i, image in made.items() if not isinstance(image, Failed)}
        faces = [self.target.face(i) for i in images]
        future = self.context.readers.swaps(list(images.values()), faces)
        readings = dict(zip(images, Readers.result(future), strict=True))
        for i, image in made.items():
            if isinstance(image, Failed):
                ways[i] = replace(ways[i], status="model_error", reason=image.reason)
            else:
                ways[i] = self._read(i, ways[i], image, readings[i])
        return ways

    def _read(self, i: int, way: Back, image: Image, reading: Reading) -> Back:
        error = pixel_error(image, self.target.image(i), self.target.face(i).box)
        found = reading if reading.status == "ok" else None
        return replace(way, status=reading.status, reason=reading.reason, reading=found, pixel_error=error)
