"""What --frame-numbers says: each form against frames counted by hand, and against FFmpeg's own fps filter."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from bench.data.clips import ClipError, FrameRule, read_clip
from bench.data.numbering import parse
from bench.errors import UsageError
from tests.bench.data.test_clips import folder, numbered, numbers_seen
from tests.support.ffpp_trees import video


@pytest.mark.parametrize(
    ("form", "numbers", "count", "frames"),
    [
        ("as-named", [0, 4, 9], 10, [0, 4, 9]),
        ("from-1", [1, 2, 3], 10, [0, 1, 2]),
        ("skip-2", [0, 1, 2], 10, [2, 3, 4]),
        ("every-3", [1, 2, 3], 10, [0, 3, 6]),
        ("chosen", [0, 1, 2], 11, [0, 5, 10]),
        ("chosen", [7, 8, 30], 11, [0, 5, 10]),
        ("x2@0", [0, 1, 2], 10, [0, 2, 4]),
        ("x0.5@0", [0, 1, 2, 3], 10, [0, 0, 1, 1]),
    ],
)
def test_each_form_means_these_frames(form: str, numbers: list[int], count: int, frames: list[int]) -> None:
    assert parse(form).frames(numbers, count) == frames


@pytest.mark.parametrize(("old", "new"), [(25, 30), (25, 15), (30, 25), (24, 25)])
def test_a_rate_is_that_of_ffmpegs_filter(old: int, new: int) -> None:
    graph = av.filter.Graph()
    chain = [
        graph.add_buffer(width=16, height=16, format="gray", time_base=f"1/{old}"),
        graph.add("fps", str(new)),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*chain).configure()
    shown = []

    def pull() -> None:
        while True:
            try:
                shown.append(int(graph.pull().to_ndarray()[0, 0]))
            except (av.BlockingIOError, av.EOFError):
                return

    for i in range(40):
        frame = av.VideoFrame.from_ndarray(np.full((16, 16), i, np.uint8), format="gray")
        frame.pts = i
        graph.push(frame)
        pull()
    graph.push(None)
    pull()
    ours = parse(f"x{old}/{new}").frames(range(len(shown)), 40)
    assert len(shown) > 20
    # The filter rounds exact halves one way; the last frames hang on how it ends.
    assert np.mean(np.array(ours[:-2]) == np.array(shown[:-2])) > 0.9
    assert np.abs(np.array(ours[:-2]) - np.array(shown[:-2])).max() <= 1


@pytest.mark.parametrize("text", ["from1", "from-0", "every-", "x0", "x25/0", "by-name", "from--1"])
def test_other_forms_are_one_clear_error(text: str) -> None:
    with pytest.raises(UsageError, match="there are as-named"):
        parse(text)


def test_a_renumbered_clip_comes_under_the_targets_numbers(tmp_path: Path) -> None:
    frames = folder(tmp_path / "f", [1, 2, 3, 4])
    read = read_clip(frames, FrameRule(2), below=31, numbering=parse("chosen"))
    assert read.numbers == [0, 30]
    assert numbers_seen(read.frames) == [1, 4]
    late = video(tmp_path / "late.mp4", numbered(6))
    read = read_clip(late, FrameRule(3), below=5, numbering=parse("from-1"))
    assert (read.numbers, numbers_seen(read.frames)) == ([0, 2, 4], [1, 3, 5])
    with pytest.raises(ClipError, match="no frame of the target's clip"):
        read_clip(frames, FrameRule(2), below=3, numbering=parse("from-9"))
