"""Older results.json, read as though they were of today's version.

1   a metric said neither its label, group, order nor range: they are looked up by its key among the metrics of this
    package (never among those of installed packages: reading a result loads nobody's code)
2   at first did not say which metrics are not ranked, which are headlines, nor which need a source: looked up likewise
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

CURRENT = 2
READ = (1, CURRENT)
FURTHER = "Further metrics"
"""The group of a metric of version 1 that nobody here knows."""
_NAMES = ("label", "group", "order", "range", "description", "unranked", "headline", "needs_source")
_LATER = ("unranked", "headline", "needs_source")
"""What version 2 at first did not say; may be null, so only its absence counts."""
"""What later results say of a metric besides."""


def upgraded(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a results.json of version 1 as that of version 2; what is not as it should be is left as it is.

    Args:
        content: What the JSON holds.

    Returns:
        A copy. A label that was stored is kept.

    >>> old = {"schema_version": 1, "metrics": {"pose@tddfa": {"value": 0.1}, "my_glow": {"value": 2.0}}}
    >>> new = upgraded(old)["metrics"]
    >>> new["pose@tddfa"]["label"], new["pose@tddfa"]["group"], new["pose@tddfa"]["range"]
    ('Pose', 'Attribute keeping', [0.0, 3.141592653589793])
    >>> new["my_glow"]["label"], new["my_glow"]["group"]
    ('My glow', 'Further metrics')
    """
    return {**_completed(content, _NAMES), "schema_version": CURRENT}


def completed(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a results.json in which each metric says whether models may be ranked by it, and is a headline.

    Args:
        content: What the JSON holds, of any version.

    Returns:
        A copy; what is stored is kept.

    >>> new = completed({"metrics": {"pose_r": {"value": 0.1}, "pose": {"value": 0.2}}})["metrics"]
    >>> bool(new["pose_r"]["unranked"]), new["pose"]["unranked"]
    (True, None)
    >>> new["pose_r"]["headline"], new["pose"]["headline"]
    (False, True)
    """
    return _completed(content, _LATER)


def _completed(content: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    metrics = content.get("metrics")
    if not isinstance(metrics, Mapping):
        return dict(content)
    known = {
        key: {**metric, **_lacking(key, metric, names)} if isinstance(metric, Mapping) else metric
        for key, metric in metrics.items()
    }
    return {**content, "metrics": known}


def _lacking(key: Any, metric: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    lacking = [name for name in names if (name not in metric if name in _LATER else metric.get(name) is None)]
    declared = _declared(key) if lacking else {}
    return {name: declared[name] for name in lacking if name in declared}


def _declared(key: Any) -> dict[str, Any]:
    """What results of today say of a metric besides, by its key."""
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
            "unranked": None,
            "headline": False,
            "needs_source": True,
        }
    return {
        "label": spec.label,
        "group": spec.group,
        "order": spec.order,
        "range": [end if math.isfinite(end) else None for end in spec.range],
        "description": spec.description,
        "unranked": spec.unranked or None,
        "headline": spec.headline,
        "needs_source": spec.needs_source,
    }
