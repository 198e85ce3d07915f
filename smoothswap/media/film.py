"""A video file opened with care: which of its tracks is the film, what may be decoded of it, and how its frames are shown.

A file from anywhere may name other files, claim any size and hold anything. So it is opened by its content, as one of a
few containers and by whatever name; nothing that it refers to is opened with it, on the disk or in the network; pipes and
devices are refused; and the LIMITS are checked before and while it is decoded. Whatever its decoder raises comes out as a
VideoError.

The film is the track that players show: no cover picture and no strip of thumbnails, and of several tracks the first that
is marked as the default and has more than one frame.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.stream import Disposition
from av.video.reformatter import Interpolation

from smoothswap.errors import DataError
from smoothswap.media.orientation import orientation
from smoothswap.media.patience import reading
from smoothswap.media.transparency import over_white
from smoothswap.pixels import Image

# The scaler's plain conversion drops fractions: every frame would come out about one level too dark.
EXACT = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.BITEXACT
CONTAINERS = {"mov": "MP4 and MOV", "matroska": "MKV and WebM", "avi": "AVI", "mpegts": "TS", "mpeg": "MPEG"}
"""What is opened, by FFmpeg's names. Playlists are not: they are read by opening what they name."""
_COVERS = Disposition.attached_pic | Disposition.timed_thumbnails


class VideoError(DataError):
    """A video that cannot be read or written; the message says which file, why and how to mend it."""


@dataclass(frozen=True)
class Limits:
    """What is decoded of one video; beyond it the video is refused.

    Args:
        pixels: Of a frame as it is shown; one of 8K has 33 million.
        frames: Of the film; two hours and three quarters at 30 a second.
        bytes: Of all its frames as RGB, which are not in memory at once; two hours and a half of 1440p at 40 a second.
        kept: Of the frames that one call returns, which are.
        seconds: That decoding may take. A decoder that hangs does not return to be asked: against that bench has workers
            that are given up (smoothswap.guarded).
    """

    pixels: int = 36_000_000
    frames: int = 300_000
    bytes: int = 4_000_000_000_000
    kept: int = 4_000_000_000
    seconds: float = 7200


LIMITS = Limits()


