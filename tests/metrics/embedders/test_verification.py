"""Verification against scikit-learn, plain loops, LFW's own lists and published curves."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from metrics.distances import cosine_similarity
from metrics.embedders.lfw import parse_pairs
from metrics.embedders.verification import (
    auc,
    best_accuracy,
    curve_auc,
    curve_balanced_accuracy,
    eer,
    fold_accuracy,
    roc,
    tar_at_far,
)


def scored(seed: int, n: int = 60, levels: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Scores with many ties where `levels` is small, and at least one pair of either kind."""
    rng = np.random.default_rng(seed)
    same = np.r_[True, False, rng.random(n - 2) < 0.4]
    scores = rng.normal(size=n) + same
    return (scores if levels is None else np.round(scores * levels) / levels), same


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 80), levels=st.sampled_from([None, 1, 3]))
def test_roc_and_auc_agree_with_scikit_learn_and_a_loop(seed: int, n: int, levels: int | None) -> None:
    scores, same = scored(seed, n, levels)
    fpr, tpr, thresholds = oracle.roc_curve(same, scores, drop_intermediate=False)
    curve = roc(scores, same)
    np.testing.assert_allclose(curve.fpr, fpr, atol=1e-12)
    np.testing.assert_allclose(curve.tpr, tpr, atol=1e-12)
    np.testing.assert_array_equal(curve.thresholds, thresholds)
    wins = [(p > q) + 0.5 * (p == q) for p in scores[same] for q in scores[~same]]
    assert auc(scores, same) == pytest.approx(np.mean(wins), abs=1e-12)
    assert auc(scores, same) == pytest.approx(oracle.roc_auc_score(same, scores), abs=1e-12)
    assert curve_auc(fpr, tpr) == pytest.approx(auc(scores, same), abs=1e-12)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 40), levels=st.sampled_from([None, 2]))
def test_rates_agree_with_a_loop_over_every_threshold(seed: int, n: int, levels: int | None) -> None:
    scores, same = scored(seed, n, levels)
    thresholds = [np.inf, *sorted(set(scores), reverse=True)]
    fars = [np.mean(scores[~same] >= t) for t in thresholds]
    tars = [np.mean(scores[same] >= t) for t in thresholds]
    for limit in (0.0, 0.1, 0.5, 1.0):
        best = max(t for f, t in zip(fars, tars, strict=True) if f <= limit)
        assert tar_at_far(scores, same, limit) == pytest.approx(best, abs=1e-12)
    edges = [s for t in sorted(set(scores)) for s in (t,)] + [np.inf]
    assert best_accuracy(scores, same)[0] == pytest.approx(
        max(np.mean((scores >= t) == same) for t in edges), abs=1e-12
    )
    # Bisection on the straight pieces of the ROC, nothing shared with the closed form.
    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        # On a vertical piece every TPR between its ends belongs to the curve.
        top = max(
            (t0 + (t1 - t0) * ((middle - f0) / (f1 - f0) if f1 > f0 else 1.0))
            for (f0, t0), (f1, t1) in itertools.pairwise(zip(fars, tars, strict=True))
            if f0 <= middle <= f1
        )
        low, high = (middle, high) if top < 1 - middle else (low, middle)
    assert eer(scores, same) == pytest.approx(high, abs=1e-9)


def test_threshold_rules_differ_only_among_equally_good_ones() -> None:
    scores, same = np.array([0.0, 1.0, 2.0, 3.0, 10.0]), np.array([False, True, False, True, True])
    # One error from 0.5 and from 2.5: accept {1, 2, 3, 10} or {3, 10}.
    assert best_accuracy(scores, same, "lowest") == (0.8, 0.5)
    assert best_accuracy(scores, same, "highest") == (0.8, 2.5)
    assert best_accuracy(scores, same, "middle") == (0.8, 0.5)
    for rule in ("lowest", "middle", "highest"):
        accuracy, threshold = best_accuracy(scores, same, rule)
        assert np.mean((scores >= threshold) == same) == accuracy
    assert best_accuracy([1.0, 2.0], [False, False])[1] > 2.0
    assert best_accuracy([-np.inf, 0.0], [False, True]) == (1.0, 0.0)  # a missed face that counts as wrong


@pytest.mark.parametrize("rule", ["lowest", "middle", "highest"])
def test_fold_accuracy_takes_its_threshold_from_the_other_folds(rule: str) -> None:
    scores, same = scored(3, 120)
    folds = np.arange(120) % 6
    result = fold_accuracy(scores, same, folds, rule)  # type: ignore[arg-type]
    shares = []
    for fold in range(6):
        train, test = folds != fold, folds == fold
        threshold = best_accuracy(scores[train], same[train], rule)[1]  # type: ignore[arg-type]
        shares.append(np.mean([(s >= threshold) == y for s, y in zip(scores[test], same[test], strict=True)]))
    np.testing.assert_allclose(result.folds, shares, atol=1e-12)
    assert result.mean == pytest.approx(np.mean(shares), abs=1e-12)
    assert result.standard_error == pytest.approx(np.std(shares, ddof=1) / np.sqrt(6), abs=1e-12)
    # A fold whose own best threshold is far off gets no benefit from it.
    shifted = np.where(folds == 0, scores + 100, scores)
    assert fold_accuracy(shifted, same, folds).folds[0] == np.mean(same[folds == 0])


