"""A run of three pictures: leaving out one of its two pairs of people leaves a single picture, which has no distance."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.verify.intervals import jackknife
from metrics.statistics.intervals import group_jackknife


@pytest.mark.parametrize(("clusters", "known"), [(["a", "a", "b"], False), (["a", "a", "b", "b"], True)])
def test_an_interval_needs_two_pictures_without_each_pair(clusters: list[str], known: bool) -> None:
    values = np.arange(len(clusters), dtype=float)

    def distance(rows: np.ndarray) -> float:
        return math.nan if len(values[rows]) < 2 else float(values[rows].mean())

    whole = distance(np.arange(len(clusters)))
    said = group_jackknife(distance, whole, np.array(clusters))
    again = jackknife(distance, whole, np.array(clusters))
    assert (again is not None) is known is bool(np.isfinite(said).all())
    if again is not None:
        assert again == pytest.approx(said)
