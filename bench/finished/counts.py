"""The counts of the study of the check (bench.finished.study) as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

COLUMNS = {
    "right": {"fits": "fits", "warned": "warned of", "refused": "refused"},
    "wrong": {
        "refused with its mend": "refused with its mend",
        "refused otherwise": "refused otherwise",
        "warned": "warned of",
        "silent": "silent",
    },
}
"""By group of variants what became of them, and what heads the column."""


def table(study: Mapping[str, Any]) -> str:
    """The counts by what the variants were made of.

    Args:
        study: What the study's JSON holds.

    Returns:
        A Markdown table, a newline after each row: right variants, then wrong ones, and their sum.
    """
    heads = [f"{group}: {head}" for group, names in COLUMNS.items() for head in names.values()]
    lines = [["made of", "variants", *heads], ["---", *["---:"] * (1 + len(heads))]]
    found = counted(study)
    for kind, counts in [*found.items(), ("all", sum(found.values(), Counter()))]:
        cells = [counts[group, name] for group, names in COLUMNS.items() for name in names]
        lines.append([kind, f"{counts.total():,}", *map(str, cells)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def counted(study: Mapping[str, Any]) -> dict[str, Counter[tuple[str, str]]]:
    """The counts by kind of material.

    Args:
        study: What the study's JSON holds.

    Returns:
        Kind -> (group, what became of it) -> how many, rendered people first, then films made of photographs.
    """
    found: dict[str, Counter[tuple[str, str]]] = {}
    for group in COLUMNS:
        for variant, counts in study[group].items():
            kind = variant.partition(": ")[0]
            for name, n in counts.items():
                found.setdefault(kind, Counter())[group, name] += n
    return dict(sorted(found.items(), key=lambda item: (item[0] != "rendered", item[0])))
