"""Retrieval over the size of the gallery: what the report draws, and what it announces."""

from __future__ import annotations

from typing import Any

from reports.curves import curves
from reports.html import mismatches, render
from reports.results import Results
from reports.table import RunFiles, build
from tests.support.report_builders import content

GALLERY = {"people": 40, "clips": 41, "frames": 377}


def run(name: str, gallery: dict[str, Any] | None, shares: list[float]) -> RunFiles:
    given = content(name)
    given["run"]["gallery"] = gallery
    given["metrics"]["id_retrieval"]["curve"] = [
        {"people": people, "value": share, "ci95": [share - 5, share + 5]}
        for people, share in zip((5, 10, 20, 40), shares, strict=False)
    ]
    return RunFiles(Results.model_validate(given))


def test_every_model_with_a_curve_is_a_line_with_a_band() -> None:
    shown = [run("one", GALLERY, [90.0, 83.0, 74.0, 62.0]), run("two", GALLERY, [80.0, 60.0, 40.0, 20.0])]
    (plot,) = curves(build([*shown, run("older", None, [])]))
    assert plot.title == "ID retrieval ↑"
    assert plot.svg.count("fill-opacity: 0.13") == 2
    for words in ("one", "two", "people in the gallery", ">40<", ">5<"):
        assert words in plot.svg
    assert "older" not in plot.svg
    page = render(shown)
    assert '<section id="gallery">' in page
    assert "ID retrieval searches 377 frames of 40 people in 41 clips." in page


def test_older_results_have_no_curve_and_other_galleries_are_announced() -> None:
    older = run("older", None, [])
    assert curves(build([older])) == []
    assert '<section id="gallery">' not in render([older])
    one, fewer = run("one", GALLERY, []), run("two", {**GALLERY, "people": 20, "size": 5}, [])
    (said,) = mismatches([one.results, fewer.results])
    assert said == (
        "two and one searched different galleries: 377 frames of 20 people in 41 clips, 5 people for each swap, by lot "
        "and 377 frames of 40 people in 41 clips"
    )
    assert mismatches([one.results, older.results]) == []
