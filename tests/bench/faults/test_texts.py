"""Hostile JSON, TOML and Parquet, a few of each kind: every reader ends in its content or in one error of the project."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bench.faults import readers, tables, texts
from bench.faults.readers import Reader, came_of, damaged_run, rehash
from reports.parquet import read_parquet
from reports.results import ResultsError, load
from smoothswap.config import PRESETS
from smoothswap.plumbing.texts import TextError, json_of, read_json, read_toml
from smoothswap.pretrained import FOLDER
from tests.support import ROOT, made_runs


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    made_runs.write(out, "copy-target", lambda s, t: t.copy(), reference=True, pairs=2)
    return made_runs.write(out, "mine", made_runs.blend(), noise=1, lost=(3,), pairs=2).parent


@pytest.mark.parametrize("fault", texts.JSON, ids=lambda fault: fault.name)
def test_hostile_json_is_content_or_one_error(fault: texts.TextFault, run: Path, tmp_path: Path) -> None:
    whole, path = (run / "mine" / "results.json").read_bytes(), tmp_path / "results.json"
    said: list[str] = []
    for seed in range(12):
        path.write_bytes(fault.forge(seed, whole))
        for read, error in ((read_json, (TextError,)), (load, (ResultsError,))):
            try:
                read(path)
            except error as refused:
                said.append(str(refused))
    assert not [one for one in said if "\n" in one]


@pytest.mark.parametrize("fault", tables.PARQUET, ids=lambda fault: fault.name)
def test_hostile_parquet_is_a_table_or_one_error(fault: texts.TextFault, run: Path, tmp_path: Path) -> None:
    whole, path = (run / "mine" / "frames.parquet").read_bytes(), tmp_path / "frames.parquet"
    said: list[str] = []
    for seed in range(12):
        path.write_bytes(fault.forge(seed, whole))
        try:
            found = read_parquet(path)
        except ResultsError as refused:
            said.append(str(refused))
        else:
            found.to_pandas(ignore_metadata=True)
    assert all(str(path) in one and "\n" not in one for one in said)


@pytest.mark.parametrize("fault", texts.TOML, ids=lambda fault: fault.name)
@pytest.mark.parametrize(
    ("reader", "whole"),
    [(readers.PRESET, PRESETS / "rendered-64.toml"), (readers.RECIPE, FOLDER / "recipe.toml")],
    ids=("preset", "recipe"),
)
def test_hostile_toml_is_content_or_one_error(
    fault: texts.TextFault, reader: Reader, whole: Path, tmp_path: Path
) -> None:
    for seed in range(6):
        came, said = reader.trial(fault, seed, whole, tmp_path)
        assert came != "traceback", said


@pytest.mark.parametrize("study", ["ablation", "embedders-rendered", "validity"])
def test_hostile_studies_are_words_or_one_error(study: str, tmp_path: Path) -> None:
    reader = readers.STUDY[1]
    for i, fault in enumerate(texts.JSON):
        came, said = reader.trial(fault, i, ROOT / "results" / f"{study}.json", tmp_path)
        assert came != "traceback", said


@pytest.mark.parametrize("name", ["results.json", "frames.parquet", "../originals.parquet"])
def test_the_verifier_and_the_table_end_in_words_whatever_is_damaged(
    name: str, run: Path, tmp_path: Path
) -> None:
    kinds = texts.JSON if name.endswith("json") else tables.PARQUET
    for seed, fault in enumerate(kinds):
        place = (Path("mine") / name).as_posix() if name[0] != "." else name.removeprefix("../")
        path = damaged_run(run, place, fault, seed, tmp_path / "run")
        rehash(tmp_path / "run", place)
        for read in (readers.OF_RUNS["bench.verify"], readers.OF_RUNS["reports"]):
            came, said = came_of(read, path)
            assert came != "traceback", said
        shutil.rmtree(tmp_path / "run")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": [1, NaN]}', "NaN"),
        ('{"a": {"b": [0, 1e999]}}', r"at a\.b\.1: a number that is not finite"),
        ('{"a": 1' + "0" * 40 + "}", "at a: a whole number of more than 64 bits"),
        ('{"a": ' + "9" * 5000 + "}", "digits|64 bits"),
        ('{"a": "\\ud800"}', "half a letter"),
        ("[" * 60 + "]" * 60, "nested more than 40 levels deep"),
        ("[" * 200_000 + "]" * 200_000, "nested more than 40 levels deep"),
        ('{"a": 1,\n "b": }', "line 2, column 7"),
    ],
)
def test_one_error_names_the_place(text: str, said: str) -> None:
    with pytest.raises(TextError, match=said):
        json_of(text)


def test_a_long_key_of_toml_costs_no_time(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(".".join(["a"] * 100_000) + " = 1")
    with pytest.raises(TextError, match="line 1 has a key of more than 40 parts"):
        read_toml(path)


def test_states_of_generators_have_more_bits() -> None:
    assert json_of(json.dumps({"state": 2**120}), wide=True) == {"state": 2**120}
