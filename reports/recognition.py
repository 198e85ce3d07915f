"""Which models are recognised as the source at all: more often than every row that never saw the source.

A face between all people is near to each of them, and a blur or noise is far from the target: by single distances both pass
for a swap. Retrieval is not taken in. So what a model that is not recognised scores on the identity is shown, but no word,
and no bold number, calls it better.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from metrics.spec import IDENTITY, LEAVING
from reports.paired import Families

if TYPE_CHECKING:
    from reports.table import Column, Row

GROUPS = (IDENTITY, LEAVING)
"""Of metrics that say something of the swap's identity only together with being recognised."""
RETRIEVAL = "id_retrieval"
_WORDS = {"copy-target": "doing nothing", "blur": "a blur of the target", "stranger": "a stranger's face"}


def retrieval_of(row: Row, columns: Sequence[Column]) -> Column | None:
    """The column of ID retrieval by which a model may be ranked.

    Args:
        row: The model.
        columns: The table's.

    Returns:
        The first such column; None where the model has none that is free of daggers.
    """
    for column in columns:
        metric = row.metric(column)
        if (
            column.key.partition("@")[0] == RETRIEVAL
            and metric
            and metric.value is not None
            and metric.ranked
        ):
            return column
    return None


def unrecognised(
    rows: Sequence[Row], columns: Sequence[Column], families: Families
) -> dict[str, tuple[str, ...]]:
    """The models that are not recognised as the source more often than some row that never saw it.

    Args:
        rows: The table's, references among them.
        columns: The table's.
        families: The tests.

    Returns:
        Model -> those rows, in words. Without retrieval or without such rows nothing can be said: {}.
    """
    found = {}
    for row in rows:
        column = None if row.end else retrieval_of(row, columns)
        if column is None:
            continue
        free = [one for one in rows if one.end == "low" and retrieval_of(one, [column])]
        if above := [one for one in free if not families.better(row.run, one.run, column.key)]:
            found[row.run.name] = tuple(_WORDS.get(one.run.name, one.run.name) for one in above)
    return found


def listed(names: Sequence[str]) -> str:
    """Names in words.

    Args:
        names: One or more.

    Returns:
        Them with commas and an "and".

    Examples:
        >>> listed(["blur"]), listed(["copy-target", "blur", "stranger"])
        ('blur', 'copy-target, blur and stranger')
    """
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
