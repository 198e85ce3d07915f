"""Aligned crops before they are scored: held at their borders against the target's own crops by every template.

A swap changes the face; at the border of its crop stays the target's frame. So the right template is the one by which the
target's own crop looks like that, and where it is the source's own crop, the names are the other way round. What the
frames' numbers mean is not checked: too little moves at the border of a crop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from bench.data.clips import FrameRule, read_clip, read_numbers
from bench.data.numbering import Numbering
from bench.data.pairs import Dataset, Pair
from bench.data.templates import TEMPLATES, Aligned
from bench.errors import UsageError
from bench.finished.judge import APART, Verdict
from bench.finished.opened import Opener, here
from bench.finished.thumbnails import UNREADABLE
from smoothswap.faces.align import AlignmentError
from smoothswap.faces.detect import Detector
from smoothswap.pixels import Image

FRAMES = 3  # of each clip
SIDE = 64  # pixels in which borders are compared
RING = 9  # of them, from each edge, are the border
COARSE = 10.0  # pixels: coarser than this is light
FINE = 1.5  # pixels: finer than this is where another detector puts its landmarks
NEAR = 0.02  # by which the best template may be better than the stated one without a word
SHOWS = 0.5  # a correlation of borders from which a crop shows the same place

_BORDER = np.ones((SIDE, SIDE), bool)
_BORDER[RING:-RING, RING:-RING] = False


@dataclass(frozen=True)
class Held:
    """One clip's crops beside both originals.

    Args:
        shape: Height and width of the crops.
        target: By template the correlation of the border with the target's own crop's; the mean over frames.
        source: The same with the source's.
    """

    shape: tuple[int, int]
    target: Mapping[str, float] = field(default_factory=dict)
    source: Mapping[str, float] = field(default_factory=dict)


def border(crop: Image) -> npt.NDArray[np.float64]:
    """What a crop shows at its border: float64 [n] of mean 0 and length 1, without light and without fine detail.

    Args:
        crop: uint8 [s, s, 3] RGB.
    """
    grey = cv2.cvtColor(cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    plane = _blurred(grey, FINE) - _blurred(grey, COARSE)
    found = plane[_BORDER] - plane[_BORDER].mean()
    return np.asarray(found / max(float(np.linalg.norm(found)), 1e-9), np.float64)


def _blurred(grey: npt.NDArray[Any], sigma: float) -> npt.NDArray[Any]:
    """A picture blurred by what lies on its border alone: the face, which was swapped, does not shine into it."""
    weight = _BORDER.astype(np.float64)
    return cv2.GaussianBlur(grey * weight, (0, 0), sigma) / np.maximum(
        cv2.GaussianBlur(weight, (0, 0), sigma), 1e-6
    )


class CropCheck:
    """Holds crops against the originals of a data set.

    Args:
        dataset: Where the originals lie.
        opened: As of Check.
    """

    def __init__(self, dataset: Dataset, opened: Opener = here) -> None:
        self._dataset, self._opened = dataset, opened
        self._detector = Detector()

    def hold(self, pair: Pair, path: Path, numbering: Numbering) -> Held | None:
        """Hold one clip of crops against its target and its source.

        Args:
            pair: Whose swap it is said to be.
            path: The crops.
            numbering: What their numbers are said to mean.

        Returns:
            What it says; None where it or its target cannot be read, or no face is found in the target's frames.
        """
        original = self._dataset.path(self._dataset.original(pair.target))
        if original is None:
            return None
        try:
            count = self._opened(read_clip, original, FrameRule(1)).count
            crops = self._opened(read_clip, path, FrameRule(FRAMES), count, numbering)
            frames = self._opened(read_numbers, original, crops.numbers).frames
        except UNREADABLE:
            return None
        seen = [(crop, frame) for crop, frame in zip(crops.frames, frames, strict=True) if crop is not None]
        if not seen:
            return None
        shape = (seen[0][0].shape[0], seen[0][0].shape[1])
        if shape[0] != shape[1]:
            return Held(shape)
        target = self._alike([(crop, frame) for crop, frame in seen if frame is not None])
        source = self._dataset.path(self._dataset.original(pair.source))
        other: dict[str, float] = {}
        if source is not None:
            try:
                shown = self._opened(read_clip, source, FrameRule(1)).frames[0]
            except UNREADABLE:
                shown = None
            other = {} if shown is None else self._alike([(crop, shown) for crop, _ in seen])
        return Held(shape, target, other) if target else None

    def _alike(self, pairs: Sequence[tuple[Image, Image]]) -> dict[str, float]:
        """By template the mean correlation of the borders of crops and of the frames' own crops."""
        found: dict[str, list[float]] = {}
        for crop, frame in pairs:
            faces = self._detector.detect(frame)
            if not faces:
                continue
            shown = border(crop)
            for template in TEMPLATES:
                try:
                    own = Aligned(template, len(crop)).cut(frame, faces[0].landmarks)
                except (AlignmentError, UsageError):
                    continue
                found.setdefault(template, []).append(float(border(own) @ shown))
        return {template: float(np.mean(values)) for template, values in found.items()}


