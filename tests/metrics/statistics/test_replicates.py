"""Intervals over people and seeds: the textbook's where it has one, and simulated coverage where it has none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from metrics.embedders.verification import auc
from metrics.statistics.replicates import (
    GROUPS,
    Replicated,
    crossed,
    deal,
    difference,
    replicate,
    replicate_mean,
)


def test_a_mean_over_people_is_students() -> None:
    values = np.random.default_rng(0).normal(3, 2, 25)
    found = crossed([replicate_mean(values, deal(25))])
    low, high = stats.ttest_1samp(values, 0).confidence_interval()
    assert found.value == pytest.approx(values.mean())
    assert found.ci95 == pytest.approx((low, high))
    assert found.p == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    assert found.error_people == pytest.approx(stats.sem(values))
    assert np.isnan(found.error_seeds)


def test_a_difference_is_the_paired_t_test() -> None:
    rng = np.random.default_rng(1)
    base = rng.normal(0, 5, 30)
    a, b = base + rng.normal(0.5, 1, 30), base + rng.normal(0, 1, 30)
    group = deal(30)
    found = difference([replicate_mean(a, group)], [replicate_mean(b, group)])
    oracle = stats.ttest_rel(a, b)
    assert found.p == pytest.approx(oracle.pvalue)
    assert found.ci95 == pytest.approx(tuple(oracle.confidence_interval()))
    back = difference([replicate_mean(b, group)], [replicate_mean(a, group)])
    assert back.value == pytest.approx(-found.value)
    assert back.p == pytest.approx(found.p)


def test_groups_of_people_give_nearly_the_same_error_as_people_one_by_one() -> None:
    values = np.random.default_rng(2).normal(size=1200)
    grouped = crossed([replicate_mean(values, deal(1200))])
    assert len(np.unique(deal(1200))) == GROUPS
    assert grouped.error_people == pytest.approx(stats.sem(values), rel=0.25)
    assert np.bincount(deal(1200)).tolist() == [30] * GROUPS
    assert deal(7).tolist() != sorted(deal(7).tolist())
    assert sorted(deal(7).tolist()) == list(range(7))


def test_a_pair_of_two_people_goes_with_either() -> None:
    seen = []

    def keep(mask: np.ndarray) -> float:
        seen.append(mask.tolist())
        return float(mask.sum())

    replicate(keep, [0, 0, 1], [0, 1, 2])
    assert seen == [[True] * 3, [False, False, True], [True, False, False], [True, True, False]]


def test_the_jackknife_serves_areas_under_curves() -> None:
    rng = np.random.default_rng(3)
    spread = []
    for _ in range(60):  # the true spread of the AUC, by drawing people anew
        spread.append(auc(*_people(rng)[:2]))
    scores, same, people = _people(rng)
    found = crossed(
        [replicate(lambda mask: auc(scores[mask], same[mask]), deal(200)[people])], bounds=(0.0, 1.0)
    )
    assert found.error_people == pytest.approx(np.std(spread), rel=0.35)
    assert 0 <= found.ci95[0] < found.value < found.ci95[1] <= 1


def _people(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """200 people with a same and a different pair each, whose scores share the person's own shift."""
    shift = rng.normal(0, 1, 200)
    scores = np.r_[shift + rng.normal(1.5, 0.5, 200), shift + rng.normal(0, 0.5, 200)]
    return scores, np.r_[np.ones(200, bool), np.zeros(200, bool)], np.r_[np.arange(200), np.arange(200)]


@pytest.mark.parametrize(("seed_sd", "person_sd"), [(0.3, 1.0), (0.0, 1.0), (0.5, 0.2)])
def test_intervals_over_people_and_seeds_cover(seed_sd: float, person_sd: float) -> None:
    """Three seeds, 30 people, crossed: 95 % intervals of a mean and of a difference hold the truth that often or more."""
    rng, group = np.random.default_rng(4), deal(30)
    held = np.zeros(2)
    runs = 150
    for _ in range(runs):
        people = rng.normal(0, person_sd, 30)

        def networks(true: float, people: np.ndarray = people) -> list[Replicated]:
            return [
                replicate_mean(true + rng.normal(0, seed_sd) + people + rng.normal(0, 0.3, 30), group)
                for _ in range(3)
            ]

        a, b = networks(1.0), networks(0.4)
        low, high = crossed(a).ci95
        held[0] += low <= 1.0 <= high
        low, high = difference(a, b).ci95
        held[1] += low <= 0.6 <= high
    assert (held / runs > 0.92).all()


def test_few_seeds_that_differ_make_wide_intervals() -> None:
    group = deal(50)
    noise = np.random.default_rng(5).normal(0, 0.1, 50)
    apart = crossed([replicate_mean(noise + seed, group) for seed in (0.0, 1.0, 2.0)])
    alone = crossed([replicate_mean(noise + 1.0, group)])
    assert apart.each == pytest.approx(tuple(noise.mean() + s for s in (0, 1, 2)))
    assert apart.error_seeds == pytest.approx(1 / np.sqrt(3))
    # Two degrees of freedom, as three numbers have.
    assert (apart.ci95[1] - apart.value) / apart.error_seeds == pytest.approx(stats.t.ppf(0.975, 2), rel=0.01)
    assert alone.ci95[1] - alone.ci95[0] < 0.1


def test_what_cannot_be_known_is_not_said() -> None:
    one = crossed([replicate_mean([2.0], deal(1))])
    assert np.isnan([*one.ci95, one.p]).all()
    equal = difference([replicate_mean(np.ones(4), deal(4))], [replicate_mean(np.ones(4), deal(4))])
    assert equal.ci95 == (0.0, 0.0)
    assert equal.p == 1.0
    assert np.isnan(crossed([replicate_mean([np.nan, np.nan], deal(2))]).value)
    with pytest.raises(ValueError, match="one network"):
        crossed([])
