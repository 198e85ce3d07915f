"""One finished clip held against the target's and the source's: whose background it shows, and which moments of it.

Thumbnails are high-passed outside of the face and brought to mean 0 and length 1, so that brightness, contrast and
compression cancel. Whose background: the correlation with the nearest frame of either clip. Which moments: for every
hypothesis of what the numbers mean, what is left of the swap's frames when the target's frames of those numbers, and the
constant difference between the two, are taken away. Only what moves outside of the face can tell; where nothing
does, the hypotheses leave the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import cv2
import numpy as np
import numpy.typing as npt

from bench.data.numbering import AS_NAMED, Numbering
from bench.finished.thumbnails import Grey, Thumbnails
from smoothswap.faces.face import Face

Array = npt.NDArray[np.float32]
SIGMA = 8.0  # pixels of a thumbnail: coarser than this is light, not background
MOVING = 0.3  # the share of pixels, those that change most over the target's clip, that tell moments apart
FEWEST = 4  # frames; fewer say nothing about moments
SHIFTS = (1, 2, 3, 5)
RATES = tuple(
    Fraction(a, b)
    for a, b in ((5, 6), (5, 3), (6, 5), (3, 5), (25, 24), (24, 25), (1, 2), (2, 1), (4, 5), (5, 4))
)


@dataclass(frozen=True)
class Clips:
    """What is compared: thumbnails of one size, and where the faces of both originals are.

    Args:
        target: All of its frames.
        source: All of its frames; None where it is not on the disk.
        swap: Some of its frames.
        mask: bool [h, w], where none of the faces is.
    """

    target: Thumbnails
    source: Thumbnails | None
    swap: Thumbnails
    mask: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Meaning:
    """How another meaning of a clip's numbers fares beside the stated one.

    Args:
        explained: Share of the swap's change over time, outside of the face, that the target's frames of these numbers
            explain; 1 is all, 0 or less nothing.
        left: What it leaves unexplained as a share of what the stated one leaves; under 1 is better.
        surely: How surely it leaves less, in standard errors over frames; negative: more.
    """

    explained: float
    left: float
    surely: float


@dataclass(frozen=True)
class Finding:
    """What one clip says.

    Args:
        target: Correlation of the background with the target's, -1 to 1; the mean over frames.
        source: The same with the source's.
        explained: Meaning.explained of the numbers as they are stated; NaN for too few frames.
        free: The same where every frame may choose its moment.
        away: Median distance, in frames, of those moments from the stated ones.
        others: What else the numbers may mean.
        size: Height and width of the swap's frames and of the target's.
    """

    target: float
    source: float
    explained: float = float("nan")
    free: float = float("nan")
    away: float = 0.0
    others: dict[str, Meaning] = field(default_factory=dict)
    size: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))


def face_mask(size: tuple[int, int], faces: Sequence[tuple[Face, tuple[int, int]]]) -> npt.NDArray[np.bool_]:
    """Where no face is.

    Args:
        size: Height and width of a thumbnail.
        faces: Faces, each with the height and width of the frame that it was found in.

    Returns:
        bool [h, w], False in the faces' boxes, which are widened for the forehead, the chin and a seam around them.
    """
    mask = np.ones(size, bool)
    for face, (height, width) in faces:
        x0, y0, x1, y1 = face.box
        w, h = x1 - x0, y1 - y0
        left, right = (x0 - 0.2 * w) / width, (x1 + 0.2 * w) / width
        top, bottom = (y0 - 0.4 * h) / height, (y1 + 0.25 * h) / height
        rows = slice(max(0, int(top * size[0])), max(0, int(np.ceil(bottom * size[0]))))
        mask[rows, max(0, int(left * size[1])) : max(0, int(np.ceil(right * size[1])))] = False
    return mask


def features(pictures: Grey, mask: npt.NDArray[np.bool_]) -> Array:
    """What a background looks like.

    Args:
        pictures: uint8 [n, h, w].
        mask: bool [h, w], the pixels that count.

    Returns:
        [n, pixels of the mask], each row of mean 0 and length 1; 0 for a picture without any detail.
    """
    weight = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), SIGMA)
    rows = []
    for picture in pictures:
        grey = picture.astype(np.float32)
        smooth = cv2.GaussianBlur(grey * mask, (0, 0), SIGMA) / np.maximum(weight, 1e-3)
        row = (grey - smooth)[mask]
        row = row - row.mean()
        rows.append(row / max(float(np.linalg.norm(row)), 1e-3))
    return np.stack(rows)


def hypotheses(swap: Thumbnails, target: Thumbnails) -> Iterator[Numbering]:
    """What the numbers of a finished clip may mean other than what they say, the likeliest first.

    Args:
        swap: The finished clip.
        target: The clip that it is said to be made from.

    Yields:
        One meaning after the other.
    """
    for n in SHIFTS:
        yield Numbering("from", Fraction(n))
        yield Numbering("skip", Fraction(n))
    ends = max(swap.named) + 1
    declared = Fraction(target.rate) / Fraction(swap.rate) if swap.rate and target.rate else Fraction(1)
    # A rate that the file declares and its length bears out needs no guess.
    borne_out = declared != 1 and _nearer(ends, declared, target.count)
    if borne_out:
        yield from _rates(declared)
    yield Numbering("chosen")
    if swap.count < target.count:
        for step in {
            target.count // swap.count,
            -(-target.count // swap.count),
            (target.count - 1) // max(1, swap.count - 1),
        }:
            if step > 1:
                yield Numbering("every", Fraction(step))
    if declared != 1 and not borne_out:
        yield from _rates(declared)
    # Of a whole clip another rate shows in the number of frames.
    for ratio in RATES:
        if ratio != declared and _nearer(ends, ratio, target.count):
            yield from _rates(ratio)


def _rates(ratio: Fraction) -> Iterator[Numbering]:
    for phase in (None, Fraction(0), Fraction(1, 2)):
        yield Numbering("x", ratio, phase)


def _nearer(frames: int, ratio: Fraction, count: int) -> bool:
    """Whether so many frames at this ratio make the target's count, and nearer than at its own rate."""
    away = abs(frames * ratio - count)
    return away <= max(2, count / 50) and away < abs(frames - count)


