"""Plots of the frames: distributions over pairs of people, trade-off, ECDFs, the ledger by reason. Inline SVG.

As in reports.figures the same results give the same bytes, and colours are the page's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from metrics.spec import TRUTH
from reports.figures import INK, LINE, PAGE, SERIES, SOFT, STYLE, inline, short
from reports.table import Column, Row, Table

SHOWN = ("identity", "target_identity", "shape", "expression", "pose", "truth_pixel")
STEPS = 120  # points of an ECDF, and most dots of a row: a full FF++ run draws no more than a small one
DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (7, 2, 1.5, 2)), (0, (3, 1.5)), (0, (9, 3)))
_MARKS = ("o", "s", "D", "^", "v", "P")

_ECDF = (
    "Share of frames at or under each value, a line a model. The better line lies further left where ↓ stands, "
    "further right where ↑ does."
)


@dataclass(frozen=True)
class Plot:
    """A figure with its caption and what to see in it."""

    title: str
    note: str
    svg: str


def distributions(table: Table) -> list[Plot]:
    """Every pair of people as a dot, its median as a bar, by model.

    Args:
        table: The rows and columns.

    Returns:
        A plot for each of SHOWN that was measured.
    """
    plots = []
    for column in _columns(table):
        data = [(row, means) for row in table.rows if (means := _pair_means(row, column)) is not None]
        if not data:
            continue
        with matplotlib.rc_context(STYLE | {"svg.hashsalt": f"pairs {column.key}"}):
            figure, axes = panel(0.5 + 0.27 * len(data))
            for y, (row, means) in enumerate(data):
                colour = SOFT if row.end else INK
                _dots(axes, _thinned(means), y, colour)
                axes.vlines(np.median(means), y - 0.38, y + 0.38, color=colour, linewidth=1.8, zorder=3)
            _names(axes, [row for row, _ in data])
            svg = inline(figure, f"{column.label}: mean of every pair of people, by model")
        plots.append(
            Plot(
                _title(column),
                "The mean of every pair of people as a dot, by model; the bar is their median. Of more than "
                f"{STEPS} pairs, {STEPS} even quantiles are drawn, the extremes among them.",
                svg,
            )
        )
    return plots


def ecdfs(table: Table) -> list[Plot]:
    """The share of frames at or under a value, a line a model.

    Args:
        table: The rows and columns.

    Returns:
        A plot for each of SHOWN that was measured.
    """
    plots = []
    for column in _columns(table):
        lines = [(row, values) for row in table.rows if (values := _frames(row, column)) is not None]
        if not lines:
            continue
        with matplotlib.rc_context(STYLE | {"svg.hashsalt": f"ecdf {column.key}"}):
            figure, axes = panel(2.35)
            for (row, values), (colour, dash, _) in zip(lines, looks([row for row, _ in lines]), strict=True):
                shares = np.linspace(0, 1, min(STEPS, len(values)))
                axes.plot(
                    np.quantile(values, shares),
                    100 * shares,
                    color=colour,
                    linestyle=dash,
                    linewidth=1.1 if row.end else 1.8,
                    label=short(row.run.name),
                )
            axes.set_ylim(0, 100)
            axes.set_yticks([0, 50, 100], ["0 %", "50 %", "100 %"])
            axes.tick_params(axis="y", colors=SOFT, length=0, labelsize=8)
            axes.legend(frameon=False, fontsize=7.5, labelcolor=INK, loc="best", handlelength=2.6)
            svg = inline(figure, f"{column.label}: share of frames at or under each value, by model")
        plots.append(Plot(_title(column), _ECDF, svg))
    return plots


def tradeoffs(table: Table) -> list[Plot]:
    """Identity against each attribute: a point a model with its 95 % intervals; better is towards the corner.

    Args:
        table: The rows and columns.

    Returns:
        A plot for each attribute that was measured; [] without a measure of identity.
    """
    by_key = {column.key: column for column in table.columns}
    across = next((by_key[key] for key in ("identity", "id_retrieval") if key in by_key), None)
    if across is None:
        return []
    plots = []
    for key in ("expression", "pose", "truth_pixel"):
        down = by_key.get(key)
        if down is None:
            continue
        rows = [r for r in table.rows if _value(r, across) is not None and _value(r, down) is not None]
        if not rows:
            continue
        with matplotlib.rc_context(STYLE | {"svg.hashsalt": f"trade-off {key}"}):
            figure, axes = panel(2.9, left=0.16)
            for row, (colour, _, mark) in zip(rows, looks(rows), strict=True):
                one, two = row.metric(across), row.metric(down)
                x, y = _value(row, across), _value(row, down)
                if one is None or two is None or x is None or y is None:
                    continue
                if one.ci95:
                    axes.hlines(y, *one.ci95, color=colour, linewidth=1.2)
                if two.ci95:
                    axes.vlines(x, *two.ci95, color=colour, linewidth=1.2)
                axes.plot(
                    x,
                    y,
                    mark,
                    markersize=6,
                    color=colour,
                    markeredgewidth=1.4,
                    markerfacecolor=PAGE if row.end or one.dagger or two.dagger else colour,
                    linestyle="none",
                    label=short(row.run.name),
                )
            axes.legend(frameon=False, fontsize=7.5, labelcolor=INK, loc="best", numpoints=1)
            axes.set_xlabel(f"{short(across.label, 30)} {_way(across, '→', '←')}", color=INK, fontsize=8.5)
            axes.set_ylabel(f"{short(down.label, 30)} {_way(down, '→', '←')}", color=INK, fontsize=8.5)
            axes.tick_params(axis="y", colors=SOFT, length=0, labelsize=8)
            axes.grid(axis="y", color=LINE, linewidth=0.7)
            svg = inline(figure, f"{across.label} against {down.label}, with 95 % intervals")
        note = "Arrows on the axes point to better. Hollow marks are references, lines are 95 % intervals."
        plots.append(Plot(f"{across.label} against {down.label}", note, svg))
    return plots


def ledger(table: Table) -> Plot | None:
    """Frames by what became of them: scored, or lost with a reason, a bar a model.

    Args:
        table: The rows.

    Returns:
        The plot; None where no frame was lost.
    """
    reasons = list(
        dict.fromkeys(s for row in table.rows for s, n in row.run.results.counts.failed.items() if n)
    )
    if not reasons:
        return None
    with matplotlib.rc_context(STYLE | {"svg.hashsalt": "ledger"}):
        figure, axes = panel(0.75 + 0.27 * len(table.rows))
        left = np.zeros(len(table.rows))
        for i, reason in enumerate(reasons):
            n = np.array([row.run.results.counts.failed.get(reason, 0) for row in table.rows], float)
            axes.barh(
                range(len(n)),
                n,
                left=left,
                height=0.6,
                color=SERIES[i % len(SERIES)],
                edgecolor=PAGE,
                hatch=("", "///", "...", "xx")[i // len(SERIES) % 4],
                label=short(reason),
            )
            left += n
        axes.set_xlim(0, max(left.max() * 1.05, 1))
        _names(axes, table.rows)
        axes.legend(frameon=False, fontsize=7.5, labelcolor=INK, loc="best")
        svg = inline(figure, "Lost frames by reason and model")
    return Plot("Lost frames by reason", "frames of the ledger that were not scored", svg)


def panel(height: float, left: float = 0.3) -> tuple[Figure, Axes]:
    """A figure of the width that all share, and its axes, in the page's look.

    Args:
        height: Inches.
        left: Share of the width for labels.

    Returns:
        Both, empty.
    """
    figure = Figure(figsize=(3.6, height))
    axes = figure.add_axes((left, 0.42 / height, 0.97 - left, 1 - 0.5 / height))
    axes.locator_params(axis="x", nbins=4)
    axes.tick_params(axis="x", colors=SOFT, length=0, labelsize=8, pad=3)
    axes.grid(axis="x", color=LINE, linewidth=0.7, zorder=0)
    axes.set_axisbelow(True)
    axes.set_frame_on(False)
    return figure, axes


def _thinned(means: np.ndarray) -> np.ndarray:
    """The values, or STEPS quantiles of them from the least to the greatest."""
    return means if len(means) <= STEPS else np.quantile(means, np.linspace(0, 1, STEPS))


def _dots(axes: Axes, values: np.ndarray, y: int, colour: str) -> None:
    """Dots spread about the height y, as one path of points: an element a dot would make a page slow and large."""
    spread = ((np.arange(len(values)) * 0.618) % 1 - 0.5) * 0.5  # even, and the same every time
    points = np.repeat(np.stack([values, y + spread], axis=1), 2, axis=0)
    path = Path(points, np.tile([Path.MOVETO, Path.LINETO], len(values)))
    path.should_simplify = False  # else points of no length are left out
    axes.add_patch(
        PathPatch(
            path,
            edgecolor=colour,
            facecolor="none",
            linewidth=3,
            capstyle="round",
            alpha=0.55,
            zorder=2,
            clip_on=False,
        )
    )
    axes.update_datalim(points)


def _names(axes: Axes, rows: list[Row]) -> None:
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [short(row.run.name, 14) for row in rows])
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_color(SOFT if row.end else INK)
    axes.tick_params(axis="y", length=0, pad=5)


def looks(rows: list[Row]) -> list[tuple[str, object, str]]:
    """How every row is drawn, the same in all plots.

    Args:
        rows: Of the table, in its order.

    Returns:
        (colour, dash, mark) of each: models in the page's series colours, references soft.
    """
    looks: list[tuple[str, object, str]] = []
    models, ends = 0, 0
    for row in rows:
        i = ends if row.end else models
        looks.append((SOFT if row.end else SERIES[i % len(SERIES)], DASHES[i % 6], _MARKS[i % 6]))
        ends, models = ends + bool(row.end), models + (not row.end)
    return looks


def _columns(table: Table) -> list[Column]:
    return [column for column in table.columns if column.key in SHOWN]


def _title(column: Column) -> str:
    return f"{column.label} {column.arrow}" + (
        f" from the truth, {column.unit}" if column.group == TRUTH else ""
    )


def _way(column: Column, up: str, down: str) -> str:
    return up if column.higher_is_better else down


def _value(row: Row, column: Column) -> float | None:
    metric = row.metric(column)
    return None if metric is None else metric.value


def _frames(row: Row, column: Column) -> np.ndarray | None:
    """The metric of every frame that has a value, float64 [n]; None without any."""
    if row.run.table is None or column.key not in row.run.table.metrics or row.metric(column) is None:
        return None
    values = row.run.table.values(column.key, row.metric(column)).dropna().to_numpy(np.float64)
    return values if len(values) else None


def _pair_means(row: Row, column: Column) -> np.ndarray | None:
    """The mean of every pair of people, float64 [k], in the order of their names; None without any."""
    if _frames(row, column) is None or row.run.table is None:
        return None
    values = row.run.table.values(column.key, row.metric(column)).dropna()
    means = values.groupby(row.run.table.clusters().loc[values.index]).mean()
    return np.asarray(means.to_numpy(np.float64))
