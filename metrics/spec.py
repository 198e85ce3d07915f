"""What every metric declares about itself, whether it scores frames, embedders or sets of pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrics.distances import Floats
from metrics.sides import Sides


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One metric as the table in docs/metrics.md shows it.

    formula in plain text; source: the paper's section, equation or table, and what in it is our choice.
    `version` grows whenever the same input would give another number. options: what else changes the number,
    with its values, the default first. missing: what a frame counts as in whose swap no face is found; "" where
    there are no frames.
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
    missing: str = ""


@dataclass(frozen=True, kw_only=True)
class Metric(Declared):
    """A pure function of readings. `per_frame(sides)` gives float [n], NaN where a frame has no value.

    if_missing(sides) gives float [n], what a frame without a value scores where missing faces count: as
    wrong as a swap that shows the unwanted person (`missing` says it in words). NaN where even that is
    unknown, because an original could not be read. counted: whether the policy "count_as_wrong" counts
    missing frames in the headline (ID retrieval, as in the field) or only "count_everywhere" does.
    asked(sides): bool [n], frames that can have a value at all; None: all. only: the instrument (its name up to a colon)
    on whose readings alone it is defined, for columns that the paper names after a network; "": any.
    """

    group: str  # "identity", "shape", "attributes", "video" or "truth": the report's column groups
    reads: tuple[str, ...]
    per_frame: Callable[[Sides], Floats]
    if_missing: Callable[[Sides], Floats]
    counted: bool = False
    needs_truth: bool = False
    needs_gallery: bool = False
    needs_clips: bool = False
    only: str = ""
    asked: Callable[[Sides], NDArray[np.bool_]] | None = None
    cluster: str = "pair"
