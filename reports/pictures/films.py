"""Clips over time: their frames in order, and what was read of each frame beneath them.

For a model the best, the median and the worst clip by the mean of a metric; bench keeps the pictures
(reports.pictures.store, scope "clip"), the curves come from the readings of each frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import matplotlib
import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from reports.figures import INK, LINE, MODEL, SOFT, STYLE, inline
from reports.pictures.encoding import Encoded, Encoding, Shown, encode
from reports.pictures.store import CASES, PARTS, Picture
from reports.table import Row, Table

BUDGET = 400_000  # bytes of all data: URIs
MOST_COLUMNS = 12
WIDE = 76  # CSS pixels of a column
CURVES = ("identity", "pose")
_ENCODINGS = (Encoding(72, 85, True), Encoding(72, 72, True), Encoding(56, 65, True), Encoding(40, 55, True))
_BESIDE = {"oracle": (0, (4, 2)), "copy-target": (0, (1, 1.5))}  # rows drawn beneath the model's curve


@dataclass(frozen=True)
class Column:
    """One frame of a clip: its number, and why it has no picture ("" where it has)."""

    frame: int
    lost: str


@dataclass(frozen=True)
class Film:
    """One clip of one model. rows: (source, target, swap or truth; a picture a column, None where none is kept).

    still: the source's picture where it is the same in every frame, and has no row. beside: rows of the curves.
    """

    model: str
    clip: str
    case: str
    text: str
    columns: list[Column]
    rows: list[tuple[str, list[Shown | None]]]
    still: Shown | None
    curves: Markup
    beside: list[str]


def sampled(n: int, most: int = MOST_COLUMNS) -> list[int]:
    """Positions of the frames that a clip of n frames shows: all, or `most` in even steps.

    Args:
        n: Frames of the clip.
        most: Columns of a film.

    Returns:
        Ascending, from 0.
    """
    return list(range(n)) if n <= most else [int((i + 0.5) * n / most) for i in range(most)]


def films(pictures: Sequence[Picture], table: Table, budget: int = BUDGET) -> list[tuple[str, list[Film]]]:
    """Whole clips by model, best before worst.

    Args:
        pictures: Chosen frames of all models; those of scope "clip" are shown.
        table: The rows.
        budget: Bytes that all pictures may take; clips are dropped where they do not fit.

    Returns:
        (model, its films); [] without pictures of clips.
    """
    groups: dict[tuple[str, str, str], list[Picture]] = {}
    for picture in pictures:
        if picture.scope == "clip":
            groups.setdefault((picture.model, picture.case, picture.clip), []).append(picture)
    rows = {row.run.name: row for row in table.rows}
    order = sorted(
        (key for key in groups if key[0] in rows),
        key=lambda key: (list(rows).index(key[0]), [*map(str, CASES)].index(key[1])),
    )
    while order:
        images = [image for key in order for image in _images(groups[key])]
        made = encode(images, [], budget, _ENCODINGS)
        if made is not None:
            found = [_film(groups[key], rows[key[0]], table, made) for key in order]
            return [
                (name, [f for f in found if f.model == name])
                for name in dict.fromkeys(f.model for f in found)
            ]
        order = order[: len(order) // 2]
    return []


def _images(group: list[Picture]) -> list[np.ndarray]:
    """What a film will show: the source once where it stands still."""
    parts = [[image for _, image in picture.parts] for picture in group]
    sources = [row[0] for row in parts]
    still = all(np.array_equal(a, b) for a, b in pairwise(sources))
    return [*(sources[:1] if still else sources), *(image for row in parts for image in row[1:])]


def _film(group: list[Picture], row: Row, table: Table, made: Encoded) -> Film:
    first = group[0]
    kept = {picture.frame: picture for picture in group}
    readings = _readings(row, first.clip)
    if readings is None:
        columns = [Column(frame, "") for frame in sorted(kept)]
    else:
        shown = readings.iloc[sampled(len(readings))]
        columns = [
            Column(int(frame), "" if int(frame) in kept else _lost(str(status)))
            for frame, status in zip(shown["frame"], shown["status"], strict=True)
        ]
    parts = {
        name: [dict(kept[c.frame].parts).get(name) if c.frame in kept else None for c in columns]
        for name in PARTS
    }
    rows = [
        (name, [None if image is None else made.add(image) for image in images])
        for name, images in parts.items()
        if any(image is not None for image in images)
    ]
    sources = {shown.number: shown for shown in dict(rows).get("source", []) if shown is not None}
    still = next(iter(sources.values())) if len(sources) == 1 else None
    curves, beside = ("", []) if readings is None else _curves(row, first.clip, len(columns), table)
    return Film(
        first.model,
        first.clip,
        first.case,
        first.metric_text,
        columns,
        [one for one in rows if still is None or one[0] != "source"],
        still,
        Markup(curves),
        beside,
    )


def _lost(status: str) -> str:
    return "no picture" if status == "ok" else status.replace("_", " ")


def _readings(row: Row, clip: str) -> pd.DataFrame | None:
    """All frames of a clip in order of time, the key as columns; None without readings."""
    if row.run.table is None:
        return None
    rows = row.run.table.rows
    found = rows[rows.index.get_level_values("clip") == clip].reset_index().sort_values("position")
    return found if len(found) else None


def _curves(row: Row, clip: str, columns: int, table: Table) -> tuple[str, list[str]]:
    """(SVG, models beside) of CURVES over the frames, a panel each, in step with the columns; "" without any."""
    keys = [key for key in CURVES if row.run.table is not None and key in row.run.table.metrics]
    by_key = {column.key: column for column in table.columns}
    keys = [key for key in keys if key in by_key]
    if not keys:
        return "", []
    ends = [other for other in table.rows if other.end and other.run.results.run.model.name in _BESIDE]
    drawn = [other for other in ends if other is not row and _readings(other, clip) is not None]
    high = 70
    with matplotlib.rc_context(STYLE | {"svg.hashsalt": f"film {row.run.name} {clip}"}):
        figure = Figure(figsize=(columns * WIDE / 72, len(keys) * high / 72))
        for i, key in enumerate(keys):
            axes = figure.add_axes((0, 1 - (i + 0.96) / len(keys), 1, 0.7 / len(keys)))
            n = 1
            for other in (*drawn, row):
                readings = _readings(other, clip)
                column = f"metric/{key}"
                if readings is None or column not in readings:
                    continue
                values, n = readings[column].to_numpy(np.float64), max(n, len(readings))
                if other is row:
                    axes.plot(range(len(values)), values, "o-", color=MODEL, linewidth=1.6, markersize=3.5)
                else:
                    dash = _BESIDE[other.run.results.run.model.name]
                    axes.plot(range(len(values)), values, color=SOFT, linestyle=dash, linewidth=1.1)
            axes.set_xlim(-0.5, n - 0.5)
            axes.margins(y=0.15)
            title = f"{by_key[key].label} {by_key[key].arrow}"
            axes.set_title(title, loc="left", x=4 / (columns * WIDE), fontsize=10.5, color=INK, pad=3)
            axes.locator_params(axis="y", nbins=3)
            axes.tick_params(axis="y", colors=SOFT, length=0, labelsize=9, pad=-4)
            for label in axes.get_yticklabels():
                label.set_horizontalalignment("left")
            axes.set_xticks([])
            axes.grid(axis="y", color=LINE, linewidth=0.7)
            axes.set_axisbelow(True)
            axes.set_frame_on(False)
        said = " and ".join(by_key[key].label for key in keys)
        return inline(figure, f"{said} of {row.run.name} in every frame of {clip}"), [
            r.run.name for r in drawn
        ]
