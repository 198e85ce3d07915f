"""How a command ends: in one line and an exit code, whether by an error, by a signal, or with nobody left to read it.

    2 a UsageError, 3 a DataError or an error of the system, what an EndedEarly carries, 128 + n after signal n

Letters that the terminal has not are written as their numbers; what a reader has no more use for (`| head`) is dropped,
and the work goes on to its end.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from smoothswap.plumbing.errors import EXIT_DATA, EXIT_USAGE, DataError, EndedEarly, UsageError
from smoothswap.plumbing.first import SIGNALS, end
from smoothswap.plumbing.made import keep_made, unmake

Main = Callable[[Sequence[str] | None], int]
Codes = Mapping[type[Exception], int]
CODES: Codes = {UsageError: EXIT_USAGE, DataError: EXIT_DATA, OSError: EXIT_DATA}
_AGAIN = 2.0  # seconds in which a second signal is taken for the same one, sent to the group too
_SOON = 0.05  # seconds until it is looked again whether an import has ended
_PATIENCE = 30.0  # seconds for the work to be left, after which the process ends as it is


class Stopped(KeyboardInterrupt):
    """A signal, as an exception that passes every `except Exception` as Ctrl-C does."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def refused(error: object, code: int) -> int:
    """Say `error` on standard error.

    Args:
        error: An exception or a text, said after "error: ".
        code: The exit code.

    Returns:
        `code`, to be returned by the command.
    """
    # Names of files may hold bytes that are no UTF-8, and line breaks.
    said = str(error).replace("\n", "\\n").encode("utf-8", "backslashreplace").decode()
    print(f"error: {said}", file=sys.stderr)
    return code


def command_with(codes: Codes, stopped: str = "stopped") -> Callable[[Main], Callable[..., int]]:
    """A decorator that turns a command's refusals into exit codes.

    Args:
        codes: Exit codes of further errors, beside CODES; of an error's classes the most special one counts.
        stopped: What is said after a signal.

    Returns:
        The decorator of a `main` that takes the arguments and returns an exit code.
    """
    known = {**CODES, **codes}

    def decorate(main: Main) -> Callable[..., int]:
        @functools.wraps(main)
        def guarded(argv: Sequence[str] | None = None) -> int:
            with patient_streams(), _stoppable(), _unmade():
                try:
                    code = main(argv)
                    _flush()
                    keep_made()
                    return code
                except EndedEarly as error:
                    return refused(error, error.code)
                except tuple(known) as error:
                    return refused(
                        _said(error), next(known[kind] for kind in type(error).__mro__ if kind in known)
                    )
                except KeyboardInterrupt as error:
                    number = error.number if isinstance(error, Stopped) else signal.SIGINT
                    return refused(stopped, 128 + number)

        return guarded

    return decorate


@contextmanager
def _unmade() -> Iterator[None]:
    """Folders that were made in here and are empty at the end go again, unless the command has ended well."""
    keep_made()
    try:
        yield
    finally:
        unmake()


def _said(error: Exception) -> object:
    """An error of the system as ours are written: what, and of which file."""
    if not isinstance(error, OSError) or error.strerror is None or type(error).__str__ is not OSError.__str__:
        return error
    where = f": {os.fsdecode(error.filename)}" if isinstance(error.filename, (str, bytes)) else ""
    return f"{error.strerror}{where}"


# ---- signals ----
@contextmanager
def _stoppable() -> Iterator[None]:
    """Signals raise Stopped in here. Only a main thread can say so; in any other nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = _Handler()
    heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heard}
    try:
        yield
    finally:
        for number, was in before.items():
            signal.signal(number, was)
        handler.done.set()


class _Handler:
    def __init__(self) -> None:
        self.first: float | None = None
        self.done = threading.Event()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        # Modules are imported within try statements that take any exception for a lacking package.
        if _imports(frame):
            if not _has_workers():
                end(number)
            again = threading.Timer(_SOON, signal.pthread_kill, (threading.main_thread().ident, number))
            again.daemon = True
            again.start()
            return
        if self.first is not None:
            if time.monotonic() - self.first > _AGAIN:
                end(number)
            return
        self.first = time.monotonic()
        # Raised inside a library's callback an exception may be lost.
        threading.Thread(target=self._end_at_last, args=(number,), daemon=True).start()
        raise Stopped(number)

    def _end_at_last(self, number: int) -> None:
        if not self.done.wait(_PATIENCE):
            end(number)


def _imports(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def _has_workers() -> bool:
    multiprocessing = sys.modules.get("multiprocessing")
    return multiprocessing is not None and bool(multiprocessing.active_children())


# ---- streams ----
class _Patient:
    """A stream of text whose writes are dropped once its reader has gone."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
        except BrokenPipeError:
            self._drop()
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._drop()

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _drop(self) -> None:
        _into_nothing(self._stream)


def _into_nothing(stream: Any) -> None:
    """Let a stream's file be one that takes everything, what it has not written yet included."""
    with suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)
        stream.flush()


@contextmanager
def patient_streams() -> Iterator[None]:
    """In here standard output and error show every letter somehow and outlive their readers."""
    before = sys.stdout, sys.stderr
    errors = [getattr(stream, "errors", None) for stream in before]
    for stream in before:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.stdout, sys.stderr = (stream and _Patient(stream) for stream in before)
    try:
        yield
    finally:
        with suppress(OSError, ValueError, AttributeError):
            sys.stdout.flush()
        sys.stdout, sys.stderr = before
        for stream, was in zip(before, errors, strict=True):
            if hasattr(stream, "reconfigure") and was:
                stream.reconfigure(errors=was)


def _flush() -> None:
    """Write what standard output still holds, so that a full disk behind it is an error like any other."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        _into_nothing(sys.stdout)
        raise
