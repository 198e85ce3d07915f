"""Slices in the report: side by side, few ones marked, and none of them ranked."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.html import environment
from reports.results import ResultsError
from reports.slices import Slices, parts, read_slices
from reports.table import RunFiles, build


def slices(model: str, value: float, labels: tuple[str, ...] = ("dim", "<b>bright")) -> Slices:
    one = {"value": value, "ci95": [value - 0.1, value + 0.1], "n": 19, "clusters": 6}
    return Slices.model_validate(
        {
            "model": model,
            "axes": [
                {
                    "key": "column/light", "title": "light", "kind": "category", "without": 2,
                    "slices": [
                        {"label": label, "pairs": n, "clusters": n, "frames": 20, "used": 19, "metrics": {"identity": one}}
                        for label, n in zip(labels, (6, 18), strict=False)
                    ],
                },
                {"key": "column/name", "title": "name", "kind": "category", "note": "not sliced: 40 different values"},
            ],
        }
    )  # fmt: skip


def test_models_stand_side_by_side() -> None:
    (light, name) = parts([("a", slices("a", 0.5)), ("b", slices("b", 0.9, ("dim",))), ("c", None)])
    assert [(line.label, [model for model, _ in line.models]) for line in light.lines] == [
        ("dim", ["a", "b"]), ("<b>bright", ["a", "b"]),
    ]  # fmt: skip
    assert light.lines[1].models[1] == ("b", None)
    assert name.lines == ()
    assert parts([("c", None)]) == []


def test_the_page_shows_them_folded_and_ranks_nothing(runs: list[RunFiles]) -> None:
    table = build(runs[:2])
    names = [row.run.name for row in table.rows]
    shown = {
        "table": table,
        "ends": dict.fromkeys(names, ""),
        "daggers": {name: ["identity"] if name == names[0] else [] for name in names},
    }
    template = environment().get_template("slices.html.j2")
    section = template.render(slices=parts([(run.name, slices(run.name, 0.5)) for run in runs[:2]]), **shown)
    assert section.count("<details>") == 1
    assert "&lt;b&gt;bright" in section
    assert section.count("<sup>†</sup>") == 2, "one model's identity, in either slice"
    assert section.count("too few to say much") == 1
    assert "18 pairs of people" in section
    assert "2 pairs without a value" in section
    assert "not sliced: 40 different values" in section
    assert not any(word in section for word in ("better", "worse", 'class="best', "data-sortable"))
    assert template.render(slices=[], **shown).strip() == ""


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    assert read_slices(tmp_path / "slices.json") is None
    (tmp_path / "slices.json").write_text('{"model": "a", "axis": []}')
    with pytest.raises(ResultsError, match=r"slices.json: axis: .*bench.rescore"):
        read_slices(tmp_path / "slices.json")
    (tmp_path / "slices.json").write_text(slices("a", 0.5).to_json())
    assert read_slices(tmp_path / "slices.json") == slices("a", 0.5)
