"""True swaps of rendered faces, for `smoothswap.train swapper --answers`: a scene with its own head, and with the source's.

    python -m smoothswap.rendered.dataset --out runs/faces --people 4000 --views 12 --size 128
    python -m smoothswap.rendered.answers runs/faces --out runs/answers --each 4

The source is anybody of the faces. The target is a stranger; the answer has the source's face shape, skin, eyes, lips,
brows and beard, and everything else of the target, as in the benchmark's true swaps (smoothswap.rendered.ffpp). Both are
cut by the target's landmarks, as a swapper does.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from smoothswap.cli import Parser, at_least, command
from smoothswap.data.answers import add_places, refuse_full, write_answers
from smoothswap.data.store import read_stored, sha256_of
from smoothswap.errors import EXIT_OK, DataError
from smoothswap.rendered import streams
from smoothswap.rendered.aligned import as_detected
from smoothswap.rendered.dataset import FRAME
from smoothswap.rendered.head import load_head
from smoothswap.rendered.landmarks import landmark_vertices
from smoothswap.rendered.motion import Motion
from smoothswap.rendered.people import lookalike, sample_identity, sample_styling
from smoothswap.rendered.render import Actor, project
from smoothswap.rendered.scene import sample_scene
from smoothswap.workers import Pool

NOISE = 0.02
"""Standard deviation of each landmark in interocular distances, as in the faces themselves."""
EXAMPLES = """
examples:
  python -m smoothswap.rendered.answers runs/faces --out runs/answers
  python -m smoothswap.rendered.answers runs/faces --out runs/more --each 8 --seed 1 --workers 16

exit codes: 0 rendered, 2 a wrong option, 3 faces or an output folder that cannot be used, 128 + n after signal n
"""


def true_swaps(person: int, each: int, size: int, of: int, lookalikes: bool, seed: int) -> np.ndarray:
    """Targets, and the true swaps of one person into them.

    Args:
        person: Number of the person among the faces.
        each: How many.
        size: Side of a picture, pixels.
        of: The faces' own seed, of whose stream the person is.
        lookalikes: Whether the faces are of the chain of people.lookalike.
        seed: Of targets and scenes; they are of nobody among the faces.

    Returns:
        uint8 [each, 2, size, size, 3], RGB: target and answer.
    """
    head = load_head()
    identity = lookalike(of, person) if lookalikes else sample_identity(np.random.default_rng([of, person]))
    pictures = np.empty((each, 2, size, size, 3), np.uint8)
    for i in range(each):
        rng = np.random.default_rng([seed, streams.ANSWERS, person, i])
        stranger = sample_identity(rng)
        styling = sample_styling(rng)
        scene = sample_scene(rng, FRAME)
        state = Motion(rng, head).at(float(rng.uniform(0, 8)))
        actor = Actor(stranger, styling)
        landmarks = project(actor.pose_vertices(state)[landmark_vertices()], scene.camera)
        inverse = as_detected(landmarks, size, NOISE, rng)
        pictures[i, 0] = actor.shot(state, scene, size=size, affine=inverse).image
        pictures[i, 1] = Actor(identity, styling).shot(state, scene, size=size, affine=inverse).image
    return pictures


def make(folder: Path, out: Path, each: int, seed: int, workers: int) -> str:
    """Render the answers to a folder of rendered faces; returns the closing summary.

    Args:
        folder: Faces that smoothswap.rendered.dataset wrote.
        out: Gets what smoothswap.data.answers reads.
        each: Answers a person.
        seed: Of targets and scenes.
        workers: Processes.

    Raises:
        DataError: The folder holds no rendered faces of version 3 whose people can be told.
    """
    stored = read_stored(folder)
    meta, size = stored.meta, stored.faces.shape[1]
    known = isinstance(meta, dict) and isinstance(meta.get("seed"), int)
    if not known or meta.get("world", 3) != 3 or meta.get("shapes"):
        raise DataError(
            f"{folder} holds no faces of world 3 with one person a number (meta.json): write them with "
            "python -m smoothswap.rendered.dataset"
        )
    people = len(stored.names)
    first = np.searchsorted(stored.people, np.arange(people))  # each one's first photo
    render = partial(
        true_swaps,
        each=each,
        size=size,
        of=meta["seed"],
        lookalikes=bool(meta.get("lookalikes")),
        seed=seed,
    )
    about = {
        "kind": "truth",
        "seed": seed,
        "each": each,
        "faces_sha256": sha256_of(*stored.files),
        "command": shlex.join(
            [
                "python",
                "-m",
                "smoothswap.rendered.answers",
                folder.name,
                "--each",
                str(each),
                "--seed",
                str(seed),
            ]
        ),
    }
    with Pool(workers) as pool:
        rendered = pool.map(render, range(people), chunksize=2)
        bar = tqdm(rendered, "rendering answers", people, unit="person", file=sys.stderr, mininterval=2)
        every = ((int(row), list(pair)) for row, pairs in zip(first, bar, strict=True) for pair in pairs)
        count = write_answers(out, (people * each, size), every, about)
    return f"{out}: {count} true swaps of {people} people"


def parser() -> Parser:
    """The command line."""
    made = Parser(
        "python -m smoothswap.rendered.answers", description=__doc__.split("\n")[0], epilog=EXAMPLES
    )
    add = made.add_argument
    add_places(add, "folder that smoothswap.rendered.dataset wrote")
    add("--each", type=at_least(1), default=4, metavar="N", help="answers a person (%(default)s)")
    add("--seed", type=at_least(0), default=0, metavar="N", help="of targets and scenes (%(default)s)")
    return made


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    options = parser().parse_args(argv)
    refuse_full(options.out)
    print(make(options.faces, options.out, options.each, options.seed, options.workers))
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
