"""Recordings that are stored turned or mirrored come out as they are shown, by whichever way they are read."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from bench.data.clips import FrameRule, read_clip, read_numbers
from smoothswap.media.film import Film
from smoothswap.media.orientation import AS_STORED, Orientation, orientation
from smoothswap.media.video import iter_frames, read_even, read_frames, write_video
from smoothswap.pixels import Image
from tests.support.numbered_frames import number_of, numbered

ONE = 1 << 16
# (a, b, c, d) of the display matrix: the stored place (p, q) is shown at (a p + c q, b p + d q); and what is shown.
SHOWN: dict[tuple[int, int, int, int], Callable[[Image], Image]] = {
    (1, 0, 0, 1): lambda stored: stored,
    (0, 1, -1, 0): lambda stored: np.rot90(stored, -1),  # a phone held upright
    (-1, 0, 0, -1): lambda stored: np.rot90(stored, 2),
    (0, -1, 1, 0): lambda stored: np.rot90(stored, 1),
    (-1, 0, 0, 1): lambda stored: stored[:, ::-1],  # a mirrored selfie
    (1, 0, 0, -1): lambda stored: stored[::-1],
    (0, 1, 1, 0): lambda stored: stored.swapaxes(0, 1),
    (0, -1, -1, 0): lambda stored: np.rot90(stored, 2).swapaxes(0, 1),
}


def with_matrix(path: Path, a: int, b: int, c: int, d: int) -> None:
    """Overwrite the matrix in the header of the film's only track, where write_video leaves the identity."""
    data = bytearray(path.read_bytes())
    identity = struct.pack(">9i", ONE, 0, 0, 0, ONE, 0, 0, 0, 1 << 30)
    place = data.index(identity, data.index(b"tkhd"))
    data[place : place + 36] = struct.pack(">9i", a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


@pytest.mark.parametrize("matrix", SHOWN)
def test_every_reader_shows_what_the_matrix_says(matrix: tuple[int, int, int, int], tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    stored = [numbered(number) for number in range(6)]
    write_video(path, stored, lossless=True)
    with_matrix(path, *matrix)
    wanted = [SHOWN[matrix](frame) for frame in stored]
    np.testing.assert_array_equal(list(iter_frames(path)), wanted)
    np.testing.assert_array_equal(read_frames(path).frames, wanted)
    even = read_even(path, 3)
    np.testing.assert_array_equal(even.frames, [wanted[i] for i in even.indices])
    np.testing.assert_array_equal(read_clip(path, FrameRule(6)).frames, wanted)
    np.testing.assert_array_equal(read_numbers(path, [4, 1]).frames, [wanted[4], wanted[1]])


def test_frames_without_a_matrix_are_as_they_are_stored(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    write_video(tmp_path / "film.mp4", [numbered(number) for number in range(3)])
    with av.open(str(tmp_path / "film.mp4")) as source, av.open(str(path), "w") as sink:
        copy = sink.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = copy
                sink.mux(packet)
    with Film(path) as film:
        assert [orientation(frame) for frame in film.frames()] == [AS_STORED] * 3
    assert [number_of(frame) for frame in iter_frames(path)] == [0, 1, 2]


def test_an_odd_angle_counts_as_the_nearest_quarter_turn(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    write_video(path, [numbered(1)], lossless=True)
    with_matrix(path, 1, 3, -3, 1)  # in proportion; the scale plays no part
    with Film(path) as film:
        assert [orientation(frame) for frame in film.frames()] == [
            Orientation(transposed=True, columns_reversed=True)
        ]


def test_nothing_is_copied_where_nothing_is_to_be_done() -> None:
    frame = numbered(3)
    assert AS_STORED.apply(frame) is frame or np.shares_memory(AS_STORED.apply(frame), frame)
