"""Which models are recognised as the source at all: more often than every row that never saw the source.

A face between all people is near to each of them, and a blur or noise is far from the target: by single distances both pass
for a swap. Retrieval is not taken in. So what a model that is not recognised scores on the identity is shown, but no word,
and no bold number, calls it better.
"""

from __future__ import annotations

from collections.abc import Sequence

from metrics.spec import IDENTITY, LEAVING
from reports.paired import Families
from reports.run_files import RunFiles

GROUPS = (IDENTITY, LEAVING)
"""Of metrics that say something of the swap's identity only together with being recognised."""
RETRIEVAL = "id_retrieval"
_WORDS = {"copy-target": "doing nothing", "blur": "a blur of the target", "stranger": "a stranger's face"}


def _ranked(run: RunFiles, key: str) -> bool:
    metric = run.results.metrics.get(key)
    return metric is not None and metric.value is not None and metric.ranked


def unrecognised(
    models: Sequence[RunFiles], source_free: Sequence[RunFiles], keys: Sequence[str], families: Families
) -> dict[str, tuple[str, ...]]:
    """The models that are not recognised as the source more often than some row that never saw it.

    Each by the first column of ID retrieval in which it may be ranked, which a dagger forbids.

    Args:
        models: Those that compete.
        source_free: The rows that never saw the source.
        keys: The table's columns, in their order.
        families: The tests.

    Returns:
        Model -> those rows, in words. Without retrieval or without such rows nothing can be said: {}.
    """
    retrieval = [key for key in keys if key.partition("@")[0] == RETRIEVAL]
    found = {}
    for model in models:
        key = next((key for key in retrieval if _ranked(model, key)), None)
        if key is None:
            continue
        measured = [row for row in source_free if _ranked(row, key)]
        if above := [row.name for row in measured if not families.better(model, row, key)]:
            found[model.name] = tuple(_WORDS.get(name, name) for name in above)
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
