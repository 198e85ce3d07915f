"""Older results.json, read as though they were of today's version.

1   a metric said neither its label, group, order nor range: they are looked up by its key among the metrics of this
    package (never among those of installed packages: reading a result loads nobody's code)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

CURRENT = 2
READ = (1, CURRENT)
FURTHER = "Further metrics"
"""The group of a metric of version 1 that nobody here knows."""


def upgraded(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a results.json of version 1 as that of version 2; what is not as it should be is left as it is.

    Args:
        content: What the JSON holds.

    Returns:
        A copy. A label that was stored is kept.

    >>> old = {"schema_version": 1, "metrics": {"pose@tddfa": {"value": 0.1}, "my_glow": {"value": 2.0}}}
    >>> new = upgraded(old)["metrics"]
    >>> new["pose@tddfa"]["label"], new["pose@tddfa"]["group"], new["pose@tddfa"]["range"]
    ('Pose', 'Attribute keeping', [0.0, None])
    >>> new["my_glow"]["label"], new["my_glow"]["group"]
    ('My glow', 'Further metrics')
    """
    metrics = content.get("metrics")
    if not isinstance(metrics, Mapping):
        return {**content, "schema_version": CURRENT}
    known = {
        key: {**metric, **_lacking(key, metric)} if isinstance(metric, Mapping) else metric
        for key, metric in metrics.items()
    }
    return {**content, "schema_version": CURRENT, "metrics": known}


def _lacking(key: Any, metric: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in _declared(key).items() if metric.get(name) is None}


def _declared(key: Any) -> dict[str, Any]:
    """What version 2 says of a metric besides, by its key."""
    # Only here: bench.verify reads results too and is written apart from metrics.
    from metrics.registry import ours
    from metrics.spec import LAST

    name = str(key).partition("@")[0]
    spec = ours().get(name)
    if spec is None:
        label = name.replace("_", " ").strip()
        return {
            "label": label[:1].upper() + label[1:],
            "group": FURTHER,
            "order": LAST,
            "range": [None, None],
        }
    return {
        "label": spec.label,
        "group": spec.group,
        "order": spec.order,
        "range": [end if math.isfinite(end) else None for end in spec.range],
        "description": spec.description,
    }
