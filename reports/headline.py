"""Which columns stand in the report's first table; all of them are one fold away.

A metric asks for a place where it is declared (metrics.spec.Declared.headline), which travels in results.json. So a new
metric, or that of an installed package, stands in the fold unless it asks, and nothing here knows a metric by its key.
"""

from __future__ import annotations

from reports.table import Column, Table

MOST = 10
"""Columns of the first table, the models' names and the frames that were scored among them."""


def headline(table: Table) -> list[Column]:
    """The columns of the first table, in the order of all columns.

    Every metric that asks for it and may be ranked, the first MOST - 2 where they are more. Each once: where several
    instruments read it, by the one of which the fewest rows carry a dagger, and of these by the first. Where none asks, as
    in results of an installed package's metrics alone, the first that may be ranked; and where none may, as in a run of
    --self, the first of all, marked as everywhere.

    Args:
        table: The rows and all columns.

    Returns:
        At most MOST - 2 columns that have a value in some row.
    """
    measured = [column for column in table.columns if _measured(table, column)]
    usable = [column for column in measured if column.ranked]
    asking = [column for column in usable if column.headline] or usable or measured
    chosen: dict[str, Column] = {}
    for column in asking:
        name = column.key.partition("@")[0]
        if name not in chosen or _daggers(table, column) < _daggers(table, chosen[name]):
            chosen[name] = column
    return [column for column in asking if column in chosen.values()][: MOST - 2]


def _measured(table: Table, column: Column) -> bool:
    return any((metric := row.metric(column)) and metric.value is not None for row in table.rows)


def _daggers(table: Table, column: Column) -> int:
    return sum(bool((metric := row.metric(column)) and metric.dagger) for row in table.rows)
