"""What docs/results.md says of --self and --cycle together: doing nothing is best, and nobody is ranked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.pages import ROOT


def metrics(run: str, model: str) -> dict[str, Any]:
    content = json.loads((ROOT / "results" / run / model / "results.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = content["metrics"]
    return found


@pytest.mark.parametrize("run", ["self-rendered", "self-lfw", "cycle-rendered", "cycle-lfw"])
def test_doing_nothing_is_best_in_every_column_of_the_truth_and_none_ranks(run: str) -> None:
    nothing = metrics(run, "copy-target")
    for folder in (ROOT / "results" / run).iterdir():
        for key, metric in metrics(run, folder.name).items():
            if key.startswith("truth_"):
                assert metric["unranked"]
                assert nothing[key]["value"] <= metric["value"]
