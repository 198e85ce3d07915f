"""What docs/results.md says of the runs that were made again: each number of now is the committed one."""

from __future__ import annotations

import json
from typing import Any

from tests.support.pages import ROOT

KEYS = {
    "ID retrieval %": ("id_retrieval", 1),
    "ID retrieval (dlib) %": ("id_retrieval@dlib", 1),
    "Shape": ("shape", 2),
    "Expression": ("expression", 2),
    "Pose": ("pose", 3),
    "Pixel error": ("truth_pixel", 1),
    "Identity error": ("truth_identity", 3),
}


def shown(results: dict[str, Any], what: str) -> str:
    if what == "Frames":
        return f"{results['counts']['used']} of {results['counts']['expected']}"
    key, places = KEYS[what]
    value, (low, high) = (results["metrics"][key][part] for part in ("value", "ci95"))
    return f"{value:.{places}f} ({low:.{places}f} to {high:.{places}f})"


def test_each_number_of_now_is_the_committed_one() -> None:
    text = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    section = text[text.index("## Read again") : text.index("## What is proven and what is not")]
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line[:2] == "| "
    ]
    assert rows[0] == ["run", "model", "", "before", "now"]
    assert len(rows) > 30
    for run, model, what, _, now in rows[1:]:
        path = ROOT / "results" / run / model / "results.json"
        assert shown(json.loads(path.read_text(encoding="utf-8")), what) == now, (run, model, what)
