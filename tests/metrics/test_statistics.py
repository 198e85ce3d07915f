"""Intervals against explicit resampling, exact binomial limits and simulated coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from metrics.statistics import cluster_bootstrap, cluster_sums, paired_difference


def clustered(seed: int, k: int = 20, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Values of k clusters with 4 to 20 frames each and a common part a cluster; their true mean is 0."""
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(k), rng.integers(4, 21, k))
    return rng.normal(0, spread, k)[clusters] + rng.normal(0, 1, len(clusters)), clusters.astype(str)


def test_sums_and_counts_by_hand() -> None:
    sums, counts = cluster_sums([1, 2, np.nan, 4, np.nan], ["b", "a", "a", "b", "c"])
    assert sums.tolist() == [2, 5]
    assert counts.tolist() == [1, 2]


def test_interval_agrees_with_resampling_whole_clusters_in_a_loop() -> None:
    values, clusters = clustered(1, k=60)
    groups = [values[clusters == name] for name in np.unique(clusters)]
    rng = np.random.default_rng(0)
    means = []
    for _ in range(4000):
        chosen = [groups[i] for i in rng.integers(0, len(groups), len(groups))]
        means.append(np.concatenate(chosen).mean())  # every frame weighs the same
    low, high = cluster_bootstrap(values, clusters)
    width = np.diff(np.quantile(means, [0.025, 0.975]))[0]
    assert low == pytest.approx(np.quantile(means, 0.025), abs=0.12 * width)
    assert high == pytest.approx(np.quantile(means, 0.975), abs=0.12 * width)


def test_clusters_weigh_as_many_frames_as_they_have() -> None:
    # 20 long clips near 1 and 20 of a single frame near 0: the mean over frames is 0.95, that over clips 0.5.
    clusters = np.r_[np.repeat(np.arange(20), 20), np.arange(20, 40)].astype(str)
    values = np.r_[np.ones(400), np.zeros(20)] + np.random.default_rng(0).normal(0, 0.1, 420)
    low, high = cluster_bootstrap(values, clusters)
    assert 0.9 < low < values.mean() < high < 1.0
    result = paired_difference(values, np.zeros(420), clusters)
    assert result.value == pytest.approx(values.mean())
    assert result.ci95 == (low, high)


def test_frames_of_one_cluster_are_not_independent_evidence() -> None:
    values, clusters = clustered(2, spread=3.0)
    as_clusters = np.diff(cluster_bootstrap(values, clusters))[0]
    as_frames = np.diff(cluster_bootstrap(values, np.arange(len(values)).astype(str)))[0]
    assert as_clusters > 2 * as_frames


def test_same_seed_same_interval_to_the_bit() -> None:
    values, clusters = clustered(3)
    assert cluster_bootstrap(values, clusters, seed=7) == cluster_bootstrap(values, clusters, seed=7)
    assert cluster_bootstrap(values, clusters, seed=7) != cluster_bootstrap(values, clusters, seed=8)


@pytest.mark.parametrize("k", [6, 20])
@pytest.mark.parametrize("kind", ["normal", "hits"])
def test_nominal_95_percent_intervals_cover_93_to_97_percent(kind: str, k: int) -> None:
    """1,000 runs of clustered data, 4 to 20 frames a cluster; the standard error of a coverage is 0.7 %."""
    held = 0
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        clusters = np.repeat(np.arange(k), rng.integers(4, 21, k))
        if kind == "normal":
            values, mean, bounds = rng.normal(0, 1, k)[clusters] + rng.normal(0, 1, len(clusters)), 0.0, None
        else:
            share = rng.beta(2.1, 0.9, k)  # true mean 70 %
            values, mean, bounds = 100.0 * (rng.random(len(clusters)) < share[clusters]), 70.0, (0.0, 100.0)
        low, high = cluster_bootstrap(values, clusters, seed, n_resamples=399, bounds=bounds)
        held += low <= mean <= high
    assert 0.93 <= held / 1000 <= 0.97


def test_frames_taken_for_independent_would_cover_far_too_little() -> None:
    """The simulation can fail: the same data with every frame its own cluster."""
    held = 0
    for seed in range(100):
        values, _ = clustered(seed)
        low, high = cluster_bootstrap(values, np.arange(len(values)), seed, n_resamples=199)
        held += low <= 0 <= high
    assert held < 70


