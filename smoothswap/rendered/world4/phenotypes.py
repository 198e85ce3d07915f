"""Whose head it is, in words: age, sex, ancestry, weight and muscle as numbers of the head model.

anny's phenotypes enter its head by products of one another. `phenotypes.json` holds, for each of the head's 24 phenotype
components, a polynomial of them (FEATURES), fitted over drawn adults:

    python -m smoothswap.rendered.world4.phenotypes     (needs `anny`)
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from pathlib import Path

import numpy as np

from smoothswap.cli import Parser, at_least, check_file, command
from smoothswap.errors import EXIT_OK

PHENOTYPES_FILE = Path(__file__).parent / "phenotypes.json"
EXAMPLES = """
examples:
  python -m smoothswap.rendered.world4.phenotypes --adults 4000
"""
# All 0 to 1; african and asian are shares, the rest of 1 is european.
NAMES = ("age", "gender", "weight", "muscle", "african", "asian")
AGES = ((18, 0.60), (25, 2 / 3), (90, 1.0))  # years, anny's age


def age_number(years: float) -> float:
    """anny's age for an adult's years: 0.6 at 18, 1 at 90."""
    known, numbers = zip(*AGES, strict=True)
    return float(np.interp(years, known, numbers))


def features(values: np.ndarray) -> np.ndarray:
    """Ones, the numbers, their squares and their products.

    Args:
        values: [..., 6] in the order of NAMES.

    Returns:
        [..., 28], in the order of phenotypes.json's columns.
    """
    columns = [np.ones_like(values[..., 0]), *np.moveaxis(values, -1, 0)]
    columns += [values[..., i] ** 2 for i in range(len(NAMES))]
    columns += [values[..., i] * values[..., j] for i, j in combinations(range(len(NAMES)), 2)]
    return np.stack(columns, -1)


@lru_cache(maxsize=1)
def _table() -> np.ndarray:
    return np.array(json.loads(PHENOTYPES_FILE.read_text())["components"], np.float64)


def components(values: np.ndarray) -> np.ndarray:
    """The head's phenotype components, in standard deviations, of numbers in the order of NAMES: float32 [24]."""
    return np.asarray(features(np.asarray(values, np.float64)) @ _table().T, np.float32)


def fit(adults: int = 4000, seed: int = 3) -> tuple[np.ndarray, float]:
    """Fit the polynomial anew. Needs `anny`; its first start takes minutes.

    Args:
        adults: How many are drawn.
        seed: Of the drawing.

    Returns:
        [24, 28], and the share of the components' variance that it explains.
    """
    from smoothswap.rendered.extract import _coefficients, _model, _range, _turn, installed
    from smoothswap.rendered.head import load_head

    head, model = load_head(), _model(installed())
    shapes = model.blendshapes.detach().numpy()
    first = np.random.default_rng(0)  # the adults whose mean the head is (extract)
    middle = _coefficients(
        model, {label: first.uniform(*_range(label), 3000) for label in model.phenotype_labels}
    )
    rng = np.random.default_rng(seed)
    drawn = {label: rng.uniform(*_range(label), adults) for label in model.phenotype_labels}
    drawn["age"] = rng.uniform(AGES[0][1], 1.0, adults)
    ancestry = rng.dirichlet([0.5, 0.5, 0.5], adults)
    drawn.update(african=ancestry[:, 0], asian=ancestry[:, 1], caucasian=ancestry[:, 2])
    found = _coefficients(model, drawn)
    count = found.shape[1] if found.shape[1] < len(shapes) else len(shapes)
    basis = shapes[:count].reshape(count, -1)
    inward = head.shape_basis[: head.n_phenotype].astype(np.float64).reshape(head.n_phenotype, -1)
    moved = _turn(((found - middle.mean(0)) @ basis).reshape(adults, -1, 3))
    moved = (moved - moved.mean(1, keepdims=True)).reshape(adults, -1)
    solved = np.linalg.lstsq(inward.T, moved.T.astype(np.float64), rcond=None)[0].T
    rows = features(np.stack([drawn[name] for name in NAMES], -1))
    table = np.linalg.lstsq(rows, solved, rcond=None)[0]
    left = ((solved - rows @ table) ** 2).sum() / ((solved - solved.mean(0)) ** 2).sum()
    return table.T, float(1 - left)


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = Parser("python -m smoothswap.rendered.world4.phenotypes", description=__doc__, epilog=EXAMPLES)
    parser.add_argument("--adults", type=at_least(100), default=4000, metavar="N", help="drawn (%(default)s)")
    parser.add_argument("--out", type=Path, default=PHENOTYPES_FILE, metavar="FILE", help="(%(default)s)")
    a = parser.parse_args(argv)
    check_file(a.out)
    table, explained = fit(a.adults)
    rows = ",\n".join(f"  {json.dumps([round(float(v), 4) for v in row])}" for row in table)
    a.out.write_text(f'{{"variance_explained": {explained:.4f},\n "components": [\n{rows}\n ]}}\n')
    print(f"{explained:.1%} of the variance explained")
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
