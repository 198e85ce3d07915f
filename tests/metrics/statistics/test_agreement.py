"""How instruments agree with the truth: values against scipy and loops, intervals by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from metrics.statistics.agreement import (
    median_over_people,
    rank_correlation,
    ratio_of_medians,
    same_person_auc,
)


def pairs(people: int, views: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    who = np.repeat(np.arange(people), views)
    a, b = np.triu_indices(len(who), 1)
    return who[a], who[b], np.stack([a, b])


def test_rank_correlation_is_spearmans_and_leaves_nan_out() -> None:
    rng = np.random.default_rng(0)
    first, second, _ = pairs(8, 3)
    true = rng.uniform(0, 5, len(first))
    measured = true + rng.normal(0, 1, len(first))
    measured[:7] = np.nan
    found = rank_correlation(measured, true, first, second)
    assert found.value == pytest.approx(stats.spearmanr(measured[7:], true[7:]).statistic, abs=1e-12)
    assert (found.n, found.people) == (len(first) - 7, 8)
    assert found.ci95[0] < found.value < found.ci95[1] < 1
    order = rng.permutation(len(first))
    again = rank_correlation(measured[order], 3 * true[order] + 1, first[order], second[order])
    assert np.allclose([again.value, *again.ci95], [found.value, *found.ci95])


def test_auc_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    first, second, _ = pairs(10, 3)
    same = first == second
    distances = np.round(rng.normal(1 - 0.5 * same, 0.4), 1)
    found = same_person_auc(distances, same, first, second)
    assert found.value == pytest.approx(roc_auc_score(same, -distances), abs=1e-12)
    assert found.ci95[0] < found.value < found.ci95[1]


def test_one_sided_or_empty_input_has_no_value() -> None:
    first, second, _ = pairs(4, 1)
    assert np.isnan(same_person_auc(np.ones(6), np.zeros(6, bool), first, second).value)
    assert np.isnan(rank_correlation(np.ones(6), np.arange(6), first, second).value)
    nothing = median_over_people([np.nan], [0])
    assert np.isnan(nothing.value)
    assert nothing.n == 0
    assert np.isnan(ratio_of_medians([1.0, 2.0], [0.0, 0.0]).value)


def test_medians_and_their_ratio() -> None:
    rng = np.random.default_rng(2)
    values, people = rng.normal(3, 1, 120), np.repeat(np.arange(30), 4)
    found = median_over_people(values, people)
    assert found.value == np.median(values)
    assert found.ci95[0] < 3 < found.ci95[1]
    below = rng.uniform(1, 2, 40)
    ratio = ratio_of_medians(below * 0.5, below)
    assert ratio.value == pytest.approx(0.5)
    assert ratio.ci95[0] <= 0.5 <= ratio.ci95[1]


def test_the_jackknife_covers_a_known_auc() -> None:
    """Distances of faces z = person + noise: AUC by its own large sample; 200 runs of 25 people, nominal 95 %."""
    rng = np.random.default_rng(3)

    def run(people: int) -> tuple[np.ndarray, ...]:
        z = np.repeat(rng.normal(size=(people, 2)), 3, 0) + rng.normal(0, 0.7, (people * 3, 2))
        first, second, index = pairs(people, 3)
        return np.linalg.norm(z[index[0]] - z[index[1]], axis=1), first, second

    distances, first, second = run(700)
    true = roc_auc_score(first == second, -distances)
    hits = []
    for _ in range(200):
        distances, first, second = run(25)
        low, high = same_person_auc(distances, first == second, first, second).ci95
        hits.append(low <= true <= high)
    assert 0.90 <= np.mean(hits) <= 0.99


def test_one_person_who_makes_every_mistake_does_not_blow_the_interval_up() -> None:
    """AUC 0.99 with one bad person of sixty: without them it is 1, an endless step on the logit's scale."""
    people = np.arange(60)
    first, second = np.triu_indices(60, 1)
    same = np.concatenate([np.ones(60, bool), np.zeros(len(first), bool)])
    distances = np.concatenate([np.where(people == 7, 5.0, 0.0), np.linspace(1, 6, len(first))])
    found = same_person_auc(
        distances, same, np.concatenate([people, first]), np.concatenate([people, second])
    )
    assert found.value == pytest.approx(1 - 0.8 / 60, abs=2e-3)
    assert 0.88 < found.ci95[0] < found.value < found.ci95[1] <= 1
