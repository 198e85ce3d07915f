"""python -m bench.make_pairs: everybody is once a source and once a target, and in one pair of people."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from bench.data.lists.pair_list import SPLIT, PairList
from bench.data.lists.table import read_table
from bench.data.pairs import in_several_pairs
from bench.make_pairs import main


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Six people with three photographs, and one with one."""
    for name, photos in {**dict.fromkeys("ABCDEF", 3), "G": 1}.items():
        for i in range(photos):
            path = tmp_path / "people" / name / f"{name}_{i}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return tmp_path / "people"


def made(people: Path, out: Path, *options: str) -> list[dict[str, str]]:
    assert main(["--from", str(people), "--out", str(out), *options]) == 0
    return list(csv.DictReader(out.open()))


def test_everybody_is_once_a_source_and_once_a_target(people: Path, tmp_path: Path) -> None:
    rows = made(people, tmp_path / "pairs.csv")
    assert sorted(row["source_person"] for row in rows) == list("ABCDEF")
    assert sorted(row["target_person"] for row in rows) == list("ABCDEF")
    shown = [row[side] for row in rows for side in ("source", "target")]
    assert len(set(shown)) == 12, "a person's two photographs are one"
    data = PairList(read_table(tmp_path / "pairs.csv"), people)
    pairs = data.pairs(SPLIT)
    data.require(pairs)
    assert len({pair.cluster for pair in pairs}) == 3
    assert not in_several_pairs(pairs)


def test_the_seed_and_the_number_draw_people(people: Path, tmp_path: Path) -> None:
    lots = [made(people, tmp_path / "pairs.csv", "--people", "5", "--seed", str(seed)) for seed in (0, 0, 1)]
    assert lots[0] == lots[1] != lots[2]
    assert [len(rows) for rows in lots] == [4, 4, 4]
    (tmp_path / "who.txt").write_text("A\nG\nC\n")
    named = made(people, tmp_path / "pairs.csv", "--listed", str(tmp_path / "who.txt"))
    assert {row["source_person"] for row in named} == {"A", "C"}


@pytest.mark.parametrize(
    ("options", "said"), [(["--people", "8"], "6 people have two"), (["--from", "none"], "no folder")]
)
def test_too_few_people_are_refused(
    people: Path, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--from", str(people), *options]) == 3
    assert said in capsys.readouterr().err
