"""Frame indices, proven on videos whose frames carry their own number; damaged files; writing."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smoothswap.media.video import (
    VideoError,
    even_indices,
    middle_indices,
    read_even,
    read_frames,
    write_video,
)
from tests.support.numbered_frames import number_of, numbered


def encode(path: Path, count: int, codec: str = "libx264", **options: str) -> None:
    """Encode numbered frames straight with PyAV, apart from the code under test; MP4 with its index first."""
    front = {"movflags": "faststart"} if path.suffix == ".mp4" else {}
    with av.open(str(path), "w", options=front) as container:
        stream: Any = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 192, 96, "yuv420p"
        stream.options = options
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(numbered(index), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


VARIANTS = {
    "b_frames": {"bf": "3", "b-pyramid": "normal", "g": "12"},
    "one_long_group": {"g": "1000", "keyint_min": "1000", "bf": "2"},
    "open_groups": {"g": "10", "x264-params": "open-gop=1:bframes=3"},
    "intra_only": {"g": "1"},
    "no_b_frames": {"bf": "0", "g": "30"},
    "strong_compression": {"crf": "40", "bf": "4"},
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_every_frame_is_where_its_number_says(tmp_path: Path, variant: str, suffix: str) -> None:
    path = tmp_path / f"clip.{suffix}"
    encode(path, 57, **VARIANTS[variant])
    assert [number_of(frame) for frame in read_frames(path).frames] == list(range(57))
    even = read_even(path, 10)
    assert even.count == 57
    assert even.indices == even_indices(57, 10)
    assert [number_of(frame) for frame in even.frames] == even.indices
    some = read_frames(path, [41, 3, 3, 56, 0])
    assert [number_of(frame) for frame in some.frames] == [41, 3, 3, 56, 0] == some.indices


def test_a_long_clip_of_one_group(tmp_path: Path) -> None:
    path = tmp_path / "long.mp4"
    encode(path, 300, **VARIANTS["one_long_group"])
    even, every = read_even(path, 10), read_frames(path).frames
    assert even.indices == [0, 33, 66, 100, 133, 166, 199, 233, 266, 299]
    assert [number_of(frame) for frame in even.frames] == even.indices
    for index, frame in zip(even.indices, even.frames, strict=True):
        np.testing.assert_array_equal(frame, every[index])


def test_another_codec(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    encode(path, 40, codec="mpeg4", bf="2", b="2000000")
    even = read_even(path, 7)
    assert [number_of(frame) for frame in even.frames] == even.indices == even_indices(40, 7)


@pytest.mark.parametrize("claimed", [0, 5, 100_000])
def test_a_container_that_lies_about_its_count(tmp_path: Path, claimed: int) -> None:
    """The AVI header's two frame counts are overwritten; the frames stay what they are."""
    path = tmp_path / "liar.avi"
    encode(path, 30, codec="mpeg4", b="2000000")
    data = bytearray(path.read_bytes())
    main = data.index(b"avih") + 8 + 16  # dwTotalFrames of the main header
    stream = data.index(b"strh") + 8 + 32  # dwLength of the stream header
    for place in (main, stream):
        assert int.from_bytes(data[place : place + 4], "little") == 30
        data[place : place + 4] = claimed.to_bytes(4, "little")
    path.write_bytes(data)
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames != 30
    even = read_even(path, 10)
    assert even.count == 30
    assert [number_of(frame) for frame in even.frames] == even_indices(30, 10)


@pytest.mark.parametrize("part", [0.9, 0.6, 0.3])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_truncated_file_is_the_frames_that_are_left(tmp_path: Path, suffix: str, part: float) -> None:
    path = tmp_path / f"cut.{suffix}"
    encode(path, 80, **VARIANTS["no_b_frames"])
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    every = read_frames(path)
    assert 0 < every.count < 80
    assert [number_of(frame) for frame in every.frames] == list(range(every.count))
    even = read_even(path, 6)
    assert even.count == every.count
    assert [number_of(frame) for frame in even.frames] == even_indices(every.count, 6)


def test_packets_that_decode_to_nothing_do_not_count(tmp_path: Path) -> None:
    """Every packet from the 20th on is overwritten in place: the container still lists 40 packets."""
    path = tmp_path / "hollow.mp4"
    encode(path, 40, **VARIANTS["intra_only"])
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    for place, size in places[20:]:
        data[place : place + size] = b"\xff" * size
    path.write_bytes(data)
    even = read_even(path, 5)
    assert even.count == 20
    assert [number_of(frame) for frame in even.frames] == even_indices(20, 5)


