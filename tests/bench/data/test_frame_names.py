"""Frames by the numbers in their names: what is a number, what is a time, what is nothing."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.data.clips import ClipError, FrameRule, read_clip, read_original
from bench.data.frame_names import TimesError, numbered


def folder(path: Path, *names: str) -> Path:
    path.mkdir()
    for name in names:
        Image.fromarray(np.full((32, 32, 3), 90, np.uint8)).save(path / name, "PNG")
    return path


@pytest.mark.parametrize(
    "form",
    [
        "{:04d}.png",
        "frame_{:d}.PNG",
        "000_003.{:04d}.png",
        "000_003_{:03d}.png",
        "v1.{:03d}.png",
        "clip2-{:d}.png",
    ],
)
def test_the_last_number_is_the_frame(form: str, tmp_path: Path) -> None:
    names = [form.format(i) for i in (0, 1, 12)]
    found = numbered(folder(tmp_path / "f", *names))
    assert {number: path.name for number, path in found.files.items()} == dict(
        zip((0, 1, 12), names, strict=True)
    )


@pytest.mark.parametrize(
    "form",
    [
        "{:.2f}.png",
        "swap_{:.2f}.png",
        "t{:.3f}.png",
        "{:.3f}s.png",
        "{:.6f}.png",
        "00:00:0{:.2f}.png",
        "{:.1f}ms.png",
    ],
)
def test_a_time_is_no_frame_number(form: str, tmp_path: Path) -> None:
    names = [form.format(i / 25) for i in range(3)]
    with pytest.raises(TimesError, match="is named by a time; name frames by their number"):
        numbered(folder(tmp_path / "f", *dict.fromkeys(names)))


def test_a_clock_is_no_frame_number_and_a_clip_of_that_name_is(tmp_path: Path) -> None:
    with pytest.raises(TimesError):
        numbered(folder(tmp_path / "f", "00-00-01.png", "00-00-02.png"))
    with pytest.raises(TimesError):
        numbered(folder(tmp_path / "g", "00h00m01s040.png", "00h00m01s080.png"))
    assert list(numbered(folder(tmp_path / "h", "01_02_03.png", "01_02_104.png")).files) == [3, 104]


def test_hidden_files_are_nothing_and_what_is_passed_over_is_named(tmp_path: Path) -> None:
    clip = folder(tmp_path / "f", "0000.png", "0001.png")
    for name in ("._0000.png", ".DS_Store", "Thumbs.db", "notes.txt"):
        (clip / name).write_bytes(b"\0\5\26\7")
    (clip / "0002.png").mkdir()
    found = numbered(clip)
    assert list(found.files) == [0, 1, 2]
    assert found.passed_over == ["Thumbs.db", "notes.txt"]
    read = read_clip(clip, FrameRule(3))
    assert [bool(reason) for reason in read.reasons] == [False, False, True]
    assert read.passed_over == ("Thumbs.db", "notes.txt")


@pytest.mark.parametrize("number", [2**31, 2**63, 2**64 + 1, 10**30])
def test_a_number_that_no_clip_has_is_one_error(number: int, tmp_path: Path) -> None:
    with pytest.raises(ClipError, match=f"{number} is no frame number"):
        numbered(folder(tmp_path / "f", "0000.png", f"{number}.png"))


def test_originals_are_numbered_from_0_or_refused(tmp_path: Path) -> None:
    late = folder(tmp_path / "late", *(f"{i:04d}.png" for i in range(1, 5)))
    with pytest.raises(ClipError, match="is numbered from 1; number the frames of an original from 0"):
        read_original(late, FrameRule(3))
    assert read_original(folder(tmp_path / "some", "0000.png", "0009.png"), FrameRule(3)).numbers == [0, 9]


def test_finished_frames_that_are_plainly_numbered_from_1_are_refused(tmp_path: Path) -> None:
    late = folder(tmp_path / "late", *(f"{i:04d}.png" for i in range(1, 5)))
    with pytest.raises(ClipError, match=r"has a frame 4 and no frame 0.*--frame-numbers from-1"):
        read_clip(late, FrameRule(3), below=4)
    assert read_clip(late, FrameRule(4), below=5).numbers == [1, 2, 3, 4]  # the first frame may be left out


def test_a_frame_that_is_a_pipe_is_a_gap(tmp_path: Path) -> None:
    clip = folder(tmp_path / "f", "0000.png")
    os.mkfifo(clip / "0001.png")
    assert "a pipe or a device" in read_clip(clip, FrameRule(2)).reasons[1]
