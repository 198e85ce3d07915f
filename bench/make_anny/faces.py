"""Rendered faces with their codes: what the `anny` instrument's regressor learns from.

The codes are those of smoothswap.rendered.codes.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from smoothswap.faces.align import deca_affine
from smoothswap.plumbing.made import make_folder
from smoothswap.rendered import streams
from smoothswap.rendered.codes import point_vertices, sample_state, shape_space
from smoothswap.rendered.head import load_head
from smoothswap.rendered.landmarks import landmark_vertices
from smoothswap.rendered.people import sample_identity, sample_styling
from smoothswap.rendered.render import Actor, project
from smoothswap.rendered.scene import sample_scene
from smoothswap.workers import Pool

SIZE, SCALE = 192, 1.5  # pixels of a stored picture, and its width in DECA's square: room to move the crop
FRAME = 256
VIEWS = 2  # pictures of a person: more people teach shape better than more views


def person(index: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Render one person.

    Args:
        index: Of the person.
        seed: Of the data set.

    Returns:
        Pictures uint8 [VIEWS, SIZE, SIZE, 3]; codes float32 [VIEWS, k + 52 + 3]: shape (mm), ARKit weights, pose; and where
        points spread over the visible face lie, float32 [VIEWS, POINTS, 2]: (x, y), the picture from -1 to 1.
    """
    rng = np.random.default_rng([seed, streams.REGRESSOR, index])
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


def write_faces(out: Path, people: int, seed: int, workers: int) -> None:
    """Write `pictures.npy`, `codes.npy`, `points.npy` and `meta.json`, the rows of one person side by side.

    The same people and seed give the same bytes. `pictures.npy` comes last: where it is, all are.

    Args:
        out: Folder, made where it is missing.
        people: How many; each has VIEWS rows, of the shapes that `person` says.
        seed: Of the people.
        workers: Processes that render.
    """
    make_folder(out)
    part = out / "pictures.npy.part"
    shape = (people * VIEWS, SIZE, SIZE, 3)
    pictures = np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=shape)
    codes: list[np.ndarray] = []
    points: list[np.ndarray] = []
    with Pool(workers) as pool:
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
