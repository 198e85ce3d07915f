"""Training faces, rendered: `python -m smoothswap.rendered.dataset --out runs/faces --people 1500 --views 12`.

Writes `faces.npy` uint8 [people, views, size, size, 3] RGB, FFHQ-aligned, and `meta.json`.  Within a person, light,
camera, background, pose and expression change with every view and hair and clothes with every third, so that a
network must know the face; with `--makeover` complexion, lips and beard change too, so that it must know the features;
with `--lookalikes` other people share one of the two, so that it must know both; with `--shapes` too, those who share
their shape count as one person of two looks, so that it must know the shape.
People come from the seed's own stream: another seed gives other people.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from smoothswap.cli import Parser, at_least, check_folder, command, real
from smoothswap.errors import EXIT_OK, UsageError
from smoothswap.plumbing.files import replacing, write_whole
from smoothswap.plumbing.made import make_folder
from smoothswap.rendered.aligned import as_detected
from smoothswap.rendered.head import load_head
from smoothswap.rendered.landmarks import landmark_vertices
from smoothswap.rendered.motion import Motion
from smoothswap.rendered.people import lookalike, sample_identity, sample_makeover, sample_styling
from smoothswap.rendered.render import Actor, project
from smoothswap.rendered.scene import sample_scene
from smoothswap.workers import Pool, cores

EXAMPLES = """
examples:
  python -m smoothswap.rendered.dataset --out runs/faces --people 1500 --views 12
  python -m smoothswap.rendered.dataset --out runs/lookalikes --people 6000 --views 9 --seed 4000 --lookalikes
