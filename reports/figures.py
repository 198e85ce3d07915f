"""Interval plots: one small dot-and-whisker panel a metric, as inline SVG.

The same results give the same bytes: no date, no random ids. Colours are CSS variables, so the panels follow
the page into dark mode and print.
"""

from __future__ import annotations

import io
import re
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from reports.table import Column, Table

# Placeholders that matplotlib draws with, exchanged for the page's variables in the SVG.
INK, SOFT, LINE, MODEL, PAGE = "#010101", "#020202", "#030303", "#040404", "#050505"
SERIES = ("#060606", "#070707", "#080808", "#090909", "#0a0a0a", "#0b0b0b")
_VARIABLES = {
    INK: "var(--ink)",
    SOFT: "var(--soft)",
    LINE: "var(--line)",
    MODEL: "var(--accent)",
    PAGE: "var(--page)",
    **{colour: f"var(--c{i})" for i, colour in enumerate(SERIES, 1)},
}
STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.parse_math": False,
    "axes.unicode_minus": True,
}


def panels(table: Table) -> list[tuple[Column, str]]:
    """Interval plots of the main columns: measured in some row, and no other form of a plotted one.

    Args:
        table: The rows and columns.

    Returns:
        (column, SVG text) each.
    """
    keys = {column.key for column in table.columns}
    return [
        (column, panel(table, column))
        for column in table.columns
        if _plain_key(column.key) not in keys - {column.key}
        and any((m := row.metric(column)) and m.value is not None for row in table.rows)
    ]


def _plain_key(key: str) -> str:
    """The key of the plain form: of a share (`pose_r`) or a top-5 the metric itself, the instrument kept."""
    name, at, instrument = key.partition("@")
    return name.removesuffix("_r").removesuffix("_top5") + at + instrument


def panel(table: Table, column: Column) -> str:
    """One metric: a row a model, dot at the value, whisker over the 95 % interval; references hollow.

    Args:
        table: The rows.
        column: The metric.

    Returns:
        An SVG element; the same table gives the same bytes.
    """
    with matplotlib.rc_context(STYLE | {"svg.hashsalt": column.key}):
        figure = Figure(figsize=(3.5, 0.42 + 0.21 * len(table.rows)))
        axes = figure.add_axes((0.33, 0.32 / figure.get_figheight(), 0.63, 1 - 0.38 / figure.get_figheight()))
        for y, row in enumerate(table.rows):
            metric = row.metric(column)
            if metric is None or metric.value is None:
                continue
            colour = SOFT if row.end else MODEL
            if metric.ci95:
                axes.hlines(y, *metric.ci95, color=colour, linewidth=1.6, zorder=2)
            face = PAGE if row.end or metric.dagger else colour
            axes.plot(
                metric.value,
                y,
                "o",
                markersize=5.5,
                markeredgewidth=1.4,
                markerfacecolor=face,
                color=colour,
                zorder=3,
                clip_on=False,
            )
        span = (column.high - column.low) or abs(column.high) or 1.0
        axes.set_xlim(column.low - 0.06 * span, column.high + 0.06 * span)
        axes.set_ylim(len(table.rows) - 0.5, -0.5)
        axes.set_yticks(range(len(table.rows)), [short(row.run.name) for row in table.rows])
        for label, row in zip(axes.get_yticklabels(), table.rows, strict=True):
            label.set_color(SOFT if row.end else INK)
        axes.locator_params(axis="x", nbins=4)
        axes.tick_params(axis="x", colors=SOFT, length=0, labelsize=8, pad=3)
        axes.tick_params(axis="y", length=0, pad=6)
        axes.grid(axis="x", color=LINE, linewidth=0.7, zorder=0)
        axes.set_axisbelow(True)
        axes.set_frame_on(False)
        return inline(figure, f"{column.label}: value and 95 % interval of each model")


def short(name: str, most: int = 16) -> str:
    """A model's name, cut where it is too long.

    Args:
        name: As it is.
        most: Characters that may stand, the dots among them.

    Returns:
        The name, or its beginning and "…".

    Examples:
        >>> short("simswap"), short("simswap-224-finetuned", 10)
        ('simswap', 'simswap-2…')
    """
    return name if len(name) <= most else name[: most - 1] + "…"


def inline(figure: Figure, title: str) -> str:
    """The SVG element alone: no prologue, no metadata, no fixed size, colours from the page.

    Args:
        figure: Drawn in the placeholders of this module.
        title: What a screen reader says.

    Returns:
        The text.
    """
    buffer = io.StringIO()
    figure.savefig(
        buffer, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
    )
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg)
    # In coordinates a hundredth of a point is enough, and a third of the bytes; what is written stays as it is.
    svg = re.sub(r"<[^>]+>", lambda tag: re.sub(r"(\d+\.\d{2})\d+", r"\1", tag[0]), svg)
    svg = re.sub(r"M ([\d.]+ [\d.]+) \nL \1 \n", r"M\1h0", svg)  # a dot
    svg = re.sub(r" ?\n *", "\n", svg)
    svg = re.sub(r"font: ([\d.]+px) 'DejaVu Sans'[^;\"]*", r"font: \1 sans-serif", svg)
    used = set(re.findall(r"#([\w-]+)", svg))  # matplotlib names every group; a page may name each thing once
    svg = re.sub(r' id="([^"]*)"', lambda m: m[0] if m[1] in used else "", svg)
    for placeholder, variable in _VARIABLES.items():
        svg = svg.replace(placeholder, variable)
    escaped = title.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return svg.replace("<svg", f'<svg role="img" aria-label="{escaped}"', 1)
