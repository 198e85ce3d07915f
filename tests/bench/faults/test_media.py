"""Damaged media by kind: one clear error or the same frames in every pass, and a run whose ledger adds up."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bench.data.clips import ClipError, FrameRule, read_original
from bench.faults.media import FAULTS
from bench.ffpp.__main__ import main
from bench.finished import thumbnails
from reports.results import load
from smoothswap.media.video import VideoError, write_video
from tests.support.ffpp_trees import original
from tests.support.numbered_frames import numbered


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    write_video(path, [numbered(i) for i in range(8)])
    return path


def what_comes(path: Path) -> str | list[Any]:
    """The error, or what was read, as something that can be compared."""
    try:
        read = read_original(path, FrameRule(3))
    except (VideoError, ClipError) as error:
        return str(error)
    return [read.count, *(None if frame is None else frame.tobytes() for frame in read.frames)]


@pytest.mark.parametrize("name", FAULTS)
def test_a_damaged_clip_is_one_error_or_the_same_frames_in_every_pass(
    name: str, film: Path, tmp_path: Path
) -> None:
    fault = FAULTS[name]
    for seed in range(1 if name == "bomb" else 4):
        place = tmp_path / str(seed)
        place.mkdir()
        path = Path(shutil.copy(film, place / "000.mp4"))
        fault.inject(path, seed)
        if not path.is_symlink() and not path.exists():
            path = path.with_suffix("")  # it became a folder of frames
        came = what_comes(path)
        assert came == what_comes(path)
        readable = isinstance(came, list) and any(frame is not None for frame in came[1:])
        assert readable or fault.rows != "ok"
        assert not (readable and fault.rows == "failed")
        if isinstance(came, str):
            assert str(path) in came
            assert "\n" not in came
        try:
            thumbnails.read(path, most=3)
        except thumbnails.UNREADABLE:
            assert fault.rows != "ok"


@pytest.mark.parametrize(
    "names", [("codec", "number", "playlist"), ("pipe", "one-frame", "transport-stream")]
)
def test_a_run_over_damaged_clips_goes_to_its_end(
    names: tuple[str, ...], tree: Path, colours: str, tmp_path: Path
) -> None:
    for clip, name in zip(("000", "001", "002"), names, strict=True):
        FAULTS[name].inject(original(tree, clip), 1)
    options = [
        "--data",
        str(tree),
        "--frames",
        "4",
        "--instruments",
        colours,
        "--workers",
        "1",
        "--device",
        "cpu",
    ]
    out = tmp_path / "out"
    assert main([*options, "--model", "copy-source", "--no-references", "--out", str(out)]) == 0
    counts = load(out / "copy-source" / "results.json").counts
    rows = pd.read_parquet(out / "copy-source" / "frames.parquet")
    assert counts.expected == len(rows) == 4 * 4 == counts.used + sum(counts.failed.values())
    assert (rows.groupby("clip").size() == 4).all()
    assert (rows["reason"] != "").equals(rows["status"] != "ok")
    assert (rows.loc[rows["clip"] == "000_001", "status"] == "decode_error").all()
