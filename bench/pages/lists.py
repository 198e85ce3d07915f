"""What the code declares of itself, as Markdown: the protocol's rules, the instruments, the presets of training."""

from __future__ import annotations

import importlib
import inspect
import types
import typing
from collections.abc import Iterable, Sequence
from typing import Any

from bench.ffpp.protocol import Protocol
from bench.reading.instruments import OURS, available, create
from metrics.instruments import Available, registry
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
        for entry in _own_instruments()
    )
    return _table(("name", "reads", "what it is", "default", "you supply"), rows)


def licences() -> str:
    """One row an instrument: the crop that it reads and the licence of its weights."""
    rows = (
        (f"`{entry.name}`", _crop(entry), _instrument_class(entry).licence) for entry in _own_instruments()
    )
    return _table(("name", "crop", "licence"), rows)


def _own_instruments() -> list[Available]:
    """Ours without those of packages that happen to be installed."""
    own = {entry.name for entry in (*registry.OURS, *OURS)}
    return [entry for entry in available() if entry.name in own]


def _instrument_class(entry: Available) -> Any:
    """The class behind an instrument: the first with a licence in the module of its factory."""
    module = importlib.import_module(entry.factory.partition(":")[0])
    classes = (value for _, value in inspect.getmembers(module, inspect.isclass))
    return next(c for c in classes if c.__module__ == module.__name__ and hasattr(c, "licence"))


def _crop(entry: Available) -> str:
    crop = getattr(_instrument_class(entry), "crop", None)
    if crop is None and not entry.needs:
        crop = create(entry.name).crop
    return f"`{crop.template}`, {crop.size} pixels" if crop else "depends on the file"


def presets() -> str:
    """One row a preset: its name and what it is for."""
    rows = (line.split(maxsplit=1) for line in config.preset_summary().splitlines())
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
