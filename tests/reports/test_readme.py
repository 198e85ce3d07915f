"""The README's tables say what the committed results say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from reports.studies import text_of
from reports.validity import shown

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text()
# heading of a column -> metric of results.json, digits
COLUMNS = {
    "ID retrieval ↑ %": ("id_retrieval", 1),
    "ID retrieval, MobileFaceNet ↑ %": ("id_retrieval", 1),
    "ID retrieval, dlib ↑ %": ("id_retrieval@dlib", 1),
    "top 5, MobileFaceNet ↑ %": ("id_retrieval_top5", 1),
    "Identity-R ↓": ("identity_r", 3),
    "Shape-R ↓": ("shape_r", 3),
    "Expression ↓": ("expression", 3),
    "Pose ↓ rad": ("pose", 3),
    "Expression to truth ↓": ("truth_expression", 3),
    "Pose to truth ↓ rad": ("truth_pose", 3),
    "Pixels to truth ↓": ("truth_pixel", 1),
}


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def table_after(words: str) -> list[list[str]]:
    """The rows, heading first, of the first table behind `words`."""
    lines = TEXT[TEXT.index(words) :].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append(cells(line))
    return [rows[0], *rows[2:]]


@pytest.mark.parametrize(
    ("words", "folder"),
    [
        ("## What you get", "ffpp-default"),
        ("(`results/ffpp-rendered`", "ffpp-rendered"),
        ("## On real people", "ffpp-lfw"),
    ],
)
def test_scores_of_swappers(words: str, folder: str) -> None:
    heading, *rows = table_after(words)
    assert len(rows) >= 4
    for model, *values in rows:
        results = json.loads((ROOT / "results" / folder / model / "results.json").read_text())
        for column, value in zip(heading[1:], values, strict=True):
            if column == "frames":
                assert value == f"{results['counts']['used']} of {results['counts']['expected']}"
            else:
                key, digits = COLUMNS[column]
                assert value == shown(results["metrics"][key], digits), (model, column)


def test_figures_of_the_embedders() -> None:
    found = json.loads((ROOT / "results" / "embedders-lfw.json").read_text())["embedders"]
    heading, *rows = table_after("### Is it smoother?")
    groups = [re.sub(r" \(.*", "", name).lower() for name in heading[1:]]
    keys = {
        "Verification AUC ↑": ("verification_auc", 3),
        "d_smooth ↓": ("d_smooth", 3),
        "d_smooth, by the ends ↓": ("d_smooth@ends", 3),
        "Interpolation count ↑": ("interpolation_count", 2),
        "Effective rank": ("effective_rank", 1),
        "Probe of MobileFaceNet, retrieval ↑ %": ("probe_retrieval@1", 1),
    }
    assert {row[0] for row in rows} >= {"Verification AUC ↑", "d_smooth ↓", "Interpolation count ↑"}
    for name, *values in rows:
        key, digits = keys[name]
        assert values == [shown(found[group][key], digits) for group in groups], name


def test_figures_of_the_rendered_pair() -> None:
    found = json.loads((ROOT / "results" / "embedders-rendered.json").read_text())["embedders"]
    _, *rows = table_after("### An ArcFace that starts smooth")
    keys = {
        "Verification AUC ↑": ("verification_auc", 3),
        "d_smooth ↓": ("d_smooth", 3),
        "Interpolation count ↑": ("interpolation_count", 2),
        "Effective rank": ("effective_rank", 1),
    }
    assert [row[0] for row in rows] == list(keys)
    for name, *values in rows:
        key, digits = keys[name]
        assert values == [shown(found[group][key], digits) for group in ("contrastive", "arcface")], name


def test_what_embedders_carry() -> None:
    found = json.loads((ROOT / "results" / "embedders-lfw-inner.json").read_text())["embedders"]
    heading, *rows = table_after("### How much of a person does it carry?")
    assert list(found) == ["contrastive", "inner", "inner-rendered-first"]
    assert len(heading) == 1 + len(found)
    keys = {
        "Verification AUC ↑": ("verification_auc", 3),
        "Probe, variance explained ↑": ("probe_explained", 3),
        "Probe, retrieval ↑ %": ("probe_retrieval@1", 1),
    }
    assert [row[0] for row in rows] == list(keys)
    for name, *values in rows:
        key, digits = keys[name]
        assert values == [shown(one[key], digits) for one in found.values()], name


def test_figures_of_the_ablation() -> None:
    arms = json.loads((ROOT / "results" / "ablation.json").read_text())["arms"]
    _, *rows = table_after("### Does it train a swapper better?")
    assert [row[0] for row in rows] == list(arms)
    for arm, *values in rows:
        found = arms[arm]["at_common_step"]
        assert values == [shown(found[key], 3) for key in ("val_id", "judge_id", "judge_share", "val_chg")], (
            arm
        )


def test_table_of_the_instruments() -> None:
    made = text_of(ROOT / "results" / "validity.json", markdown=True).splitlines()
    rows = [line for line in TEXT.splitlines() if line.startswith("| ") and line in made]
    assert len(rows) >= 12
