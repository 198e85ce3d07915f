"""Damaged and hostile media by kind: each fault spoils one clip, and says what a run must make of it.

A fault takes the place of a whole clip, a video or a folder of frames, and is drawn by a seed, so that it can be had again.
A run over such a clip ends with exit code 0 and a ledger that adds up: either the clip is read, wholly or in part, or each
of its frames is a row with a reason.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from smoothswap.media.video import read_frames

Random = np.random.Generator
Damage = Callable[[Path, Random], None]


@dataclass(frozen=True)
class MediaFault:
    """One kind of fault.

    Args:
        name: Of the kind.
        damage: Spoils the clip at a path, by the numbers of a generator.
        rows: What a run must make of the clip: "failed", every frame of it is a failed row; "either", it may also be read,
            in whole or in part; "ok", it is the same film in another guise and must be read.
    """

    name: str
    damage: Damage
    rows: str

    def inject(self, path: Path, seed: int) -> None:
        """Spoil a clip.

        Args:
            path: A video, whose place the fault takes under the same name.
            seed: Of everything that is drawn.
        """
        self.damage(path, np.random.default_rng([seed, zlib.crc32(self.name.encode())]))


def _empty(path: Path, random: Random) -> None:
    path.write_bytes(b"")


def _text(path: Path, random: Random) -> None:
    path.write_bytes(random.integers(32, 127, int(random.integers(1, 5000)), np.uint8).tobytes())


def _noise(path: Path, random: Random) -> None:
    path.write_bytes(random.integers(0, 256, int(random.integers(1, 50_000)), np.uint8).tobytes())


def _cut(path: Path, random: Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * random.uniform(0.01, 0.99))])


def _front_lost(path: Path, random: Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[int(len(data) * random.uniform(0.001, 0.5)) :])


def _header(path: Path, random: Random) -> None:
    """Some bytes of the boxes that say what the file holds."""
    data = bytearray(path.read_bytes())
    start = max(data.find(b"moov"), 0)
    stop = min(len(data), start + 2000)
    for place in random.integers(start, stop, int(random.integers(1, 30))):
        data[place] = random.integers(0, 256)
    path.write_bytes(data)


def _bytes(path: Path, random: Random) -> None:
    data = bytearray(path.read_bytes())
    for place in random.integers(0, len(data), int(random.integers(1, 200))):
        data[place] = random.integers(0, 256)
    path.write_bytes(data)


def _hole(path: Path, random: Random) -> None:
    """A block of zeros, as a download that skipped a part leaves it."""
    data = bytearray(path.read_bytes())
    start, length = int(len(data) * random.uniform(0, 0.9)), int(len(data) * random.uniform(0.01, 0.5))
    data[start : start + length] = bytes(len(data[start : start + length]))
    path.write_bytes(data)


def _codec(path: Path, random: Random) -> None:
    """A codec that nobody has."""
    code = bytes(random.integers(ord("a"), ord("z") + 1, 3, np.uint8)) + b"9"
    path.write_bytes(path.read_bytes().replace(b"avc1", code))


def _transport(path: Path, random: Random) -> None:
    """A transport stream, cut at any byte at its start and its end; still under the name of an MP4."""
    beside = path.with_name(f".{path.stem}.ts")
    with av.open(str(path)) as source, av.open(str(beside), "w", format="mpegts") as sink:
        copy = sink.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = copy
                sink.mux(packet)
    data = beside.read_bytes()
    beside.unlink()
    start, stop = int(len(data) * random.uniform(0, 0.3)), int(len(data) * random.uniform(0.5, 1))
    path.write_bytes(data[start:stop])


def _pipe(path: Path, random: Random) -> None:
    path.unlink()
    os.mkfifo(path)


def _device(path: Path, random: Random) -> None:
    path.unlink()
    path.symlink_to(random.choice(["/dev/zero", "/dev/random", "/dev/tty"]))


def _link(path: Path, random: Random) -> None:
    """A link to nothing, or to itself."""
    path.unlink()
    path.symlink_to(path if random.uniform() < 0.5 else path.parent / "nowhere.mp4")


def _playlist(path: Path, random: Random) -> None:
    """A list that names the clip itself, which lies beside it, and an address in the network."""
    beside = path.with_name(f".{path.stem}.kept{path.suffix}")
    path.rename(beside)
    lists = (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{beside.name}\n#EXT-X-ENDLIST\n",
        f"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/{beside.name}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile '{beside.name}'\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet>'
        f"<Representation><BaseURL>{beside.name}</BaseURL></Representation></AdaptationSet></Period></MPD>\n",
    )
    path.write_text(str(random.choice(np.array(lists))))


def _huge(path: Path, random: Random) -> None:
    """A header that claims frames of any size, up to 64k a side."""
    data = bytearray(path.read_bytes())
    place = data.find(b"avc1")
    sides = random.integers(9_000, 65_536, 2)
    struct.pack_into(">HH", data, place + 28, *(int(side) for side in sides))
    tracks = [match.start() for match in re.finditer(b"tkhd", bytes(data))]
    for track in tracks:
        struct.pack_into(">II", data, track + 80, *(int(side) << 16 for side in sides))
    path.write_bytes(data)


def _bomb(path: Path, random: Random) -> None:
    """A small file whose frames are larger than any camera's."""
    width, height = (int(side) for side in random.integers(6_100, 7_000, 2) // 2 * 2)
    with av.open(str(path), "w", format="mp4") as sink:
        stream: Any = sink.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        frame = av.VideoFrame(width, height, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        sink.mux(stream.encode(frame))
        sink.mux(stream.encode())


def _folder(path: Path) -> tuple[Path, list[Path]]:
    """The film as a folder of PNG frames in its place, from 0."""
    import cv2

    frames = read_frames(path).frames
    path.unlink()
    folder = path.with_suffix("")
    folder.mkdir()
    files = [folder / f"{i:04d}.png" for i in range(len(frames))]
    for file, frame in zip(files, frames, strict=True):
        cv2.imwrite(str(file), frame[..., ::-1])
    return folder, files


def _number(path: Path, random: Random) -> None:
    """A frame whose number has more than 63 bits."""
    _, files = _folder(path)
    chosen = files[int(random.integers(len(files)))]
    chosen.rename(chosen.with_name(f"{int(random.integers(2**40)) * 2**40 + 2**79}.png"))


def _times(path: Path, random: Random) -> None:
    _, files = _folder(path)
    form = str(random.choice(["{:.2f}", "{:.3f}s", "swap_{:.2f}", "t{:.2f}"]))
    for i, file in enumerate(files):
        file.rename(file.with_name(f"{form.format(i / 25)}.png"))


def _from_one(path: Path, random: Random) -> None:
    _, files = _folder(path)
    for i, file in reversed(list(enumerate(files))):
        file.rename(file.with_name(f"{i + 1:04d}.png"))


def _frame(path: Path, random: Random) -> None:
    """Every frame a picture that nobody can read."""
    _, files = _folder(path)
    for file in files:
        data = file.read_bytes()
        file.write_bytes(data[: int(len(data) * random.uniform(0, 0.9))])


def _one_frame(path: Path, random: Random) -> None:
    """One of the frames a pipe, a folder, PostScript, or cut."""
    _, files = _folder(path)
    file = files[int(random.integers(len(files)))]
    data = file.read_bytes()
    file.unlink()
    kind = int(random.integers(4))
    if kind == 0:
        os.mkfifo(file)
    elif kind == 1:
        file.mkdir()
    elif kind == 2:
        file.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\nshowpage\n")
    else:
        file.write_bytes(data[: len(data) // 2])


def _hidden(path: Path, random: Random) -> None:
    """What a Mac leaves beside each frame, and a window's thumbnails."""
    folder, files = _folder(path)
    for file in files:
        (folder / f"._{file.name}").write_bytes(b"\0\5\26\7" + bytes(78))
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (folder / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")


FAULTS: dict[str, MediaFault] = {
    fault.name: fault
    for fault in (
        MediaFault("empty", _empty, "failed"),
        MediaFault("text", _text, "failed"),
        MediaFault("noise", _noise, "failed"),
        MediaFault("cut", _cut, "either"),
        MediaFault("front-lost", _front_lost, "either"),
        MediaFault("header", _header, "either"),
        MediaFault("bytes", _bytes, "either"),
        MediaFault("hole", _hole, "either"),
        MediaFault("codec", _codec, "failed"),
        MediaFault("transport-stream", _transport, "either"),
        MediaFault("pipe", _pipe, "failed"),
        MediaFault("device", _device, "failed"),
        MediaFault("link", _link, "failed"),
        MediaFault("playlist", _playlist, "failed"),
        MediaFault("huge", _huge, "either"),
        MediaFault("bomb", _bomb, "failed"),
        MediaFault("number", _number, "failed"),
        MediaFault("times", _times, "failed"),
        MediaFault("from-1", _from_one, "failed"),
        MediaFault("frames", _frame, "failed"),
        MediaFault("one-frame", _one_frame, "either"),
        MediaFault("hidden", _hidden, "ok"),
    )
}
"""Every kind by its name."""
