"""Frames of a video, read exactly; videos written reproducibly.

The index of a frame is its place, in the order of presentation, among the frames that truly decode.
What a container says about its number of frames is not trusted. A frame that the decoder gives up on or marks
as corrupt does not count, so a truncated clip is the frames that are left of it.
Every frame is decoded, only the wanted ones are converted to RGB: skipping the frames that no other refers to
saved under 15 % of the time and left damage in them unseen.
Colours follow the matrix that the stream declares, and BT.601 where it declares none. Which track is read, within which
limits, and how its frames are shown, says smoothswap.media.film.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from smoothswap.media.film import EXACT, LIMITS, Film, Limits, VideoError
from smoothswap.pixels import Image


@dataclass(frozen=True)
class FrameSet:
    """Frames of a clip: `frames[i]` (uint8 [h, w, 3] RGB) is number `indices[i]` of `count` that decode."""

    count: int
    indices: list[int]
    frames: list[Image]


def even_indices(count: int, k: int) -> list[int]:
    """Indices spread evenly over 0 .. count-1, both ends included, strictly increasing.

    Index i is i * (count - 1) / (k - 1), rounded half to even in exact arithmetic. One frame (k = 1) is the
    middle one, (count - 1) // 2. Where k >= count, every index comes once.

    Args:
        count: How many frames there are.
        k: How many are wanted.

    Returns:
        min(k, count) indices.

    Raises:
        ValueError: For count < 1 or k < 1.

    Examples:
        >>> even_indices(10, 4), even_indices(10, 1), even_indices(2, 4)
        ([0, 3, 6, 9], [4], [0, 1])
    """
    if count < 1 or k < 1:
        raise ValueError(f"even_indices needs count >= 1 and k >= 1, got count={count}, k={k}")
    if k >= count:
        return list(range(count))
    if k == 1:
        return [(count - 1) // 2]
    return [round(Fraction(i * (count - 1), k - 1)) for i in range(k)]


def middle_indices(count: int, k: int) -> list[int]:
    """Indices that follow each other, around the middle of 0 .. count-1; all of them where k >= count.

    The first is (count - k) // 2.

    Args:
        count: How many frames there are.
        k: How many are wanted.

    Returns:
        min(k, count) indices, increasing.

    Raises:
        ValueError: For count < 1 or k < 1.
    """
    if count < 1 or k < 1:
        raise ValueError(f"middle_indices needs count >= 1 and k >= 1, got count={count}, k={k}")
    start = max(0, (count - k) // 2)
    return list(range(start, min(count, start + k)))


def read_frames(
    path: str | os.PathLike[str], indices: Sequence[int] | None = None, limits: Limits = LIMITS
) -> FrameSet:
    """The frames at `indices`, or all frames.

    Args:
        path: The video.
        indices: Numbers among the frames that decode, in any order, repeats allowed; None: all.
        limits: What may be decoded, and kept.

    Returns:
        The frames in the order asked for, and how many decode. All are in memory at once (iter_frames for
        long videos).

    Raises:
        VideoError: For a missing, empty or undecodable file, one beyond the limits, and for an index outside
            0 .. count-1.
    """
    wanted = None if indices is None else set(indices)
    count, frames = _decode(path, wanted, limits)
    order = list(range(count)) if indices is None else [int(i) for i in indices]
    outside = [i for i in order if not 0 <= i < count]
    if outside:
        raise VideoError(
            f"{path}: frame {outside[0]} was asked for, but {count} frames decode (0 to {count - 1}); "
            "is the file cut short, or does it belong to another clip?"
        )
    return FrameSet(count, order, [frames[i] for i in order])


def read_even(
    path: str | os.PathLike[str], k: int, choose: Callable[[int, int], list[int]] = even_indices
) -> FrameSet:
    """Evenly spaced frames of those that truly decode; or others, by a rule of their number.

    One decoding pass where the number of packets is the number of frames, as in any sound file; two where it
    is not.

    Args:
        path: The video.
        k: How many frames; of a shorter video all of them.
        choose: (count, k) -> indices within 0 .. count-1; even_indices, middle_indices or a rule of one's
            own.

    Returns:
        The frames at choose(count, k), and how many decode.

    Raises:
        VideoError: For a missing, empty or undecodable file.
        ValueError: For k < 1, by even_indices and middle_indices.
    """
    guess = max(_count_packets(path), 1)
    count, frames = _decode(path, set(choose(guess, k)), LIMITS)
    indices = choose(count, k)
    if not frames.keys() >= set(indices):
        count, frames = _decode(path, set(indices), LIMITS)
    return FrameSet(count, indices, [frames[i] for i in indices])


def iter_frames(path: str | os.PathLike[str]) -> Iterator[Image]:
    """Every frame, one after the other, so that a long video need not fit the memory.

    Raises:
        VideoError: The file is missing, empty or no video, or none of its frames decodes.
    """
    with Film(path) as film:
        for frame in film.frames():
            yield film.rgb(frame)


def claimed_frames(path: str | os.PathLike[str]) -> int | None:
    """How many frames a video says it has (for a progress bar, not to be trusted), or None."""
    with Film(path) as film:
        return film.stream.frames or None


def write_video(
    path: str | os.PathLike[str],
    frames: Iterable[Image],
    fps: float | Fraction = 25,
    crf: int = 18,
    lossless: bool = False,
) -> None:
    """Write frames as H.264 in an MP4, atomically (a whole file or none).

    The same input gives the same bytes on one machine (one thread, no macroblock tree).

    Args:
        path: The file to write.
        frames: uint8 [h, w, 3] RGB, all of one size, one or more; taken one by one.
        fps: Frames a second; kept as a fraction with a denominator up to 1001.
        crf: Quality, 0 .. 51, lower is better, of the default form: yuv420p in BT.601 limited range, whose
            sides must both be even.
        lossless: Write RGB H.264 that decodes to the very same pixels instead, of any size; `crf` is not
            used.

    Raises:
        VideoError: For no frames, odd or mixed sizes, a wrong type, or a folder that cannot be written.
    """
    path = Path(path)
    stream_of = iter(frames)
    first = next(stream_of, None)
    if first is None:
        raise VideoError(f"{path}: no frames to write")
    _check_frame(path, first, None)
    height, width = first.shape[:2]
    if not lossless and (height % 2 or width % 2):
        raise VideoError(
            f"{path}: H.264 in yuv420p needs even sides, the frames are {width} x {height}; "
            "crop or pad by one pixel, or write with lossless=True"
        )
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp.mp4")
    try:
        with av.open(str(temporary), "w", format="mp4") as container:
            rate = Fraction(fps).limit_denominator(1001)
            stream: Any = container.add_stream("libx264rgb" if lossless else "libx264", rate=rate)
            stream.width, stream.height = width, height
            stream.pix_fmt = "rgb24" if lossless else "yuv420p"
            # With macroblock-tree rate control x264 (core 165) gives other bytes from run to run.
            stream.options = {
                "crf": "0" if lossless else str(crf),
                "preset": "medium",
                "x264-params": "mbtree=0",
            }
            stream.thread_count = 1
            if not lossless:
                stream.codec_context.colorspace = Colorspace.ITU601
                stream.codec_context.color_range = ColorRange.MPEG
            for index, image in enumerate(_chain(first, stream_of)):
                _check_frame(path, image, (height, width))
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
                if not lossless:
                    frame = frame.reformat(
                        format="yuv420p",
                        dst_colorspace=Colorspace.ITU601,
                        interpolation=Interpolation.AREA | EXACT,
                    )
                frame.pts = index
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        temporary.replace(path)
    except (OSError, av.FFmpegError) as error:
        raise VideoError(
            f"{path}: cannot write the video ({error}); is the folder there, writable and not full?"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _chain(first: Image, rest: Iterator[Image]) -> Iterator[Image]:
    yield first
    yield from rest


def _check_frame(path: Path, image: Image, size: tuple[int, int] | None) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise VideoError(f"{path}: frames must be uint8 [h, w, 3], got {image.dtype} {list(image.shape)}")
    if size is not None and image.shape[:2] != size:
        raise VideoError(f"{path}: frames must have one size, {image.shape[:2]} came after {size} (h, w)")


def _count_packets(path: str | os.PathLike[str]) -> int:
    """Packets of the film: a guess of the number of frames, without decoding."""
    with Film(path) as film:
        return sum(packet.size > 0 and not packet.is_discard for packet in film.packets())


def _decode(
    path: str | os.PathLike[str], wanted: Collection[int] | None, limits: Limits
) -> tuple[int, dict[int, Image]]:
    """(number of frames that decode, {index: RGB}) for the wanted indices, or for all."""
    count = 0
    frames: dict[int, Image] = {}
    kept = 0
    with Film(path, limits) as film:
        for frame in film.frames():
            if wanted is None or count in wanted:
                frames[count] = film.rgb(frame)
                kept += frames[count].nbytes
                if kept > limits.kept:
                    raise VideoError(
                        f"{path}: {len(frames)} frames are {kept:,} bytes, more than the limit of {limits.kept:,} at once; "
                        "ask for fewer frames, or scale the video down"
                    )
            count += 1
    return count, frames
