"""The reference rows as a scale: how far each model has come from the worst reference to the best, by metric.

Where doing nothing lies is said of every metric, and where the other rows lie that never saw the source: 60 % of the way is
little where doing nothing has come as far.
"""

from __future__ import annotations

from dataclasses import dataclass

from reports.table import Column, Row, Table


@dataclass(frozen=True)
class Place:
    """One model on the scale of a metric, in % of the way from `bad` to `good`; may lie outside 0 to 100."""

    row: Row
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Scale:
    """A metric's scale.

    Attributes:
        column: The metric.
        bad: The worse of copy-target and copy-source.
        good: The oracle, or else the better of the two.
        places: Of every model.
        marks: Of every reference row that never saw the source, doing nothing first.
    """

    column: Column
    bad: Row
    good: Row
    places: list[Place]
    marks: list[Place]

    def bad_text(self) -> str:
        """The value of the bad end, as the table prints it."""
        return self.column.text(_value(self.bad, self.column) or 0.0)

    def good_text(self) -> str:
        """The value of the good end."""
        return self.column.text(_value(self.good, self.column) or 0.0)


def scales(table: Table) -> list[Scale]:
    """How far each model has come from the worst reference to the best; the ends' own spread is not counted.

    Args:
        table: The rows and columns.

    Returns:
        A scale for every metric by which models are ranked, and whose two ends are measured and apart.
    """
    found = []
    for column in table.columns:
        if not column.ranked:
            continue
        ends = {
            row.run.results.run.model.name: row
            for row in table.rows
            if row.end and _value(row, column) is not None
        }
        copies = [ends[name] for name in ("copy-target", "copy-source") if name in ends]
        if not copies or len(ends) < 2:
            continue
        sign = 1 if column.higher_is_better else -1
        copies.sort(key=lambda row: sign * (_value(row, column) or 0.0))
        bad, good = copies[0], ends.get("oracle", copies[-1])
        low, high = _value(bad, column) or 0.0, _value(good, column) or 0.0
        if sign * (high - low) <= 0 or bad is good:
            continue
        models = [row for row in table.rows if not row.end]
        places, marks = (_places(rows, column, low, high) for rows in (models, table.source_free))
        found.append(Scale(column, bad, good, places, marks))
    return found


def _places(rows: list[Row], column: Column, low: float, high: float) -> list[Place]:
    def percent(value: float) -> float:
        return 100.0 * (value - low) / (high - low)

    places = []
    for row in rows:
        metric = row.metric(column)
        if metric is None or metric.value is None:
            continue
        ends = sorted(map(percent, metric.ci95)) if metric.ci95 else [None, None]
        places.append(Place(row, percent(metric.value), ends[0], ends[1]))
    return places


def _value(row: Row, column: Column) -> float | None:
    metric = row.metric(column)
    return None if metric is None else metric.value
