"""Face verification: are two photos of one person? ROC, AUC, EER, TAR@FAR and the LFW ten-fold protocol.

A pair is accepted where its score is at least the threshold, so a larger score must mean "more alike"
(hand in minus a distance). The protocol is that of Huang, Ramesh, Berg and Learned-Miller, "Labeled Faces in
the Wild" (2007), image-restricted View 2: ten folds of 300 same and 300 different pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike, NDArray

from metrics.distances import Floats
from metrics.spec import VERIFICATION, EmbedderMetric

Bools = NDArray[np.bool_]
ThresholdRule = Literal["middle", "lowest", "highest"]
"""Which of several equally good thresholds is used; it moves the LFW accuracy in the third digit."""


@dataclass(frozen=True)
class Roc:
    """A receiver operating characteristic: float [m + 1] each for m distinct scores, from (0, 0) to (1, 1).

    fpr, tpr: shares of different and of same pairs with score >= threshold. thresholds fall from inf.
    """

    fpr: Floats
    tpr: Floats
    thresholds: Floats


@dataclass(frozen=True)
class FoldAccuracy:
    """Accuracy over the folds of a verification protocol, all shares in 0..1.

    mean of `folds`, standard_error = sample deviation (n - 1) / sqrt(n) as LFW reports it, deviation = the
    population deviation (n) over folds, which many tables print after the +- sign. thresholds: one a fold.
    """

    mean: float
    standard_error: float
    deviation: float
    folds: Floats
    thresholds: Floats


def roc(scores: ArrayLike, same: ArrayLike) -> Roc:
    """ROC of scores; equal scores are one point, no point is dropped.

    Args:
        scores: float [n], larger where two photos are more alike.
        same: bool [n], whether they are of one person.

    Returns:
        The curve.

    Raises:
        ValueError: For NaN scores (decide first how a missed face counts, e.g. -inf), for lengths that differ, and where
            same or different pairs are lacking.

    Examples:
        >>> curve = roc([0.9, 0.8, 0.3], [True, False, True])
        >>> curve.fpr.tolist(), curve.tpr.tolist()
        ([0.0, 0.0, 1.0, 1.0], [0.0, 0.5, 0.5, 1.0])
    """
    s, y = _checked(scores, same)
    thresholds, index = np.unique(s, return_inverse=True)
    positives = np.bincount(index, weights=y)[::-1]
    negatives = np.bincount(index, weights=~y)[::-1]
    return Roc(
        np.r_[0.0, np.cumsum(negatives) / negatives.sum()],
        np.r_[0.0, np.cumsum(positives) / positives.sum()],
        np.r_[np.inf, thresholds[::-1]],
    )


def auc(scores: ArrayLike, same: ArrayLike) -> float:
    """Probability that a same pair scores above a different pair; ties count half (Mann-Whitney U).

    Args:
        scores: float [n], larger where two photos are more alike.
        same: bool [n], whether they are of one person.

    Returns:
        0..1.

    Raises:
        ValueError: For NaN scores, for lengths that differ, and where same or different pairs are lacking.

    Examples:
        >>> auc([0.9, 0.8, 0.3], [True, False, True])
        0.5
    """
    s, y = _checked(scores, same)
    _, index = np.unique(s, return_inverse=True)
    positives, negatives = np.bincount(index, weights=y), np.bincount(index, weights=~y)
    below = np.cumsum(negatives) - negatives
    return float(np.sum(positives * (below + 0.5 * negatives)) / (positives.sum() * negatives.sum()))


def curve_auc(fpr: ArrayLike, tpr: ArrayLike) -> float:
    """Area under a published curve (trapezoids).

    Args:
        fpr: float [m], points in any order; rows with a NaN are left out.
        tpr: float [m].

    Returns:
        0..1.

    Raises:
        ValueError: For lengths that differ, and fewer than two points.

    Examples:
        >>> curve_auc([0.0, 0.5, 1.0], [0.0, 1.0, 1.0])
        0.75
    """
    x, y = _curve(fpr, tpr)
    return float(np.trapezoid(y, x))


def curve_balanced_accuracy(fpr: ArrayLike, tpr: ArrayLike) -> float:
    """Largest mean of TPR and TNR on a published curve: the accuracy where both kinds are equally many.

    Args:
        fpr: float [m].
        tpr: float [m].

    Returns:
        0..1.

    Raises:
        ValueError: As curve_auc.

    Examples:
        >>> curve_balanced_accuracy([0.0, 0.5, 1.0], [0.0, 1.0, 1.0])
        0.75
    """
    x, y = _curve(fpr, tpr)
    return float(np.max((y + 1.0 - x) / 2.0))


def eer(scores: ArrayLike, same: ArrayLike) -> float:
    """Equal error rate: where false accepts (FPR) and false rejects (1 - TPR) meet on the ROC.

    Between two points of the ROC the straight line counts (a random choice between two thresholds).

    Args:
        scores: float [n], larger where two photos are more alike.
        same: bool [n], whether they are of one person.

    Returns:
        0..1.

    Raises:
        ValueError: For NaN scores, for lengths that differ, and where same or different pairs are lacking.

    Examples:
        >>> eer([0.9, 0.8, 0.3, 0.2], [True, False, True, False])
        0.5
    """
    curve = roc(scores, same)
    gap = curve.fpr - (1.0 - curve.tpr)  # rises from -1 to 1
    k = int(np.argmax(gap >= 0.0))
    step = gap[k] - gap[k - 1]
    t = -gap[k - 1] / step
    return float(curve.fpr[k - 1] + t * (curve.fpr[k] - curve.fpr[k - 1]))


def tar_at_far(scores: ArrayLike, same: ArrayLike, far: ArrayLike) -> Float64[np.ndarray, ...]:
    """Share of same pairs accepted, at the lowest threshold whose false accepts are at most `far`.

    No interpolation: the rate can be had with a real threshold. A far below 1 / (number of different pairs) allows none
    of them.

    Args:
        scores: float [n], larger where two photos are more alike.
        same: bool [n], whether they are of one person.
        far: float [...] in 0..1.

    Returns:
        float [...].

    Raises:
        ValueError: For a far outside 0..1, and as roc.

    Examples:
        >>> tar_at_far([0.9, 0.8, 0.3, 0.2], [True, False, True, False], [0.0, 0.5]).tolist()
        [0.5, 1.0]
    """
    wanted = np.asarray(far, dtype=np.float64)
    if not np.all((wanted >= 0) & (wanted <= 1)):
        raise ValueError(f"far must lie in 0..1, not {far!r}; 0.1 % is 0.001")
    curve = roc(scores, same)
    return np.asarray(curve.tpr[np.searchsorted(curve.fpr, wanted, side="right") - 1])


def best_accuracy(scores: ArrayLike, same: ArrayLike, rule: ThresholdRule = "middle") -> tuple[float, float]:
    """Largest share of right answers over all thresholds, and the threshold that has it.

    Candidates lie halfway between neighbouring distinct scores, and at both ends (accept all: the lowest
    score; accept none: just above the highest).

    Args:
        scores: float [n], larger where two photos are more alike.
        same: bool [n], whether they are of one person.
        rule: Of equally good ones the median of all ("middle"), the lowest or the highest.

    Returns:
        (accuracy, threshold).

    Raises:
        ValueError: For an unknown rule, NaN scores and lengths that differ.

    Examples:
        >>> best_accuracy([0.9, 0.7, 0.3, 0.1], [True, True, False, False])
        (1.0, 0.5)
    """
    if rule not in ("middle", "lowest", "highest"):
        raise ValueError(f"unknown threshold rule {rule!r}; choose middle, lowest or highest")
    s, y = _checked(scores, same, both=False)
    distinct, index = np.unique(s, return_inverse=True)
    positives, negatives = np.bincount(index, weights=y), np.bincount(index, weights=~y)
    # right[i]: accepted from the i-th distinct score on.
    right = np.r_[y.sum() - (np.cumsum(positives) - positives), 0.0]
    right += np.r_[0.0, np.cumsum(negatives)]
    best = np.flatnonzero(right == right.max())
    with np.errstate(invalid="ignore"):
        halfway = distinct[:-1] / 2 + distinct[1:] / 2
    halfway = np.where(np.isnan(halfway) | np.isinf(halfway), distinct[1:], halfway)
    edges = np.r_[distinct[0], halfway, np.nextafter(distinct[-1], np.inf)][best]
    threshold = {"middle": _median(edges), "lowest": edges[0], "highest": edges[-1]}[rule]
    return float(right.max() / len(s)), float(threshold)


def fold_accuracy(
    scores: ArrayLike, same: ArrayLike, folds: ArrayLike, rule: ThresholdRule = "middle"
) -> FoldAccuracy:
    """Accuracy of each fold with the threshold that was best on all other folds (LFW View 2).

    Args:
        scores: float [n], larger where two photos are more alike.
        same: bool [n], whether they are of one person.
        folds: int or str [n].
        rule: Of best_accuracy.

    Returns:
        Mean, errors and folds.

    Raises:
        ValueError: For fewer than two folds, and as best_accuracy.
    """
    s, y = _checked(scores, same, both=False)
    f = np.asarray(folds)
    if f.shape != s.shape:
        raise ValueError(f"folds has shape {f.shape}; {len(s)} pairs need ({len(s)},)")
    names = np.unique(f)
    if len(names) < 2:
        raise ValueError("one fold has no other to take its threshold from; give two folds or more")
    thresholds = np.array([best_accuracy(s[f != name], y[f != name], rule)[1] for name in names])
    limit = thresholds[np.searchsorted(names, f)]
    right = (s >= limit) == y
    shares = np.array([np.mean(right[f == name]) for name in names])
    error = float(np.std(shares, ddof=1) / np.sqrt(len(names)))
    return FoldAccuracy(float(shares.mean()), error, float(np.std(shares)), shares, thresholds)


def _median(edges: Floats) -> float:
    """The middle candidate itself, never a mean of two: between two optima may lie a worse threshold."""
    n = len(edges)
    return float(edges[n // 2]) if n % 2 else float(edges[n // 2 - 1])


def _checked(scores: ArrayLike, same: ArrayLike, both: bool = True) -> tuple[Floats, Bools]:
    s, y = np.asarray(scores, dtype=np.float64), np.asarray(same)
    if s.ndim != 1 or s.shape != y.shape:
        raise ValueError(f"scores {s.shape} and same {y.shape} must be one-dimensional, of equal length")
    if not np.isin(y, (0, 1)).all():
        raise ValueError("same must hold True and False (or 1 and 0) only")
    y = y.astype(bool)
    if np.isnan(s).any():
        raise ValueError(
            f"{int(np.isnan(s).sum())} of {len(s)} scores are NaN; leave those pairs out, or count a missed "
            "face as wrong before"
        )
    if len(s) == 0 or (both and (y.all() or not y.any())):
        raise ValueError(f"{int(y.sum())} same and {int((~y).sum())} different pairs; both kinds are needed")
    return s, y


def _curve(fpr: ArrayLike, tpr: ArrayLike) -> tuple[Floats, Floats]:
    x, y = np.asarray(fpr, dtype=np.float64), np.asarray(tpr, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"fpr {x.shape} and tpr {y.shape} must be one-dimensional, of equal length")
    kept = np.isfinite(x) & np.isfinite(y)
    x, y = x[kept], y[kept]
    if len(x) < 2:
        raise ValueError("a curve needs two points or more")
    order = np.lexsort((y, x))
    return x[order], y[order]


METRICS = (
    EmbedderMetric(
        key="verification_accuracy",
        label="Verification accuracy",
        group=VERIFICATION,
        order=400,
        formula="mean over 10 folds of accuracy at the threshold best on the 9 others",
        description="metrics.embedders.verification.fold_accuracy; with its standard error over folds.",
        unit="share",
        range=(0.0, 1.0),
        higher_is_better=True,
        source="LFW, image-restricted View 2; the choice among equally good thresholds is ours",
        options="rule: middle, lowest, highest",
    ),
    EmbedderMetric(
        key="verification_auc",
        label="Verification AUC",
        group=VERIFICATION,
        order=401,
        formula="P(cos of a same pair > cos of a different pair) + P(equal) / 2",
        description="metrics.embedders.verification.auc",
        unit="share",
        range=(0.0, 1.0),
        higher_is_better=True,
        source="ROC; Mann-Whitney U",
    ),
    EmbedderMetric(
        key="verification_eer",
        label="Equal error rate",
        group=VERIFICATION,
        order=402,
        formula="FPR where FPR = 1 - TPR, straight lines between points of the ROC",
        description="metrics.embedders.verification.eer",
        unit="share",
        range=(0.0, 1.0),
        higher_is_better=False,
        source="ROC",
    ),
    EmbedderMetric(
        key="tar_at_far",
        label="TAR@FAR",
        group=VERIFICATION,
        order=403,
        formula="max TPR with FPR <= FAR, no interpolation",
        description="metrics.embedders.verification.tar_at_far",
        unit="share",
        range=(0.0, 1.0),
        higher_is_better=True,
        source="ROC",
        options="far: a share, stated with the value",
    ),
)
