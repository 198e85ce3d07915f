"""Tests between models against enumeration, the textbook rules step by step, and simulated size and power."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from metrics.statistics.significance import (
    benjamini_hochberg,
    corrected,
    holm,
    minimum_detectable_difference,
    paired_test,
)


def two_models(seed: int, k: int = 20, difference: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two models on k clusters of 4 to 20 frames; clusters are hard or easy for both, and differ by model."""
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(k), rng.integers(4, 21, k))
    common = rng.normal(0, 3, k)[clusters]
    a, b = (common + rng.normal(0, 0.5, k)[clusters] + rng.normal(0, 1, len(clusters)) for _ in range(2))
    return a + difference, b, clusters


def test_the_paired_test_equals_every_exchange_counted() -> None:
    for seed in range(5):
        a, b, clusters = two_models(seed, k=9, difference=0.4)
        sums = np.array([np.sum((a - b)[clusters == c]) for c in range(9)])
        totals = [np.dot(signs, sums) for signs in itertools.product((1, -1), repeat=9)]
        expected = np.mean(np.abs(totals) >= abs(sums.sum()) - 1e-9)
        assert paired_test(a, b, clusters) == pytest.approx(expected, abs=1e-12)
        assert paired_test(b, a, clusters) == pytest.approx(expected, abs=1e-12)


def test_the_size_of_the_paired_test_is_4_to_6_percent() -> None:
    """1,500 runs of equal models on 20 clusters; the standard error of a size of 5 % is 0.6 %."""
    runs = 1500
    found = sum(paired_test(*two_models(seed), seed, n_resamples=399) <= 0.05 for seed in range(runs))
    assert 0.04 <= found / runs <= 0.06


def test_frames_taken_for_independent_find_differences_that_are_none() -> None:
    found = 0
    for seed in range(60):
        a, b, _ = two_models(seed)
        found += paired_test(a, b, np.arange(len(a)), seed, n_resamples=199) <= 0.05
    assert found > 15


def test_ends_of_the_paired_test() -> None:
    a, b, clusters = two_models(1, difference=3.0)
    assert paired_test(a, b, clusters, n_resamples=999) == pytest.approx(2 / 1000)  # never 0
    assert paired_test(a, a, clusters) == 1
    assert paired_test([1.0], [0.0], ["x"]) == 1  # one cluster tells nothing
    assert np.isnan(paired_test([np.nan], [0.0], ["x"]))
    assert paired_test([1.0] * 5, [0.0] * 5, list("abcde")) == pytest.approx(2**-4)
    assert paired_test(a, b + 3, clusters, seed=1) == paired_test(a, b + 3, clusters, seed=1)
    with pytest.raises(ValueError, match="same frames"):
        paired_test([1.0], [1.0, 2.0], ["x"])


def test_holm_by_its_step_down_rule_and_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    rng = np.random.default_rng(0)
    for m in (1, 2, 7, 30):
        p = rng.random(m) ** 3
        adjusted = holm(p)
        for level in (0.01, 0.05, 0.2, 0.7):
            rejected = np.zeros(m, dtype=bool)
            for step, i in enumerate(np.argsort(p)):
                if p[i] > level / (m - step):
                    break
                rejected[i] = True
            np.testing.assert_array_equal(adjusted <= level, rejected)
        assert (adjusted >= p).all()


def test_benjamini_hochberg_by_its_step_up_rule() -> None:
    rng = np.random.default_rng(1)
    for m in (1, 2, 7, 30):
        p = rng.random(m) ** 3
        adjusted = benjamini_hochberg(p)
        for level in (0.01, 0.05, 0.2, 0.7):
            ordered = np.sort(p)
            passed = [ordered[i] for i in range(m) if ordered[i] <= (i + 1) / m * level]
            np.testing.assert_array_equal(adjusted <= level + 1e-15, p <= max(passed, default=-1.0))
        assert (adjusted <= holm(p) + 1e-15).all()


def test_corrections_keep_nan_apart() -> None:
    p = [0.04, np.nan, 0.01]
    np.testing.assert_allclose(corrected(p), [0.04, np.nan, 0.02])
    np.testing.assert_allclose(corrected(p, "benjamini_hochberg"), [0.04, np.nan, 0.02])
    assert np.isnan(corrected([np.nan])).all()
    assert corrected([]).shape == (0,)
    with pytest.raises(ValueError, match="choose holm or benjamini_hochberg"):
        corrected([0.1], "bonferroni")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"0\.\.1"):
        holm([5.0])
    with pytest.raises(ValueError, match="a list"):
        holm([[0.1]])


def test_the_detectable_difference_is_found_as_often_as_it_says() -> None:
    """A true difference of that size on 20 clusters, spread measured on many: power 80 % within 4 %."""
    pilot = two_models(0, k=4000)
    known = minimum_detectable_difference(*pilot, planned=20)
    found = 0
    for seed in range(400):
        a, b, clusters = two_models(seed + 10_000, difference=known.difference)
        found += paired_test(a, b, clusters, seed, n_resamples=399) <= 0.05
    assert 0.76 <= found / 400 <= 0.84
    assert (known.clusters, known.level, known.power) == (20, 0.05, 0.8)


def test_the_detectable_difference_of_equal_clusters_is_that_of_the_t_test() -> None:
    d = np.random.default_rng(3).normal(0, 2, 30)
    got = minimum_detectable_difference(d, np.zeros(30), np.arange(30), power=0.9)
    error = np.std(d, ddof=1) / np.sqrt(30)
    assert got.standard_error == pytest.approx(error, rel=1e-12)
    limit = stats.t.ppf(0.975, 29)
    shift = got.difference / error
    assert stats.nct.sf(limit, 29, shift) + stats.nct.cdf(-limit, 29, shift) == pytest.approx(0.9, abs=1e-8)
    four_times = minimum_detectable_difference(d, np.zeros(30), np.arange(30), planned=120, power=0.9)
    assert four_times.difference < got.difference / 2  # half the error, and less for the t limit
    assert four_times.standard_error == pytest.approx(error / 2)


def test_the_power_holds_for_two_clusters_and_for_hundreds() -> None:
    rng = np.random.default_rng(0)
    for k in (2, 3, 6, 200):
        d = rng.normal(size=k)
        got = minimum_detectable_difference(d, np.zeros(k), np.arange(k))
        shift = got.difference / got.standard_error
        t = (rng.normal(size=400_000) + shift) / np.sqrt(rng.chisquare(k - 1, 400_000) / (k - 1))
        assert np.mean(np.abs(t) > stats.t.ppf(0.975, k - 1)) == pytest.approx(0.8, abs=0.004)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"planned": 1}, "two or more of each"),
        ({"power": 0.01}, "shares with level < power"),
        ({"level": 5}, "shares with level < power"),
    ],
)
def test_what_cannot_be_planned_is_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        minimum_detectable_difference([1.0, 2.0], [0.0, 0.0], ["a", "b"], **arguments)  # type: ignore[arg-type]
