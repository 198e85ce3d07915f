"""Where the 68 landmarks lie on the head: found once, by showing renders to dlib.

This renders frontal people, lets dlib place its 68 points and keeps, for each
point, the vertex whose projection lies nearest to it on average.  The table, `landmarks.json`, is committed: training
crops are then aligned without a detector, and a fit of the head to landmarks knows which vertex each point means.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from tqdm import tqdm

from smoothswap.cli import Parser, at_least, check_file, command
from smoothswap.errors import EXIT_OK
from smoothswap.rendered.head import SKIN, euler_to_pose, load_head, normal_operator, vertex_normals
from smoothswap.rendered.motion import State
from smoothswap.rendered.people import sample_identity, sample_styling
from smoothswap.rendered.render import Actor
from smoothswap.rendered.scene import sample_scene

EXAMPLES = """
examples:
  python -m smoothswap.rendered.landmarks --people 150 --out landmarks.json
"""
LANDMARKS_FILE = Path(__file__).parent / "landmarks.json"


@lru_cache(maxsize=1)
def landmark_vertices() -> np.ndarray:
    """Vertex numbers int [68] in the iBUG order."""
    return np.array(json.loads(LANDMARKS_FILE.read_text(encoding="utf-8-sig"))["vertices"], np.int64)


def calibrate(people: int = 150, size: int = 384, seed: int = 7) -> tuple[np.ndarray, np.ndarray, int]:
    """Find the vertex of the skin that lies nearest to each of dlib's 68 points, over rendered people.

    Args:
        people: How many are rendered, near frontal.
        size: Side of a frame, pixels.
        seed: Of the people.

    Returns:
        Vertex numbers int [68], the mean distance of each to dlib's point [68] in interocular distances, and
        how many renders dlib found a face in.

    Raises:
        RuntimeError: Where dlib found no face at all.
    """
    from smoothswap.faces.hog import HogDetector

    head, detector = load_head(), HogDetector()
    shown = (
        vertex_normals(head.mean, head.triangles, normal_operator(head.triangles, len(head.mean)))[:, 2]
        > -0.35
    )
    skin = np.zeros(len(head.mean), bool)
    skin[head.triangles[head.material == SKIN]] = True
    candidates = np.flatnonzero(shown & skin)
    distance = np.zeros((68, len(candidates)))
    found = 0
    for i in tqdm(range(people), desc="calibrating landmarks"):
        rng = np.random.default_rng([seed, i])
        actor = Actor(sample_identity(rng), sample_styling(rng))
        expression = np.zeros(len(head.expression_names), np.float32)
        expression[head.expression_index("jawOpen")] = rng.uniform(0, 0.25) if i % 2 else 0.0
        pose = euler_to_pose(*rng.normal(0, [0.06, 0.05, 0.03]))
        shot = actor.shot(State(pose, expression, np.zeros(2, np.float32)), sample_scene(rng, size))
        faces = detector.detect(shot.image)
        if not faces:
            continue
        points, projected = faces[0].landmarks, shot.projected[candidates]
        interocular = np.linalg.norm(points[36:42].mean(0) - points[42:48].mean(0))
        distance += np.linalg.norm(points[:, None] - projected[None], axis=-1) / interocular
        found += 1
    if not found:
        raise RuntimeError("dlib found no face in any render: the renderer or the detector is broken")
    distance /= found
    best = distance.argmin(1)
    return candidates[best], distance[np.arange(68), best], found


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = Parser("python -m smoothswap.rendered.landmarks", description=__doc__, epilog=EXAMPLES)
    add = parser.add_argument
    add("--people", type=at_least(1), default=150, metavar="N", help="rendered people (%(default)s)")
    add("--seed", type=at_least(0), default=7, metavar="N", help="of the people (%(default)s)")
    add("--out", type=Path, default=LANDMARKS_FILE, metavar="FILE", help="(%(default)s)")
    arguments = parser.parse_args(argv)
    check_file(arguments.out)
    vertices, distance, found = calibrate(arguments.people, seed=arguments.seed)
    text = {
        "vertices": vertices.tolist(),
        "mean_distance_interocular": [round(float(d), 4) for d in distance],
        "renders_with_a_face": found,
        "renders": arguments.people,
        "seed": arguments.seed,
        "made_by": "python -m smoothswap.rendered.landmarks",
    }
    arguments.out.write_text(json.dumps(text, indent=1) + "\n")
    print(
        f"dlib found {found} of {arguments.people}; mean distance {distance.mean():.3f} interocular distances"
    )
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