"""
VIEWS_PER_STYLING = 3
FRAME = 160  # pixels of the frame that the crop is taken from, before it is rendered at the crop's own size


def person_views(
    person: int,
    views: int,
    size: int,
    seed: int,
    landmark_noise: float = 0.02,
    makeover: float = 0.0,
    lookalikes: bool = False,
    shapes: bool = False,
) -> np.ndarray:
    """Pictures of one person, each FFHQ-aligned by its own true landmarks with some noise.

    Args:
        person: Number of the person, 0 or above.
        views: How many pictures.
        size: Side of a picture, pixels.
        seed: Of the stream of people; another one gives others.
        landmark_noise: Standard deviation of each coordinate in interocular distances, as a detector errs.
        makeover: Probability that a styling comes with another complexion (people.sample_makeover).
        lookalikes: Take the person from the chain of people.lookalike.
        shapes: Give half the views to each of the two in the chain who have one shape (2 person and 2 person
            + 1); implies `lookalikes`, and wants an even number of views.

    Returns:
        uint8 [views, size, size, 3], RGB.
    """
    if shapes:
        both = (2 * person, 2 * person + 1)
        return np.concatenate(
            [person_views(p, views // 2, size, seed, landmark_noise, makeover, True) for p in both]
        )
    rng = np.random.default_rng([seed, person])
    head = load_head()
    identity = lookalike(seed, person) if lookalikes else sample_identity(rng)
    pictures = np.empty((views, size, size, 3), np.uint8)
    actor = None
    for view in range(views):
        if actor is None or view % VIEWS_PER_STYLING == 0:
            changed = makeover > 0 and rng.uniform() < makeover
            actor = Actor(sample_makeover(rng, identity) if changed else identity, sample_styling(rng))
        scene = sample_scene(rng, FRAME)
        state = Motion(rng, head).at(float(rng.uniform(0, 8)))
        landmarks = project(actor.pose_vertices(state)[landmark_vertices()], scene.camera)
        inverse = as_detected(landmarks, size, landmark_noise, rng)
        pictures[view] = actor.shot(state, scene, size=size, affine=inverse).image
    return pictures


def write_faces(  # noqa: PLR0913  # what a data set is made of, by name
    out: Path,
    people: int,
    views: int,
    size: int,
    seed: int,
    workers: int,
    makeover: float = 0.0,
    lookalikes: bool = False,
    shapes: bool = False,
    world: int = 3,
) -> None:
    """Render and write atomically; the same arguments give the same bytes, whatever the number of workers.

    Args:
        out: Folder for faces.npy (uint8 [people, views, size, size, 3], RGB) and meta.json; made where it is
            missing, and what it holds of the two is replaced.
        people: How many.
        views: Pictures of each person.
        size: Side of a picture, pixels.
        seed: Of the stream of people.
        workers: Processes that render.
        makeover: As person_views.
        lookalikes: As person_views.
        shapes: As person_views.
        world: Version of the world, 3 or 4; people of world 4 have no makeovers and no lookalikes yet.

    Raises:
        UsageError: For `shapes` without `lookalikes`, or with an odd number of views; for what world 4 lacks.
    """
    if world == 4 and (makeover or lookalikes or shapes):
        raise UsageError("world 4 has no makeover, lookalikes or shapes: leave them out, or take world 3")
    if shapes and (not lookalikes or views % 2):
        raise UsageError("shapes are of lookalikes, and their two looks share an even number of views")
    make_folder(out)
    shape = (people, views, size, size, 3)
    render = partial(
        person_views,
        views=views,
        size=size,
        seed=seed,
        makeover=makeover,
        lookalikes=lookalikes,
        shapes=shapes,
    )
    if world == 4:
        from smoothswap.rendered.world4 import views as world4

        render = partial(world4.person_views, views=views, size=size, seed=seed)
    with replacing(out / "faces.npy") as part:
        faces = np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=shape)
        with Pool(workers) as pool:
            results = pool.map(render, range(people), chunksize=4)
            for i, pictures in enumerate(tqdm(results, total=people, desc="rendering people", mininterval=2)):
                faces[i] = pictures
        faces.flush()
        digest = hashlib.sha256(part.read_bytes()).hexdigest()
    meta = {
        "seed": seed,
        "people": people,
        "views": views,
        "size": size,
        "makeover": makeover,
        "lookalikes": lookalikes,
        "shapes": shapes,
        "faces_sha256": digest,
        "people_ids": f"rendered:{seed}:0..{people - 1}",
        "command": "python -m smoothswap.rendered.dataset "
        f"--people {people} --views {views} --size {size} "
        f"--seed {seed} --makeover {makeover:g}" + " --lookalikes" * lookalikes + " --shapes" * shapes,
    }
    if world != 3:
        meta |= {"world": world, "command": f"{meta['command']} --world {world}"}
    # Last: a kill between the two leaves faces that meta.json does not know.
    write_whole(out / "meta.json", (json.dumps(meta, indent=1) + "\n").encode())


def parser() -> Parser:
    """The command line."""
    made = Parser("python -m smoothswap.rendered.dataset", description=__doc__, epilog=EXAMPLES)
    add = made.add_argument
    add("--out", type=Path, required=True, help="folder for faces.npy and meta.json")
    add("--people", type=at_least(1), default=1500, metavar="N", help="(%(default)s)")
    add("--views", type=at_least(1), default=12, metavar="N", help="pictures of each person (%(default)s)")
    add("--size", type=at_least(16), default=64, metavar="PX", help="side of a crop (%(default)s)")
    add(
        "--seed",
        type=at_least(0),
        default=1000,
        metavar="N",
        help="other seeds give other people (%(default)s)",
    )
    add(
        "--makeover",
        type=real(0, 1),
        default=0.0,
        metavar="P",
        help="probability that a styling brings another complexion and beard (%(default)s)",
    )
    add(
        "--lookalikes",
        action="store_true",
        help="people in a chain: everybody has the shape of one neighbour and the look of the other (train embedders "
        "with --set neighbours=4)",
    )
    add(
        "--shapes",
        action="store_true",
        help="of lookalikes: the two who have one shape are one person, with half the views in each look",
    )
    add("--world", type=int, choices=(3, 4), default=3, metavar="V", help="version: 3 or 4 (%(default)s)")
    add("--workers", type=at_least(1), default=cores(), metavar="N", help="processes (%(default)s)")
    return made


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    a = parser().parse_args(argv)
    check_folder(a.out)
    write_faces(
        a.out, a.people, a.views, a.size, a.seed, a.workers, a.makeover, a.lookalikes, a.shapes, a.world
    )
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
