"""Curves against loops that are written out, and values that can be said without computing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from metrics.statistics.curves import first_reach, spikes, spread, stability


def test_the_first_crossing_lies_between_its_points() -> None:
    steps, losses = [10, 20, 30, 40], [1.0, 0.6, 0.8, 0.2]
    assert first_reach(steps, losses, 0.8) == 15  # on the way down, not where it comes back
    assert first_reach(steps, losses, 0.5) == pytest.approx(35)
    assert first_reach(steps, losses, 0.2) == 40
    assert first_reach(steps, losses, 0.1) is None
    assert first_reach(steps, losses, 2.0) == 10
    assert first_reach([], [], 1.0) is None
    x = np.linspace(0, 5, 4001)[1:]
    for mark in (0.9, 0.5, 0.11):  # a curve whose crossing is known
        assert first_reach(x, np.exp(-x), mark) == pytest.approx(-np.log(mark), abs=1e-5)
    with pytest.raises(ValueError, match="must increase"):
        first_reach([2, 1], [1, 1], 0.5)


def test_spikes_are_those_of_the_written_out_loop() -> None:
    rng = np.random.default_rng(0)
    losses = np.exp(-np.arange(400) / 200) + rng.normal(0, 0.02, 400)
    losses[[5, 120, 121, 300]] += 1.0
    found = []
    for i in range(30, 400):
        past = losses[i - 30 : i]
        if losses[i] > np.median(past) + 6 * stats.median_abs_deviation(past, scale="normal"):
            found.append(i)
    assert spikes(losses, 30, 6).tolist() == found
    assert {120, 121, 300} <= set(found)  # 5 has no past yet
    assert len(spikes(losses, 400)) == 0
    assert spikes(3 * losses + 7, 30, 6).tolist() == found  # neither scale nor offset matter
    assert not set(spikes(-losses, 30, 6)) & {120, 121, 300}  # a fall is no spike


def test_stability_counts_what_was_put_in() -> None:
    losses, norms = np.random.default_rng(1).normal(1, 0.1, 1050), np.full(1050, 2.0)
    losses[[200, 600]] = 9
    norms[-100:] = 0.5
    found = stability(losses, norms, clip=1.0)
    assert found.steps == 1000
    assert found.spikes_per_1000 == 2
    assert (found.grad_p50, found.grad_p99, found.ratio) == (2, 2, 1)
    assert found.clipped == pytest.approx(0.9)
    scaled = stability(losses, 16 * norms, clip=16.0)
    assert scaled.ratio == found.ratio
    with pytest.raises(ValueError, match="as many of both"):
        stability(losses[:50], norms[:50], 1.0)


def test_spread_is_the_range_over_seeds() -> None:
    mean, low, high = spread([[1.0, 4.0], [3.0, 2.0]])
    assert (mean.tolist(), low.tolist(), high.tolist()) == ([2, 3], [1, 2], [3, 4])
