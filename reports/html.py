"""report.html: one page over all models of a run. Opens offline, loads nothing, and is whole without its script."""

from __future__ import annotations

import base64
import functools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports import curves, figures, plots, sourceless, training
from reports.files import PAGE
from reports.findings import findings
from reports.headline import headline
from reports.markdown import csv_table
from reports.modes import modes
from reports.paper import table_1
from reports.pictures.cases import arrange
from reports.pictures.films import films
from reports.pictures.side_by_side import side_by_side
from reports.pictures.store import Picture
from reports.recognition import listed
from reports.results import Results, write_atomic
from reports.scale import scales
from reports.script import policy, script
from reports.seal import BLANK, seal
from reports.seen import warnings as leaks
from reports.slices import parts
from reports.table import Column, Failure, Row, RunFiles, Table, build, grouped
from reports.training import Training

FIRST_FAILURES = 20  # failing frames listed for each model; the rest is counted
CHECKS = {"fits": "fits", "doubtful": "doubtful", "cannot_tell": "cannot tell", "wrong": "wrong"}
"""What the check of finished swaps found (reports.described.SwapsCheck), in words."""


def write_report(
    out_dir: str | os.PathLike[str], runs: Sequence[RunFiles], pictures: Sequence[Picture] = ()
) -> Path:
    """Write out_dir/report.html atomically.

    Args:
        out_dir: The folder.
        runs: The models.
        pictures: Chosen frames of them.

    Returns:
        The page's path.

    Raises:
        ResultsError: For no runs or two of one name.
        OutputError: When the folder cannot take the file.
    """
    return write_atomic(Path(out_dir) / PAGE, render(runs, pictures))


def render(
    runs: Sequence[RunFiles], cases: Sequence[Picture] = (), trainings: Sequence[Training] = ()
) -> str:
    """The page's text; the same input gives the same text.

    Args:
        runs: The models; without any it is a page of training curves alone.
        cases: Chosen frames of them.
        trainings: Logs of trainings.

    Returns:
        HTML.

    Raises:
        ResultsError: For two models of one name.
    """
    training_plots = training.curves(trainings)
    if trainings and not runs:
        page = environment().get_template("training_page.html.j2")
        return page.render(trainings=trainings, training_plots=training_plots)
    table = build(runs)
    results = [row.run.results for row in table.rows]
    return seal(
        environment()
        .get_template("report.html.j2")
        .render(
            table=table,
            made_from=[
                (row.run.results.run.model.name, row.run.sha256) for row in table.rows if row.run.sha256
            ],
            blank=BLANK,
            first=table.rows[0].run.results.run,
            models=[row.run.name for row in table.rows if not row.end],
            definitions=_definitions(table),
            warnings=mismatches(results),
            leaks=leaks(results),
            modes=modes(results),
            checks=[(row.run.name, row.run.results.check) for row in table.rows if row.run.results.check],
            kinds=CHECKS,
            searched=_retrieval(table) is not None,
            finding=_headline(table),
            findings=findings(table),
            scales=scales(table),
            plots=_plots(table),
            ledger_plot=plots.ledger(table),
            paper=table_1,
            csv=base64.b64encode(csv_table(runs).encode()).decode("ascii"),
            policy=policy(),
            script=script(),
            panels=[(column, Markup(svg)) for column, svg in figures.panels(table)],
            headline=headline(table),
            beside=sourceless.beside(table),
            beside_note=sourceless.NOTE,
            lot=side_by_side(cases, table),
            cases=arrange(cases, table),
            films=films(cases, table),
            slices=parts([(row.run.name, row.run.slices) for row in table.rows]),
            ends={row.run.name: row.end for row in table.rows},
            daggers={
                row.run.name: [key for key, one in row.run.results.metrics.items() if one.dagger]
                for row in table.rows
            },
            trainings=trainings,
            training_plots=training_plots,
            statuses=_statuses(table),
            instruments=_instruments(table),
            first_failures=FIRST_FAILURES,
        )
    )


@functools.cache  # a template is compiled once, however many pages a process writes
def environment() -> Environment:
    """Templates with everything escaped, and an error for a name that is not given."""
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        said=_said,
        duration=_duration,
        folder=_folder,
        count=lambda n: f"{n:,}",
        grouped=grouped,
        whole=_whole,
        percent=_percent,
    )
    return environment


