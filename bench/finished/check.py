"""The check of finished swaps before they are scored: a few clips of each model, by what lies outside the faces."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.data.frame_names import TimesError
from bench.data.numbering import AS_NAMED, Numbering
from bench.data.pairs import Dataset, Pair
from bench.errors import DataError
from bench.finished import thumbnails
from bench.finished.compare import Clips, Finding, compare, face_mask, features
from bench.finished.crops import CropCheck, Held, judge_crops
from bench.finished.judge import APART, SHOWS, Verdict, judge
from bench.finished.opened import Guarded, Opener, here
from bench.finished.thumbnails import UNREADABLE, Thumbnails
from bench.swappers import Swapper
from bench.swappers.finished import ListedSwaps
from smoothswap.faces.detect import Detector
from smoothswap.faces.face import Face
from smoothswap.guarded import SECONDS, Workers
from smoothswap.media.video import even_indices

CLIPS = 4  # of each model; each costs the decoding of three clips
FRAMES = 24  # of each finished clip
LOOKS = 5  # frames of an original in which its face is looked for


class Check:
    """Holds finished clips against the originals of a data set; what it reads of those is kept.

    Args:
        dataset: Where the originals lie.
        pairs: Of the run.
        opened: Opens files, as `Guarded` does; `here` does it in this process, without a guard.
    """

    def __init__(self, dataset: Dataset, pairs: Sequence[Pair], opened: Opener = here) -> None:
        self._dataset, self._pairs, self._opened = dataset, pairs, opened
        self._detector = Detector()
        self._times: list[str] = []
        self._read: dict[tuple[str, tuple[int, int] | None], Thumbnails | None] = {}
        self._faces: dict[str, list[tuple[Face, tuple[int, int]]]] = {}

    def __call__(self, swapper: Swapper) -> Verdict | None:
        """The verdict on one model of finished swaps.

        Args:
            swapper: Of kind "finished".

        Returns:
            The verdict; None where no clip of it and of its originals can be read, which the ledger then says.
        """
        numbering = getattr(swapper.run, "numbering", AS_NAMED)
        there = [(pair, path) for pair in self._pairs if (path := swapper.run.path(pair)) is not None]
        if hasattr(swapper.run, "aligned"):
            return self._of_crops(swapper, there, numbering)
        self._times.clear()
        findings: dict[str, Finding] = {}
        elsewhere: dict[str, str] = {}
        for i in even_indices(len(there), CLIPS) if there else []:
            pair, path = there[i]
            if (held := self.hold(pair, path, numbering)) is None:
                continue
            findings[pair.id], clips = held
            lost = max(findings[pair.id].target, findings[pair.id].source) < SHOWS
            if lost and (clip := self._elsewhere(pair, clips)):
                elsewhere[pair.id] = clip
        return judge(findings, elsewhere) if findings else self._named_by_times()

    def _named_by_times(self) -> Verdict | None:
        """Of a model no clip of which can be read, where that is for its frames' names."""
        if not self._times:
            return None
        return Verdict("wrong", self._times[0], "", len(self._times))

    def _of_crops(
        self, swapper: Swapper, there: Sequence[tuple[Pair, Path]], numbering: Numbering
    ) -> Verdict | None:
        check = CropCheck(self._dataset, self._opened)
        held: dict[str, Held] = {}
        for i in even_indices(len(there), CLIPS) if there else []:
            if (found := check.hold(*there[i], numbering)) is not None:
                held[there[i][0].id] = found
        return judge_crops(held, swapper.run.aligned, swapper.run.where()) if held else None

    def hold(self, pair: Pair, path: Path, numbering: Numbering = AS_NAMED) -> tuple[Finding, Clips] | None:
        """Hold one finished clip against its target and its source.

        Args:
            pair: Whose swap it is said to be.
            path: The finished clip.
            numbering: What its numbers are said to mean.

        Returns:
            What it says, and what was compared; None where it or its target cannot be read.
        """
        target = self._original(pair.target, None)
        if target is None:
            return None
        height, width = target.pictures.shape[1:]
        size = (height, width)
        try:
            swap = self._opened(thumbnails.read, path, size, FRAMES)
        except TimesError as error:
            self._times.append(str(error))
            return None
        except UNREADABLE:
            return None
        source = self._original(pair.source, size)
        mask = face_mask(size, [*self._faces[pair.target], *self._faces.get(pair.source, [])])
        clips = Clips(target, source, swap, mask)
        return compare(clips, numbering), clips

    def _original(self, clip: str, size: tuple[int, int] | None) -> Thumbnails | None:
        key = (clip, size)
        if key not in self._read:
            path = self._dataset.path(self._dataset.original(clip))
            try:
                read = None if path is None else self._opened(thumbnails.read, path, size, None, LOOKS)
            except UNREADABLE:
                read = None
            if read is not None:
                if clip not in self._faces:
                    found = [(self._detector.detect(frame), frame.shape[:2]) for frame in read.whole]
                    self._faces[clip] = [(faces[0], (h, w)) for faces, (h, w) in found if faces]
                # The frames themselves are large and have been looked at.
                read = replace(read, whole=[])
            self._read[key] = read
            # Most clips of a data set have one size: they are read once, as target or as source.
            if read is not None and size in (None, own := thumbnails.fitted(read.shape)):
                self._read[clip, None] = self._read[clip, own] = read
        return self._read[key]

    def _elsewhere(self, pair: Pair, clips: Clips) -> str:
        """The original clip of the run whose first frame the swap resembles, "" for none."""
        height, width = clips.mask.shape
        swap = features(clips.swap.pictures, clips.mask)
        best, found = SHOWS + APART, ""
        for clip in dict.fromkeys(clip for other in self._pairs for clip in (other.target, other.source)):
            path = self._dataset.path(self._dataset.original(clip))
            if path is None or clip in (pair.target, pair.source):
                continue
            try:
                picture = self._opened(thumbnails.first, path, (height, width))
            except UNREADABLE:
                continue
            if (like := float((swap @ features(picture, clips.mask).T).max())) > best:
                best, found = like, clip
        return found


