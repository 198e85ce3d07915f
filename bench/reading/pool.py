"""Readers in several processes: detection and instruments use every core while the parent decodes and swaps."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from bench.errors import DataError
from bench.reading.reader import Image, Reader, Reading
from smoothswap.faces.face import Face
from smoothswap.workers import Pool, begin_worker


class Readers:
    """A Reader in each of several processes, or in this one; a context manager.

    Frames are read clip by clip and alone, so that the number of workers never changes a number.

    Args:
        instruments: What Reader takes: specs of instruments.
        faces_rule: Protocol.faces_rule.
        workers: How many processes; 1: this one.
        inception: A file for FID; None: none.
        detector: Reader's.

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
    ) -> None:
        self.workers = max(1, workers)
        given = (list(instruments), faces_rule, inception, detector)
        self._here = Reader(*given) if self.workers == 1 else None
        self._pool: Pool | None = None
        if self._here is None:
            self._pool = Pool(self.workers, _start, given)

    def __enter__(self) -> Readers:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._pool is not None:
            self._pool.leave(at_once=kind is not None)

    def originals(self, frames: Sequence[Image], look: bool = False) -> Future[list[Reading]]:
        """Hand frames of one original clip out to be read: Reader.originals.

        Args:
            frames: uint8 [h, w, 3] RGB each, in order of time.
            look: Whether the pictures themselves are read too.

        Returns:
            What `result` takes.

        Raises:
            DataError: When a worker process was killed.
        """
        return self._submit("originals", list(frames), look)

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

        Raises:
            DataError: When a worker process was killed.
        """
        return self._submit("swaps", list(frames), list(targets), look)

    def _submit(self, method: str, *arguments: Any) -> Future[list[Reading]]:
        if self._pool is None:
            future: Future[list[Reading]] = Future()
            future.set_result(getattr(self._here, method)(*arguments))
            return future
        with _killed_workers():
            return self._pool.submit(_call, method, *arguments)

    @staticmethod
    def result(future: Future[list[Reading]]) -> list[Reading]:
        """Wait for what was handed out.

        Args:
            future: From `originals` or `swaps`.

        Returns:
            A reading for each frame.

        Raises:
            DataError: When a worker process was killed, most often for lack of memory.
        """
        with _killed_workers():
            return future.result()


# of this worker process
_reader: Reader | None = None


def _start(instruments: list[str], faces_rule: str, inception: Path | None, detector: str) -> None:
    global _reader
    begin_worker()  # the processes are the parallelism
    _reader = Reader(instruments, faces_rule, inception, detector)


def _call(method: str, *arguments: Any) -> list[Reading]:
    call: Callable[..., list[Reading]] = getattr(_reader, method)
    return call(*arguments)


@contextlib.contextmanager
def _killed_workers() -> Iterator[None]:
    try:
        yield
    except BrokenProcessPool as error:
        raise DataError(
            "a worker process ended early, most likely for lack of memory; run again with --workers 1"
        ) from error
