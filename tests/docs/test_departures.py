"""A reader of a table sees where its committed weights depart from the paper, read here from the cards themselves."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest

from bench.swappers.departures import departures
from tests.support.pages import README, ROOT

WEIGHTS = ROOT / "smoothswap" / "weights"
TABLE = re.compile(r"<!-- table: (ffpp-\S+) .*?-->\n(.*?)<!-- end -->", re.DOTALL)


def card(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((WEIGHTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("page", [README, ROOT / "docs" / "results.md"], ids=lambda page: page.name)
def test_every_table_with_committed_weights_says_it(page: Any) -> None:
    seen = 0
    for run, table in TABLE.findall(page.read_text(encoding="utf-8")):
        for path in sorted((ROOT / "results" / run).glob("*/results.json")):
            model = json.loads(path.read_text(encoding="utf-8"))["run"]["model"]
            beside = WEIGHTS / str(model.get("weights")).replace(".safetensors", ".json")
            if not beside.is_file():
                continue
            seen += 1
            (line,) = re.findall(rf"^Not as in the paper .*?, {model['name']}: (.*)$", table, re.MULTILINE)
            swapper = card(beside.stem)["config"]["swapper"]
            assert (f"lambda\\_id {swapper['lambda_id']:g} (4)" in line) == (swapper["lambda_id"] != 4)
            assert ("the person's mean embedding" in line) == (swapper["id_target"] == "person")
            assert ("augmented swaps" in line) == bool(swapper["id_views"])
            assert f"{swapper['generator.size']} pixels" in line
    assert seen


def test_a_swapper_trained_as_the_paper_says_departs_in_nothing() -> None:
    about = card("smoothswap-lfw-64")
    assert len(departures(about)) == 6
    paper = copy.deepcopy(about) | {"also": []}
    paper["config"]["swapper"] |= {"lambda_id": 4.0, "id_target": "view", "id_views": 0, "adv_warmup": 0}
    paper["config"]["swapper"] |= {"generator.size": 256, "generator.width": 64}
    assert departures(paper) == []
    begun = paper | {"start": {"steps": 10, "start": {"steps": 5, "config": {"adv_warmup": 300}}}}
    assert departures(begun) == ["adversarial loss warmed up over 300 steps (no ramp stated)"]
