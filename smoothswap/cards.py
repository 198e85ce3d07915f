"""What the JSON card beside weights must look like, so that whoever reads it can rely on the types of its fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

PARTS = {"embedder": ("embedder",), "swapper": ("swapper", "embedder")}
"""Kinds of weights, and the parts of `config` that each has."""
Wrong = Callable[[Any], str]


def wrong_in(card: Any) -> str:
    """The first thing of a card that is not as it should be.

    Args:
        card: What its JSON holds.

    Returns:
        "data.meta is no object", such; "" for a card that fits.

    Examples:
        >>> wrong_in({"sha256": "00", "part": "embedder", "config": {"embedder": {}}, "data": {"meta": 3}})
        'data.meta is no object'
    """
    if not isinstance(card, Mapping):
        return "it is no object"
    return _fields(
        card,
        {"sha256": _text, "part": _part, "config": _config(card.get("part")), "embedder_training": _training},
        needed=("sha256", "part", "config"),
    ) or _training(card)


def _fields(found: Any, rules: Mapping[str, Wrong], needed: tuple[str, ...] = ()) -> str:
    """The first wrong field of an object, with its place; fields that are absent or null may be, but for those needed."""
    if not isinstance(found, Mapping):
        return "is no object"
    for name, rule in rules.items():
        if found.get(name) is None:
            if name in needed:
                return f"{name} is not there"
            continue
        if said := rule(found[name]):
            return f"{name}{' ' if said.startswith('is ') else '.'}{said}"
    return ""


def _kind(kind: type | tuple[type, ...], said: str) -> Wrong:
    def wrong(value: Any) -> str:
        fits = isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool)
        return "" if fits else f"is no {said}"

    return wrong


_text, _whole, _number = _kind(str, "text"), _kind(int, "whole number"), _kind((int, float), "number")
_object, _list = _kind(Mapping, "object"), _kind(list, "list")


def _each(rule: Wrong) -> Wrong:
    """A rule for every entry of a list."""

    def wrong(values: Any) -> str:
        if not isinstance(values, list):
            return "is no list"
        found = ((i, rule(value)) for i, value in enumerate(values))
        return next((f"{i}{' ' if said.startswith('is ') else '.'}{said}" for i, said in found if said), "")

    return wrong


def _part(value: Any) -> str:
    return "" if isinstance(value, str) and value in PARTS else f"is none of {', '.join(PARTS)}"


def _config(part: Any) -> Wrong:
    names = PARTS.get(part, ()) if isinstance(part, str) else ()
    return lambda value: _fields(value, dict.fromkeys(names, _options), names)


def _options(value: Any) -> str:
    numbers = dict.fromkeys(("generator.size", "generator.patch", "network.size", "answers", "batch"), _whole)
    return _fields(value, {"loss": _text, **numbers})


def _data(value: Any) -> str:
    return _fields(value, {"meta": _meta, "sha256": _text})


def _meta(value: Any) -> str:
    rendered = isinstance(value, Mapping) and str(value.get("people_ids", "")).startswith("rendered:")
    return _fields(value, {"people": _whole, "seed": _whole}) if rendered else _object(value)


def _lineage(value: Any) -> str:
    texts = _each(_text)
    return _fields(
        value, {**dict.fromkeys(("networks", "losses", "people", "unknown"), texts), "names": _names}
    )


def _names(value: Any) -> str:
    return _fields(value, dict.fromkeys(value, _text)) if isinstance(value, Mapping) else "is no object"


def _teacher(value: Any) -> str:
    return _fields(value, {"config": _options, "weights": _text, "training": _training})


def _training(value: Any) -> str:
    """A training's record: of a card, of a start, of a teacher."""
    return _fields(
        value,
        {
            "steps": _whole,
            "minutes": _number,
            "scores": _object,
            "command": _text,
            "data": _data,
            "history": _list,
            "lineage": _lineage,
            "weights": _text,
            "origin": _text,
            "embedder": _teacher,
            "also": _each(_teacher),
            "answers": _each(lambda one: _fields(one, {"kind": _text, "sha256": _text}, needed=("kind",))),
            "start": _start,
        },
    )


def _start(value: Any) -> str:
    return _fields(value, {"config": _options}) or _training(value)
