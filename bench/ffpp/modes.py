"""What --self and --cycle make of the metrics: which of them say anything, on which side, and that none may rank a model.

With --self the truth is the target, so whoever does nothing is perfect in every column. With --cycle the swap itself is
scored as in any run, and the truth columns are read of what came back: who does nothing there and back is perfect in these,
and the less a model swaps the shorter is its way back.
"""

from __future__ import annotations

from metrics import METRICS
from metrics.spec import OUTSIDE, Metric
from reports.results import MetricValue

GROUPS = {"self": "Against the target itself", "cycle": "There and back"}
"""What the group of the truth columns is called."""
UNRANKED = {
    "self": "the source is the target's own person, so a model that does nothing is perfect",
    "cycle": "a model that does nothing there and back is perfect, and the less a model swaps the shorter is its way back: "
    "read it beside what the swap itself scores, above all ID retrieval",
}
"""Why these columns rank nobody."""
_SIDES = {
    "self": "The source is another photo of the target's own person, and the true swap the target itself.",
    "cycle": "Of the swap swapped back with another photo of the target's person, whose true answer is the target.",
}


def measured(metric: Metric, mode: str, back: bool = False) -> bool:
    """Whether a metric says anything in a mode.

    Args:
        metric: Its spec.
        mode: Protocol.mode.
        back: Whether it is read of the way back of a cycle.

    Returns:
        Of self the truth and what lies outside the face; of the way back the truth alone; else every metric.
    """
    if mode == "self":
        return metric.needs_truth or metric.group == OUTSIDE
    return metric.needs_truth or not back


def stated(key: str, value: MetricValue, mode: str) -> MetricValue:
    """A metric as the results of a mode state it.

    Args:
        key: Its key.
        value: As it is in any run.
        mode: Protocol.mode.

    Returns:
        A copy under its group's name of the mode, with what it is read of and why it ranks nobody; the same where the mode
        changes nothing.
    """
    spec = METRICS.get(key.partition("@")[0])
    truth = spec is not None and spec.needs_truth
    if mode == "swap" or (mode == "cycle" and not truth):
        return value
    changed: dict[str, str] = {"unranked": UNRANKED[mode]}
    if truth:
        changed |= {"group": GROUPS[mode], "description": f"{value.description} {_SIDES[mode]}"}
    return value.model_copy(update=changed)
