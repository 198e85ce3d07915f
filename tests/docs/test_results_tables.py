"""The README's tables say what the committed results say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reports.studies.open import text_of
from reports.studies.validity import shown

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


EMBEDDER_ROWS = {
    "Verification AUC ↑": ("verification_auc", 3),
    "d_smooth ↓": ("d_smooth", 3),
    "d_smooth, by the ends ↓": ("d_smooth@ends", 3),
    "Interpolation count ↑": ("interpolation_count", 2),
    "Effective rank": ("effective_rank", 1),
    "Probe of MobileFaceNet, retrieval ↑ %": ("probe_retrieval@1", 1),
    "Probe, variance explained ↑": ("probe_explained", 3),
    "Probe, retrieval ↑ %": ("probe_retrieval@1", 1),
}
SPACE = [
    "Verification AUC ↑",
    "d_smooth ↓",
    "d_smooth, by the ends ↓",
    "Interpolation count ↑",
    "Effective rank",
]


@pytest.mark.parametrize(
    ("words", "study", "groups", "names"),  # groups: heading of a column -> group of the study
    [
        (
            "### Is it smoother?",
            "embedders-lfw",
            {"contrastive (paper's)": "contrastive", "ArcFace": "arcface", "softmax": "softmax",
             "MobileFaceNet": "mobilefacenet"},
            [*SPACE, "Probe of MobileFaceNet, retrieval ↑ %"],
        ),
        (
            "### An ArcFace that starts smooth",
            "embedders-rendered",
            {"contrastive": "contrastive", "ArcFace, from the contrastive one": "arcface"},
            [name for name in SPACE if name != "d_smooth, by the ends ↓"],
        ),
        (
            "### How much of a person does it carry?",
            "embedders-lfw-inner",
            {"contrastive, whole face": "contrastive", "contrastive, inner face": "inner",
             "the same, rendered faces first": "inner-rendered-first"},
            ["Verification AUC ↑", "Probe, variance explained ↑", "Probe, retrieval ↑ %"],
        ),
    ],
)  # fmt: skip
def test_figures_of_the_embedders(words: str, study: str, groups: dict[str, str], names: list[str]) -> None:
    found = json.loads((ROOT / "results" / f"{study}.json").read_text())["embedders"]
    assert list(found) == list(groups.values())
    heading, *rows = table_after(words)
    assert heading[1:] == list(groups)
    assert [row[0] for row in rows] == names
    for name, *values in rows:
        key, digits = EMBEDDER_ROWS[name]
        assert values == [shown(found[group][key], digits) for group in groups.values()], name


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
