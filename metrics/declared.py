"""What every metric declares about itself, whether it scores frames, embedders or sets of pictures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One metric as the table in docs/metrics.md shows it.

    formula in plain text; source: the paper's section, equation or table, and what in it is our choice.
    `version` grows whenever the same input would give another number. options: what else changes the number,
    with its values, the default first.
    """

    key: str
    title: str
    formula: str
    unit: str
    range: tuple[float, float]
    higher_is_better: bool
    source: str
    description: str
    version: int = 1
    options: str = ""
