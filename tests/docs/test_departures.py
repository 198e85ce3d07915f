"""A reader of a table sees where its committed weights depart from the paper, read here from the cards themselves."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest

from bench.pages.departures import notes
from bench.rescore import described
from bench.swappers.departures import departures, of_committed
from reports.html import render
from reports.markdown import markdown_table
from reports.results import Results, load
from reports.run_files import RunFiles
from tests.support.pages import README, ROOT
from tests.support.report_builders import content

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


def test_weights_of_another_content_under_a_committed_name_are_not_ours() -> None:
    hashed = str(card("smoothswap-lfw-64")["sha256"])
    assert of_committed("smoothswap-lfw-64.safetensors", hashed) == departures(card("smoothswap-lfw-64"))
    assert of_committed("smoothswap-lfw-64.safetensors", "0" * 64) == of_committed(None, hashed) == []


def test_the_page_says_it_under_its_table_and_escapes_it() -> None:
    made = content("smoothswap")
    made["run"]["model"]["departures"] = ["lambda_id 10 (4)", "<b>bold</b>"]
    run = RunFiles(Results.model_validate(made))
    page, line = render([run]), "Not as in the paper (its own in brackets), smoothswap: lambda_id 10 (4), "
    scores = page[page.index('id="scores"') : page.index('id="columns"')]
    assert f"{line}&lt;b&gt;bold&lt;/b&gt;." in scores
    assert "<b>bold" not in page
    # The same once in Markdown, whoever asks for the line.
    assert (markdown_table([run]) + notes([run])).count("Not as in the paper") == 1
    plain = RunFiles(Results.model_validate(content("smoothswap")))
    assert "Not as in the paper" not in render([plain])


@pytest.mark.parametrize(("model", "says"), [("smoothswap", True), ("copy-target", False)])
def test_a_run_scored_again_learns_it(model: str, says: bool) -> None:
    """A committed run, as it was before this was said."""
    results = load(ROOT / "results" / "ffpp-default" / model / "results.json")
    before = results.run.model.model_copy(update={"departures": ()})
    found = described(results.model_copy(update={"run": results.run.model_copy(update={"model": before})}))
    assert list(found.departures) == (departures(card("smoothswap-rendered-64")) if says else [])
    assert found.model_copy(update={"departures": ()}) == before
