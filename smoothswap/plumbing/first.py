"""Imported by every package before anything else: a command that is stopped while it still imports says so in a line.

Python would print a traceback for Ctrl-C, and end without a word on SIGTERM and SIGHUP. Nothing is written yet at that
time, so the process ends at once. smoothswap.plumbing.ending takes over when the command itself begins.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import NoReturn

SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name))
"""What ends a command, SIGHUP where there is one."""
_OURS = ("bench", "smoothswap", "metrics", "reports")
_SCRIPT = "smoothswap-bench"


def ours() -> bool:
    """Whether this process was started for one of our commands, by python -m or by the console script.

    A program that only imports the packages, a test run, and a worker process keep their own ways with signals.
    """
    if sys.argv[:1] != ["-m"]:  # which is what it is until python -m has found its module
        return bool(sys.argv) and PurePath(sys.argv[0]).stem == _SCRIPT
    words = sys.orig_argv
    named = words[words.index("-m") + 1 :] if "-m" in words else []
    return bool(named) and named[0].partition(".")[0] in _OURS


def end(number: int, _frame: object = None) -> NoReturn:
    """A line on standard error, and the end with 128 + number, whatever the process is in the middle of.

    Args:
        number: The signal's.
        _frame: What a handler is given besides.
    """
    try:
        os.write(2, b"error: stopped\n")
    finally:
        os._exit(128 + number)


def arm() -> None:
    """Let `end` meet every signal that is not ignored, as nohup ignores SIGHUP."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)


@contextmanager
def later(numbers: Iterable[int] = SIGNALS) -> Iterator[None]:
    """Signals wait until this is left; processes that are begun in here never hear them.

    Args:
        numbers: Which.

    Yields:
        Nothing.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


if ours():
    arm()
