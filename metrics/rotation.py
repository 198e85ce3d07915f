"""Head rotation: one convention for every instrument, and the way into it from each network's own.

Axes: x to the right of the picture, y up, z towards the viewer (right-handed). A rotation R takes the head's axes
(the same three for a face that looks straight into the camera) to the camera's: R @ (0, 0, 1) is where the nose points.
A reading "pose" is R as axis-angle, float [n, 3] in radians. Turning about x by a positive angle is a nod downwards,
about y a turn of the nose to the right of the picture, about z a tilt that is anticlockwise in the picture.

Degrees are given as published numbers are, in the convention of 300W-LP (Zhu et al., CVPR 2016), which Hopenet
predicts: (pitch, yaw, roll) with

    R = Rx(-pitch) @ Ry(-yaw) @ Rz(-roll),

so that positive pitch raises the nose, positive yaw turns it to the left of the picture, and positive roll tilts the
head clockwise in the picture. Seen in natanielruiz/deep-head-pose (code/utils.py, draw_axis, whose projected axes are the
columns of this matrix) and in cleardusk/3DDFA_V2; tested here on rendered faces of known pose.

Where each model has its zero is its own: which face looks "straight ahead" differs between them by some degrees of
pitch. Distances between two readings of one instrument do not see it.

A row with a NaN stays NaN. Everything is computed in float64.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

Floats = NDArray[np.float64]


def to_matrix(pose: ArrayLike) -> Float64[np.ndarray, "n 3 3"]:
    """Axis-angle to rotation matrices.

    Args:
        pose: float [n, 3], radians.

    Returns:
        float [n, 3, 3].

    Examples:
        >>> to_matrix([[0.0, 0.0, np.pi / 2]]).round(6).tolist()
        [[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]]
    """
    vectors = np.asarray(pose, np.float64).reshape(-1, 3)
    good = np.isfinite(vectors).all(1)
    out = np.full((len(vectors), 3, 3), np.nan)
    if good.any():
        out[good] = Rotation.from_rotvec(vectors[good]).as_matrix()
    return out


def from_matrix(matrices: ArrayLike) -> Float64[np.ndarray, "n 3"]:
    """Rotation matrices to axis-angle.

    Args:
        matrices: float [n, 3, 3], orthonormal, as they come from floats.

    Returns:
        float [n, 3], angles up to pi.
    """
    rows = np.asarray(matrices, np.float64).reshape(-1, 3, 3)
    good = np.asarray(np.isfinite(rows).all((1, 2)))
    good[good] = np.linalg.det(rows[good]) > 1e-12
    out = np.full((len(rows), 3), np.nan)
    if good.any():
        out[good] = Rotation.from_matrix(rows[good]).as_rotvec()
    return out


def from_degrees(angles: ArrayLike) -> Float64[np.ndarray, "n 3"]:
    """Angles of 300W-LP to axis-angle.

    Args:
        angles: float [n, 3], (pitch, yaw, roll) in degrees.

    Returns:
        float [n, 3].

    Examples:
        >>> from_degrees([[0.0, 90.0, 0.0]]).round(4).tolist()
        [[0.0, -1.5708, 0.0]]
    """
    rows = np.asarray(angles, np.float64).reshape(-1, 3)
    good = np.isfinite(rows).all(1)
    out = np.full((len(rows), 3), np.nan)
    if good.any():
        out[good] = Rotation.from_euler("XYZ", -rows[good], degrees=True).as_rotvec()
    return out


def to_degrees(pose: ArrayLike) -> Float64[np.ndarray, "n 3"]:
    """Axis-angle to the angles of 300W-LP.

    At a yaw of exactly +-90 pitch and roll are not told apart; roll is then 0.

    Args:
        pose: float [n, 3], axis-angle.

    Returns:
        float [n, 3], (pitch, yaw, roll) in degrees; yaw within -90 .. 90.

    Examples:
        >>> to_degrees(from_degrees([[10.0, -20.0, 5.0]])).round(6).tolist()
        [[10.0, -20.0, 5.0]]
    """
    r = to_matrix(pose)
    yaw = -np.arcsin(np.clip(r[:, 0, 2], -1.0, 1.0))
    level = np.hypot(r[:, 0, 0], r[:, 0, 1])
    locked = level < 1e-9
    pitch = np.where(locked, -np.arctan2(r[:, 2, 1], r[:, 1, 1]), -np.arctan2(-r[:, 1, 2], r[:, 2, 2]))
    roll = np.where(locked, 0.0, -np.arctan2(-r[:, 0, 1], r[:, 0, 0]))
    return np.degrees(np.stack([pitch, yaw, roll], axis=1))


def from_6drepnet(six: ArrayLike) -> Float64[np.ndarray, "n 3"]:
    """6DRepNet's six numbers to axis-angle.

    They are two columns of a matrix, made orthonormal by Gram and Schmidt (Zhou et al., CVPR 2019). Its training
    labels compose 300W-LP's angles in another order and sense, Rz(roll) @ Ry(yaw) @ Rx(pitch) (thohemp/6DRepNet,
    sixdrepnet/utils.py, get_R), so the angles are taken out of that product first.

    Args:
        six: float [n, 6].

    Returns:
        float [n, 3].
    """
    rows = np.asarray(six, np.float64).reshape(-1, 6)
    with np.errstate(invalid="ignore", divide="ignore"):
        x = rows[:, :3] / np.linalg.norm(rows[:, :3], axis=1, keepdims=True)
        z = np.cross(x, rows[:, 3:])
        z /= np.linalg.norm(z, axis=1, keepdims=True)
    y = np.cross(z, x)
    level = np.hypot(x[:, 0], x[:, 1])
    locked = level < 1e-6
    pitch = np.where(locked, np.arctan2(-z[:, 1], y[:, 1]), np.arctan2(y[:, 2], z[:, 2]))
    yaw = np.arctan2(-x[:, 2], level)
    roll = np.where(locked, 0.0, np.arctan2(x[:, 1], x[:, 0]))
    return from_degrees(np.degrees(np.stack([pitch, yaw, roll], axis=1)))


def from_3ddfa(cameras: ArrayLike) -> Float64[np.ndarray, "n 3"]:
    """3DDFA's affine cameras to axis-angle.

    The first two rows are the scaled x and y axis of R in these very axes; the third is made from them
    (cleardusk/3DDFA_V2, utils/pose.py, P2sRt). The network keeps the two rows only nearly at right angles; the nearest
    rotation is taken.

    Args:
        cameras: float [n, 3, 4], unstandardised.

    Returns:
        float [n, 3].
    """
    rows = np.asarray(cameras, np.float64).reshape(-1, 3, 4)[:, :2, :3]
    with np.errstate(invalid="ignore", divide="ignore"):
        rows = rows / np.linalg.norm(rows, axis=2, keepdims=True)
    matrices = np.concatenate([rows, np.cross(rows[:, :1], rows[:, 1:])], axis=1)
    return from_matrix(matrices)


def geodesic(a: ArrayLike, b: ArrayLike) -> Float64[np.ndarray, " n"]:
    """The angle of the rotation between row i of a and of b.

    Args:
        a: float [n, 3], axis-angle.
        b: float [n, 3].

    Returns:
        float [n], degrees, 0 .. 180.

    Examples:
        >>> geodesic(from_degrees([[0.0, 30.0, 0.0]]), from_degrees([[0.0, -15.0, 0.0]])).round(6).tolist()
        [45.0]
    """
    one, two = to_matrix(a), to_matrix(b)
    # The chord keeps its digits for small angles, where the arc cosine of the trace loses half of them.
    chord = np.sqrt(((one - two) ** 2).sum((1, 2)))
    return np.degrees(2 * np.arcsin(np.clip(chord / np.sqrt(8.0), 0.0, 1.0)))
