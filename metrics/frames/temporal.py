"""Steadiness of swapped video from each frame to the next, against the target's own motion.

The sources at hand define no such metric: these are ours. A frame's predecessor is the frame of the same clip
whose number is one less; without it (first frames, sampled frames with gaps) there is no value, because
motion over a gap is not flicker. What the target's own video does is the mark to reach, from either side: copy-target
scores 0 in all of them, and a swap that is softer or stiller than its target scores worse, not better.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from metrics.distances import Floats, angle, cosine_distance, l2
from metrics.shapes import Rows
from metrics.sides import MetricError, Sides
from metrics.spec import VIDEO, Metric


def predecessor(clips: ArrayLike, frames: ArrayLike) -> Int64[np.ndarray, " n"]:
    """Row of each frame's predecessor: the frame of the same clip whose number is one less.

    Args:
        clips: str [n].
        frames: int [n]. Rows may stand in any order; of a frame that is given twice the first row is taken.

    Returns:
        int [n], -1 where there is none.

    Examples:
        >>> predecessor(["a", "a", "b", "a"], [7, 8, 9, 10]).tolist()
        [-1, 0, -1, -1]
    """
    names, numbers = np.asarray(clips), np.asarray(frames).astype(np.int64)
    found = np.full(len(numbers), -1, dtype=np.int64)
    if len(numbers) == 0:
        return found
    _, clip = np.unique(names, return_inverse=True)
    # One whole number for each (clip, frame); clips are kept a step apart, so that none follows another.
    low = int(numbers.min())
    key = clip * (int(numbers.max()) - low + 2) + (numbers - low) + 1
    known, first = np.unique(key, return_index=True)
    place = np.minimum(np.searchsorted(known, key - 1), len(known) - 1)
    hit = known[place] == key - 1
    found[hit] = first[place[hit]]
    return found


def rotation_angle(a: ArrayLike, b: ArrayLike) -> Float64[np.ndarray, " n"]:
    """Geodesic angle between the rotations of row i of a and of b.

    Args:
        a: float [n, 3], axis-angle in radians.
        b: float [n, 3].

    Returns:
        float [n] in 0..pi, NaN where either row holds one.

    Raises:
        MetricError: For rows that are not three numbers.

    Examples:
        >>> rotation_angle([[0.0, 0.0, 0.2]], [[0.0, 0.0, -0.1]]).round(6).tolist()
        [0.3]
    """
    return angle(_rotation_vectors(a), _rotation_vectors(b))


def identity_consistency(sides: Sides) -> Float64[np.ndarray, " n"]:
    """How much more, or less, the swap's identity changes since the frame before than the target's does.

    A change is the cosine distance of the embeddings of the two frames. Real video has some, so a swap without any is as
    wrong as one with too much: blur holds an embedding still.

    Args:
        sides: What was read.

    Returns:
        float [n] in 0..2, NaN for first frames.
    """
    before, has = _before(sides)
    swap, target = sides.swap["identity"], sides.target["identity"]
    return _only(has, np.abs(cosine_distance(swap, swap[before]) - _changed(target, before)))


def expression_flicker(sides: Sides) -> Float64[np.ndarray, " n"]:
    """|(e_t - e_(t-1)) of the swap - the same of the target|.

    Args:
        sides: What was read.

    Returns:
        float [n], NaN for first frames.
    """
    before, has = _before(sides)
    swap, target = (np.asarray(s["expression"], dtype=np.float64) for s in (sides.swap, sides.target))
    return _only(has, l2(swap - swap[before], target - target[before]))


def pose_flicker(sides: Sides) -> Float64[np.ndarray, " n"]:
    """Angle between the turn of the swapped head since the frame before and that of the target's.

    A turn is R_t R_(t-1)^T, so a constant error of pose is no flicker.

    Args:
        sides: What was read.

    Returns:
        float [n], radians, NaN for first frames.
    """
    before, has = _before(sides)
    swap, target = _rotation_vectors(sides.swap["pose"]), _rotation_vectors(sides.target["pose"])
    return _only(has, _motion_error(swap, swap[before], target, target[before]))


def lost(sides: Sides, reading: str) -> Float64[np.ndarray, " n"]:
    """What a frame costs in which the swap's face is lost: as though the wanted face jumped to the unwanted one.

    The error of such a jump. Identity: the distance from source to target, less the change that the target's video has
    there anyway. Expression and pose: the distance from the target's reading to the source's.

    Args:
        sides: What was read.
        reading: Which reading.

    Returns:
        float [n], NaN where an original lacks a reading.
    """
    before, has = _before(sides)
    source, target = sides.source[reading], sides.target[reading]
    if reading == "identity":
        return _only(has, np.abs(cosine_distance(source, target) - _changed(target, before)))
    return _only(has, {"expression": l2, "pose": rotation_angle}[reading](source, target))


def has_predecessor(sides: Sides) -> Bool[np.ndarray, " n"]:
    """Frames that can have a value at all.

    Args:
        sides: What was read.

    Returns:
        bool [n].
    """
    return _before(sides)[1]


def _before(sides: Sides) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    if sides.clips is None or sides.frames is None:
        raise MetricError("metrics of video need to know the clip and the number of each frame")
    before = predecessor(sides.clips, sides.frames)
    return before, before >= 0


def _changed(identity: Rows, before: NDArray[np.int64]) -> Floats:
    return cosine_distance(identity, np.asarray(identity)[before])


def _only(has: NDArray[np.bool_], values: Floats) -> Floats:
    return np.asarray(np.where(has, values, np.nan))


def _rotation_vectors(rows: ArrayLike) -> Floats:
    x = np.asarray(rows, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != 3:
        raise MetricError(f"a pose is an axis-angle of 3 numbers in radians, not {x.shape[1:]} numbers")
    return x


def _motion_error(a1: Floats, a0: Floats, b1: Floats, b0: Floats) -> Floats:
    angle = np.full(len(a1), np.nan)
    kept = np.isfinite(np.concatenate([a1, a0, b1, b0], axis=1)).all(axis=1)
    if kept.any():
        r1, r0, q1, q0 = (Rotation.from_rotvec(x[kept]) for x in (a1, a0, b1, b0))
        angle[kept] = ((r1 * r0.inv()) * (q1 * q0.inv()).inv()).magnitude()
    return angle


def _warped(sides: Sides) -> Floats:
    if "warping_error" not in sides.pixels:
        raise MetricError("warping_error was not measured; it needs the pictures themselves")
    return _only(has_predecessor(sides), np.asarray(sides.pixels["warping_error"], dtype=np.float64))


def _unwarped(sides: Sides) -> Floats:
    return _only(has_predecessor(sides), np.full(len(sides), 255.0))


METRICS = (
    Metric(
        key="identity_consistency",
        label="ID flicker",
        group=VIDEO,
        order=100,
        formula="|cos(z_swap(t), z_swap(t-1)) - cos(z_target(t), z_target(t-1))|",
        description=(
            "How far the cosine similarity of the swap's identity embeddings in a frame and in the one before it lies from "
            "the target's own. 0: as steady as the target's video. A softer swap, which changes less, is no better. Mean "
            "over frames that follow another."
        ),
        unit="cosine distance",
        range=(0.0, 2.0),
        higher_is_better=False,
        version=2,
        reads=("identity",),
        per_frame=identity_consistency,
        if_missing=partial(lost, reading="identity"),
        missing="a jump to the other person",
        asked=has_predecessor,
        needs_clips=True,
        needs_source=False,
        source="ours",
    ),
    Metric(
        key="expression_flicker",
        label="Expr flicker",
        group=VIDEO,
        order=101,
        formula="|(e_swap(t) - e_swap(t-1)) - (e_target(t) - e_target(t-1))|",
        description=(
            "L2 distance between the change of the expression parameters since the frame before in the "
            "swap and in the target. 0: moves exactly as the target does; a constant error is no flicker."
        ),
        unit="L2 of expression parameters per frame",
        range=(0.0, math.inf),
        higher_is_better=False,
        reads=("expression",),
        per_frame=expression_flicker,
        if_missing=partial(lost, reading="expression"),
        missing="a jump to the source's expression",
        asked=has_predecessor,
        needs_clips=True,
        needs_source=False,
        source="ours",
    ),
    Metric(
        key="pose_flicker",
        label="Pose flicker",
        group=VIDEO,
        order=102,
        formula="angle(R_swap(t) R_swap(t-1)^T, R_target(t) R_target(t-1)^T)",
        description=(
            "Geodesic angle between the turn of the head since the frame before in the swap and in the "
            "target. 0: turns exactly as the target does; a constant error is no flicker."
        ),
        unit="rad per frame",
        range=(0.0, math.pi),
        higher_is_better=False,
        reads=("pose",),
        per_frame=pose_flicker,
        if_missing=partial(lost, reading="pose"),
        missing="a jump to the source's pose",
        asked=has_predecessor,
        needs_clips=True,
        needs_source=False,
        source="ours",
    ),
    Metric(
        key="warping_error",
        label="Warping",
        group=VIDEO,
        order=103,
        formula="| mean |swap(t) - W swap(t-1)| - mean |target(t) - W target(t-1)| |",
        description=(
            "Distance of the swap's warping error to the target's own, W moving the frame before by the target's optical "
            "flow (DIS), over what is seen in both frames of the square about the face. 0: what the target itself shows."
        ),
        unit="grey levels per frame",
        range=(0.0, 255.0),
        higher_is_better=False,
        reads=(),
        per_frame=_warped,
        if_missing=_unwarped,
        missing="255",
        asked=has_predecessor,
        needs_clips=True,
        needs_source=False,
        pixels=True,
        source="Lai et al. 2018, eq. 7 to 9, as L1; the distance to the target's own and the square are ours",
    ),
)
