"""Make the basis of the `anny-landmarks` instrument: the head at its 68 landmarks, with the population's statistics.

Written to metrics/weights/anny-68.safetensors, unless --out names another file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from metrics.instruments.anny_landmarks import BASIS
from smoothswap.cli import Parser, check_file, command
from smoothswap.rendered.head import load_head
from smoothswap.rendered.landmarks import LANDMARKS_FILE, landmark_vertices
from smoothswap.rendered.motion import Motion
from smoothswap.rendered.people import sample_shape

EXAMPLES = """
examples:
  python -m bench.make_anny.basis --out anny-68.safetensors
"""
SHAPE_COMPONENTS = 40
EXPRESSION_FLOOR = 0.05  # standard deviation: what real faces do beyond the rendered moods


def make(people: int = 4000, states: int = 6000, seed: int = 12345) -> dict[str, np.ndarray]:
    """Principal components of the shapes at the landmarks, and mean and precision of the expressions.

    Args:
        people: Drawn heads that the shape is learnt from.
        states: Drawn moments that the expressions are learnt from.
        seed: Of both draws.

    Returns:
        The float32 arrays of metrics.instruments.anny_landmarks.Basis: in metres mean [68, 3], shape
        [SHAPE_COMPONENTS, 68, 3] (a standard deviation each) and expression [52, 68, 3] (at weight 1);
        expression_mean [52], expression_precision [52, 52]; noise [68] in interocular distances.
    """
    head, ids = load_head(), landmark_vertices()
    rng = np.random.default_rng(seed)
    basis = head.shape_basis[:, ids].reshape(len(head.shape_basis), -1).astype(np.float64)
    shapes = np.stack([sample_shape(rng, head) for _ in range(people)]) @ basis
    centre = shapes.mean(0)
    _, sigma, components = np.linalg.svd(shapes - centre, full_matrices=False)
    scale = sigma[:SHAPE_COMPONENTS, None] / np.sqrt(people)
    expressions = np.stack([Motion(rng, head).at(float(rng.uniform(0, 8))).expression for _ in range(states)])
    covariance = np.cov(expressions.T.astype(np.float64)) + np.eye(expressions.shape[1]) * EXPRESSION_FLOOR**2
    noise = np.array(
        json.loads(LANDMARKS_FILE.read_text(encoding="utf-8-sig"))["mean_distance_interocular"]
    ) / np.sqrt(np.pi / 2)
    arrays = {
        "mean": head.mean[ids] + centre.reshape(-1, 3),
        "shape": (components[:SHAPE_COMPONENTS] * scale).reshape(SHAPE_COMPONENTS, -1, 3),
        "expression": head.expression_basis[:, ids],
        "expression_mean": expressions.mean(0),
        "expression_precision": np.linalg.inv(covariance),
        "noise": noise,
    }
    return {key: np.ascontiguousarray(value, np.float32) for key, value in arrays.items()}


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = Parser("python -m bench.make_anny.basis", description=__doc__, epilog=EXAMPLES)
    parser.add_argument("--out", type=Path, default=BASIS, metavar="FILE", help="(%(default)s)")
    arguments = parser.parse_args(argv)
    check_file(arguments.out)
    save_file(make(), arguments.out, {"expression": json.dumps(load_head().expression_names)})
    arguments.out.chmod(0o644)
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
