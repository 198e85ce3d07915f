"""What every speed test needs: the committed baseline, the fixture's type, and a peer for paths that have none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.support import ROOT

BASELINE = ROOT / "tests" / "speed" / "baseline.json"
NEW: frozenset[str] = frozenset()
"""Paths that baseline.json does not hold yet: measured and told, not judged. Empty after make speed-baseline."""
Against = Callable[..., Any]


def fixed_loop() -> float:
    """Some work of NumPy's and some of Python's, always the same."""
    x = np.random.default_rng(0).normal(size=(160, 160))
    for _ in range(6):
        x = np.tanh(x @ x / 160)
    return float(x.sum()) + sum(i % 7 for i in range(20_000))
