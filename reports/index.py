"""index.html: all runs of a folder in one sortable table, each with a link to its report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from metrics.spec import TRUTH
from reports.files import RESULTS, model_folders
from reports.html import environment
from reports.results import MetricValue, ResultsError, load, write_atomic
from reports.script import policy, script
from reports.table import Column, columns_of
from reports.together import refuse_mixtures

SHOWN = (
    "id_retrieval",
    "identity",
    "target_retrieval",
    "shape",
    "expression",
    "pose",
    "truth_pixel",
)


@dataclass(frozen=True)
class Line:
    """One model of one run. run: the folder's parts below the index; report: whether a report lies in it."""

    run: tuple[str, ...]
    report: bool
    model: str
    reference: bool
    data: str
    protocol: str
    started: datetime
    used: int
    expected: int
    metrics: dict[str, MetricValue]


def collect(folder: Path) -> tuple[list[Line], list[str]]:
    """Every run below a folder, down to the third level.

    Args:
        folder: Where to look.

    Returns:
        (lines, newest first; notes on what could not be read).

    Raises:
        ResultsError: When there is none.
    """
    lines, notes = [], []
    runs = {
        path.parent.parent
        for pattern in ("*/*/results.json", "*/*/*/results.json")
        for path in folder.glob(pattern)
    }
    for run in sorted(runs):
        if any(part.startswith(".") for part in run.relative_to(folder).parts):  # not there yet
            continue
        models = []
        for model in model_folders(run):
            try:
                models.append((model, load(model / RESULTS)))
            except ResultsError as error:
                notes.append(str(error))
        try:
            refuse_mixtures([model for model, _ in models])
        except ResultsError as error:
            notes.append(str(error))
            continue
        for _, results in models:
            said = results.run
            lines.append(
                Line(
                    run.relative_to(folder).parts,
                    (run / "report.html").is_file(),
                    said.model.name,
                    said.model.is_reference,
                    said.data.name,
                    said.protocol.hash,
                    said.started,
                    results.counts.used,
                    results.counts.expected,
                    results.metrics,
                )
            )
    if not lines and not notes:
        raise ResultsError(
            f"no runs in {folder}: give the folder that holds the folders that bench.ffpp wrote"
        )
    lines.sort(key=lambda line: (-line.started.timestamp(), line.run, line.reference, line.model))
    return lines, notes


def write_index(folder: Path) -> Path:
    """Write folder/index.html; the same runs give the same bytes.

    Args:
        folder: What holds the runs.

    Returns:
        The page's path.

    Raises:
        ResultsError: When there is no run.
        OutputError: When the folder cannot take the file.
    """
    lines, notes = collect(folder)
    columns: list[Column] = [c for c in columns_of([line.metrics for line in lines]) if c.key in SHOWN]
    page = (
        environment()
        .get_template("index.html.j2")
        .render(
            lines=lines,
            notes=notes,
            columns=columns,
            truth=TRUTH,
            policy=policy(),
            script=script(),
            runs=len({line.run for line in lines}),
        )
    )
    return write_atomic(folder / "index.html", page)
