"""The instruments of an installation: ours and those of installed packages, found through one door."""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from metrics.instruments.base import Available, Instrument, InstrumentError
from metrics.plugins import owner

GROUP = "smoothswap.instruments"

# Ours are entry points too, read by the same code; they stand here so that a checkout never depends on what was
# installed when. The order is that of the lists.
OURS = tuple(
    metadata.EntryPoint(name, f"metrics.instruments.listed:{name.upper().replace('-', '_')}", GROUP)
    for name in (
        "dlib",
        "sface",
        "arcface",
        "cosface",
        "curricularface",
        "adaface",
        "vggface2",
        "anny",
        "anny-landmarks",
        "openings",
        "gaze",
        "blendshapes",
        "deca",
        "tddfa",
        "hopenet",
        "sixdrepnet",
    )
)
Entries = Iterable[metadata.EntryPoint]


def available(more: Entries = ()) -> list[Available]:
    """Every instrument of this installation.

    Args:
        more: Entry points besides ours and those of installed packages.

    Returns:
        Ours, `more`, then those of packages by name.

    Raises:
        InstrumentError: For a package whose entry point cannot be loaded or is no Available, and for a name that is taken.
    """
    listed: dict[str, Available] = {}
    installed = sorted(metadata.entry_points(group=GROUP), key=lambda entry: entry.name)
    for entry in (*OURS, *more, *installed):
        instrument = _loaded(entry)
        if instrument.name in listed:
            raise InstrumentError(
                f"{owner(entry)} declares the instrument {instrument.name!r}, which there is already; "
                "give it another name, or uninstall the package"
            )
        listed[instrument.name] = instrument
    return list(listed.values())


def create(spec: str, *, single: bool = False, more: Entries = (), **options: Any) -> Instrument:
    """Make the instrument that `spec` names.

    Args:
        spec: NAME, NAME:PATH or either with ?option=value&option=value.
        single: Keep it to one thread and one process, for callers that use every core themselves.
        more: Entry points besides ours and those of installed packages.
        options: Of the instrument; they win over those in `spec`.

    Returns:
        The instrument, its weights loaded.

    Raises:
        InstrumentError: For an unknown name (with the nearest one), a missing path, an unknown option, or weights that
            cannot be used.

    Every recogniser that takes a path also takes `family` and `name` (see `named`).
    """
    name, colon, rest = spec.partition(":")
    path = rest
    # A file whose own name holds a question mark is taken as it is.
    if not (colon and Path(rest).exists()):
        head, _, query = spec.partition("?")
        name, colon, path = head.partition(":")
        options = dict(parse_qsl(query, keep_blank_values=True)) | options
    known = {instrument.name: instrument for instrument in available(more)}
    if name not in known:
        near = difflib.get_close_matches(name.lower(), known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
        raise InstrumentError(f"unknown instrument {name!r}; {hint}")
    entry = known[name]
    if entry.takes_path and not path:
        raise InstrumentError(f"{name} needs {entry.needs}")
    if colon and not entry.takes_path:
        raise InstrumentError(f"{name} takes no path; write {name!r}, not {spec!r}")
    if single:
        options = dict(entry.single) | options
    given = {}
    if entry.takes_path and "identity" in entry.reads:
        given = {key: str(options.pop(key)) for key in ("family", "name") if key in options}
    factory = _factory(entry)
    _check_options(name, factory, options, skip=int(entry.takes_path))
    made = factory(path, **options) if entry.takes_path else factory(**options)
    return named(made, **given)


def named(instrument: Instrument, family: str | None = None, name: str | None = None) -> Instrument:
    """The instrument under a family and a name of its own.

    One loader reads networks of many trainings: a CosFace network in a file for ArcFace is of another family, and two
    networks in files of one name need two names.

    Args:
        instrument: It is changed in place.
        family: What networks of its training are called, as "cosface"; None: as the instrument has it.
        name: How it is called in keys and tables, as "CosFace". None: where a family is given, FAMILY:FILE, else as it was.

    Returns:
        The same instrument.

    Raises:
        InstrumentError: For a family or name that cannot stand in a key.
    """
    if family is not None and not re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,39}", family):
        raise InstrumentError(
            f"{instrument.name}: family={family!r}; expected a word in small letters such as cosface or adaface"
        )
    if name is not None and not re.fullmatch(r"[\w.+-][\w .+-]{0,39}", name):
        raise InstrumentError(
            f"{instrument.name}: name={name!r}; expected up to 40 letters, digits, spaces and . _ + -, such as CosFace"
        )
    if name is None and family is not None:
        name = f"{family}:{instrument.name.rpartition(':')[2]}"
    for key, value in (("family", family), ("name", name)):
        if value is not None:
            setattr(instrument, key, value)
    return instrument


def _loaded(entry: metadata.EntryPoint) -> Available:
    try:
        instrument = entry.load()
    # A plug-in may fail in any way; what failed and whose it is must be said.
    except Exception as error:
        raise InstrumentError(
            f"{owner(entry)} cannot be loaded: {type(error).__name__}: {error}; mend it or uninstall it"
        ) from error
    if not isinstance(instrument, Available):
        raise InstrumentError(
            f"{owner(entry)} is a {type(instrument).__name__}; the group {GROUP} expects a "
            "metrics.instruments.Available"
        )
    return instrument


def _factory(entry: Available) -> Callable[..., Instrument]:
    module, _, name = entry.factory.partition(":")
    factory: Callable[..., Instrument] = getattr(importlib.import_module(module), name)
    return factory


def _check_options(name: str, factory: Callable[..., Instrument], options: dict[str, Any], skip: int) -> None:
    known = list(inspect.signature(factory).parameters)[skip:]
    for option in options:
        if option not in known:
            near = difflib.get_close_matches(option, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}"
            raise InstrumentError(f"{name} has no option {option!r}; {hint}")