def test_perfect_and_useless_scores() -> None:
    same = np.array([True] * 4 + [False] * 4)
    assert (auc(same, same), eer(same, same), best_accuracy(same, same)[0]) == (1.0, 0.0, 1.0)
    flat = np.zeros(8)
    assert (auc(flat, same), eer(flat, same), best_accuracy(flat, same)[0]) == (0.5, 0.5, 0.5)
    assert tar_at_far(same, same, [0.0, 0.1]).tolist() == [1.0, 1.0]
    assert tar_at_far(flat, same, 0.5) == 0.0  # no threshold lies between tied scores


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: auc([1.0, np.nan], [True, False]), "1 of 2 scores are NaN"),
        (lambda: auc([1.0, 2.0], [True, True]), "2 same and 0 different"),
        (lambda: roc([1.0], [True, False]), "equal length"),
        (lambda: roc([1.0, 2.0], [1, 2]), "True and False"),
        (lambda: tar_at_far([1.0, 2.0], [True, False], 5), r"far must lie in 0\.\.1"),
        (lambda: best_accuracy([1.0], [True], "best"), "choose middle, lowest or highest"),  # type: ignore[arg-type]
        (lambda: fold_accuracy([1.0, 2.0], [True, False], [0, 0]), "two folds or more"),
        (lambda: fold_accuracy([1.0, 2.0], [True, False], [0]), "2 pairs need"),
        (lambda: curve_auc([0.0], [1.0]), "two points"),
        (lambda: curve_balanced_accuracy([0.0, 1.0], [1.0]), "equal length"),
    ],
)
def test_bad_input_is_one_clear_error(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        call()


def test_a_pair_list_by_hand() -> None:
    pairs = parse_pairs("2\t1\nA\t1\t12\nA\t1\tB_C\t3\nD\t2\t1\nD\t2\tA\t4\n")
    assert pairs.first.tolist() == ["A_0001", "A_0001", "D_0002", "D_0002"]
    assert pairs.second.tolist() == ["A_0012", "B_C_0003", "D_0001", "A_0004"]
    assert pairs.same.tolist() == [True, False, True, False]
    assert pairs.fold.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty pair list"),
        ("A\t1\t2", "line 1 of a pair list gives its size"),
        ("1\nA\t1\nA\t1\tB\t1", "line 2 is neither"),
        ("1\nA\t1\t2\nA\t1\tB\tx", "line 3 is neither"),
        ("2\nA\t1\t2\nA\t1\tB\t3", "announces 1 x 2 same"),
        ("1\nA\t1\tB\t3\nA\t1\t2", "another order"),
    ],
)
def test_a_pair_list_that_does_not_fit_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_pairs(text)


def test_the_official_lists_of_lfw(shared_data: Path) -> None:
    meta = shared_data / "lfw" / "meta"
    view2, test, train = (
        parse_pairs((meta / name).read_text())
        for name in ("pairs.txt", "pairsDevTest.txt", "pairsDevTrain.txt")
    )
    assert (len(view2.same), view2.same.sum(), np.bincount(view2.fold).tolist()) == (6000, 3000, [600] * 10)
    assert (len(test.same), test.same.sum(), len(train.same)) == (1000, 500, 2200)
    assert view2.first[0] == "Abel_Pacheco_0001"


def test_lfw_view_2_with_stored_embeddings_of_mobilefacenet(shared_data: Path) -> None:
    """shared/data/README.md: 10-fold accuracy 0.9908 +- 0.0034 (deviation over folds), AUC 0.99790."""
    stored = np.load(shared_data / "lfw" / "lfw_mobilefacenet_foamliu_emb.npz")
    row = {Path(str(name)).stem: i for i, name in enumerate(stored["names"])}
    pairs = parse_pairs((shared_data / "lfw" / "meta" / "pairs.txt").read_text())
    first, second = ([row[name] for name in side] for side in (pairs.first, pairs.second))
    scores = cosine_similarity(stored["emb"][first], stored["emb"][second])
    result = fold_accuracy(scores, pairs.same, pairs.fold)
    assert round(result.mean, 4) == 0.9908
    assert round(result.deviation, 4) == 0.0034
    assert round(result.standard_error, 4) == 0.0011
    assert round(auc(scores, pairs.same), 4) == 0.9979
    assert round(eer(scores, pairs.same), 3) == 0.010


@pytest.mark.parametrize(
    ("file", "figure", "value"),
    [
        ("dlib_LFW_roc_curve.txt", curve_balanced_accuracy, 0.9938),
        ("lbpnet_roc_lfw_unsu.txt", curve_auc, 0.9404),
        ("chttl_roc_curve_0.9960.txt", curve_balanced_accuracy, 0.9960),
    ],
)
def test_published_curves_give_their_published_figures(shared_data: Path, file: str, figure, value) -> None:  # type: ignore[no-untyped-def]
    tpr, fpr = np.loadtxt(shared_data / "lfw" / "roc" / file).T
    assert round(figure(fpr, tpr), 4) == value
