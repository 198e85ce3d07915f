"""The same table as Markdown (README, standard output), CSV and a data frame."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from reports.modes import modes
from reports.sourceless import NOTE, beside
from reports.table import Column, Row, RunFiles, Table, build


def markdown_table(runs: Sequence[RunFiles], keys: Sequence[str] | None = None) -> str:
    """A Markdown table: value (95 % interval), best two in bold, † and ‡ where a number or a column must not be ranked.

    Args:
        runs: The models.
        keys: The metrics to show; None: all of them.

    Returns:
        The table, what the daggers mean, who has seen the run's people in training, and of a partial download what was read
        without a source; names and notes are escaped.

    Raises:
        ResultsError: For no runs or one model twice.
    """
    table = build(runs)
    columns = [c for c in table.columns if keys is None or c.key in keys]
    head = [
        "Model",
        *(f"{plain(c.label)}{c.mark}{_reader(c)} {c.arrow}{_unit(c)}" for c in columns),
        "Frames",
    ]
    lines = [_line(head), _line(["---", *["---:"] * (len(head) - 1)])]
    for row in table.rows:
        counts = row.run.results.counts
        name = plain(row.run.name)
        shown = (f"*{name}*" if row.end else name) + (f" ({plain(row.meaning)})" if row.meaning else "")
        lines.append(
            _line([shown, *(_cell(table, row, c) for c in columns), f"{counts.used} of {counts.expected}"])
        )
    shown_notes = [
        f"--{mode.name}: {plain(mode.meaning)}{plain(f' Came back: {mode.ways}.') if mode.ways else ''}"
        for mode in modes([row.run.results for row in table.rows])
    ]
    shown_notes += [
        f"‡ {plain(why)}; shown, but not ranked"
        for why, of in table.unranked
        if any(c in columns for c in of)
    ]
    shown_notes += [f"† {plain(note)}" for note in table.daggers]
    shown_notes += [departed(name, said) for name, said in table.departures]
    shown_notes += [plain(table.seen)] if table.seen else []
    return "\n".join(lines) + "\n" + "".join(f"\n{note}\n" for note in shown_notes) + _beside(table, columns)


def _beside(table: Table, columns: Sequence[Column]) -> str:
    """The frames that lack nothing but their source, as a table of their own; "" where there are none."""
    found = beside(table, columns)
    if found is None:
        return ""
    head = [
        "Without their source",
        *(f"{plain(c.label)}{_reader(c)} {c.arrow}{_unit(c)}" for c in found.columns),
        "Read",
    ]
    lines = [_line(head), _line(["---", *["---:"] * (len(head) - 1)])]
    for line in found.lines:
        cells = [
            "–" if one is None or one.value is None else f"{column.text(one.value)} of {one.n}"
            for column, one in zip(found.columns, line.cells, strict=True)
        ]
        read = f"{line.counts.used} of {line.counts.expected}"
        lines.append(_line([plain(line.row.run.name), *cells, read]))
    return f"\n{NOTE}\n\n" + "\n".join(lines) + "\n"


def departed(model: str, departures: str) -> str:
    """The note under a table of where a model's training departs from the paper's.

    Args:
        model: Its name.
        departures: What departs, in words.

    Returns:
        Markdown, escaped.
    """
    return f"Not as in the paper (its own in brackets), {plain(model)}: {plain(departures)}."


def csv_table(runs: Sequence[RunFiles]) -> str:
    """One line a model and metric, numbers in full. Text that a spreadsheet takes for a formula gets a '.

    Args:
        runs: The models.

    Returns:
        CSV with a heading.

    Raises:
        ResultsError: For no runs or one model twice.
    """
    table = frame(runs)
    for column in table.columns[table.dtypes.map(pd.api.types.is_string_dtype)]:
        table[column] = table[column].map(_no_formula)
    return table.to_csv(index=False, lineterminator="\n")


def frame(runs: Sequence[RunFiles]) -> pd.DataFrame:
    """One row a model and metric, in the order of the report's table.

    Args:
        runs: The models.

    Returns:
        A data frame; low and high are the 95 % interval.

    Raises:
        ResultsError: For no runs or one model twice.
    """
    table = build(runs)
    rows = []
    for row in table.rows:
        for column in table.columns:
            if metric := row.metric(column):
                low, high = metric.ci95 or (None, None)
                rows.append(
                    {
                        "model": row.run.name,
                        "reference": bool(row.end),
                        "metric": column.key,
                        "value": metric.value,
                        "low": low,
                        "high": high,
                        "n": metric.n,
                        "clusters": metric.clusters,
                        "unit": metric.unit,
                        "higher_is_better": metric.higher_is_better,
                        "instrument": metric.instrument or "",
                        "version": str(metric.version),
                        "gallery": "" if metric.gallery is None else str(metric.gallery),
                        "dagger": metric.dagger or "",
                        "unranked": metric.unranked or "",
                        "needs_source": metric.needs_source,
                        "without_source": metric.without_source and metric.without_source.value,
                        "without_source_n": metric.without_source and metric.without_source.n,
                    }
                )
    return pd.DataFrame(rows)


def _cell(table: Table, row: Row, column: Column) -> str:
    metric = row.metric(column)
    if metric is None or metric.value is None:
        return "–"
    value = column.text(metric.value)
    value = f"**{value}**" if (row.run.name, column.key) in table.bold else value
    interval = f" ({column.text(metric.ci95[0])} to {column.text(metric.ci95[1])})" if metric.ci95 else ""
    return f"{value}{'†' if metric.dagger else ''}{interval}"


def _reader(column: Column) -> str:
    said = [plain(text) for text in (column.reader, column.among) if text]
    return f" ({', '.join(said)})" if said else ""


def _unit(column: Column) -> str:
    return f" {plain(column.unit)}" if column.unit == "%" else ""


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def plain(text: str) -> str:
    """Text from a result that is never markup: HTML, table bars and Markdown's own signs are made plain.

    Args:
        text: Any.

    Returns:
        The same for Markdown, on one line.
    """
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~!])", r"\\\1", " ".join(text.split()))


def _no_formula(text: object) -> object:
    return f"'{text}" if isinstance(text, str) and text.startswith(("=", "+", "-", "@", "\t")) else text
