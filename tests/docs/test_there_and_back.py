"""The sentences on --self and --cycle say what the committed runs say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.pages import ROOT

RUNS = ("self-rendered", "self-lfw", "cycle-rendered", "cycle-lfw")
TEXT = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
PROSE = " ".join(TEXT.partition("## There and back")[2].partition("\n## ")[0].split())


def metrics(run: str, model: str) -> dict[str, Any]:
    content = json.loads((ROOT / "results" / run / model / "results.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = content["metrics"]
    return found


def said(run: str, model: str, metric: str, digits: int = 1) -> str:
    return f"{metrics(run, model)[metric]['value']:.{digits}f}"


def test_the_numbers_in_the_sentences_are_those_of_the_runs() -> None:
    pixels = {
        (run, model): said(run, model, "truth_pixel")
        for run in RUNS
        for model in ("copy-target", "smoothswap", "classical")
    }
    found = {
        (run, model): said(run, model, "id_retrieval")
        for run in RUNS[2:]
        for model in ("smoothswap", "classical")
    }
    ours, warp = ([pixels[run, model] for run in RUNS] for model in ("smoothswap", "classical"))
    faces = [
        said("self-lfw", model, "truth_identity", 3) for model in ("smoothswap", "copy-source", "stranger")
    ]
    for sentence in (
        f"In the rendered cycle its {pixels['cycle-rendered', 'copy-target']} grey levels",
        f"so there it costs {pixels['cycle-lfw', 'copy-target']}.",
        f"{ours[0]} grey levels on rendered faces and {ours[1]} on photographs, where the warp has {warp[0]} and {warp[1]}",
        f"({faces[0]} against {faces[1]}) and nearer than a stranger's ({faces[2]})",
        f"There and back it is {ours[2]} and {ours[3]} grey levels",
        f"{found['cycle-rendered', 'smoothswap']} % of 20 people and {found['cycle-lfw', 'smoothswap']} % of 100",
        f"recognised in {found['cycle-rendered', 'classical']} and {found['cycle-lfw', 'classical']} %, comes back to "
        f"{warp[2]} and {warp[3]}.",
    ):
        assert sentence in PROSE


@pytest.mark.parametrize("run", RUNS)
def test_doing_nothing_is_best_in_every_column_of_the_truth_and_none_ranks(run: str) -> None:
    nothing = metrics(run, "copy-target")
    for folder in (ROOT / "results" / run).iterdir():
        for key, metric in metrics(run, folder.name).items():
            if key.startswith("truth_"):
                assert metric["unranked"]
                assert nothing[key]["value"] <= metric["value"]
