"""The codes of a face: what a reading of shape and expression is made of.

Shape is a neutral head's form without its place, size and turn: one picture cannot tell a small near head from a large far
one, nor a face that sits tilted on its neck from one that nods. Expression is what the ARKit weights do to it. Both are
principal components of the visible face, in millimetres, so that the L2 distance of two codes is the root mean square
distance of the two faces' vertices.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from smoothswap.rendered.head import SKIN, Head, load_head
from smoothswap.rendered.motion import Motion, State
from smoothswap.rendered.people import sample_shape

SHAPE_COMPONENTS, EXPRESSION_COMPONENTS = 40, 20
POINTS = 200  # of the visible face whose places are a second lesson beside the codes
YAW = 0.55  # radians, amplitude of the turning: photographs turn further than the clips


@dataclass(frozen=True)
class ShapeSpace:
    """codes = (face(head) - mean) . components: mean [v, 3] m, components [k, v, 3] so that codes are in mm."""

    vertices: np.ndarray
    mean: np.ndarray
    components: np.ndarray

    def face(self, neutral: np.ndarray) -> np.ndarray:
        """The visible face of neutral heads [..., v, 3] laid on the mean: one place, one size, least squares turn."""
        points = neutral[..., self.vertices, :]
        points = points - points.mean(-2, keepdims=True)
        return turned(points * (_norm(self.mean) / _norm(points)), self.mean)

    def codes(self, neutral: np.ndarray) -> np.ndarray:
        """Codes [..., k] in mm of neutral heads [..., all v, 3]."""
        return np.tensordot(self.face(neutral) - self.mean, self.components, ((-2, -1), (-2, -1)))


def _norm(points: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt((points**2).sum((-1, -2), keepdims=True)))


def turned(points: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """Points under the rotation that brings them nearest to others (Kabsch 1976).

    Args:
        points: [..., v, 3], each set centred on 0.
        onto: [v, 3], centred on 0.

    Returns:
        [..., v, 3] in the dtype of `points`; turned only, neither scaled nor mirrored.
    """
    left, _, right = np.linalg.svd(np.einsum("...vi,vj->...ij", points, onto, dtype=np.float64))
    right[..., 2, :] *= np.sign(np.linalg.det(left @ right))[..., None]  # no mirror images
    return np.asarray(points @ (left @ right).astype(points.dtype))


@lru_cache(maxsize=1)
def shape_space(people: int = 1500, seed: int = 12346) -> ShapeSpace:
    """The principal components of drawn people. Depends on nothing but its arguments and the head.

    Kept after the first call; a call with other arguments replaces what was kept.

    Args:
        people: How many are drawn, more than SHAPE_COMPONENTS.
        seed: Of the drawing; codes can be compared only within one space.

    Returns:
        SHAPE_COMPONENTS components over the skin of the face: no ears, no crown, no back of the head.
    """
    head = load_head()
    skin = np.unique(head.triangles[head.material == SKIN])
    front = head.mean[:, 2] > -0.02
    inside = front & (head.mean[:, 1] > -0.10) & (head.mean[:, 1] < 0.10) & (head.ear_weight < 0.5)
    vertices = skin[inside[skin]]
    mean = head.mean[vertices] - head.mean[vertices].mean(0)
    size, rng = _norm(mean), np.random.default_rng(seed)
    heads = np.stack([head.identity_vertices(sample_shape(rng, head))[vertices] for _ in range(people)])
    everything = np.arange(len(vertices))
    for _ in range(3):  # generalised Procrustes analysis: the mean of faces laid on their mean
        faces = ShapeSpace(everything, mean, np.zeros((0, *mean.shape))).face(heads)
        mean = faces.mean(0)
        mean *= size / _norm(mean)
    rows = (faces - mean).reshape(people, -1).astype(np.float64)
    values, sides = np.linalg.eigh(rows @ rows.T)  # the small side of the principal components
    directions = (sides[:, ::-1].T @ rows)[:SHAPE_COMPONENTS] / np.sqrt(values[::-1][:SHAPE_COMPONENTS, None])
    directions *= np.sign(directions[np.arange(SHAPE_COMPONENTS), np.abs(directions).argmax(1)])[:, None]
    # Orthonormal directions give |difference| = root of the sum over vertices; / sqrt(v) is the root mean square.
    components = directions * (1000 / np.sqrt(len(vertices)))
    return ShapeSpace(vertices, mean, components.reshape(-1, *mean.shape).astype(np.float32))


@lru_cache(maxsize=1)
def expression_map() -> np.ndarray:
    """[k, 52] float32 from ARKit weights to codes in mm: the components of the drawn states' moves of the visible face.

    A neutral face has the code 0. Weights that move nothing visible (the gaze's) have no part in it.
    """
    head, vertices = load_head(), shape_space().vertices
    moves = head.expression_basis[:, vertices].reshape(52, -1).astype(np.float64) * (
        1000 / np.sqrt(len(vertices))
    )
    # The moves' covariance has the rank of the weights: its eigenvectors come from a matrix of 52 x 52.
    values, sides = np.linalg.eigh(_covariance())
    root = (sides * np.sqrt(np.maximum(values, 0))) @ sides.T
    gram = moves @ moves.T
    values, sides = np.linalg.eigh(root @ gram @ root)
    values, sides = values[::-1][:EXPRESSION_COMPONENTS], sides[:, ::-1][:, :EXPRESSION_COMPONENTS]
    rows = (sides.T @ root @ gram) / np.sqrt(values)[:, None]
    rows *= np.sign(rows[np.arange(len(rows)), np.abs(rows).argmax(1)])[:, None]
    return rows.astype(np.float32)


@lru_cache(maxsize=1)
def _covariance(states: int = 3000, seed: int = 12347) -> np.ndarray:
    """[52, 52], of the ARKit weights of drawn states."""
    head, rng = load_head(), np.random.default_rng(seed)
    weights = np.stack([sample_state(rng, head).expression for _ in range(states)]).astype(np.float64)
    return np.asarray(np.cov(weights.T))


@lru_cache(maxsize=1)
def mirror() -> np.ndarray:
    """[k, k] float32, k of shape, expression and pose: codes @ mirror are those of the mirrored picture.

    The head's mesh is symmetric to half a millimetre; expressions are mirrored by their ARKit weights, left for right.
    """
    space, rows, names = shape_space(), expression_map().astype(np.float64), load_head().expression_names
    partners = mirrored_vertices()
    flat = space.components.reshape(SHAPE_COMPONENTS, -1)
    turned_over = (space.components[:, partners] * [-1, 1, 1]).reshape(SHAPE_COMPONENTS, -1)
    other_side = [names.index(_other_side(name)) for name in names]
    covariance = _covariance()
    expression = np.linalg.solve(rows @ covariance @ rows.T, rows @ covariance @ rows[:, other_side].T)
    whole = np.zeros((SHAPE_COMPONENTS + EXPRESSION_COMPONENTS + 3,) * 2)
    whole[:SHAPE_COMPONENTS, :SHAPE_COMPONENTS] = turned_over @ flat.T * (len(partners) / 1e6)
    whole[SHAPE_COMPONENTS:-3, SHAPE_COMPONENTS:-3] = expression
    whole[-3:, -3:] = np.diag([1, -1, -1])  # axis-angle is an axial vector
    return whole.astype(np.float32)


@lru_cache(maxsize=1)
def mirrored_vertices() -> np.ndarray:
    """For every vertex of the visible face the one on the other side: int [v]."""
    from scipy.spatial import cKDTree

    points = load_head().mean[shape_space().vertices]
    return np.asarray(cKDTree(points).query(points * [-1, 1, 1])[1])


def _other_side(name: str) -> str:
    return name.replace("Left", "*").replace("Right", "Left").replace("*", "Right")


@lru_cache(maxsize=1)
def point_vertices() -> np.ndarray:
    """POINTS vertices spread over the visible face; the second half are the mirror images of the first: int [POINTS]."""
    vertices, partners = shape_space().vertices, mirrored_vertices()
    right = np.flatnonzero(load_head().mean[vertices][:, 0] >= 0)
    chosen = right[np.linspace(0, len(right) - 1, POINTS // 2).round().astype(int)]
    return np.concatenate([vertices[chosen], vertices[partners[chosen]]])


def sample_state(rng: np.random.Generator, head: Head) -> State:
    """Talking motion, and on every second face a few ARKit weights beyond it, as photographs have them.

    Args:
        rng: Drawn from: the motion, its moment (0 to 8 seconds), and the weights.
        head: Names the weights.

    Returns:
        One moment; the turning has the amplitude YAW.
    """
    state = Motion(rng, head, yaw=YAW).at(float(rng.uniform(0, 8)))
    if rng.uniform() < 0.5:
        return state
    expression = state.expression.copy()
    for name in rng.choice(
        [n for n in head.expression_names if _drawable(n)], rng.integers(1, 5), replace=False
    ):
        amount = rng.uniform(0, 0.8)
        sides = (name, name.replace("Left", "Right")) if rng.uniform() < 0.8 else (name,)
        for side in set(sides):
            i = head.expression_index(side)
            expression[i] = np.clip(expression[i] + amount, 0, 1)
    return State(state.pose, expression, state.gaze)


def _drawable(name: str) -> bool:
    """Weights that may be drawn alone: not the gaze, which has numbers of its own, and nothing that tears the lips."""
    return (
        not name.startswith("eyeLook")
        and not name.endswith("Right")
        and name not in ("mouthClose", "tongueOut")
    )