def check_finished(
    dataset: Dataset,
    pairs: Sequence[Pair],
    swappers: Sequence[Swapper],
    refuse: bool = True,
    seconds: float = SECONDS,
    workers: int = 1,
) -> dict[str, Verdict]:
    """Check every model of finished swaps, and say on standard error what is not as it should be.

    Args:
        dataset: Where the originals lie.
        pairs: Of the run.
        swappers: Of the run; references and models that are yet to swap are passed over.
        refuse: Whether a model that is wrong stops the run; else it is a warning.
        seconds: That opening a clip may take before it is given up, as one that cannot be read.
        workers: Processes that open clips; 0: this one.

    Returns:
        By model the verdict, of those that could be checked.

    Raises:
        DataError: A model is wrong; the message says how to mend it.
    """
    finished = [swapper for swapper in swappers if swapper.kind == "finished" and not swapper.reference]
    if not finished:
        return {}
    with Workers(min(1, workers), seconds=seconds) as opener:
        check = Check(dataset, pairs, Guarded(opener))
        judged = {swapper.name: check(swapper) for swapper in finished}
    verdicts = {}
    for swapper in finished:
        verdict = judged[swapper.name]
        if verdict is None:
            continue
        verdicts[swapper.name] = verdict
        if verdict.kind == "wrong":
            message = f"{swapper.name} in {swapper.run.where()}: {verdict.text}{_how(swapper, verdict)}"
            if refuse:
                raise DataError(f"{message} (--check warn scores it all the same)")
            print(f"warning: {message}", file=sys.stderr)
        elif verdict.kind != "fits":
            print(f"warning: {swapper.name}: {verdict.text}", file=sys.stderr)
    return verdicts


def _how(swapper: Swapper, verdict: Verdict) -> str:
    """The mend as it is written on the command line."""
    if not verdict.mend:
        return ""
    if isinstance(swapper.run, ListedSwaps):
        meant = (
            "exchange source and target in the list" if "--order" in verdict.mend else "name the frames anew"
        )
        return f"; {meant}, or correct the column {swapper.run.column}"
    if hasattr(swapper.run, "numbering"):
        return f"; mend it with {verdict.mend}"
    return f"; mend it with --model {swapper.name}=images:{swapper.run.where()} {verdict.mend}"
