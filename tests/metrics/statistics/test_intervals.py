"""Intervals against explicit resampling, exact binomial limits, a solved cubic and simulated coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from metrics.statistics.intervals import (
    cluster_interval,
    cluster_sums,
    group_jackknife,
    paired_difference,
)


def clustered(seed: int, k: int = 20, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Values of k clusters with 4 to 20 frames each and a common part a cluster; their true mean is 0."""
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(k), rng.integers(4, 21, k))
    return rng.normal(0, spread, k)[clusters] + rng.normal(0, 1, len(clusters)), clusters.astype(str)


def test_sums_and_counts_by_hand() -> None:
    sums, counts = cluster_sums([1, 2, np.nan, 4, np.nan], ["b", "a", "a", "b", "c"])
    assert sums.tolist() == [2, 5]
    assert counts.tolist() == [1, 2]


def standard_error(groups: list[np.ndarray]) -> float:
    """Cluster-robust error of the mean over all frames, by its definition."""
    k, frames = len(groups), np.concatenate(groups)
    return float(np.sqrt(k / (k - 1) * sum((g - frames.mean()).sum() ** 2 for g in groups)) / len(frames))


@pytest.mark.parametrize("kind", ["normal", "skewed"])
def test_interval_agrees_with_studentised_resampling_of_whole_clusters_in_a_loop(kind: str) -> None:
    values, clusters = clustered(1, k=30)
    values = np.exp(values) if kind == "skewed" else values
    groups = [values[clusters == name] for name in np.unique(clusters)]
    rng = np.random.default_rng(0)
    t = []
    for _ in range(2000):
        chosen = [groups[i] for i in rng.integers(0, len(groups), len(groups))]
        t.append((np.concatenate(chosen).mean() - values.mean()) / standard_error(chosen))
    low, high = cluster_interval(values, clusters)
    by_t, error = stats.t.ppf(0.975, 29), standard_error(groups)
    down, up = max(by_t, np.quantile(t, 0.975)), max(by_t, -np.quantile(t, 0.025))
    assert low == pytest.approx(values.mean() - down * error, abs=0.1 * (high - low))
    assert high == pytest.approx(values.mean() + up * error, abs=0.1 * (high - low))
    if kind == "skewed":  # the long tail is on the right, so is the longer arm
        assert high - values.mean() > 1.2 * (values.mean() - low)


def test_clusters_weigh_as_many_frames_as_they_have() -> None:
    # 20 long clips near 1 and 20 of a single frame near 0: the mean over frames is 0.95, that over clips 0.5.
    clusters = np.r_[np.repeat(np.arange(20), 20), np.arange(20, 40)].astype(str)
    values = np.r_[np.ones(400), np.zeros(20)] + np.random.default_rng(0).normal(0, 0.1, 420)
    low, high = cluster_interval(values, clusters)
    assert 0.9 < low < values.mean() < high < 1.0
    result = paired_difference(values, np.zeros(420), clusters)
    assert result.value == pytest.approx(values.mean())
    assert result.ci95 == (low, high)


def test_frames_of_one_cluster_are_not_independent_evidence() -> None:
    values, clusters = clustered(2, spread=3.0)
    as_clusters = np.diff(cluster_interval(values, clusters))[0]
    as_frames = np.diff(cluster_interval(values, np.arange(len(values)).astype(str)))[0]
    assert as_clusters > 2 * as_frames


def test_same_seed_same_interval_to_the_bit() -> None:
    values, clusters = clustered(3)
    assert cluster_interval(values, clusters, seed=7) == cluster_interval(values, clusters, seed=7)
    assert cluster_interval(values, clusters, seed=7) != cluster_interval(values, clusters, seed=8)


def drawn(kind: str, k: int, seed: int) -> tuple[np.ndarray, np.ndarray, float, tuple[float, float] | None]:
    """(values, clusters, true mean, bounds): 10 to 30 frames a cluster, half of the variance of a normal score shared."""
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(k), rng.integers(10, 31, k))
    z, other = (
        np.sqrt(0.5) * rng.normal(size=k)[clusters] + np.sqrt(0.5) * rng.normal(size=len(clusters))
        for _ in range(2)
    )
    if kind.startswith("hits"):
        share = float(kind.split()[1])
        return 100.0 * (z < stats.norm.ppf(share)), clusters, 100.0 * share, (0.0, 100.0)
    if kind == "difference of hits":
        return 100.0 * (z < -1.2) - 100.0 * (other < -1.2), clusters, 0.0, (-100.0, 100.0)
    made = {
        "normal": (z, 0.0),
        "exponential": (-stats.norm.logsf(z), 1.0),
        "lognormal": (np.exp(z), np.exp(0.5)),
        "skewed difference": (np.exp(z) - np.exp(other), 0.0),
    }
    values, mean = made[kind]
    return values, clusters, mean, None


@pytest.mark.parametrize(
    ("kind", "k"),
    [
        ("normal", 20),
        ("exponential", 20),
        ("lognormal", 20),
        ("skewed difference", 20),
        ("exponential", 40),
        ("hits 0.1", 20),
        ("hits 0.7", 20),
        ("hits 0.95", 40),
        ("difference of hits", 20),
    ],
)
def test_nominal_95_percent_intervals_cover_93_to_97_percent(kind: str, k: int) -> None:
    """1,000 runs of clustered data; the standard error of a coverage is 0.7 %."""
    held = 0
    for seed in range(1000):
        values, clusters, mean, bounds = drawn(kind, k, seed)
        low, high = cluster_interval(values, clusters, seed, n_resamples=399, bounds=bounds)
        held += low <= mean <= high
    assert 0.93 <= held / 1000 <= 0.97


