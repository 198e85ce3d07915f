"""What a worker was at when it hung or died is failed rows, for every model alike; and clips of fewer frames than asked."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import cv2
import pandas as pd
import pytest

from bench.ffpp.__main__ import main
from bench.reading.reader import Reader
from bench.verify.__main__ import main as verify
from reports.results import load
from smoothswap.guarded import WorkerLost, Workers
from tests.support.ffpp_trees import original, swapped_frames, video

HUNG = "hung for 120 seconds and was killed"


class Losing(Workers):
    """Workers in this process that are lost over the jobs for which `over` says so."""

    def __init__(self, over: Any, *given: Any, **named: Any) -> None:
        super().__init__(0, *given[1:], **named)
        self.over = over

    def submit(self, call: Any, *arguments: Any, weight: float = 1, urgent: bool = False) -> Future[Any]:
        if self.over(call, arguments):
            lost: Future[Any] = Future()
            lost.set_exception(WorkerLost(HUNG))
            return lost
        return super().submit(call, *arguments)


def scored(tree: Path, out: Path, colours: str, *options: str) -> dict[str, pd.DataFrame]:
    """The rows of every model of a run."""
    command = ["--data", str(tree), "--out", str(out), "--frames", "3", "--instruments", colours]
    assert main([*command, "--workers", "1", "--device", "cpu", "--no-references", *options]) == 0
    rows = {path.parent.name: pd.read_parquet(path) for path in out.glob("*/frames.parquet")}
    for model, table in rows.items():
        counts = load(out / model / "results.json").counts
        assert counts.expected == len(table) == counts.used + sum(counts.failed.values())
    return rows


def test_a_clip_over_which_a_worker_hangs_costs_its_pairs(
    tree: Path,
    tmp_path: Path,
    colours: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bad, tried = original(tree, "000"), []

    def over(call: Any, arguments: tuple[Any, ...]) -> bool:
        tried.extend(one for one in arguments if one == bad)
        return bad in arguments

    monkeypatch.setattr("bench.reading.pool.Workers", lambda *given, **named: Losing(over, *given, **named))
    models = ("--model", "copy-source", "--model", "stranger")
    for rows in scored(tree, tmp_path / "out", colours, *models).values():
        lost = rows["clip"].isin(["000_001", "001_000"])
        assert (rows[lost]["status"] == "decode_error").all()
        assert rows[lost]["reason"].str.contains(HUNG).all()
        assert (rows[~lost]["status"] == "ok").all()
    assert len(tried) == 1  # it is not tried again for another pair, nor as a stranger
    assert f"warning: original/c23/000: the worker process that read it {HUNG}" in capsys.readouterr().err
    assert verify([str(tmp_path / "out")]) == 0


def test_a_worker_lost_over_swapped_frames_costs_its_group_for_every_model(
    tree: Path, tmp_path: Path, colours: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 0

    def over(call: Any, arguments: tuple[Any, ...]) -> bool:
        nonlocal count
        count += call is Reader.swaps
        return call is Reader.swaps and count == 2

    monkeypatch.setattr("bench.reading.pool.Workers", lambda *given, **named: Losing(over, *given, **named))
    rows = scored(tree, tmp_path / "out", colours, "--model", "copy-source", "--model", "copy-target")
    for table in rows.values():
        lost = table["clip"].isin(["000_001", "001_000"])
        assert (table[lost]["status"] == "decode_error").all()
        assert list(table["frame"]) == [0, 2, 4] * 4
        assert (table[~lost]["status"] == "ok").all()
    assert verify([str(tmp_path / "out")]) == 0


def test_an_instrument_that_fails_over_a_frame_costs_its_group(
    tree: Path, tmp_path: Path, colours: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    originals = Reader.originals

    def failing(self: Reader, frames: Any, look: bool = False) -> Any:
        if len(frames) and frames[0][0, 0, 1] > 200 and frames[0][0, 0, 0] < 50:  # clip 001, framed in green
            raise cv2.error("what no list covers")
        return originals(self, frames, look)

    monkeypatch.setattr(Reader, "originals", failing)
    rows = scored(tree, tmp_path / "out", colours, "--model", "copy-source")["copy-source"]
    reasons = rows.groupby("clip")["reason"].first()
    assert "it cannot be read (error: what no list covers)" in reasons["001_000"]
    assert (reasons[["002_003", "003_002"]] == "").all()


def test_a_clip_is_expected_to_have_what_the_protocol_asks_for(
    tree: Path, tmp_path: Path, colours: str
) -> None:
    """Clips of five frames, of which six are asked for; a shorter swap; and a swap that is one picture."""
    swaps = tmp_path / "swaps"
    for target, source in (("000", "001"), ("001", "000"), ("002", "003")):
        video(swaps / f"{target}_{source}.mp4", swapped_frames(target, source, 2 if target == "001" else 5))
    cv2.imwrite(str(swaps / "003_002.png"), swapped_frames("003", "002")[0][:, :, ::-1])
    models = ("--model", f"images:{swaps}", "--model", "copy-target", "--frames", "6", "--check", "warn")
    rows = scored(tree, tmp_path / "out", colours, *models)
    for clip, numbers in {
        "000_001": [0, 1, 2, 3, 4, -1],
        "001_000": [0, 1, -1, -1, -1, -1],
        "003_002": [0],
    }.items():
        assert rows["swaps"].loc[rows["swaps"]["clip"] == clip, "frame"].tolist() == numbers
    assert (rows["copy-target"].groupby("clip").size() == 6).all()
    for table in rows.values():
        lacking = table["frame"] < 0
        assert (table[lacking]["status"] == "not_available").all()
        assert table[lacking]["reason"].str.contains(r"has [25] of the 6 frames").all()
        assert (table[~lacking]["status"] == "ok").all()
    assert verify([str(tmp_path / "out")]) == 0
