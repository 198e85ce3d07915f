"""What the code declares of itself, as Markdown: the protocol's rules, the instruments, the presets of training."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Sequence

from bench.ffpp.protocol import Protocol
from bench.reading.instruments import available
from smoothswap import config


def protocol() -> str:
    """One row a rule of the protocol: its name in results.json, its default, its choices and what it means."""
    defaults = Protocol()
    rows = (
        (f"`{name}`", _value(getattr(defaults, name)), _choices(field.annotation), field.description or "")
        for name, field in Protocol.model_fields.items()
    )
    return _table(("rule", "default", "choices", "what it means"), rows)


def instruments() -> str:
    """One row an instrument: what it reads and is, whether a plain run uses it, and what the user must supply."""
    rows = (
        (
            f"`{entry.name}`",
            ", ".join(entry.reads),
            entry.description,
            "yes" if entry.default and not entry.needs else "",
            entry.needs or "nothing",
        )
        for entry in available()
    )
    return _table(("name", "reads", "what it is", "default", "you supply"), rows)


def presets() -> str:
    """One row a preset: its name and what it is for."""
    rows = (line.split(maxsplit=1) for line in config.summary().splitlines())
    return _table(("preset", "what it is for"), ((f"`{name}`", text) for name, text in rows))


def _value(value: object) -> str:
    return "none" if value is None or value == {} else f"`{value}`"


def _choices(annotation: object) -> str:
    """The words of a Literal, or the kind of value in plain English."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return " or ".join(_choices(part) for part in typing.get_args(annotation))
    if typing.get_origin(annotation) is typing.Literal:
        return ", ".join(f"`{choice}`" for choice in typing.get_args(annotation))
    kinds = {int: "a whole number", type(None): "none"}
    return kinds.get(annotation, "names to names") if isinstance(annotation, type) else "names to names"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in lines)
