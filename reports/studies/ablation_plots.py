"""Curves of an ablation study as inline SVG: measured on the left, the paper's digitised ones on the right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from reports.figures import INK, LINE, SERIES, SOFT, STYLE, inline
from reports.paper import figure_7

DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (7, 2, 1.5, 2)))
Study = Mapping[str, Any]


def looks(study: Study) -> dict[str, tuple[str, Any]]:
    """(colour, dash) of every arm: a colour an arm, a dash an embedder."""
    embedders = list(dict.fromkeys(arm["embedder"] for arm in study["arms"].values()))
    return {
        name: (SERIES[i % len(SERIES)], DASHES[embedders.index(arm["embedder"]) % len(DASHES)])
        for i, (name, arm) in enumerate(study["arms"].items())
    }


def curves(study: Study, metric: str, label: str, ends: Mapping[str, float] | None = None) -> Markup:
    """One metric over steps: the mean over seeds as a line an arm, the seeds' range as a band.

    Args:
        study: Content of ablation.json.
        metric: val_id, val_chg, judge_id or judge_share; arms without it are left out.
        label: Of the vertical axis, and what a screen reader says.
        ends: Words -> value, drawn as soft horizontal lines.

    Returns:
        An SVG element; the same study gives the same bytes.
    """
    with matplotlib.rc_context(STYLE | {"svg.hashsalt": f"ablation {metric}"}):
        figure, axes = _axes()
        at_end = []
        for name, (colour, dash) in looks(study).items():
            curve = study["arms"][name]["curve"]
            if metric not in curve:
                continue
            of = curve[metric]
            axes.fill_between(curve["step"], of["low"], of["high"], color=colour, alpha=0.18, linewidth=0)
            axes.plot(curve["step"], of["mean"], color=colour, linestyle=dash, linewidth=1.7, label=name)
            at_end.append((of["mean"][-1], curve["step"][-1], name, colour))
        for words, value in (ends or {}).items():
            axes.axhline(value, color=SOFT, linewidth=0.9, linestyle=(0, (1, 2)))
            axes.annotate(
                words,
                (1, value),
                xycoords=("axes fraction", "data"),
                ha="right",
                va="bottom",
                fontsize=7,
                color=SOFT,
            )
        _finish(axes, "steps", label)
        return Markup(inline(figure, f"{label} over steps, a line an arm"))


def quoted(study: Study, what: str, label: str) -> Markup:
    """The paper's curves with the uncertainty of reading them; arms that the study has take its colours.

    An arm is the paper's where its embedder was trained with the same loss and lambda_id is the same.

    Args:
        study: Content of ablation.json.
        what: "identity" or "change".
        label: Of the vertical axis, and what a screen reader says.

    Returns:
        An SVG element, steps in thousands.
    """
    loss = {name: one["loss"] for name, one in study["embedders"].items()}
    own = {(loss[arm["embedder"]], arm["lambda_id"]): name for name, arm in study["arms"].items()}
    style = looks(study)
    error = figure_7.ID_ERROR if what == "identity" else figure_7.CHANGE_ERROR
    with matplotlib.rc_context(STYLE | {"svg.hashsalt": f"quoted {what}"}):
        figure, axes = _axes()
        for curve in figure_7.CURVES:
            name = own.get((curve.embedder, curve.lambda_id))
            colour, dash = (
                style[name] if name else (SOFT, "-" if curve.embedder == "contrastive" else DASHES[1])
            )
            values = getattr(curve, what)
            axes.errorbar(
                [s / 1000 for s in figure_7.STEPS],
                values,
                yerr=error,
                color=colour,
                linestyle=dash,
                linewidth=1.3 if name else 0.9,
                marker="o",
                markersize=2.6,
                elinewidth=0.8,
                label=f"{curve.name} ({name})" if name else curve.name,
            )
        _finish(axes, "thousand steps", label)
        return Markup(inline(figure, f"{label} over steps in the paper, digitised"))


def tradeoff(study: Study, across: str, x_label: str) -> Markup:
    """Where every arm stands at the common step: identity against change, with 95 % intervals over pairs.

    Args:
        study: Content of ablation.json.
        across: The metric along the horizontal axis: val_id, judge_id or judge_share. The other is val_chg.
        x_label: What that axis is called.

    Returns:
        An SVG element, a dot an arm; arms without both values are left out.
    """
    with matplotlib.rc_context(STYLE | {"svg.hashsalt": f"trade-off {across}"}):
        figure, axes = _axes()
        for name, (colour, _) in looks(study).items():
            at = study["arms"][name].get("at_common_step", {})
            x, y = at.get(across), at.get("val_chg")
            if not x or not y or x["value"] is None or y["value"] is None:
                continue
            if x["ci95"]:
                axes.hlines(y["value"], *x["ci95"], color=colour, linewidth=1.2)
            if y["ci95"]:
                axes.vlines(x["value"], *y["ci95"], color=colour, linewidth=1.2)
            axes.plot(x["value"], y["value"], "o", markersize=6, color=colour, label=name)
        _finish(axes, x_label, "change loss")
        return Markup(
            inline(figure, f"{x_label} against change loss at the step with the most shared training")
        )


def _axes() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(4.4, 3.0))
    axes = figure.add_axes((0.135, 0.15, 0.82, 0.82))
    axes.locator_params(nbins=5)
    axes.tick_params(colors=SOFT, length=0, labelsize=8)
    axes.grid(color=LINE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_frame_on(False)
    return figure, axes


def _finish(axes: Axes, across: str, up: str) -> None:
    axes.set_xlabel(across, color=INK, fontsize=8.5)
    axes.set_ylabel(up, color=INK, fontsize=8.5)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,g}"))
    axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
    if axes.get_legend_handles_labels()[1]:
        axes.legend(frameon=False, fontsize=7.5, labelcolor=INK, loc="best", handlelength=3)
