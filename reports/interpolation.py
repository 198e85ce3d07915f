"""Interpolation rows: the nearest real faces along the path between two embeddings (Smooth-Swap, Fig. 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from reports.figures import INK, MODEL, SOFT, STYLE, inline, short
from reports.plots import Plot

_NOTE = (
    "From one end to the other, the nearest of all faces at each step. A mark stands where another person begins; the "
    "more people, the smoother the space."
)


@dataclass(frozen=True)
class PathRow:
    """What one embedder finds along a path: faces uint8 [h, w, 3], a step each, ends included; people: whose they are."""

    label: str
    faces: Sequence[np.ndarray]
    people: Sequence[str]


def interpolation(rows: Sequence[PathRow], steps: Sequence[float], title: str = "Interpolation") -> Plot:
    """A row an embedder with its faces at the steps r in 0..1, and how many people they are.

    Raises ValueError where a row has not a face and a name for every step, or there is no row.
    """
    if not rows:
        raise ValueError("no row to draw: give what at least one embedder found")
    for row in rows:
        if not len(row.faces) == len(row.people) == len(steps):
            raise ValueError(
                f"{row.label} has {len(row.faces)} faces and {len(row.people)} names for {len(steps)} steps"
            )
    n, left = len(steps), 1.6
    with matplotlib.rc_context(STYLE | {"svg.hashsalt": f"interpolation {title}"}):
        figure = Figure(figsize=(0.62 * (n + left), 0.62 * len(rows) + 0.25))
        axes = figure.add_axes((0, 0, 1, 1))
        for y, row in enumerate(rows):
            for x, face in enumerate(row.faces):
                axes.imshow(face, extent=(x + 0.03, x + 0.97, y + 0.97, y + 0.03), interpolation="none")
                if x and row.people[x] != row.people[x - 1]:
                    axes.plot([x, x], [y + 0.03, y + 0.97], color=MODEL, linewidth=2)
            said = len(set(row.people))
            axes.text(-left, y + 0.42, short(row.label), color=INK, va="center")
            axes.text(
                -left,
                y + 0.68,
                f"{said} {'person' if said == 1 else 'people'}",
                color=SOFT,
                va="center",
                fontsize=8,
            )
        for x, r in enumerate(steps):
            axes.text(x + 0.5, -0.18, f"{r:g}", color=SOFT, ha="center", va="center", fontsize=8)
        axes.set_xlim(-left, n)
        axes.set_ylim(len(rows), -0.4)
        axes.set_aspect("auto")
        axes.set_axis_off()
        svg = inline(figure, f"{title}: nearest faces of {', '.join(row.label for row in rows)}")
    return Plot(title, _NOTE, svg)
