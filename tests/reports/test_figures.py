"""Figures inside pages: smaller, and still saying what was drawn."""

from __future__ import annotations

import re

import matplotlib
from matplotlib.figure import Figure

from reports.figures import STYLE, inline


def test_coordinates_are_shortened_and_labels_are_not() -> None:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(2, 2))
        axes = figure.add_subplot()
        axes.plot([0, 1 / 3, 1], [0.0, 0.0123456, 0.05])
        axes.set_yticks([0, 0.025, 0.05])
        axes.set_title("0.12345 of 1 < 2")
        svg = inline(figure, "a & b")
    written = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    assert {"0.025", "0.050", "0.12345 of 1 &lt; 2"} <= set(written)
    assert not re.search(r"\d\.\d{3}", re.sub(r">[^<]*<", "><", svg))
    assert 'aria-label="a &amp; b"' in svg