def test_no_frame_no_video(tmp_path: Path) -> None:
    whole = tmp_path / "whole.mp4"
    encode(whole, 12, **VARIANTS["intra_only"])
    with av.open(str(whole)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = bytearray(whole.read_bytes())
    for place, size in places:
        data[place : place + size] = b"\xff" * size
    (tmp_path / "hollow.mp4").write_bytes(data)
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("this is no video\n" * 100)
    (tmp_path / "headless.mp4").write_bytes(whole.read_bytes()[:200])  # within the index
    (tmp_path / "folder.mp4").mkdir()
    reasons = {
        "hollow.mp4": "no frame of the video decodes",
        "empty.mp4": "the file is empty",
        "text.mp4": "not a readable video",
        "headless.mp4": "no video stream",
        "folder.mp4": "no such video file",
        "missing.mp4": "no such video file",
    }
    for name, reason in reasons.items():
        with pytest.raises(VideoError, match=reason) as read_all:
            read_frames(tmp_path / name)
        assert name in str(read_all.value)
        with pytest.raises(VideoError, match=reason):
            read_even(tmp_path / name, 10)


def test_a_sound_file_without_pictures(tmp_path: Path) -> None:
    path = tmp_path / "sound.mkv"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(VideoError, match="no video stream"):
        read_frames(path)


def test_an_index_outside_the_clip(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    encode(path, 8)
    for index in (8, -1):
        with pytest.raises(VideoError, match=f"frame {index} was asked for, but 8 frames decode"):
            read_frames(path, [0, index])


@settings(deadline=None)
@given(count=st.integers(1, 5000), k=st.integers(1, 200))
def test_even_indices_hold_their_promises(count: int, k: int) -> None:
    indices = even_indices(count, k)
    assert len(indices) == min(count, k)
    assert all(a < b for a, b in pairwise(indices))
    if k > 1:
        assert (indices[0], indices[-1]) == (0, count - 1)
    if 1 < k < count:
        for i, index in enumerate(indices):
            exact = Fraction(i * (count - 1), k - 1)
            assert abs(index - exact) <= Fraction(1, 2)
            assert abs(index - exact) < Fraction(1, 2) or index % 2 == 0


def test_even_indices_by_hand() -> None:
    assert even_indices(300, 10) == [0, 33, 66, 100, 133, 166, 199, 233, 266, 299]
    assert even_indices(6, 3) == [0, 2, 5]  # 2.5 goes to the even 2
    assert even_indices(8, 3) == [0, 4, 7]  # 3.5 goes to the even 4
    assert even_indices(9, 1) == [4]
    assert even_indices(10, 1) == [4]
    assert even_indices(3, 10) == [0, 1, 2]
    for count, k in ((0, 3), (3, 0), (-1, 1)):
        with pytest.raises(ValueError, match="count >= 1 and k >= 1"):
            even_indices(count, k)


def test_written_videos_come_back(tmp_path: Path, smooth_frame: np.ndarray) -> None:
    soft = smooth_frame // 2 + 50  # away from the corners of the colour cube, which yuv420p cuts off
    clip = [soft[i : i + 200, 2 * i : 2 * i + 200] for i in range(12)]
    write_video(tmp_path / "clip.mp4", clip, fps=30, crf=4)
    back = read_frames(tmp_path / "clip.mp4")
    assert back.count == 12
    for before, after in zip(clip, back.frames, strict=True):
        difference = after.astype(float) - before
        assert abs(difference).mean() < 2.5
        assert abs(difference.mean((0, 1))).max() < 0.6  # the same matrix both ways, and nothing rounded down
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert container.streams.video[0].average_rate == 30
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"


def test_lossless_is_bit_exact_even_for_odd_sizes(tmp_path: Path) -> None:
    clip = list(np.random.default_rng(1).integers(0, 256, (5, 33, 47, 3), np.uint8))
    write_video(tmp_path / "clip.mp4", clip, lossless=True)
    np.testing.assert_array_equal(read_frames(tmp_path / "clip.mp4").frames, clip)


def test_writing_is_reproducible_and_whole_or_not_at_all(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", [numbered(i) for i in range(30)])
    for _ in range(12):  # x264's macroblock tree varied between runs, not always
        write_video(tmp_path / "b.mp4", (numbered(i) for i in range(30)))
        assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()

    before = (tmp_path / "a.mp4").read_bytes()
    bad = [numbered(0), numbered(1)[:64]]
    with pytest.raises(VideoError, match="one size"):
        write_video(tmp_path / "a.mp4", bad)
    assert (tmp_path / "a.mp4").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


def test_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no frames to write"):
        write_video(tmp_path / "a.mp4", [])
    with pytest.raises(VideoError, match="needs even sides, the frames are 47 x 32"):
        write_video(tmp_path / "a.mp4", [np.zeros((32, 47, 3), np.uint8)])
    with pytest.raises(VideoError, match="uint8"):
        write_video(tmp_path / "a.mp4", [np.zeros((32, 32, 3), np.float32)])
    with pytest.raises(VideoError, match="is the folder there, writable"):
        write_video(tmp_path / "nowhere" / "a.mp4", [numbered(0)])
    assert list(tmp_path.iterdir()) == []


def test_middle_indices_follow_each_other_around_the_middle() -> None:
    assert middle_indices(10, 4) == [3, 4, 5, 6]
    assert middle_indices(9, 4) == [2, 3, 4, 5]
    assert middle_indices(3, 4) == [0, 1, 2]
    assert middle_indices(24, 24) == list(range(24))
    for count, k in ((0, 3), (3, 0)):
        with pytest.raises(ValueError, match="count >= 1 and k >= 1"):
            middle_indices(count, k)
