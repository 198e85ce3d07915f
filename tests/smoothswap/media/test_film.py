"""Which track of a file is the film, how it is shown, and what is not decoded."""

from __future__ import annotations

import os
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition

from bench.data.clips import FrameRule, read_clip
from bench.finished import thumbnails
from smoothswap.media.files import rewrite_video
from smoothswap.media.film import Film, Limits, VideoError
from smoothswap.media.video import iter_frames, read_even, read_frames, write_video
from smoothswap.pixels import Image
from tests.support.numbered_frames import number_of, numbered


def encode(stream: Any, sink: Any, frames: list[Image], kind: str = "rgb24") -> None:
    for i, image in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(image, format=kind)
        frame.pts, frame.time_base = i, Fraction(1, 25)
        sink.mux(stream.encode(frame))
    sink.mux(stream.encode())


def track(sink: Any, codec: str, size: tuple[int, int], pixels: str, **options: str) -> Any:
    stream = sink.add_stream(codec, rate=25)
    (stream.width, stream.height), stream.pix_fmt, stream.options = size, pixels, options
    return stream


def grey(number: int) -> list[Image]:
    return [np.full((96, 192, 3), 200, np.uint8)] * number


@pytest.mark.parametrize(
    ("before", "disposition", "frames"),
    [
        ("mjpeg", Disposition.attached_pic, 1),
        ("mjpeg", Disposition.default, 1),  # a cover that nothing marks, but it is a still
        ("libx264", Disposition.comment, 9),
    ],
)
def test_the_film_is_what_players_show(
    before: str, disposition: Disposition, frames: int, tmp_path: Path
) -> None:
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as sink:
        other = track(sink, before, (192, 96), "yuvj420p" if before == "mjpeg" else "yuv420p")
        film = track(sink, "libx264", (192, 96), "yuv420p")
        other.disposition, film.disposition = disposition, Disposition.default
        encode(other, sink, grey(frames))
        encode(film, sink, [numbered(i) for i in range(8)])
    assert [number_of(frame) for frame in read_frames(path).frames] == list(range(8))
    assert [number_of(frame) for frame in iter_frames(path)] == list(range(8))
    assert read_even(path, 3).indices == read_clip(path, FrameRule(3)).numbers == [0, 4, 7]
    assert thumbnails.read(path).count == 8
    left_out = rewrite_video(path, tmp_path / "out.mp4", lambda first, some: [None] * len(some))
    assert left_out == ["video"]
    assert [number_of(frame) for frame in iter_frames(tmp_path / "out.mp4")] == list(range(8))


def test_a_cover_alone_is_no_film(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "song.mp4"), "w") as sink:
        cover = track(sink, "mjpeg", (192, 96), "yuvj420p")
        sound = sink.add_stream("aac", rate=8000)
        cover.disposition = Disposition.attached_pic
        encode(cover, sink, grey(1))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 8000
        sink.mux(sound.encode(silence))
        sink.mux(sound.encode())
    with pytest.raises(VideoError, match="only a cover picture and no film"):
        read_frames(tmp_path / "song.mp4")


@pytest.mark.parametrize(("aspect", "size"), [("2/1", (96, 96)), ("1/2", (192, 48)), ("4/3", (144, 96))])
def test_pixels_come_out_square(aspect: str, size: tuple[int, int], tmp_path: Path) -> None:
    """A disc that is stored narrow, or low, is shown round, and stays where it was when it is written again."""
    x, y = np.meshgrid(np.arange(192) - 95.5, np.arange(96) - 47.5)
    disc = np.where((x**2 + y**2 < 40**2)[..., None], (220, 40, 40), (60, 60, 60)).astype(np.uint8)
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as sink:
        stream = track(sink, "libx264rgb", size, "rgb24", crf="0")
        stream.codec_context.sample_aspect_ratio = Fraction(aspect)
        stored = av.VideoFrame.from_ndarray(disc, format="rgb24").reformat(*size, "rgb24").to_ndarray()
        encode(stream, sink, [stored] * 3)
    (shown, *_), read = read_frames(path).frames, read_clip(path, FrameRule(2)).frames[0]
    assert shown.shape == (96, 192, 3)
    np.testing.assert_array_equal(shown, read)
    assert abs(shown.astype(int) - disc).mean() < 3
    assert thumbnails.read(path).shape == (96, 192)

    def change(first: int, some: list[Image]) -> list[Image | None]:
        assert some[0].shape == (96, 192, 3)
        changed = some[0].copy()
        changed[:20, :20] = 255
        return [changed, *[None] * (len(some) - 1)]

    rewrite_video(path, tmp_path / "out.mp4", change, crf=1)
    with Film(tmp_path / "out.mp4") as film:
        assert ((film.stream.width, film.stream.height), film.aspect) == (size, Fraction(aspect))
        written = [film.rgb(frame) for frame in film.frames()]
    assert (written[0][4:14, 4:14] > 235).all()
    assert abs(written[0][30:].astype(int) - written[1][30:]).mean() < 1


