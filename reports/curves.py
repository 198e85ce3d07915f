"""Retrieval over the size of the gallery: a line a model, with a band of its 95 % intervals. Inline SVG."""

from __future__ import annotations

import matplotlib

from reports.figures import INK, LINE, SOFT, STYLE, inline, short
from reports.galleries import GalleryPoint
from reports.plots import Plot, looks, panel
from reports.table import Column, Row, Table

_NOTE = (
    "The same swaps searched among fewer people: the mean over all galleries of that size with the wanted person in them, "
    "worked out from each frame's rank in the whole one. The last point is the number of the table; bands are 95 % "
    "intervals over pairs of people. A number means little without the size of its gallery."
)


def curves(table: Table) -> list[Plot]:
    """Every metric that searches a gallery, over the gallery's size.

    Args:
        table: The rows and columns.

    Returns:
        A plot for each such metric whose results hold the curve; [] for results of before it was stored.
    """
    plots = []
    for column in table.columns:
        rows = [row for row in table.rows if len(_points(row, column)) > 1]
        if not rows:
            continue
        with matplotlib.rc_context(STYLE | {"svg.hashsalt": f"gallery {column.key}"}):
            figure, axes = panel(2.6, left=0.16)
            for row, (colour, dash, _) in zip(rows, looks(rows), strict=True):
                points = _points(row, column)
                people = [point.people for point in points]
                banded = [point for point in points if point.ci95]
                axes.fill_between(
                    [point.people for point in banded],
                    [point.ci95[0] for point in banded if point.ci95],
                    [point.ci95[1] for point in banded if point.ci95],
                    color=colour,
                    alpha=0.13,
                    linewidth=0,
                )
                values = [float("nan") if point.value is None else point.value for point in points]
                axes.plot(
                    people,
                    values,
                    color=colour,
                    linestyle=dash,
                    linewidth=1.1 if row.end else 1.8,
                    label=short(row.run.name),
                )
            axes.set_xscale("log")
            ticks = sorted({point.people for row in rows for point in _points(row, column)})
            axes.set_xticks(ticks, [f"{n:,}" for n in ticks])
            axes.minorticks_off()
            axes.set_ylim(0, 100)
            axes.set_yticks([0, 50, 100], ["0 %", "50 %", "100 %"])
            axes.tick_params(axis="y", colors=SOFT, length=0, labelsize=8)
            axes.grid(axis="y", color=LINE, linewidth=0.7)
            axes.set_xlabel("people in the gallery", color=INK, fontsize=8.5)
            axes.legend(frameon=False, fontsize=7.5, labelcolor=INK, loc="best", handlelength=2.6)
            svg = inline(figure, f"{column.label} over the number of people in the gallery, by model")
        reader = f" ({column.reader})" if column.reader else ""
        plots.append(Plot(f"{column.label}{reader} {column.arrow}", _NOTE, svg))
    return plots


def _points(row: Row, column: Column) -> list[GalleryPoint]:
    metric = row.metric(column)
    return [] if metric is None else list(metric.curve)
