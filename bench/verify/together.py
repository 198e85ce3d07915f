"""What must be the same in all models of one run, and whether all of them are there."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.errors import few
from reports.files import FRAMES, RESULTS
from reports.parquet import read_frame
from reports.results import REFERENCES, Results, ResultsError, load

_WORDS = (
    *("label", "group", "order", "range", "description", "headline", "unranked", "needs_source", "unit"),
    *("higher_is_better", "version", "instrument", "missing_policy", "gallery"),
)
"""What a metric is, which no model changes."""


def across(folders: Sequence[Path]) -> list[str]:
    """Hold the models of a run against each other.

    Args:
        folders: Of its models. What cannot be read is passed over here: it is said of the model itself.

    Returns:
        A violation each.
    """
    found: dict[str, Results] = {}
    clips: dict[str, set[str]] = {}
    for folder in folders:
        try:
            found[folder.name] = load(folder / RESULTS)
            clips[folder.name] = set(
                read_frame(folder / FRAMES, ("clip", "position"), ("clip", "position"))["clip"]
            )
        except ResultsError:
            continue
    said = [f"run: {line}" for line in _facts(found)]
    said += _differing("clips", clips)
    said += [line for names in _at_once(found) for line in _of_one_run({name: found[name] for name in names})]
    return said + [f"run: {line}" for line in _complete(found)]


def _differing(what: str, values: Mapping[str, Any]) -> list[str]:
    """A line for each model whose value is not the first one's."""
    first = next(iter(values), "")
    return [f"run: {what} of {name} and {first} differ" for name in values if values[name] != values[first]]


def _facts(found: Mapping[str, Results]) -> list[str]:
    lines: list[str] = []
    parts: dict[str, dict[str, Any]] = {
        "protocol": {name: one.run.protocol.hash for name, one in found.items()},
        "data": {name: one.run.data.manifest_sha256 for name, one in found.items()},
        "instruments": {name: one.run.instruments for name, one in found.items()},
    }
    for what, values in parts.items():
        lines += [line.removeprefix("run: ") for line in _differing(what, values)]
    for name, one in found.items():
        own = name in REFERENCES
        if one.run.model.is_reference != own:
            lines.append(
                f"{name} is {'no' if own else 'a'} reference row by its results, and is {'one' if own else 'none'}"
            )
    return lines


def _at_once(found: Mapping[str, Results]) -> list[list[str]]:
    """The names of models that were scored in one go: a run may hold older ones beside them."""

    def when(name: str) -> str:
        run = found[name].run
        return f"{run.started} {run.rescored}"

    return [list(names) for _, names in itertools.groupby(sorted(found, key=when), key=when)]


def _of_one_run(found: Mapping[str, Results]) -> list[str]:
    """What models that were scored in one go have in common."""
    parts: dict[str, dict[str, Any]] = {
        # Older results do not say that they are of one run, and may only have started together.
        "command": {name: one.run.command for name, one in found.items() if one.models},
        "data": {name: one.run.data.model_dump(mode="json") for name, one in found.items()},
        "environment": {name: one.run.environment for name, one in found.items()},
        "gallery": {name: one.run.gallery for name, one in found.items()},
        "models": {name: one.models for name, one in found.items()},
        "page": {name: one.page for name, one in found.items()},
        "people that instruments had seen": {
            name: [seen for seen in one.run.seen if seen.role == "instrument"] for name, one in found.items()
        },
        "files that are hashed": {
            name: sorted(f for f in one.files if f.startswith("../")) for name, one in found.items()
        },
    }
    said = [line for what, values in parts.items() for line in _differing(what, values)]
    keys = dict.fromkeys(key for one in found.values() for key in one.metrics)
    for key in keys:
        for word in _WORDS:
            of = {name: getattr(one.metrics[key], word) for name, one in found.items() if key in one.metrics}
            said += _differing(f"metric {key}: {word}", of)
    return said


def _complete(found: Mapping[str, Results]) -> list[str]:
    """Whether the models that a run says it scored are there, in the order in which it scored them."""
    said = []
    for name, one in found.items():
        if one.models and name not in one.models:
            said.append(f"{name} is none of the models that its run scored ({few(one.models)})")
        if gone := [other for other in one.models if other not in found]:
            said.append(f"{few(gone)} of the run of {name} {'is' if len(gone) == 1 else 'are'} not there")
        again = {
            found[other].run.rescored
            for other in one.models
            if other in found and found[other].run.started == one.run.started
        }
        if len(again) > 1:
            said.append(f"the models of the run of {name} were scored again at different times")
        # A later run may have scored a model again; an earlier one cannot.
        early = [
            other for other in one.models if other in found and found[other].run.started < one.run.started
        ]
        if early:
            said.append(
                f"{few(early)} started before the run of {name}, which scored {'it' if len(early) == 1 else 'them'}"
            )
    for names in _at_once(found):
        order = [name for name in found[names[0]].models if name in names]
        clocks = [found[name].run.seconds for name in order]
        if clocks != sorted(clocks):
            said.append(f"the seconds of {few(order)} do not rise in the order in which they were scored")
    return list(dict.fromkeys(said))
