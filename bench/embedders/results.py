"""From the figures of single networks to embedders.json: groups with intervals, paired differences, definitions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from bench.embedders.networks import Network
from metrics.registry import EMBEDDERS
from metrics.statistics.replicates import Replicated, crossed, difference
from metrics.statistics.significance import holm

Group = Mapping[str, Sequence[Replicated]]


def with_seeds_of(
    groups: Mapping[str, Sequence[Network]], measured: Sequence[Mapping[str, Replicated]]
) -> dict[str, dict[str, list[Replicated]]]:
    """The figures of the networks by group and key; a key that one of a group's networks lacks is left out.

    Args:
        groups: The networks by name, as `grouped` gives them.
        measured: Figures by key of every network, in the order of the groups.

    Returns:
        name -> key -> the figure of every network of the group.
    """
    rest = iter(measured)
    found = {}
    for name, group in groups.items():
        own = [next(rest) for _ in group]
        keys = [key for key in own[0] if all(key in one for one in own)]
        found[name] = {key: [one[key] for one in own] for key in keys}
    return found


def estimates(group: Group, clusters: Mapping[str, tuple[int, int]], paths: int) -> dict[str, Any]:
    """A group's figures for JSON: value, ci95, n, clusters, seeds and the parts of the error.

    Args:
        group: Of each key the figure of every network, one a seed.
        clusters: (observations, clusters) by key without its option.
        paths: Stands for both where `clusters` lacks the key: the figures of rendered paths.

    Returns:
        By key, as reports.studies.schema_embedders has them; None for a number that is not finite.
    """
    found: dict[str, Any] = {}
    for key, networks in group.items():
        declared = EMBEDDERS[key.partition("@")[0]]
        # Extents of morphs are in radians, of pixels in grey levels: the shares' bounds hold for none of them.
        one = crossed(networks, declared.range if math.isfinite(declared.range[1]) else None)
        n, k = clusters.get(key.partition("@")[0], (paths, paths))
        found[key] = {
            "value": _number(one.value),
            "ci95": _interval(one.ci95),
            "n": n,
            "clusters": k,
            "seeds": [_number(v) for v in one.each],
            "error_people": _number(one.error_people),
            "error_seeds": _number(one.error_seeds),
            "unit": declared.unit,
            "higher_is_better": declared.higher_is_better,
            "version": declared.version,
        }
    return found


def compared(groups: Mapping[str, Group]) -> dict[str, Any]:
    """key -> "A - B" -> difference, ci95, p, p_holm (over the pairs of embedders of one key), separated, better.

    separated: p_holm below 0.05. better: the name of the better one, where separated.
    """
    found: dict[str, Any] = {}
    keys = list(dict.fromkeys(key for group in groups.values() for key in group))
    for key in keys:
        declared = EMBEDDERS[key.partition("@")[0]]
        pairs = [
            (a, b) for a, b in itertools.combinations(groups, 2) if key in groups[a] and key in groups[b]
        ]
        gaps = [difference(groups[a][key], groups[b][key]) for a, b in pairs]
        adjusted = holm([gap.p for gap in gaps])
        found[key] = {}
        for (a, b), gap, p in zip(pairs, gaps, adjusted, strict=True):
            separated = bool(p < 0.05)
            found[key][f"{a} - {b}"] = {
                "a": a,
                "b": b,
                "value": _number(gap.value),
                "ci95": _interval(gap.ci95),
                "p": _number(gap.p),
                "p_holm": _number(float(p)),
                "separated": separated,
                "better": (a if (gap.value > 0) == declared.higher_is_better else b) if separated else None,
                "seeds": [len(groups[a][key]), len(groups[b][key])],
                "error_people": _number(gap.error_people),
                "error_seeds": _number(gap.error_seeds),
            }
    return {key: value for key, value in found.items() if value}


def definitions(groups: Mapping[str, Group]) -> dict[str, Any]:
    """key -> title, group, order, formula, unit, direction, source and options of everything measured."""
    keys = list(dict.fromkeys(key for group in groups.values() for key in group))
    found = {}
    for key in keys:
        name, _, option = key.partition("@")
        spec = EMBEDDERS[name]
        found[key] = {
            "title": spec.label + (f" ({option.replace('_', ' ')})" if option else ""),
            "group": spec.group,
            "order": spec.order,
            "formula": spec.formula,
            "unit": spec.unit,
            "higher_is_better": spec.higher_is_better,
            "source": spec.source,
            "description": spec.description,
            "options": spec.options,
        }
    return found


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _interval(ends: tuple[float, float]) -> list[float] | None:
    return [float(end) for end in ends] if all(map(math.isfinite, ends)) else None
