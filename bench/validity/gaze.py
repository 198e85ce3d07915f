"""Gaze by the irises of 478 landmarks, examined before it may become a column.

    python -m bench.validity.gaze --people 30 --photos lfw/images_deepfunneled --out results/gaze.json

Rendered people of worlds 3 and 4 look to all sides, drawn evenly, all else as in the free pictures of bench.validity and
the clips of world 4. Of photographs nobody knows the truth: there the mirror image must read the opposite, and small
changes must move little. What was found, and what follows, stands in docs/instruments.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from bench.cli import command
from bench.errors import EXIT_OK
from bench.lfw import central
from bench.validity import examination
from bench.validity.lfw import CHANGES
from bench.validity.samples import drawn_state
from metrics.gaze import iris_offset
from metrics.instruments.gaze import IrisGaze
from metrics.statistics.agreement import Estimate, rank_correlation, ratio_of_medians
from smoothswap.faces.align import AlignmentError
from smoothswap.faces.detect import Detector
from smoothswap.media.images import read_image
from smoothswap.pixels import Image
from smoothswap.rendered import people as people3
from smoothswap.rendered import scene as scene3
from smoothswap.rendered import streams
from smoothswap.rendered.head import load_head
from smoothswap.rendered.motion import State
from smoothswap.rendered.render import Actor

PICTURES = 4  # of a person
REACH = np.array([0.5, 0.3])  # radians to either side, up and down
PHOTOS = 120  # of different people


def picture(world: int, rng: np.random.Generator, identity: Any, size: int) -> tuple[Image, State]:
    """One picture of a rendered person whose gaze is drawn evenly.

    Args:
        world: 3 or 4.
        rng: Draws dress, scene, moment and gaze.
        identity: Of that world's people.
        size: Side of the picture, pixels.

    Returns:
        uint8 [size, size, 3], and the moment, whose gaze is yaw and pitch in the head's frame, radians.
    """
    if world == 3:
        styling, scene, state = people3.sample_styling(rng), scene3.sample_scene(rng, size), drawn_state(rng)
        state = State(state.pose, state.expression, rng.uniform(-REACH, REACH).astype(np.float32))
        return Actor(identity, styling).shot(state, scene).image, state
    from smoothswap.rendered.world4 import motion, people, portrait
    from smoothswap.rendered.world4 import scene as place
    from smoothswap.rendered.world4 import styling as dress

    worn = dress.sample_styling(rng)
    where = place.sample_scene(rng, size, people.skin_albedo(identity))
    state = motion.Talk(rng, load_head()).at(float(rng.uniform(0, 8)))
    state = State(state.pose, state.expression, rng.uniform(-REACH, REACH).astype(np.float32))
    return portrait.Portrait(identity, worn, where).shot(state).image, state


def identities(world: int) -> Callable[[np.random.Generator], Any]:
    """What draws a person of world 3 or 4."""
    if world == 3:
        return people3.sample_identity
    from smoothswap.rendered.world4.people import sample_identity

    return sample_identity


def examine(world: int, people: int, size: int, seed: int) -> dict[str, Estimate]:
    """How well the reading follows the truth of rendered faces, and what it must not follow.

    Args:
        world: 3 or 4.
        people: How many, each in PICTURES pictures.
        size: Side of a picture, pixels.
        seed: Of people and draws.

    Returns:
        As `agreement`.
    """
    detector, instrument, draw = Detector(), IrisGaze(), identities(world)
    who, truth, read = [], [], []
    for person in tqdm(range(people), desc=f"people of world {world}", unit="person", file=sys.stderr):
        rng = np.random.default_rng([seed, streams.GAZE, person])
        identity = draw(rng)
        for _ in range(PICTURES):
            image, state = picture(world, rng, identity, size)
            for face in detector.detect(image)[:1]:
                crop = instrument.crop.cut(image, face.landmarks, instrument.crop.size)  # type: ignore[misc]
                who.append(person)
                truth.append((*state.gaze, state.pose[1]))
                read.append(iris_offset(instrument.mesh(crop[None]))[0])
    return agreement(np.array(who), np.array(truth), np.array(read))


def agreement(people: np.ndarray, truth: np.ndarray, read: np.ndarray) -> dict[str, Estimate]:
    """The figures of `examine` from what was drawn and read.

    Args:
        people: int [n], whose picture each is.
        truth: float [n, 3], radians: gaze to the side, gaze up or down, the head's turn to the side.
        read: float [n, 2], what metrics.gaze.iris_offset read.

    Returns:
        Rank correlations, over pairs of pictures of different people, of differences. "sideways": of the first reading
        with gaze to the side, 1 at best; "sideways_by_height" and "sideways_by_turn": with the other truths, 0 at best;
        "height" and "height_by_side": the same of the second reading.
    """
    a, b = np.triu_indices(len(people), 1)
    other = people[a] != people[b]
    a, b = a[other], b[other]
    apart, true = (np.abs(rows[a] - rows[b]) for rows in (read, truth))
    names = {
        "sideways": (0, 0),
        "sideways_by_height": (0, 1),
        "sideways_by_turn": (0, 2),
        "height": (1, 1),
        "height_by_side": (1, 0),
    }
    return {
        name: rank_correlation(apart[:, i], true[:, j], people[a], people[b])
        for name, (i, j) in names.items()
    }


def examine_photos(folder: Path, seed: int) -> dict[str, Estimate]:
    """What can be known of the reading on photographs.

    Args:
        folder: With Name/photo.jpg; of PHOTOS people drawn by lot the first photo.
        seed: Of the lot.

    Returns:
        As `steadiness`.
    """
    names = sorted(path for path in folder.iterdir() if path.is_dir())
    chosen = np.random.default_rng(seed).permutation(len(names))[:PHOTOS]
    detector, instrument = Detector(), IrisGaze()
    crops: dict[str, list[Image]] = {change: [] for change in ("none", *CHANGES)}
    for i in tqdm(sorted(chosen), desc="photographs", unit="photo", file=sys.stderr):
        photo = read_image(min(names[i].iterdir()))
        face = central(detector.detect(photo), photo)
        if face is None:
            continue
        seen = {"none": (photo, face.landmarks)}
        seen |= {name: change(photo, face.landmarks) for name, change in CHANGES.items()}
        try:
            cut = {name: instrument.crop.cut(*of, instrument.crop.size) for name, of in seen.items()}  # type: ignore[misc]
        except AlignmentError:
            continue
        for name, crop in cut.items():
            crops[name].append(crop)
    return steadiness({name: instrument.read(np.stack(of))["gaze"][:, 0] for name, of in crops.items()})


def steadiness(read: dict[str, np.ndarray]) -> dict[str, Estimate]:
    """The figures of `examine_photos` from what was read.

    Args:
        read: "none", "mirror" and other changes -> float [n], one photo of each of n people.

    Returns:
        By change, the median of what it moves the reading over the median difference to the next person's photo: 0 at
        best. Of "mirror" what is left of a reading and its mirror image's, which should be opposites.
    """
    base = read["none"].astype(np.float64)
    other = np.abs(base - np.roll(base, 1))
    moved = {name: rows - base if name != "mirror" else rows + base for name, rows in read.items()}
    return {name: ratio_of_medians(np.abs(of), other) for name, of in moved.items() if name != "none"}


@command
def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    made = examination.parser("bench.validity.gaze", __doc__)
    made.add_argument("--photos", type=Path, metavar="DIR", help="photographs too, DIR/Name/photo.jpg")
    options = examination.parsed(made, argv)
    found = {f"world_{w}": examine(w, options.people, options.size, options.seed) for w in (3, 4)}
    if options.photos:
        found["photographs"] = examine_photos(options.photos, options.seed)
    figures = {of: {name: asdict(e) for name, e in each.items()} for of, each in found.items()}
    examination.give({"people": options.people, "seed": options.seed, "figures": figures}, options.out)
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
