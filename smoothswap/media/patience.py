"""A time limit for what reads a file in a command's own process, where no worker guards it (smoothswap.guarded).

    with patient():              the command
        with reading(path):      in here, wherever a library decodes
            ...

A decoder that hangs hears neither signals nor exceptions, so the command ends: with a line that names the file, and as for
any other file that cannot be used.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from smoothswap.errors import EXIT_DATA

SECONDS = 120
"""Between two frames of a video, and for a picture."""
_begun: list[tuple[str, list[int]]] = []  # what is being read, and the seconds left; read by the watch


@contextmanager
def patient(seconds: int = SECONDS) -> Iterator[None]:
    """In here every reading has a time limit. Time in which this process is stopped itself does not count.

    Args:
        seconds: That one may take, a whole number of them.

    Yields:
        Nothing.
    """
    global _limit
    ended = threading.Event()
    before, _limit = _limit, seconds
    threading.Thread(target=_watch, args=(ended, seconds), daemon=True).start()
    try:
        yield
    finally:
        _limit = before
        ended.set()


@contextmanager
def reading(path: str | os.PathLike[str]) -> Iterator[None]:
    """A library reads a file in here; without `patient` it may take for ever.

    Args:
        path: The file.

    Yields:
        Nothing.
    """
    if not _limit:
        yield
        return
    one = (os.fsdecode(path), [_limit])
    _begun.append(one)
    try:
        yield
    finally:
        _begun.remove(one)


_limit = 0  # seconds; 0: none


def _watch(ended: threading.Event, seconds: int) -> None:
    while not ended.wait(1.0):
        for path, left in tuple(_begun):
            left[0] -= 1
            if left[0] < 0:
                said = f"error: {path}: reading it hangs, after {seconds} seconds; convert it anew, or leave it out\n"
                os.write(2, said.encode("utf-8", "backslashreplace"))
                os._exit(EXIT_DATA)
