"""What a partial download leaves of swaps whose source's clip is not there: shown beside the table, never in it.

All numbers of the table stand on frames with both originals. Frames that lack nothing but their source are read by the
metrics that need none (metrics.spec.Declared.needs_source), and no word, bold number or scale rests on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.policies import WithoutSource
from reports.results import Counts
from reports.table import Column, Row, Table

NOTE = (
    "Of some frames nothing but the source's clip is not there. They are in no number of the table, which all stand on "
    "frames with both originals: a swap that does nothing keeps expression and pose to perfection, and only the source "
    "tells it from a swap. What needs no source, over those frames and these together; shown, not ranked."
)


@dataclass(frozen=True)
class Line:
    """One model. counts: its frames that lack nothing but their source; cells: a value, or None, for each column."""

    row: Row
    counts: Counts
    cells: tuple[WithoutSource | None, ...]


@dataclass(frozen=True)
class Beside:
    """The columns that need no source, and the models with frames that have none."""

    columns: tuple[Column, ...]
    lines: tuple[Line, ...]


def beside(table: Table, columns: Sequence[Column] | None = None) -> Beside | None:
    """What is shown beside a table.

    Args:
        table: The rows and columns.
        columns: Those to show; None: all of the table.

    Returns:
        None where every frame that is there has its source.
    """

    def cell(row: Row, column: Column) -> WithoutSource | None:
        metric = row.metric(column)
        return None if metric is None else metric.without_source

    rows = [row for row in table.rows if row.run.results.sourceless is not None]
    shown = tuple(c for c in (columns or table.columns) if any(cell(row, c) for row in rows))
    lines = tuple(
        Line(row, counts, tuple(cell(row, column) for column in shown))
        for row in rows
        if (counts := row.run.results.sourceless) is not None
    )
    return Beside(shown, lines) if lines else None