def test_what_is_transparent_in_a_video_is_white(tmp_path: Path) -> None:
    clear = np.dstack([numbered(5), np.full((96, 192), 255, np.uint8)])
    clear[48:, :, 3] = 0
    with av.open(str(tmp_path / "film.mov"), "w") as sink:
        encode(track(sink, "qtrle", (192, 96), "argb"), sink, [clear] * 2, "rgba")
    for frame in iter_frames(tmp_path / "film.mov"):
        assert number_of(frame) == 5
        assert (frame[48:] == 255).all()


def test_an_edit_list_leaves_out_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    write_video(path, [numbered(i) for i in range(12)])
    data = bytearray(path.read_bytes())
    place = data.index(b"elst") + 4
    duration, start = struct.unpack_from(">Ii", data, place + 8)
    with av.open(str(path)) as container:
        tick = int(container.streams.video[0].time_base.denominator / 25)
    struct.pack_into(">Ii", data, place + 8, duration * 9 // 12, start + 3 * tick)
    path.write_bytes(data)
    assert [number_of(frame) for frame in read_frames(path).frames] == list(range(3, 12))
    even = read_clip(path, FrameRule(3))
    assert [number_of(frame) for frame in even.frames if frame is not None] == [3, 7, 11]
    assert (even.count, even.numbers) == (9, [0, 4, 8])


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{}'\n",
        "#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1:9/{}\n",
    ],
)
def test_a_playlist_reads_no_neighbour(text: str, tmp_path: Path) -> None:
    write_video(tmp_path / "secret.mp4", [numbered(1)])
    for name in ("list.mp4", "list.ts"):
        (tmp_path / name).write_text(text.format("secret.mp4"))
        with pytest.raises(VideoError, match="not a readable video"):
            read_frames(tmp_path / name)


def test_a_name_is_never_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("concat:a.mp4", "http:film.mp4", os.fsdecode(b"\xff.mp4"), "%03d.mp4"):
        write_video(tmp_path / name, [numbered(3)])
        assert number_of(read_frames(name).frames[0]) == 3


def test_pipes_devices_and_folders_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "zero.mp4").symlink_to("/dev/zero")
    (tmp_path / "folder.mp4").mkdir()
    for name in ("pipe.mp4", "zero.mp4", "folder.mp4"):
        with pytest.raises(VideoError, match="a folder, a pipe or a device"):
            read_frames(tmp_path / name)


def test_the_limits_are_kept_by_the_header_and_while_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    write_video(path, [numbered(i) for i in range(6)])
    for limits, said in {
        Limits(pixels=18_000): "frames of 192 x 96, more than the limit of 18,000 pixels",
        Limits(frames=5): "over 5 frames",
        Limits(bytes=96 * 192 * 3 * 5): "bytes of pixels; cut the video into parts",
        Limits(kept=96 * 192 * 3 * 5): "6 frames are 331,776 bytes, more than the limit of 276,480 at once",
        Limits(seconds=0): "decoding takes over 0 seconds",
    }.items():
        with pytest.raises(VideoError, match=said):
            read_frames(path, limits=limits)
    assert read_frames(path, [0, 5], Limits(kept=96 * 192 * 3 * 2)).count == 6  # what is not kept may be more


def test_a_codec_that_nobody_can_read_is_one_error(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    write_video(path, [numbered(1)])
    path.write_bytes(path.read_bytes().replace(b"avc1", b"xyz9"))
    for read in (read_frames, lambda name: list(iter_frames(name)), lambda name: read_even(name, 2)):
        with pytest.raises(VideoError, match=r"nothing here can read its codec; convert it to H.264"):
            read(path)


def test_a_cut_stream_gives_the_same_frames_in_every_pass(tmp_path: Path) -> None:
    path = tmp_path / "film.ts"
    with av.open(str(path), "w") as sink:
        encode(
            track(sink, "libx264", (192, 96), "yuv420p", bf="3", g="12"),
            sink,
            [numbered(i) for i in range(60)],
        )
    data = path.read_bytes()
    path.write_bytes(data[len(data) // 5 : len(data) * 4 // 5])
    first = read_frames(path).frames
    assert 0 < len(first) < 60
    for _ in range(4):
        np.testing.assert_array_equal(list(iter_frames(path)), first)
    even = read_even(path, 4)
    np.testing.assert_array_equal(even.frames, [first[i] for i in even.indices])
