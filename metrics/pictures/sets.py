"""The metrics of sets of pictures (metrics/catalogue.py) from stored features, under each missing-face policy.

The swaps are held against the target frames that they were made from, so both sets have one size, the same people and
the same scenes: a model that changes nothing has a distance of 0. What the figures are of a few hundred pictures is not
what they are of many thousands (metrics/pictures/distances.py), so only runs of one data set and one number of
frames compare.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.catalogue import PICTURES
from metrics.distances import Floats
from metrics.evaluation import MissingPolicy, Summary, Value, check_policy
from metrics.pictures.distances import frechet_distance, kernel_distance
from metrics.statistics.intervals import group_jackknife

FILTER_BANK, INCEPTION = "filter_bank", "torchvision-inception_v3"
DISTANCES: dict[str, dict[str, Callable[[Floats, Floats], float]]] = {
    FILTER_BANK: {"filter_bank_distance": frechet_distance},
    INCEPTION: {"fid": frechet_distance, "kid": kernel_distance},
}
"""By network of the features: key of the metric -> function of both sets [n, d]."""
_DECLARED = {metric.key: metric for metric in PICTURES}


def picture_distances(
    swap: ArrayLike,
    target: ArrayLike,
    found: NDArray[np.bool_],
    clusters: ArrayLike,
    network: str,
    missing: MissingPolicy = "count_as_wrong",
) -> dict[str, Value]:
    """Every distance that features of `network` allow, with its interval over clusters.

    swap, target: float [n, d], features of each frame's swap (a black picture where the model gave none) and of its
    target; rows with a NaN are left out. found: bool [n], a face was found in the swap. Without one a frame is left out,
    except under "count_everywhere", where its picture counts as it is. clusters: [n].
    Raises ValueError for a network without metrics, MetricError for an unknown policy.
    """
    if network not in DISTANCES:
        raise ValueError(f"no metric is defined on features of {network!r}; known: {', '.join(DISTANCES)}")
    check_policy(missing)
    x, y = np.asarray(swap, dtype=np.float64), np.asarray(target, dtype=np.float64)
    names = np.asarray(clusters)
    usable = np.asarray(np.isfinite(x).all(axis=1) & np.isfinite(y).all(axis=1))
    scored = {}
    for key, distance in DISTANCES[network].items():
        excluding = _summary(distance, x, y, names, np.asarray(usable & found))
        counting = _summary(distance, x, y, names, usable)
        applied = counting if missing == "count_everywhere" else excluding
        declared = _DECLARED[key]
        scored[key] = Value(
            applied.value, applied.ci95, applied.n, applied.clusters, declared.unit,
            declared.higher_is_better, network, declared.version,
            "count_as_wrong" if applied is counting else "exclude", int(np.sum(usable & ~found)),
            excluding, counting,
        )  # fmt: skip
    return scored


def _summary(
    distance: Callable[[Floats, Floats], float], x: Floats, y: Floats, clusters: NDArray[np.generic],
    kept: NDArray[np.bool_],
) -> Summary:  # fmt: skip
    rows = np.flatnonzero(kept)
    groups = len(np.unique(clusters[rows]))
    if len(rows) < 2:
        return Summary(float("nan"), (float("nan"), float("nan")), 0, 0)

    def of(chosen: NDArray[np.bool_]) -> float:
        part = rows[chosen]
        return distance(x[part], y[part]) if len(part) >= 2 else float("nan")

    value = of(np.ones(len(rows), dtype=bool))
    low, high = group_jackknife(of, value, clusters[rows])
    if distance is frechet_distance:
        low = max(low, 0.0)
    return Summary(value, (low, high), len(rows), groups)
