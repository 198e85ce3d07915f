"""Plots of bench.embedders: intervals of the headline figures, spectra, distances along known changes. Inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from reports.figures import INK, LINE, SERIES, SOFT, STYLE, inline, short

_DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (7, 2, 1.5, 2)), (0, (3, 1.5)), (0, (9, 3)))
KINDS = {"morph": "Turning into somebody else", "age": "Ageing", "weight": "Gaining weight"}


def panels(results: Mapping[str, Any], keys: Sequence[str]) -> list[tuple[str, str]]:
    """A plot of each figure: a dot an embedder, whisker over the interval, strokes its seeds.

    Args:
        results: Content of embedders.json.
        keys: Figures in the order of the plots; those that were not measured are left out.

    Returns:
        (title with an arrow to the better side, SVG text) each.
    """
    names = list(results["embedders"])
    found = []
    for key in keys:
        rows = [
            (y, n, results["embedders"][n][key])
            for y, n in enumerate(names)
            if key in results["embedders"][n]
        ]
        rows = [row for row in rows if row[2]["value"] is not None]
        if not rows:
            continue
        definition = results["definitions"][key]
        title = f"{definition['title']} {'↑' if definition['higher_is_better'] else '↓'}"
        with matplotlib.rc_context(STYLE | {"svg.hashsalt": key}):
            figure, axes = _axes(0.5 + 0.26 * len(names), left=0.3)
            for y, _, one in rows:
                colour = SERIES[y % len(SERIES)]
                if one["ci95"] is not None:
                    axes.hlines(y, *one["ci95"], color=colour, linewidth=1.6)
                if len(one["seeds"]) > 1:
                    axes.plot(one["seeds"], [y] * len(one["seeds"]), "|", markersize=9, color=SOFT)
                axes.plot(one["value"], y, "o", markersize=5.5, color=colour)
            axes.set_ylim(len(names) - 0.5, -0.5)
            axes.set_yticks(range(len(names)), [short(name, 14) for name in names])
            axes.tick_params(axis="y", length=0, colors=INK)
            axes.locator_params(axis="x", nbins=4)
            axes.grid(axis="x", color=LINE, linewidth=0.7)
            found.append(
                (title, inline(figure, f"{definition['title']}: value and 95 % interval of each embedder"))
            )
    return found


def spectra(results: Mapping[str, Any]) -> str:
    """Eigenvalues of every embedder's covariance as shares of their sum, the largest first, on logarithmic axes."""
    with matplotlib.rc_context(STYLE | {"svg.hashsalt": "spectra"}):
        figure, axes = _axes(3.0, left=0.19)
        for i, (name, one) in enumerate(results["embedders"].items()):
            values = np.array(one["spectrum"])
            kept = values > 1e-6  # below is rounding
            axes.plot(
                np.flatnonzero(kept) + 1,
                values[kept],
                color=SERIES[i % len(SERIES)],
                linestyle=_DASHES[i % 6],
                linewidth=1.7,
                label=short(name),
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        for one in (axes.xaxis, axes.yaxis):  # the page's plots are set without mathematics
            one.set_major_formatter(lambda value, _: _power(value))
            one.set_minor_formatter(NullFormatter())
        axes.tick_params(which="minor", length=0)
        axes.set_ylim(bottom=1e-6)
        axes.grid(color=LINE, linewidth=0.7)
        axes.set_xlabel("direction, by variance", color=INK, fontsize=8.5)
        axes.set_ylabel("share of the variance", color=INK, fontsize=8.5)
        _legend(axes)
        return inline(figure, "Eigenvalues of each embedder's covariance")


def curves(results: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(title, SVG) of each kind of path: mean distance from the start, in those between the two people of a morph."""
    if results["paths"] is None:
        return []
    found = []
    for kind in results["paths"]["kinds"]:
        with matplotlib.rc_context(STYLE | {"svg.hashsalt": f"path {kind}"}):
            figure, axes = _axes(2.5, left=0.15)
            for i, (name, of_kind) in enumerate(results["paths"]["curves"].items()):
                reference = name == "pixels" and name not in results["embedders"]
                share = np.linspace(0, 1, len(of_kind[kind]))
                axes.plot(
                    share,
                    of_kind[kind],
                    color=SOFT if reference else SERIES[i % len(SERIES)],
                    linestyle=_DASHES[i % 6],
                    linewidth=1.1 if reference else 1.7,
                    label=short(name),
                )
            axes.set_ylim(0)
            axes.set_xlim(0, 1)
            axes.grid(color=LINE, linewidth=0.7)
            axes.set_xlabel("share of the change", color=INK, fontsize=8.5)
            axes.set_ylabel("distance from the start", color=INK, fontsize=8.5)
            _legend(axes)
            title = KINDS.get(kind, kind)
            found.append((title, inline(figure, f"{title}: distance of the embedding from its start")))
    return found


def _power(value: float) -> str:
    """A power of ten as text: 10⁻³."""
    exponent = str(round(float(np.log10(value))))
    return "10" + exponent.translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _axes(height: float, left: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(3.6, height))
    axes = figure.add_axes((left, 0.45 / height, 0.96 - left, 1 - 0.55 / height))
    axes.tick_params(colors=SOFT, length=0, labelsize=8)
    axes.set_axisbelow(True)
    axes.set_frame_on(False)
    return figure, axes


def _legend(axes: Axes) -> None:
    axes.legend(frameon=False, fontsize=7.5, labelcolor=INK, loc="best", handlelength=2.6)
