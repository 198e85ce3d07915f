"""Retrieval over the size of the gallery: the mean over all galleries that could be drawn, with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrics.distances import Floats
from metrics.evaluation import MissingPolicy, Summary, summarise
from metrics.frames.draws import expected_retrieved, sizes_of
from metrics.spec import Metric


@dataclass(frozen=True)
class Point:
    """One gallery of a curve: how many people it holds, and the metric among them."""

    people: int
    found: Summary


def gallery_curve(
    metric: Metric,
    rank: Floats,
    missing_as: Floats,
    clusters: NDArray[np.generic],
    *,
    people: int,
    missing: MissingPolicy = "count_as_wrong",
    seed: int = 0,
) -> list[Point]:
    """The metric in galleries of 5, 10, 20, 50, ... people and in the whole one.

    No gallery is drawn: the mean over all of them follows from each frame's rank in the whole gallery
    (metrics.frames.draws.expected_retrieved). The last point is the metric itself.

    Args:
        metric: One that searches a gallery.
        rank: float [n], Metric.rank; NaN without a reading.
        missing_as: float [n], what a frame without one counts as where it counts.
        clusters: str [n], the independent unit.
        people: How many the whole gallery holds.
        missing: What a swap without a face does to a metric.
        seed: Of the intervals.

    Returns:
        A point for each size, the smallest first; [] where the gallery is empty.
    """
    points = []
    for size in sizes_of(people) if people else []:
        values = expected_retrieved(rank, people, size, metric.among)
        counted = np.where(np.isnan(values), missing_as, values)
        found = summarise(
            metric, values, counted, clusters, instrument=None, lost=0, missing=missing, seed=seed
        )
        points.append(Point(size, found.applied))
    return points