def mismatches(results: Sequence[Results]) -> list[str]:
    """Why rows of one table may not be compared.

    Args:
        results: The rows'.

    Returns:
        A sentence for each: another protocol, data, instrument or metric version.
    """
    first, said = results[0], []
    for other in results[1:]:
        name = f"{other.run.model.name} and {first.run.model.name}"
        if other.run.protocol.hash != first.run.protocol.hash:
            said.append(f"{name} ran under different protocols")
        galleries = [r.run.gallery for r in (other, first)]
        if None not in galleries and galleries[0] != galleries[1]:
            said.append(
                f"{name} searched different galleries: {' and '.join(g.said for g in galleries if g)}"
            )
        if (other.run.data.name, other.run.data.manifest_sha256) != (
            first.run.data.name,
            first.run.data.manifest_sha256,
        ):
            said.append(f"{name} ran on different data")
        weights = [{i.name: i.weights_sha256 for i in r.run.instruments} for r in (first, other)]
        said += [
            f"{name} were read by different weights of {i}"
            for i in sorted(weights[0].keys() & weights[1])
            if weights[0][i] != weights[1][i]
        ]
        for key in first.metrics.keys() & other.metrics.keys():
            mine, theirs = first.metrics[key], other.metrics[key]
            if (mine.instrument, mine.version, mine.unit) != (theirs.instrument, theirs.version, theirs.unit):
                said.append(f"{name}: {key} is not the same measurement (instrument, version or unit)")
    return said


def _definitions(table: Table) -> list[tuple[Column, list[str]]]:
    """(column, instruments): every definition once, with all instruments that read it."""
    found: dict[tuple[str, str, str], tuple[Column, list[str]]] = {}
    for column in table.columns:
        _, readers = found.setdefault((column.group, column.label, column.definition), (column, []))
        readers += [column.instrument] if column.instrument else []
    return list(found.values())


def _retrieval(table: Table) -> Column | None:
    return next((c for c in table.columns if c.key.split("@")[0] == "id_retrieval"), None)


def _headline(table: Table) -> dict[str, Any] | None:
    """The headline: where each model's ID retrieval lies between the ends of the scale."""
    column = _retrieval(table)
    if column is None:
        return None
    measured = [(row, m) for row in table.rows if (m := row.metric(column)) and m.value is not None]
    ends = [(row, m) for row, m in measured if row.end]
    free = [row for row, _ in ends if row.end == "low"]
    models = [(row, m, _against(table, row, free, column)) for row, m in measured if not row.end]
    return {"column": column, "models": models, "ends": ends}


def _against(table: Table, row: Row, free: Sequence[Row], column: Column) -> str | None:
    """How a model's number stands to those of the rows that never saw the source, by the test of all words of the page."""
    said: dict[str, list[str]] = {"better than": [], "not separated from": [], "worse than": []}
    paired = True
    for other in free:
        test = table.families.of(row.run, other.run).get(column.key)
        if test is None:
            continue
        better = (test.found.value > 0) == column.higher_is_better
        word = "not separated from" if not test.separated else "better than" if better else "worse than"
        said[word].append(other.run.name)
        paired = paired and test.paired
    words = [f"{word} {listed(names)}" for word, names in said.items() if names]
    return (
        f"{', '.join(words)} ({'paired by frame' if paired else 'by their two intervals'})" if words else None
    )


def _plots(table: Table) -> list[tuple[str, str, str, list[tuple[str, Markup]]]]:
    """(heading, id, how to read them, plots) of the sections that have any."""
    groups = (
        ("Size of the gallery", "gallery", curves.curves(table)),
        ("Trade-off", "trade-off", plots.tradeoffs(table)),
        ("Pairs of people", "pairs", plots.distributions(table)),
        ("Frames", "frames", plots.ecdfs(table)),
    )
    return [
        (head, name, group[0].note, [(p.title, Markup(p.svg)) for p in group])
        for head, name, group in groups
        if group
    ]


def _statuses(table: Table) -> list[str]:
    """Every reason for failing that occurs in some row's counts."""
    return list(dict.fromkeys(status for row in table.rows for status in row.run.results.counts.failed))


def _instruments(table: Table) -> list[Any]:
    """Every instrument once, by name and weights."""
    seen = {(i.name, i.weights_sha256): i for row in table.rows for i in row.run.results.run.instruments}
    return list(seen.values())


def _whole(text: str) -> str:
    """A label that breaks at spaces alone."""
    return text.replace("-", "\u2011")


def _percent(value: float) -> str:
    """Without decimals, and no minus before a 0."""
    return f"{round(value):,}".replace("-", "−")


def _said(value: Any) -> str:
    """A JSON value for a person: yes, no and none in words, lists and flat objects in one line."""
    if value is None or value in ([], {}, ()):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_said(inner)}" for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_said, value))
    return str(value)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _folder(name: str | tuple[str, ...]) -> str:
    """A relative link that stays one: no scheme, no host. A name is one step, a tuple several."""
    return "/".join([".", *(quote(part, safe="") for part in ((name,) if isinstance(name, str) else name))])


__all__ = ["Column", "Failure", "Picture", "Row", "RunFiles", "mismatches", "render", "write_report"]
