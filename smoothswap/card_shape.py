"""Whether a card of weights has the shape that its readers rely on: a damaged one is an error that names the place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_LINEAGE = ("networks", "losses", "people", "unknown")
Check = Callable[[Any, str], str]


def wrong_in(card: Any) -> str:
    """The first place of a card where something of another kind stands than belongs there.

    Args:
        card: What the file holds.

    Returns:
        The place and what belongs there, "" where all is well. What no reader uses is not looked at.

    Examples:
        >>> wrong_in({"sha256": "0f", "part": "embedder", "config": {"embedder": {}}, "start": 3})
        'start is no record'
    """
    if not isinstance(card, Mapping):
        return "it is no record"
    if not isinstance(card.get("sha256"), str):
        return "sha256 is no text"
    if card.get("part", "swapper") not in ("swapper", "embedder"):
        return "part is neither swapper nor embedder"
    parts = ("embedder",) if card.get("part") == "embedder" else ("embedder", "swapper")
    if not isinstance(card.get("config"), Mapping):
        return "config is no record"
    for part in parts:
        if not isinstance(card["config"].get(part), Mapping):
            return f"config.{part} is no record"
    return _training(card, "")


def _training(node: Any, place: str) -> str:
    """The record of a training, with those of its start and of its teachers."""
    if not isinstance(node, Mapping):
        return f"{place.rstrip('.')} is no record"
    checks: dict[str, Check] = {
        "config": _record, "data": _data, "lineage": _lineage, "start": _training, "embedder": _teacher, "also": _teachers,
        "embedder_training": _training, "people": _record, "parameters": _record, "scores": _record,
    }  # fmt: skip
    for key, check in checks.items():
        if node.get(key) is not None and (said := check(node[key], f"{place}{key}.")):
            return said
    steps = node.get("steps", 0)
    return "" if isinstance(steps, int | float) else f"{place}steps is no number"


def _record(node: Any, place: str) -> str:
    return "" if isinstance(node, Mapping) else f"{place[:-1]} is no record"


def _data(node: Any, place: str) -> str:
    if not isinstance(node, Mapping):
        return _record(node, place)
    return "" if node.get("meta") is None else _record(node["meta"], f"{place}meta.")


def _lineage(node: Any, place: str) -> str:
    if not isinstance(node, Mapping):
        return _record(node, place)
    for key in _LINEAGE:
        found = node.get(key, [])
        if not (isinstance(found, list) and all(isinstance(one, str) for one in found)):
            return f"{place}{key} is no list of names"
    names = node.get("names", {})
    good = isinstance(names, Mapping) and all(isinstance(one, str) for one in names.values())
    return "" if good else f"{place}names are no texts by name"


def _teacher(node: Any, place: str) -> str:
    if not isinstance(node, Mapping):
        return _record(node, place)
    if node.get("weights") is not None and not isinstance(node["weights"], str):
        return f"{place}weights is no text"
    for key, check in (("training", _training), ("config", _record)):
        if node.get(key) is not None and (said := check(node[key], f"{place}{key}.")):
            return said
    return ""


def _teachers(node: Any, place: str) -> str:
    if not isinstance(node, list):
        return f"{place[:-1]} is no list"
    return next((said for i, one in enumerate(node) if (said := _teacher(one, f"{place}{i}."))), "")
