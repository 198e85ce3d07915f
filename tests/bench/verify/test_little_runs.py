"""Runs of which little is left: bench.verify is silent about genuine ones, names emptied ones, and never stops."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.ffpp.protocol import Protocol
from bench.verify.__main__ import check, main
from tests.support import made_runs


@pytest.mark.parametrize("lost", [(), (0,), tuple(range(8))], ids=("none lost", "one lost", "all lost"))
def test_a_run_of_one_pair_of_people_is_sound(lost: tuple[int, ...], tmp_path: Path) -> None:
    folder = made_runs.write(tmp_path, "mine", made_runs.blend(), noise=1, lost=lost, pairs=1)
    assert check(folder).violations == []


def test_a_run_of_one_frame_is_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made_runs, "FRAMES", 1)
    monkeypatch.setattr(made_runs, "NUMBERS", [0])
    folder = made_runs.write(tmp_path, "mine", made_runs.blend(), pairs=1, protocol=Protocol(frames=1))
    assert check(folder).violations == []


def test_values_that_differ_by_rounding_alone_are_sound(tmp_path: Path) -> None:
    """The target itself: distances of 0 or 1e-16, and intervals as narrow."""
    folder = made_runs.write(tmp_path, "copy-target", lambda s, t: t.copy(), reference=True, pairs=2)
    assert check(folder).violations == []


@pytest.mark.parametrize("name", ["frames.parquet", "../originals.parquet"])
@pytest.mark.parametrize("left", ["no rows", "no columns", "one row"])
def test_emptied_tables_are_named(
    name: str, left: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = made_runs.write(tmp_path, "mine", made_runs.blend(), noise=1, lost=(2,), pairs=1)
    rows = pd.read_parquet(folder / name)
    kept = {"no rows": rows.iloc[:0], "no columns": rows[[]], "one row": rows.iloc[:1]}[left]
    kept.to_parquet(folder / name, index=False)
    assert main([str(tmp_path)]) == 3
    printed = capsys.readouterr().out
    assert "VIOLATION" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize("column", ["status", "frame", "posed", "swap/made/pose", "metric/pose", "cluster"])
def test_columns_of_another_type_are_named(column: str, tmp_path: Path) -> None:
    folder = made_runs.write(tmp_path, "mine", made_runs.blend(), pairs=1)
    for wrong in ("x", 1.5, [["x"]], np.datetime64("2026-11-28")):
        made_runs.edit_frames(folder, lambda rows, wrong=wrong: rows.assign(**{column: [wrong] * len(rows)}))
        assert any(column.split("/")[-1] in said or "posed" in said for said in check(folder).violations)


def test_an_interval_near_zero_is_held_to_its_own_size(tmp_path: Path) -> None:
    """A hundred-thousandth of everything: what is narrowed is still named."""

    def small(s: np.ndarray, t: np.ndarray) -> np.ndarray:
        return t + 1e-5 * (s - t)

    folder = made_runs.write(tmp_path, "mine", small, pairs=4)
    assert check(folder).violations == []

    def narrowed(content: dict[str, Any]) -> None:
        one = content["metrics"]["pose"]
        one["ci95"] = [(2 * one["value"] + end) / 3 for end in one["ci95"]]

    made_runs.edit_results(folder, narrowed)
    assert any("metric pose: interval" in said for said in check(folder).violations)