def compare(clips: Clips, stated: Numbering = AS_NAMED) -> Finding:
    """Hold a finished clip against its target and its source.

    Args:
        clips: The three clips.
        stated: What the numbers are said to mean.

    Returns:
        What the clip says.
    """
    target, swap = features(clips.target.pictures, clips.mask), features(clips.swap.pictures, clips.mask)
    found = Finding(
        float((swap @ target.T).max(1).mean()),
        -1.0
        if clips.source is None
        else float((swap @ features(clips.source.pictures, clips.mask).T).max(1).mean()),
        size=(clips.swap.shape, clips.target.shape),
    )
    return _moments(clips, swap, target, stated, found) if found.target > found.source else found


def _moments(clips: Clips, swap: Array, target: Array, stated: Numbering, found: Finding) -> Finding:
    spread = target.std(0)
    moving = spread >= np.quantile(spread, 1 - MOVING)
    swap, target = swap[:, moving], target[:, moving]
    as_stated = _frames(clips.swap, stated, len(target))
    inside = (as_stated >= 0) & (as_stated < len(target))
    if inside.sum() < FEWEST:
        return found
    mine = _left(swap[inside], target, as_stated[inside])
    others = {}
    for other in hypotheses(clips.swap, clips.target):
        frames = _frames(clips.swap, other, len(target))
        both = inside & (frames >= 0) & (frames < len(target))
        if both.sum() < max(FEWEST, inside.sum() / 2) or (frames[both] == as_stated[both]).all():
            continue
        stays, goes = _left(swap[both], target, as_stated[both]), _left(swap[both], target, frames[both])
        left = float(goes.sum() / max(float(stays.sum()), 1e-12))
        others[str(other)] = Meaning(_explained(swap[both], goes), left, _surely(stays - goes))
    centred, moments = swap[inside] - swap[inside].mean(0), target - target.mean(0)
    distances = np.stack([np.square(row - moments).sum(1) for row in centred])
    return replace(
        found,
        explained=_explained(swap[inside], mine),
        free=_explained(swap[inside], distances.min(1)),
        away=float(np.median(np.abs(distances.argmin(1) - as_stated[inside]))),
        others=others,
    )


def _frames(swap: Thumbnails, numbering: Numbering, count: int) -> npt.NDArray[np.int64]:
    """The target's frame of each thumbnail. The meaning may hang on all numbers of the clip."""
    where = dict(zip(swap.named, numbering.frames(swap.named, count), strict=True))
    return np.array([where[number] for number in swap.numbers], np.int64)


def _left(swap: Array, target: Array, frames: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Of each frame what is left of the swap without the target and without what differs in all frames alike."""
    difference = swap - target[frames]
    return np.asarray(np.square(difference - difference.mean(0)).sum(1), np.float64)


def _explained(swap: Array, left: npt.NDArray[np.float64]) -> float:
    return 1 - float(left.sum()) / max(float(np.square(swap - swap.mean(0)).sum()), 1e-12)


def _surely(gains: npt.NDArray[np.float64]) -> float:
    """The mean in standard errors, at most 30."""
    error = max(float(gains.std(ddof=1)) / len(gains) ** 0.5, 1e-12)
    return float(np.clip(gains.mean() / error, -30, 30))