def test_frames_taken_for_independent_would_cover_far_too_little() -> None:
    """The simulation can fail: the same data with every frame its own cluster."""
    held = 0
    for seed in range(100):
        values, _ = clustered(seed)
        low, high = cluster_interval(values, np.arange(len(values)), seed, n_resamples=199)
        held += low <= 0 <= high
    assert held < 70


@pytest.mark.parametrize(("k", "bounds"), [(7, None), (7, (-99.0, 99.0)), (25, (-99.0, 99.0))])
def test_few_clusters_and_bounded_values_get_halls_interval_or_students(
    k: int, bounds: tuple[float, float] | None
) -> None:
    values, clusters = clustered(11, k=k)
    values = np.exp(values)
    groups = [values[clusters == name] for name in np.unique(clusters)]
    error, by_t = standard_error(groups), stats.t.ppf(0.975, k - 1)
    a = stats.skew([(g - values.mean()).sum() for g in groups]) / np.sqrt(k)

    def hall(t: float) -> float:  # increasing in x, so it has one root
        return optimize.brentq(lambda x: x + a * x**2 / 3 + a**2 * x**3 / 27 + a / 6 - t, -1e4, 1e4)

    low, high = cluster_interval(values, clusters, bounds=bounds)
    assert low == pytest.approx(values.mean() - max(by_t, hall(by_t)) * error)
    assert high == pytest.approx(values.mean() + max(by_t, -hall(-by_t)) * error)
    assert high - values.mean() > 1.2 * (values.mean() - low)
    hits, names = np.array([100.0, 100, 100, 0, 100, 100]), np.repeat(np.arange(3), 2)
    assert cluster_interval(hits, names, bounds=(0, 100))[1] <= 100


def test_a_bootstrap_without_an_end_gives_way() -> None:
    # Two clusters of twenty differ: one resample in eight holds neither, so no quantile of its t statistic is finite.
    values, clusters = (
        np.r_[np.zeros(90), [1.0, 1.1, 0.9, 1, 1], np.full(5, 2.0)],
        np.repeat(np.arange(20), 5),
    )
    low, high = cluster_interval(values, clusters)
    assert low < values.mean() < high < 2.0
    bounded = cluster_interval(values, clusters, bounds=(-50.0, 50.0))
    assert high == pytest.approx(bounded[1])


@pytest.mark.parametrize("hits", [0.0, 100.0])
@pytest.mark.parametrize("k", [1, 2, 20, 70])
def test_all_right_or_all_wrong_is_clopper_pearson_over_clusters(hits: float, k: int) -> None:
    clusters = np.repeat(np.arange(k), 10).astype(str)
    got = cluster_interval(np.full(10 * k, hits), clusters, bounds=(0, 100))
    exact = stats.binomtest(k if hits else 0, k).proportion_ci(0.95, method="exact")
    assert got == pytest.approx((100 * exact.low, 100 * exact.high))


def test_equal_clusters_between_the_bounds_still_have_a_width() -> None:
    values, clusters = np.tile([0.0, 100.0], 20), np.repeat(np.arange(20), 2).astype(str)
    low, high = cluster_interval(values, clusters, bounds=(0, 100))
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
    np.testing.assert_array_equal(cluster_interval(values, np.array(clusters, dtype="<U1")), expected)


@pytest.mark.parametrize("values", [[0, 1], [0, 0, 1], [0, 0, 0, 100], [1, 2, 3, 4, 1e9]])
def test_tiny_and_lopsided_samples_give_finite_ordered_limits(values: list[float]) -> None:
    low, high = cluster_interval(values, np.arange(len(values)).astype(str))
    assert np.isfinite([low, high]).all()
    assert low <= np.mean(values) <= high


def test_group_jackknife_is_the_textbook_one_and_its_interval_covers() -> None:
    """Of a mean with as many groups as clusters it is the jackknife's t interval; of a variance it covers about 95 %."""
    values, clusters = clustered(4, k=9)
    names = np.unique(clusters)
    left = np.array([values[clusters != name].mean() for name in names])
    error = np.sqrt(8 / 9 * np.sum((left - left.mean()) ** 2))
    low, high = group_jackknife(lambda kept: float(values[kept].mean()), values.mean(), clusters)
    assert high - low == pytest.approx(2 * stats.t.ppf(0.975, 8) * error)
    assert (low + high) / 2 == pytest.approx(values.mean())
    assert np.isnan(group_jackknife(lambda kept: 0.0, 0.0, ["a", "a"])).all()

    held = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        x, groups = rng.normal(size=600), np.repeat(np.arange(60), 10)
        ends = group_jackknife(lambda kept, x=x: float(np.var(x[kept])), float(np.var(x)), groups)
        held += ends[0] <= 1 <= ends[1]
    assert 0.91 <= held / 300 <= 0.98


def test_paired_difference_sees_what_two_intervals_cannot() -> None:
    a, clusters = clustered(5, spread=5.0)
    b = a + 0.2 + np.random.default_rng(0).normal(0, 0.1, len(a))
    result = paired_difference(b, a, clusters)
    assert result.separated
    assert result.ci95[0] < 0.2 < result.ci95[1]
    first, second = cluster_interval(a, clusters), cluster_interval(b, clusters)
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
        cluster_interval([1.0, 2.0], ["a"])
    with pytest.raises(ValueError, match="level"):
        cluster_interval([1.0], ["a"], level=95)
    with pytest.raises(ValueError, match="same frames"):
        paired_difference([1.0], [1.0, 2.0], ["a"])
