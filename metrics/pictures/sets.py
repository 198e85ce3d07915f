"""The distances between sets of pictures from stored features, under each missing-face policy.

The swaps are held against the target frames that they were made from, so both sets have one size, the same people and
the same scenes: a model that changes nothing has a distance of 0. What the figures are of a few hundred pictures is not
what they are of many thousands (metrics/pictures/distances.py), so only runs of one data set and one number of
frames compare.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.distances import Floats
from metrics.evaluation import MissingPolicy, Summary, Value, check_policy
from metrics.registry import PICTURES
from metrics.spec import PictureMetric
from metrics.statistics.intervals import group_jackknife


def networks() -> list[str]:
    """The feature networks on which some distance is defined.

    >>> networks()
    ['filter_bank', 'pt_inception-2015-12-05', 'torchvision-inception_v3']
    """
    return list(dict.fromkeys(metric.network for metric in PICTURES.values()))


def picture_distances(
    swap: ArrayLike,
    target: ArrayLike,
    found: NDArray[np.bool_],
    clusters: ArrayLike,
    network: str,
    missing: MissingPolicy = "count_as_wrong",
) -> dict[str, Value]:
    """Every distance that features of one network allow, with its interval over clusters.

    Args:
        swap: float [n, d], features of each frame's swap (a black picture where the model gave none). Rows with a NaN
            are left out.
        target: float [n, d], those of its target.
        found: bool [n], a face was found in the swap. Without one a frame is left out, except under
            "count_everywhere", where its picture counts as it is.
        clusters: str [n], the independent unit.
        network: The features' network.
        missing: The policy.

    Returns:
        key -> value.

    Raises:
        ValueError: For a network without metrics.
        MetricError: For an unknown policy.
    """
    metrics = [metric for metric in PICTURES.values() if metric.network == network]
    if not metrics:
        raise ValueError(f"no metric is defined on features of {network!r}; known: {', '.join(networks())}")
    check_policy(missing)
    x, y = np.asarray(swap, dtype=np.float64), np.asarray(target, dtype=np.float64)
    names = np.asarray(clusters)
    usable = np.asarray(np.isfinite(x).all(axis=1) & np.isfinite(y).all(axis=1))
    return {
        metric.key: Value(
            spec=metric,
            instrument=network,
            missing_policy="count_as_wrong" if missing == "count_everywhere" else "exclude",
            missing=int(np.sum(usable & ~found)),
            excluding_missing=_summary(metric, x, y, names, np.asarray(usable & found)),
            counting_missing=_summary(metric, x, y, names, usable),
        )
        for metric in metrics
    }


def _summary(
    metric: PictureMetric, x: Floats, y: Floats, clusters: NDArray[np.generic], kept: NDArray[np.bool_]
) -> Summary:
    rows = np.flatnonzero(kept)
    groups = len(np.unique(clusters[rows]))
    if len(rows) < 2:
        return Summary(float("nan"), (float("nan"), float("nan")), 0, 0)
    distance: Callable[[Floats, Floats], float] = metric.distance

    def of(chosen: NDArray[np.bool_]) -> float:
        part = rows[chosen]
        return distance(x[part], y[part]) if len(part) >= 2 else float("nan")

    value = of(np.ones(len(rows), dtype=bool))
    low, high = group_jackknife(of, value, clusters[rows])
    return Summary(value, (max(low, metric.range[0]), min(high, metric.range[1])), len(rows), groups)
