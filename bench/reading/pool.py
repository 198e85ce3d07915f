"""Readers in several processes: decoding, detection and instruments use every core while the parent swaps.

A clip is opened where it is read, by a worker that may hang or die over it (smoothswap.guarded): then the clip, or what
else the worker was at, is lost with a reason, and the run goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from bench.data.clips import ClipError, FrameRule, Frames, read_clip, read_first, read_numbers, read_original
from bench.data.numbering import AS_NAMED, Numbering
from bench.reading.reader import Image, Reader, Reading
from metrics.instruments import InstrumentError
from smoothswap.errors import DataError
from smoothswap.faces.face import Face
from smoothswap.guarded import SECONDS, WorkerLost, Workers
from smoothswap.media.video import VideoError

Result = TypeVar("Result")
UNREADABLE = (VideoError, ClipError, OSError)
"""What says that a clip itself cannot be read."""
_FRAMES = 10  # that a worker may read in the time for one job, whose limit grows with their number
_BYTES = 10_000_000  # of a file that it may decode in that time


class ReadingLost(Exception):
    """Frames could not be read though they were decoded: their worker hung or died, or failed over them."""


class Readers:
    """A Reader in each of several processes, or in this one; a context manager.

    Frames are read clip by clip and alone, so that the number of workers never changes a number.

    Args:
        instruments: What Reader takes: specs of instruments.
        faces_rule: Protocol.faces_rule.
        workers: How many processes; 0: this one, which nothing guards.
        inception: A file for FID; None: none.
        detector: Reader's.
        seconds: That a worker may be at ten frames, or ten megabytes of a file, before it is given up.

    Attributes:
        passed_over: What lies in the folders of frames that were read and is no picture by its ending.

    Raises:
        InstrumentError: For an instrument that cannot be made here; from a worker process when its reading is asked for.
    """

    def __init__(
        self,
        instruments: Sequence[str],
        faces_rule: str,
        workers: int = 1,
        inception: Path | None = None,
        detector: str = "yunet",
        seconds: float = SECONDS,
    ) -> None:
        self.workers = max(1, workers)
        given = (list(instruments), faces_rule, inception, detector)
        self._pool = Workers(workers, Reader, given, seconds)
        self._lost: dict[Path, str] = {}
        self.passed_over: dict[str, None] = {}

    def __enter__(self) -> Readers:
        self._pool.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.__exit__(*error)

    def originals(self, frames: Sequence[Image], look: bool = False) -> Future[list[Reading]]:
        """Hand frames of one original clip out to be read: Reader.originals.

        Args:
            frames: uint8 [h, w, 3] RGB each, in order of time.
            look: Whether the pictures themselves are read too.

        Returns:
            What `result` takes.
        """
        return self._pool.submit(Reader.originals, list(frames), look, weight=len(frames) / _FRAMES)

    def swaps(
        self, frames: Sequence[Image], targets: Sequence[Face], look: bool = False
    ) -> Future[list[Reading]]:
        """Hand swapped frames out to be read: Reader.swaps.

        Args:
            frames: uint8 [h, w, 3] RGB each.
            targets: Of each the face of its target frame.
            look: Whether the pictures themselves are read too.

        Returns:
            What `result` takes.
        """
        weight = len(frames) / _FRAMES
        return self._pool.submit(Reader.swaps, list(frames), list(targets), look, weight=weight)

    def clip(self, path: Path, rule: FrameRule, look: bool = False) -> Future[tuple[Frames, list[Reading]]]:
        """Hand an original clip out to be decoded and read.

        Args:
            path: As for read_original.
            rule: Which frames.
            look: Whether the pictures themselves are read too.

        Returns:
            What `result` takes: the frames, and a reading for each.
        """
        return self._opened(path, _clip, rule, look, frames=rule.k)

    def numbers(
        self, path: Path, numbers: Sequence[int], look: bool = False
    ) -> Future[tuple[Frames, list[Reading]]]:
        """Hand some frames of an original clip out to be decoded and read.

        Args:
            path: As for read_numbers.
            numbers: Of the frames, from 0.
            look: Whether the pictures themselves are read too.

        Returns:
            What `result` takes: the frames, and a reading for each.
        """
        return self._opened(path, _numbers, list(numbers), look, frames=len(numbers), urgent=True)

    def first(self, path: Path) -> Future[tuple[Image, Reading]]:
        """Hand an original clip out, of which the first frame is to be decoded and read.

        Args:
            path: As for read_first.

        Returns:
            What `result` takes: the frame and its reading.
        """
        return self._opened(path, _first, frames=1)

    def frames(
        self, path: Path, rule: FrameRule, below: int | None = None, numbering: Numbering = AS_NAMED
    ) -> Future[Frames]:
        """Hand a clip out to be decoded alone, before what else waits.

        Args:
            path: As for read_clip.
            rule: Which frames.
            below: As there.
            numbering: As there.

        Returns:
            What `result` takes.
        """
        return self._opened(path, _frames, rule, below, numbering, frames=rule.k, urgent=True)

    def _opened(self, path: Path, call: Any, *given: Any, frames: int, urgent: bool = False) -> Future[Any]:
        """A job about one file; a file over which a worker was lost is not tried again."""
        if path in self._lost:
            failed: Future[Any] = Future()
            failed.set_exception(VideoError(self._lost[path]))
            return failed
        weight = max(frames / _FRAMES, _size(path) / _BYTES)
        future = self._pool.submit(call, path, *given, weight=weight, urgent=urgent)

        def remember(done: Future[Any]) -> None:
            if done.cancelled():
                return
            if isinstance(error := done.exception(), WorkerLost):
                self._lost[path] = f"{path}: the worker process that read it {error}"
            elif error is None:
                came = done.result()
                frames = came[0] if isinstance(came, tuple) else came
                if isinstance(frames, Frames):
                    self.passed_over |= dict.fromkeys(str(path / name) for name in frames.passed_over)

        future.add_done_callback(remember)
        return future

    @staticmethod
    def result(future: Future[Result]) -> Result:
        """Wait for what was handed out.

        Args:
            future: From one of the methods above.

        Returns:
            What it says there.

        Raises:
            VideoError, ClipError, OSError: The clip cannot be read.
            InstrumentError: An instrument cannot read what it is given.
            ReadingLost: The worker hung or died, or failed in another way.
            DataError: No worker process can be started.
        """
        try:
            return future.result()
        except (*UNREADABLE, InstrumentError, DataError):
            raise
        except WorkerLost as error:
            raise ReadingLost(f"the worker process that read it {error}") from None
        except Exception as error:
            raise ReadingLost(f"it cannot be read ({type(error).__name__}: {error})") from error


def lost(what: str, error: ReadingLost) -> str:
    """The reason why something was lost, which is also said on standard error as it happens.

    Args:
        what: Was being read.
        error: From Readers.result.

    Returns:
        A clause.
    """
    reason = " ".join(f"{what}: {error}".split())
    print(f"warning: {reason}; it is counted as failed, and the run goes on", file=sys.stderr)
    return reason


def _size(path: Path) -> int:
    """Bytes of a file; of a folder, whose frames count by their number, 0."""
    try:
        return 0 if path.is_dir() else path.stat().st_size
    except OSError:
        return 0


def _frames(reader: Reader, path: Path, rule: FrameRule, below: int | None, numbering: Numbering) -> Frames:
    return read_clip(path, rule, below, numbering)


def _clip(reader: Reader, path: Path, rule: FrameRule, look: bool) -> tuple[Frames, list[Reading]]:
    return _read(reader, read_original(path, rule), look)


def _numbers(reader: Reader, path: Path, numbers: list[int], look: bool) -> tuple[Frames, list[Reading]]:
    return _read(reader, read_numbers(path, numbers), look)


def _first(reader: Reader, path: Path) -> tuple[Image, Reading]:
    image = read_first(path)
    return image, reader.originals([image])[0]


def _read(reader: Reader, frames: Frames, look: bool) -> tuple[Frames, list[Reading]]:
    read = iter(reader.originals([image for image in frames.frames if image is not None], look))
    return frames, [
        next(read) if image is not None else Reading(0, None, "decode_error", reason)
        for image, reason in zip(frames.frames, frames.reasons, strict=True)
    ]
