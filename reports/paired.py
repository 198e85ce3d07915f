"""Two models of a report against each other: frames joined by key, tested over pairs of people.

The arithmetic is metrics.statistics; bench.compare gives the bootstrap beside it.
"""

from __future__ import annotations

from metrics.statistics.significance import Tested, paired_t_test
from reports.frames import FAILED, join
from reports.results import MetricValue
from reports.run_files import RunFiles


def difference(a: RunFiles, b: RunFiles, key: str) -> Tested | None:
    """The difference of two models in a metric, by frame.

    Args:
        a: The first model.
        b: The one that is taken off it.
        key: A metric, or FAILED.

    Returns:
        Mean of a - b with its interval and p; None without per-frame values or with fewer than two clusters.
    """
    if a.table is None or b.table is None:
        return None
    values: list[MetricValue | None] = [run.results.metrics.get(key) for run in (a, b)]
    if key != FAILED and any(key not in table.metrics for table in (a.table, b.table)):
        return None
    return paired_t_test(*join(a.table, b.table, key, values))


def apart(a: RunFiles, b: RunFiles, key: str) -> bool:
    """Are two models separated in a metric? By the paired interval; without frames, by a gap between intervals.

    Args:
        a: The first model.
        b: The second.
        key: The metric, which both have.

    Returns:
        Whether one may be called better.
    """
    tested = difference(a, b, key)
    if tested is not None:
        return tested.separated
    return gap(a.results.metrics[key], b.results.metrics[key])


def gap(a: MetricValue, b: MetricValue) -> bool:
    """Is there a gap between two intervals? What decides where no frame has a value of its own.

    Args:
        a: A metric of one model.
        b: The same of another.

    Returns:
        Whether both have an interval and these do not touch.
    """
    one, two = a.ci95, b.ci95
    return bool(one and two and (one[0] > two[1] or one[1] < two[0]))