class Film:
    """The film of one video file; a context manager.

    Args:
        path: The file.
        limits: What may be decoded.

    Attributes:
        damaged: How many packets and frames were passed over so far, because they are damaged.

    Raises:
        VideoError: The file is missing, empty, a pipe or a device, none of CONTAINERS, or holds no film that can be
            decoded within the limits.
    """

    def __init__(self, path: str | os.PathLike[str], limits: Limits = LIMITS) -> None:
        self.path, self.limits = Path(path), limits
        self.damaged = 0
        self._file, self.container = _open(self.path, limits)
        try:
            self.stream = self._film()
            self._begin()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Film:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.container.close()
        self._file.close()

    def _film(self) -> Any:
        tracks = self.container.streams.video
        films = [track for track in tracks if not track.disposition & _COVERS]
        if not films:
            what = "only a cover picture and no film" if tracks else "no video stream"
            raise VideoError(f"{self.path}: the file holds {what}")

        def rank(track: Any) -> tuple[bool, bool]:
            return not track.disposition & Disposition.default, track.frames == 1

        return min(films, key=rank)  # of equals the first

    def _begin(self) -> None:
        """Check what the header says before anything is decoded."""
        context = self.stream.codec_context
        if context is None:
            raise VideoError(
                f"{self.path}: nothing here can read its codec; convert it to H.264 (ffmpeg -i FILE -c:v libx264 NEW.mp4)"
            )
        # With several threads it changes from pass to pass which frames of a damaged part come out.
        context.thread_count = 1
        context.options = {"max_pixels": str(self.limits.pixels)}
        ratio = self.stream.sample_aspect_ratio
        self.aspect = ratio if ratio and ratio > 0 else Fraction(1)
        if context.width and context.height:
            self._check_size(context)

    def _check_size(self, sized: Any) -> None:
        height, width = self._square(sized)
        if height * width > self.limits.pixels:
            raise VideoError(
                f"{self.path}: frames of {width} x {height}, more than the limit of {self.limits.pixels:,} pixels; "
                "scale the video down"
            )

    def _square(self, sized: Any) -> tuple[int, int]:
        """Height and width of a frame or track in square pixels, before it is turned. No side gets shorter."""
        height, width = sized.height, sized.width
        if self.aspect > 1:
            width = round(width * self.aspect)
        elif self.aspect < 1:
            height = round(height / self.aspect)
        return height, width

    def packets(self, others: Sequence[Any] = ()) -> Iterator[Any]:
        """The packets of the film as they lie in the file, up to its end or to where the container is damaged.

        Args:
            others: Further tracks of the container, whose packets come in between.

        Yields:
            av.Packet; one of size 0 where a track ends.
        """
        packets = self.container.demux(self.stream, *others)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, IndexError, ValueError):  # the latter of tracks that no header announced
                packet, self.damaged = None, self.damaged + 1
            if packet is None:
                return
            yield packet

    def frames(self, others: Sequence[Any] = ()) -> Iterator[Any]:
        """Every frame that truly decodes, in the order of presentation; damaged packets are passed over.

        Args:
            others: Further tracks of the container, whose packets come in between as they are.

        Yields:
            av.VideoFrame, as stored (`rgb` gives what is shown), or av.Packet of one of `others`.

        Raises:
            VideoError: For more than the limits allow, and where no frame decodes.
        """
        frames = decoded = 0
        spent = 0.0
        packets = self.packets(others)
        ended = False
        while not ended:
            began = time.monotonic()
            with reading(self.path):
                packet = next(packets, None)
            ended = packet is None
            if packet is not None and packet.size == 0:
                continue  # the demuxer's own sign that a stream ends
            if packet is not None and packet.stream.index != self.stream.index:
                yield packet
                continue
            with reading(self.path):
                came = self._decode(packet)
            spent += time.monotonic() - began
            if spent > self.limits.seconds:
                raise VideoError(
                    f"{self.path}: decoding takes over {self.limits.seconds:g} seconds; cut the video into parts"
                )
            for frame in came:
                self._check_size(frame)
                frames, decoded = frames + 1, decoded + 3 * frame.width * frame.height
                if frames > self.limits.frames or decoded > self.limits.bytes:
                    raise VideoError(
                        f"{self.path}: over {self.limits.frames:,} frames or {self.limits.bytes:,} bytes of pixels; "
                        "cut the video into parts"
                    )
                yield frame
        if frames == 0:
            # The probing decoder keeps the limit too, and then knows no size.
            sized = self.stream.codec_context.width > 0
            large = "" if sized else f", or they are larger than the limit of {self.limits.pixels:,} pixels"
            raise VideoError(f"{self.path}: no frame of the video decodes{large}; download or copy it again")

    def _decode(self, packet: Any) -> list[Any]:
        try:
            frames = self.stream.codec_context.decode(packet)
            whole = [frame for frame in frames if not frame.is_corrupt]
            self.damaged += len(frames) - len(whole)
            return whole
        except av.FFmpegError:
            self.damaged += 1
            return []
        except Exception as error:  # PyAV itself stumbles over what some decoders return
            raise VideoError(f"{self.path}: cannot be decoded ({type(error).__name__}: {error})") from error

    def shape(self, frame: Any) -> tuple[int, int]:
        """Height and width of a frame as it is shown, pixels."""
        height, width = self._square(frame)
        return (width, height) if orientation(frame).transposed else (height, width)

    def rgb(self, frame: Any, square: bool = True) -> Image:
        """A frame as it is shown: in square pixels, turned and mirrored by its display matrix, over white.

        Args:
            frame: From `frames`.
            square: False leaves the pixels as they are stored, wide or narrow.

        Returns:
            uint8 [h, w, 3], RGB.

        Raises:
            VideoError: Its pixels cannot be converted.
        """
        height, width = self._square(frame) if square else (frame.height, frame.width)
        clear = any(part.is_alpha for part in frame.format.components)
        try:
            stored: Image = frame.to_ndarray(
                format="rgba" if clear else "rgb24",
                width=width,
                height=height,
                interpolation=Interpolation.BICUBIC | EXACT,
            )
        except Exception as error:
            raise VideoError(
                f"{self.path}: pixels of the kind {frame.format.name} cannot be converted ({error})"
            ) from error
        return orientation(frame).apply(over_white(stored) if clear else stored)


def _refused(*_: Any) -> Any:
    raise OSError("a video that refers to other files")


def _open(path: Path, limits: Limits) -> tuple[Any, Any]:
    """The opened file and its av container."""
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):  # reading a pipe would wait without end
            raise VideoError(f"{path}: no such video file but a folder, a pipe or a device")
        if info.st_size == 0:
            raise VideoError(f"{path}: the file is empty (0 bytes); download or copy it again")
        file = path.open("rb")
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        if isinstance(error, VideoError):
            raise
        raise VideoError(f"{path}: no such video file") from error
    except OSError as error:
        raise VideoError(f"{path}: cannot be opened ({error.strerror or error})") from error
    try:
        # As a stream of bytes, so that FFmpeg has no name to start from.
        with reading(path):
            container = av.open(
                file,
                options={
                    "format_whitelist": ",".join(CONTAINERS),
                    "protocol_whitelist": "",
                    "max_pixels": str(limits.pixels),
                },
                metadata_errors="replace",
                io_open=_refused,
            )
    except Exception as error:
        file.close()
        known = ", ".join(CONTAINERS.values())
        raise VideoError(
            f"{path}: not a readable video ({_said(error)}); is it one of {known}, and whole? Download or copy it again"
        ) from error
    return file, container


def _said(error: Exception) -> str:
    if isinstance(error, av.FFmpegError):
        return error.strerror or str(error)
    return f"{type(error).__name__}: {error}"
