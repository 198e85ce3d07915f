"""What every metric declares about itself, once: the tables, the docs page, results.json and the report all read it here.

A spec stands in the module of its function; metrics/registry.py lists them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrics.distances import Floats
from metrics.sides import Sides

# The groups of our own metrics, in the order of the report: those of Table 1 (identity change on the left, attribute
# keeping on the right), then what else was measured. A spec may name any other; it comes where its `order` puts it.
IDENTITY = "Identity change"
LEAVING = "Leaving the target"
KEEPING = "Attribute keeping"
VIDEO = "Steadiness of video"
OUTSIDE = "Outside the face"
QUALITY = "Picture quality"
TRUTH = "Against the truth"
VERIFICATION = "Verification"
SMOOTHNESS = "Smoothness"
SPACE = "Shape of the space"
PROBE = "What a recogniser sees, read off the embedding"
PATHS = "Paths of rendered faces"

LAST = 1000
"""The `order` of what does not say where it belongs: at the end of its group."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One metric as docs/metrics.md, results.json and the report show it.

    Attributes:
        key: Its name in results.json.
        label: What heads its column, short, without its group: "Expr-R".
        group: The heading over its column.
        order: Its place: groups stand by the least order in them, metrics of a group by their own.
        formula: In plain text.
        unit: Of the value; "" for none.
        range: The least and the greatest possible value, infinite where there is no end.
        higher_is_better: Its direction.
        source: The paper's section, equation or table, and what in it is our choice.
        description: What it measures, in a sentence or two.
        version: Grows whenever the same input would give another number.
        options: What else changes the number, with its values, the default first.
        missing: What a frame counts as in whose swap no face is found; "" where there are no frames.
        unranked: Why no word, bold number, scale or headline may rest on it, in one line; "": they may.
        headline: Whether its column belongs to the report's first table; all others are one fold away (reports.headline).
        needs_source: Whether nothing can be said by it of a frame whose source's clip is not there. One that needs none is
            read there too, beside its value and never in it (bench.ffpp.sourceless).
    """

    key: str
    label: str
    group: str
    formula: str
    unit: str
    range: tuple[float, float]
    higher_is_better: bool
    source: str
    description: str
    order: int = LAST
    version: int = 1
    options: str = ""
    missing: str = ""
    unranked: str = ""
    headline: bool = False
    needs_source: bool = True

    @property
    def ranked(self) -> bool:
        """Whether models may be ordered by it."""
        return not self.unranked


@dataclass(frozen=True, kw_only=True)
class Metric(Declared):
    """A metric of swapped frames: a pure function of readings.

    Attributes:
        reads: Names of the readings that it needs.
        per_frame: Gives float [n], NaN where a frame has no value.
        if_missing: Gives float [n], what a frame without a value scores where missing faces count: as wrong as a swap
            that shows the unwanted person (`missing` says it in words). NaN where even that is unknown, because an
            original could not be read.
        counted: Whether the policy "count_as_wrong" counts missing frames in the headline (retrieval, as in the field,
            and what a swap would better by losing faces), or only "count_everywhere" does.
        needs_truth: Whether it needs data with the true swap.
        needs_gallery: Whether it needs real faces of everybody in the run.
        rank: Gives float [n], where the person who is looked for stands in the whole gallery, NaN without a reading; None:
            it searches none. With it a curve over the size of the gallery is drawn (metrics.gallery_curve).
        among: How many people count as found, the nearest ones.
        needs_clips: Whether it needs frames that follow each other.
        pixels: Whether it is measured where the pictures are and handed over by its key (Sides.pixels).
        only: The family of instruments on whose readings alone it is defined, for columns that the paper
            names after a network; "": any.
        asked: Gives bool [n], frames that can have a value at all; None: all.
        cluster: The independent unit over which its interval is taken.
    """

    reads: tuple[str, ...]
    per_frame: Callable[[Sides], Floats]
    if_missing: Callable[[Sides], Floats]
    counted: bool = False
    needs_truth: bool = False
    needs_gallery: bool = False
    rank: Callable[[Sides], Floats] | None = None
    among: int = 1
    needs_clips: bool = False
    pixels: bool = False
    only: str = ""
    asked: Callable[[Sides], NDArray[np.bool_]] | None = None
    cluster: str = "pair"


@dataclass(frozen=True, kw_only=True)
class PictureMetric(Declared):
    """A distance between the set of all swaps of a model and the set of their targets.

    Attributes:
        network: Whose features it is defined on.
        distance: Of two sets of features, float [n, d] and [m, d].
    """

    network: str
    distance: Callable[[Floats, Floats], float]
    needs_source: bool = False


@dataclass(frozen=True, kw_only=True)
class EmbedderMetric(Declared):
    """A figure of an embedder, which bench.embedders measures; no frame and no swap has a value."""