def test_few_clusters_get_the_wider_of_bootstrap_and_jackknife_t() -> None:
    values, clusters = clustered(11, k=7)
    groups = [values[clusters == name] for name in np.unique(clusters)]
    without = [np.concatenate(groups[:i] + groups[i + 1 :]).mean() for i in range(7)]
    error = np.sqrt(6 / 7 * np.sum((np.array(without) - values.mean()) ** 2))
    reach = stats.t.ppf(0.975, 6) * error
    low, high = cluster_bootstrap(values, clusters)
    assert low <= values.mean() - reach + 1e-12
    assert high >= values.mean() + reach - 1e-12
    hits, names = np.array([100.0, 100, 100, 0, 100, 100]), np.repeat(np.arange(3), 2)
    assert cluster_bootstrap(hits, names, bounds=(0, 100))[1] <= 100


@pytest.mark.parametrize("hits", [0.0, 100.0])
@pytest.mark.parametrize("k", [1, 2, 20, 70])
def test_all_right_or_all_wrong_is_clopper_pearson_over_clusters(hits: float, k: int) -> None:
    clusters = np.repeat(np.arange(k), 10).astype(str)
    got = cluster_bootstrap(np.full(10 * k, hits), clusters, bounds=(0, 100))
    exact = stats.binomtest(k if hits else 0, k).proportion_ci(0.95, method="exact")
    assert got == pytest.approx((100 * exact.low, 100 * exact.high))


def test_equal_clusters_between_the_bounds_still_have_a_width() -> None:
    values, clusters = np.tile([0.0, 100.0], 20), np.repeat(np.arange(20), 2).astype(str)
    low, high = cluster_bootstrap(values, clusters, bounds=(0, 100))
    assert 0 < low < 50 < high < 100


@pytest.mark.parametrize(
    ("values", "clusters", "expected"),
    [
        ([], [], (np.nan, np.nan)),
        ([np.nan, np.nan], ["a", "b"], (np.nan, np.nan)),
        ([1.0, 3.0], ["a", "a"], (np.nan, np.nan)),  # one cluster: its spread is unknown
        ([2.0, 2.0, 2.0], ["a", "b", "b"], (2.0, 2.0)),
        ([0.0, 0.0, np.nan], ["a", "b", "c"], (0.0, 0.0)),  # the oracle's error
    ],
)
def test_degenerate_samples(values: list[float], clusters: list[str], expected: tuple[float, float]) -> None:
    np.testing.assert_array_equal(cluster_bootstrap(values, np.array(clusters, dtype="<U1")), expected)


@pytest.mark.parametrize("values", [[0, 1], [0, 0, 1], [0, 0, 0, 100], [1, 2, 3, 4, 1e9]])
def test_tiny_and_lopsided_samples_give_finite_ordered_limits(values: list[float]) -> None:
    low, high = cluster_bootstrap(values, np.arange(len(values)).astype(str))
    assert np.isfinite([low, high]).all()
    assert low <= np.mean(values) <= high


def test_paired_difference_sees_what_two_intervals_cannot() -> None:
    a, clusters = clustered(5, spread=5.0)
    b = a + 0.2 + np.random.default_rng(0).normal(0, 0.1, len(a))
    result = paired_difference(b, a, clusters)
    assert result.separated
    assert result.ci95[0] < 0.2 < result.ci95[1]
    first, second = cluster_bootstrap(a, clusters), cluster_bootstrap(b, clusters)
    assert first[1] > second[0]  # apart, the two intervals overlap
    swapped = paired_difference(a, b, clusters)
    assert swapped.value == pytest.approx(-result.value)
    assert swapped.separated


def test_paired_difference_leaves_out_frames_that_one_side_lacks() -> None:
    a = np.array([1.0, np.nan, 3.0, 4.0])
    b = np.array([0.0, 9.0, np.nan, 1.0])
    result = paired_difference(a, b, ["p", "q", "q", "r"])
    assert (result.value, result.n, result.clusters) == (2.0, 2, 2)


def test_two_equal_models_are_not_separated_and_two_opposite_ones_are() -> None:
    hits, clusters = np.full(40, 100.0), np.repeat(np.arange(20), 2).astype(str)
    same = paired_difference(hits, hits, clusters, bounds=(0, 100))
    assert same.value == 0
    assert not same.separated
    assert same.ci95[0] < 0 < same.ci95[1]
    opposite = paired_difference(hits, 0 * hits, clusters, bounds=(0, 100))
    assert opposite.value == 100
    assert opposite.separated
    assert opposite.ci95[0] < 100
    nothing = paired_difference([np.nan], [1.0], ["a"])
    assert np.isnan(nothing.value)
    assert not nothing.separated


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="equal length"):
        cluster_bootstrap([1.0, 2.0], ["a"])
    with pytest.raises(ValueError, match="level"):
        cluster_bootstrap([1.0], ["a"], level=95)
    with pytest.raises(ValueError, match="same frames"):
        paired_difference([1.0], [1.0, 2.0], ["a"])
