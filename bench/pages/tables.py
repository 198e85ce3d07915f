"""Markdown tables out of the committed results: the metrics and models that a page asks for, and nothing typed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import false_words
from bench.detection import table as detection
from bench.errors import UsageError, suggestion
from bench.faults import campaign as faults
from bench.finished import counts
from bench.pages.departures import notes
from reports.folders import gather
from reports.markdown import markdown_table
from reports.studies import embedders, validity
from reports.studies.ablation import read_ablation
from reports.studies.embedders import read_embedders
from reports.studies.validity import read_validity

# what an ablation's table can show of an arm at the step with the most shared training: heading, digits
ARM_COLUMNS = {
    "val_id": ("identity loss, own embedder ↓", 3),
    "judge_id": ("distance to the source, judge ↓", 3),
    "judge_share": ("share of the way, judge ↑", 3),
    "val_chg": ("change loss ↓", 3),
}


def table(results: Path, name: str, keys: Sequence[str]) -> str:
    """The table of one committed result.

    Args:
        results: The folder of committed results.
        name: A run's folder in it, or a study's JSON without its ending.
        keys: Metrics to show, all of them where there are none; of embedders they are rows, of the others
            columns.

    Returns:
        The table in Markdown, a newline after each row; under a run's, where committed weights depart from the paper.

    Raises:
        UsageError: For a result or a metric that does not exist, with the nearest name.
        ResultsError: For a result that is damaged.
    """
    if (results / name).is_dir():
        return _of_run(results / name, keys)
    path = results / f"{name}.json"
    if not path.is_file():
        known = [entry.stem for entry in results.iterdir()]
        raise UsageError(f"no results called {name!r} in {results}.{suggestion(name, known)}")
    if name.startswith("embedders"):
        return _of_embedders(read_embedders(path), keys)
    if name.startswith("ablation"):
        return _of_ablation(read_ablation(path), keys)
    if name == "false-words":
        return false_words.table(json.loads(path.read_text(encoding="utf-8")))
    if name == "faults":
        return faults.markdown(json.loads(path.read_text(encoding="utf-8"))) + "\n"
    if name == "detection":
        return detection.table(json.loads(path.read_text(encoding="utf-8")))
    if name in ("finished-check", "crops-check"):
        return counts.table(json.loads(path.read_text(encoding="utf-8")))
    text = validity.markdown(read_validity(path))
    return "".join(f"{line}\n" for line in text.splitlines() if line.startswith("|"))


def _of_run(folder: Path, keys: Sequence[str]) -> str:
    runs, _ = gather([folder])
    _check(keys, {key for run in runs for key in run.results.metrics}, folder.name)
    return markdown_table(runs, keys or None) + notes(runs)


def _of_embedders(study: Mapping[str, Any], keys: Sequence[str]) -> str:
    definitions = study["definitions"]
    _check(keys, definitions, "the embedders")
    groups = list(study["embedders"])
    lines = [_line(["", *groups]), _line(["---", *["---:"] * len(groups)])]
    for key in keys or definitions:
        arrow = "↑" if definitions[key]["higher_is_better"] else "↓"
        figures = [embedders.shown(study["embedders"][group].get(key)) for group in groups]
        cells = [f"{value} ({interval})" if interval else value for value, interval in figures]
        lines.append(_line([f"{definitions[key]['title']} {arrow}", *cells]))
    return "\n".join(lines) + "\n"


def _of_ablation(study: Mapping[str, Any], keys: Sequence[str]) -> str:
    _check(keys, ARM_COLUMNS, "the ablation")
    columns = list(keys or ARM_COLUMNS)
    lines = [_line(["arm", *(ARM_COLUMNS[key][0] for key in columns)])]
    lines.append(_line(["---", *["---:"] * len(columns)]))
    for name, arm in study["arms"].items():
        figures = arm["at_common_step"]
        lines.append(_line([name, *(validity.shown(figures[key], ARM_COLUMNS[key][1]) for key in columns)]))
    return "\n".join(lines) + "\n"


def _check(keys: Sequence[str], known: Mapping[str, Any] | set[str], what: str) -> None:
    for key in keys:
        if key not in known:
            raise UsageError(f"{what} has no metric {key!r}.{suggestion(key, known)}")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
