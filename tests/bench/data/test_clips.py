"""Frames of a clip: videos whose frames carry their number as pixels, folders, lone images."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.data.clips import ClipError, FrameRule, read_clip, read_numbers
from smoothswap.media.video import VideoError
from tests.support.ffpp_trees import video


def numbered(n: int) -> list[np.ndarray]:
    return [np.full((32, 32, 3), 8 * i, np.uint8) for i in range(n)]


def numbers_seen(frames: list[np.ndarray | None]) -> list[int]:
    return [round(float(f.mean()) / 8) for f in frames if f is not None]


def folder(path: Path, numbers: list[int], name: str = "{:04d}.png") -> Path:
    path.mkdir()
    for number in numbers:
        cv2.imwrite(str(path / name.format(number)), np.full((32, 32, 3), 8 * number, np.uint8))
    return path


def test_a_video_gives_even_frames_with_both_ends(tmp_path: Path) -> None:
    read = read_clip(video(tmp_path / "a.mp4", numbered(21)), FrameRule(5))
    assert read.numbers == numbers_seen(read.frames) == [0, 5, 10, 15, 20]
    assert read.count == 21


def test_frames_beyond_the_targets_end_are_left_out(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mp4", numbered(21))
    assert numbers_seen(read_clip(path, FrameRule(3), below=11).frames) == [0, 5, 10]
    frames = folder(tmp_path / "f", list(range(21)))
    assert numbers_seen(read_clip(frames, FrameRule(3), below=11).frames) == [0, 5, 10]


def test_a_folder_goes_by_the_numbers_in_its_names(tmp_path: Path) -> None:
    frames = folder(tmp_path / "f", [20, 3, 7, 11, 15], "swap_{:d}.png")
    read = read_clip(frames, FrameRule(3))
    assert read.numbers == numbers_seen(read.frames) == [3, 11, 20]
    assert numbers_seen(read_numbers(frames, [7, 15]).frames) == [7, 15]
    with pytest.raises(ClipError, match="lacks the frames 8"):
        read_numbers(frames, [8])


def test_an_unreadable_frame_is_a_gap_with_its_reason(tmp_path: Path) -> None:
    frames = folder(tmp_path / "f", [0, 1, 2])
    (frames / "0001.png").write_bytes(b"\x89PNG but no more")
    read = read_clip(frames, FrameRule(3))
    assert [frame is None for frame in read.frames] == [False, True, False]
    assert "0001.png" in read.reasons[1]


def test_a_lone_image_is_frame_0(tmp_path: Path) -> None:
    path = tmp_path / "000_001.png"
    cv2.imwrite(str(path), np.full((32, 32, 3), 80, np.uint8))
    read = read_clip(path, FrameRule(10))
    assert (read.numbers, read.count) == ([0], 1)


def test_folders_that_cannot_be_understood(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(ClipError, match="holds no images"):
        read_clip(tmp_path / "none", FrameRule(3))
    with pytest.raises(ClipError, match=r"has no frame number; name frames by their number"):
        read_clip(folder(tmp_path / "x", [0], "face.png"), FrameRule(3))
    twice = folder(tmp_path / "y", [1])
    (folder(tmp_path / "z", [1]) / "0001.png").rename(twice / "01.png")
    with pytest.raises(ClipError, match="both frame 1"):
        read_clip(twice, FrameRule(3))
    with pytest.raises(ClipError, match="numbered from 0"):
        read_clip(folder(tmp_path / "late", [30, 31]), FrameRule(3), below=10)
    with pytest.raises(VideoError):
        read_clip(tmp_path / "missing.mp4", FrameRule(3))


def test_frames_in_a_row_come_from_the_middle(tmp_path: Path) -> None:
    rule = FrameRule(4, consecutive=True)
    path = video(tmp_path / "a.mp4", numbered(21))
    read = read_clip(path, rule)
    assert read.numbers == numbers_seen(read.frames) == [8, 9, 10, 11]
    assert read_clip(path, rule, below=11).numbers == [3, 4, 5, 6]
    assert read_clip(folder(tmp_path / "gaps", [0, 3, 4, 5, 9, 10]), rule).numbers == [3, 4, 5, 9]
