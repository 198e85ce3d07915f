"""Who has seen the people of a test is said: of rendered people by their seed, on photographs by name, else not known."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench import leaks
from bench.data.ffpp import FaceForensics
from bench.data.pairs import Pair
from bench.reading.embedder import JUDGE
from bench.reading.instruments import create
from bench.swappers import Swapper
from reports.fields import Seen
from reports.html import render
from reports.markdown import markdown_table
from reports.results import load
from reports.run_files import RunFiles
from reports.seen import sentence, warnings
from smoothswap.lineage import Lineage, named_people
from smoothswap.rendered import streams
from tests.support import made_runs

PAIRS = [Pair("000_001", "000", "001", "000", "001"), Pair("001_000", "001", "000", "001", "000")]


@pytest.fixture
def data(tree: Path) -> Any:
    return FaceForensics(tree)


def write(data: Any, name: str, content: object) -> None:
    (data.root / name).write_text(json.dumps(content))


def judge(lineage: Lineage | None) -> Any:
    return SimpleNamespace(name="judge", lineage=lineage)


def counted(data: Any, lineage: Lineage | None) -> tuple[int, int, int]:
    (found,) = leaks.of_instruments([judge(lineage)], leaks.people_of(data, PAIRS))
    return found.seen, found.unknown, found.people


def test_rendered_people_are_known_by_seed(data: Any) -> None:
    assert streams.CLIPS == 77  # what committed trees were drawn with
    write(data, "rendered.json", {"seed": 5})
    assert leaks.people_of(data, PAIRS) == ["rendered:5:77:0", "rendered:5:77:1"]
    assert counted(data, Lineage(people=frozenset({"rendered:5:77:0..0"}))) == (1, 0, 2)
    assert counted(data, Lineage(people=frozenset({"rendered:5:0..99"}))) == (
        1,
        0,
        2,
    )  # person 77 is the clips' first
    assert counted(data, Lineage(people=frozenset({"rendered:4:0..99"}))) == (0, 0, 2)
    assert counted(data, Lineage(people=frozenset({"photographs"}))) == (0, 0, 2)
    assert counted(data, None) == (0, 2, 2)


def test_people_on_photographs_are_known_by_name(data: Any) -> None:
    write(data, "identities.json", {"people": {"000": {"name": "Ann_Lee"}, "001": {"name": "Bo_Ek"}}})
    names = named_people(["Bo_Ek", "Cy_Day"])
    assert counted(data, Lineage(people=frozenset(names), names=names)) == (1, 0, 2)
    assert counted(data, Lineage(people=frozenset({"photographs"}))) == (0, 2, 2)
    assert counted(data, Lineage(people=frozenset({"rendered:5:0..99"}))) == (0, 0, 2)


def test_clips_that_name_nobody_are_not_known(data: Any) -> None:
    names = named_people(["Bo_Ek"])
    assert counted(data, Lineage(people=frozenset(names), names=names)) == (0, 2, 2)
    assert counted(data, Lineage(people=frozenset({"rendered:5:0..99"}))) == (0, 0, 2)


def test_what_comes_with_the_project_says_whom_it_was_trained_on(data: Any) -> None:
    write(data, "rendered.json", {"seed": 2000})
    people = leaks.people_of(data, PAIRS)
    found = leaks.of_instruments([create(spec) for spec in ("anny", "anny-landmarks", "dlib", JUDGE)], people)
    assert [(one.seen, one.unknown) for one in found] == [(0, 0), (0, 0), (0, 0), (1, 0)]


def test_models_of_ours_say_it_too(data: Any) -> None:
    write(data, "rendered.json", {"seed": 5})
    people = leaks.people_of(data, PAIRS)
    ours = SimpleNamespace(lineage=Lineage(people=frozenset({"rendered:5:77:0..9"})))
    (found,) = leaks.of_model(Swapper("mine", "mine", "crop", ours, "mine"), people)
    assert str(found) == "mine 2 of 2"
    assert leaks.of_model(Swapper("other", "other", "crop", SimpleNamespace(), "other"), people) == []


def test_it_stands_in_results_table_page_and_warnings(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["run"]["seen"] = [
            {"who": "mine", "role": "model", "people": 40, "seen": 3, "unknown": 5},
            {"who": "made", "role": "instrument", "people": 40, "seen": 0, "unknown": 40},
        ]

    folder = made_runs.write(tmp_path, "mine", made_runs.blend(), change=change)
    results = load(folder / "results.json")
    assert results.run.seen[0] == Seen(who="mine", role="model", people=40, seen=3, unknown=5)
    said = "Seen in training, of the people of this run: made unknown; mine at least 3 of 40."
    assert sentence([results]) == said
    (warning,) = warnings([results])
    assert "the model mine was trained on 3 of the 40 people" in warning
    runs = [RunFiles.read(folder)]
    assert said in markdown_table(runs)
    page = render(runs)
    assert said in page
    assert warning in page
    plain = made_runs.write(tmp_path / "old", "mine", made_runs.blend())
    assert load(plain / "results.json").run.seen == ()  # an older file says nothing
    assert sentence([load(plain / "results.json")]) == ""
