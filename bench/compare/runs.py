"""Whether two results measure the same thing: every part in which they differ, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.errors import DataError, UsageError, few
from reports.files import FRAMES, RESULTS, model_folders
from reports.frames import FrameTable
from reports.results import Results, ResultsError, load
from reports.rules import FOLLOWS
from reports.together import refuse_mixtures


def differences(a: Results, b: Results) -> list[str]:
    """The parts of protocol, data, instruments and metric versions that differ.

    Args:
        a: The one.
        b: The other.

    Returns:
        A line with both values each; [] when they compare. An instrument or metric that only one of them has is no
        difference.
    """
    said = _fields("protocol", *(_rules(r) for r in (a, b)))
    if said and len(said) > 1:
        said = [line for line in said if not line.startswith("protocol.hash:")]
    for name in ("name", "manifest_sha256"):
        mine, theirs = getattr(a.run.data, name), getattr(b.run.data, name)
        if mine != theirs:
            said.append(f"data.{name}: {mine} against {theirs}")
    if a.run.gallery is not None and b.run.gallery is not None:  # older results do not say
        said += _fields("gallery", *(r.run.gallery.model_dump() for r in (a, b) if r.run.gallery))
    said += _fields("detector", *({"name": detector(r)} for r in (a, b)))
    instruments = [{i.name: i.model_dump(mode="json") for i in r.run.instruments} for r in (a, b)]
    for name in sorted(instruments[0].keys() & instruments[1]):
        said += _fields(f"instrument {name}", *(_measuring(one[name]) for one in instruments))
    for key in [key for key in a.metrics if key in b.metrics]:
        first, second = (r.metrics[key] for r in (a, b))
        for part in ("instrument", "version", "unit", "higher_is_better", "missing_policy"):
            mine, theirs = getattr(first, part), getattr(second, part)
            if mine != theirs:
                said.append(f"metric {key}.{part}: {mine} against {theirs}")
        if None not in (first.gallery, second.gallery) and first.gallery != second.gallery:
            said.append(f"metric {key}.gallery: {first.gallery} people against {second.gallery}")
    return said


def detector(results: Results) -> str:
    """The name of what found the faces: a result states it before its instruments."""
    return next((one.name for one in results.run.instruments), "not stated")


def _rules(results: Results) -> dict[str, Any]:
    """The protocol's rules and their hash, without what follows from them; a rule of later releases is none before."""
    stated = results.run.protocol.model_dump(mode="json")
    rules = {key: value for key, value in stated.items() if key == "hash" or key not in FOLLOWS}
    return {"gallery_size": None, "mode": "swap", **rules}


def _measuring(instrument: dict[str, Any]) -> dict[str, Any]:
    """What of an instrument changes a number; its words and its licence do not."""
    return {key: value for key, value in instrument.items() if key not in ("description", "licence", "needs")}


def _fields(what: str, a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    names = dict.fromkeys([*a, *b])
    return [
        f"{what}.{name}: {a.get(name, 'not stated')} against {b.get(name, 'not stated')}"
        for name in names
        if a.get(name) != b.get(name)
    ]


def read_model(folder: Path, model: str | None = None) -> tuple[Results, FrameTable]:
    """One model's results and frames.

    Args:
        folder: OUT/<model>, or OUT when it holds one model beside references.
        model: Its name, where OUT holds several.

    Returns:
        Both.

    Raises:
        UsageError: When the model is not clear.
        DataError: When its files cannot be used.
    """
    folders = model_folders(folder)
    if not folders:
        raise UsageError(
            f"no results in {folder}: give the folder that bench.ffpp wrote, or one model's in it"
        )
    try:
        refuse_mixtures(folders)
        loaded = [(one, load(one / RESULTS)) for one in folders]
    except ResultsError as error:
        raise DataError(str(error)) from error
    if len(loaded) > 1:
        names = [results.run.model.name for _, results in loaded]
        chosen = [
            (one, results)
            for one, results in loaded
            if (results.run.model.name == model if model else not results.run.model.is_reference)
        ]
        if len(chosen) != 1:
            which = f"no model {model!r}" if model else f"{len(chosen)} models"
            raise UsageError(f"{folder} holds {which}: give one of {few([f'{folder}/{n}' for n in names])}")
        loaded = chosen
    path, results = loaded[0]
    try:
        frames = FrameTable.read(path / FRAMES)
    except ResultsError as error:
        raise DataError(str(error)) from error
    if frames is None:
        raise DataError(f"{path / FRAMES} lacks the columns that join frames; score the model again")
    return results, frames
