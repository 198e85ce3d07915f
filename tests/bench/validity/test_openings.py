"""The examination of mouth and eye opening, on invented readings."""

from __future__ import annotations

import numpy as np

from bench.validity.openings import agreement


def test_a_reading_that_follows_its_truth_alone_is_told_from_one_that_does_not() -> None:
    rng = np.random.default_rng(0)
    people, truth = np.repeat(np.arange(20), 4), rng.uniform(0, 1, (80, 2))
    read = np.stack([0.1 + 0.5 * truth[:, 0], rng.uniform(0.2, 0.4, 80)], 1)  # the lids move nothing
    found = agreement(people, truth, read)
    assert found["mouth"].value > 0.999
    assert abs(found["mouth_by_lids"].value) < 0.2
    assert abs(found["eyes"].value) < 0.2
    assert found["mouth"].people == 20
    same = agreement(people, truth, np.stack([truth[:, 0], 0.4 - 0.3 * truth[:, 1]], 1))
    assert same["eyes"].value > 0.999  # a lid that shuts makes the opening smaller: distances, not signs
