"""Rendered faces with their codes: what the `anny` instrument's regressor learns from.

Shape is a neutral head's form without its place, size and turn: one picture cannot tell a small near head from a large far
one, nor a face that sits tilted on its neck from one that nods. Expression is what the ARKit weights do to it. Both are
principal components of the visible face, in millimetres, so that the L2 distance of two codes is the root mean square
distance of the two faces' vertices.
"""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from tqdm import tqdm

from smoothswap.faces.align import deca_affine
from smoothswap.rendered.head import SKIN, Head, load_head
from smoothswap.rendered.landmarks import landmark_vertices
from smoothswap.rendered.motion import Motion, State
from smoothswap.rendered.people import sample_identity, sample_shape, sample_styling
from smoothswap.rendered.render import Actor, project
from smoothswap.rendered.scene import sample_scene
from smoothswap.workers import begin_worker

SHAPE_COMPONENTS, EXPRESSION_COMPONENTS = 40, 20
SIZE, SCALE = 192, 1.5  # pixels of a stored picture, and its width in DECA's square: room to move the crop
FRAME = 256
POINTS = 200  # of the visible face whose places are a second lesson beside the codes
VIEWS = 2  # pictures of a person: more people teach shape better than more views
YAW = 0.55  # radians, amplitude of the turning: photographs turn further than the clips
_STREAM = 78  # people apart from those of the clips (77) and of the swapper's training faces


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
    """Centred points [..., v, 3] under the rotation that brings them nearest to `onto` [v, 3] (Kabsch 1976)."""
    left, _, right = np.linalg.svd(np.einsum("...vi,vj->...ij", points, onto, dtype=np.float64))
    right[..., 2, :] *= np.sign(np.linalg.det(left @ right))[..., None]  # no mirror images
    return np.asarray(points @ (left @ right).astype(points.dtype))


@lru_cache(maxsize=1)
def shape_space(people: int = 1500, seed: int = 12346) -> ShapeSpace:
    """The principal components of drawn people. Depends on nothing but its arguments and the head."""
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
    """Talking motion, and on every second face a few ARKit weights beyond it, as photographs have them."""
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


def person(index: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures uint8 [VIEWS, SIZE, SIZE, 3]; float32 [VIEWS, k + 52 + 3]: shape (mm), ARKit weights, pose; and where points
    spread over the visible face lie in each picture: float32 [VIEWS, POINTS, 2], (x, y), the picture from -1 to 1."""
    rng = np.random.default_rng([seed, _STREAM, index])
    actor = Actor(sample_identity(rng), sample_styling(rng))
    shape, vertices = shape_space().codes(actor.neutral), point_vertices()
    pictures, codes, points = np.empty((VIEWS, SIZE, SIZE, 3), np.uint8), [], []
    for view in range(VIEWS):
        scene, state = sample_scene(rng, FRAME), sample_state(rng, load_head())
        posed = actor.pose_vertices(state)
        affine = deca_affine(project(posed[landmark_vertices()], scene.camera), SIZE, SCALE)
        inverse = np.linalg.inv(np.vstack([affine, [0, 0, 1]]))[:2].astype(np.float32)
        pictures[view] = actor.shot(state, scene, size=SIZE, affine=inverse).image
        codes.append(np.concatenate([shape, state.expression, state.pose]))
        found = project(posed[vertices], scene.camera)
        points.append((found @ affine[:, :2].T + affine[:, 2] + 0.5) * (2 / SIZE) - 1)
    return pictures, np.array(codes, np.float32), np.array(points, np.float32)


def write(out: Path, people: int, seed: int, workers: int) -> None:
    """`pictures.npy` [people * VIEWS, ...], `codes.npy`, `points.npy` and `meta.json`; the same arguments give the same
    bytes."""
    out.mkdir(parents=True, exist_ok=True)
    part = out / "pictures.npy.part"
    shape = (people * VIEWS, SIZE, SIZE, 3)
    pictures = np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=shape)
    codes: list[np.ndarray] = []
    points: list[np.ndarray] = []
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=begin_worker) as pool:
        made = pool.map(partial(person, seed=seed), range(people), chunksize=4)
        for i, (images, numbers, places) in enumerate(
            tqdm(made, total=people, desc="rendering people", mininterval=2)
        ):
            pictures[i * VIEWS : (i + 1) * VIEWS] = images
            codes.append(numbers)
            points.append(places)
    pictures.flush()
    np.save(out / "codes.npy", np.concatenate(codes))
    np.save(out / "points.npy", np.concatenate(points))
    digest = hashlib.sha256(part.read_bytes()).hexdigest()
    meta = {
        "people": people,
        "views": VIEWS,
        "size": SIZE,
        "scale": SCALE,
        "seed": seed,
        "pictures_sha256": digest,
    }
    (out / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")
    os.replace(part, out / "pictures.npy")