def judge_crops(held: Mapping[str, Held], aligned: Aligned, folder: str) -> Verdict:
    """The verdict over some clips of one model.

    Args:
        held: By pair, at least one.
        aligned: How the crops are said to have been cut.
        folder: Where they lie, for the mend.

    Returns:
        The verdict; `wrong` for crops of another size, of another template, named the other way round, and those whose
        border is the target's by no template; `doubtful` where another template fits a little better.
    """
    clips = len(held)
    for pair, one in held.items():
        if one.shape == (aligned.size, aligned.size):
            continue
        height, width = one.shape
        if height != width:
            text = f"the pictures of {pair} are {width} x {height} and no square crops; whole frames are images:{folder}"
            return Verdict("wrong", text, f"--model images:{folder}", clips)
        text = f"the crops of {pair} are {width} x {height}, not {aligned.size} x {aligned.size}"
        return Verdict("wrong", text, _spec(folder, aligned.template, width), clips)
    target, source = (_mean([getattr(one, side) for one in held.values()]) for side in ("target", "source"))
    mine = target.get(aligned.template, -1.0)
    best = max(target, key=lambda name: target[name])
    seen = f"{clips} clips looked at"
    if source and max(source.values()) > target[best] + APART and max(source.values()) >= SHOWS:
        text = f"the border is the source's own crop's, so the files are named source_target ({seen})"
        return Verdict("wrong", text, "--order source_target", clips)
    if target[best] >= SHOWS and target[best] > mine + APART:
        text = (
            f"the border is that of the target's own crop by template {best} ({target[best]:.2f}), not by "
            f"{aligned.template} ({mine:.2f}; {seen})"
        )
        return Verdict("wrong", text, _spec(folder, best, aligned.size), clips)
    if mine < SHOWS:
        text = (
            f"the border is not that of the target's own crop by any template (best: {best}, {target[best]:.2f}; {seen}); "
            "name each file after the clips that it was made from, or paste the crops back into the target's frames and "
            "score those with images:DIR"
        )
        return Verdict("wrong", text, "", clips)
    if target[best] > mine + NEAR:
        text = (
            f"the border is that of the target's own crop by template {aligned.template} ({mine:.2f}), and a little more "
            f"by {best} ({target[best]:.2f}; {seen})"
        )
        return Verdict("doubtful", text, "", clips)
    text = f"the border is that of the target's own crop ({mine:.2f}); the frames' numbers are not checked"
    return Verdict("fits", text, "", clips)


def _mean(several: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean over clips of what all of them have."""
    shared = set(several[0]).intersection(*several[1:]) if several else set()
    return {name: float(np.mean([one[name] for one in several])) for name in TEMPLATES if name in shared}


def _spec(folder: str, template: str, size: int) -> str:
    return f"--model 'crops:{folder}?template={template}&size={size}'"
