"""The kit of every command: a parser whose errors suggest what was meant, types of options, and how a command ends.

    @command
    def main(argv: Sequence[str] | None = None) -> int:
        options = parser().parse_args(argv)
        ...
        return EXIT_OK

What goes wrong is one clear line on standard error and an exit code instead of a traceback: 2 for a UsageError, 3 for a
DataError, what an EndedEarly carries, and 128 + n after signal n (130 for Ctrl-C, 143 for SIGTERM).
"""

from __future__ import annotations

import argparse
import functools
import math
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from smoothswap.errors import EXIT_DATA, EXIT_USAGE, DataError, EndedEarly, UsageError, suggestion

Main = Callable[[Sequence[str] | None], int]
Codes = Mapping[type[Exception], int]
CODES: Codes = {UsageError: EXIT_USAGE, DataError: EXIT_DATA}


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line with a suggestion; its help keeps the lines of its texts.

    Options are not abbreviated, so that a new one never changes what an old script means.
    """

    def __init__(self, prog: str | None = None, **options: Any) -> None:
        options.setdefault("allow_abbrev", False)
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(prog, **options)

    def error(self, message: str) -> NoReturn:
        """Print one line and leave with code 2."""
        print(f"error: {message} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(EXIT_USAGE)

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> argparse.Namespace:  # type: ignore[override]
        """Parse; an unknown option is an error that names the nearest known one.

        Args:
            args: The words after the command; None: sys.argv's.
            namespace: An object that takes the options as attributes; None: a new one.

        Returns:
            The options.

        Raises:
            SystemExit: With code 2, after a line on standard error, for bad words; with 0 after --help.
        """
        options: argparse.Namespace
        options, unknown = self.parse_known_args(args, namespace)
        if unknown:
            name = unknown[0].partition("=")[0]
            self.error(f"unknown option {unknown[0]!r}.{suggestion(name, _options_of(self))}")
        return options


def _options_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The long options of a parser and of its subcommands."""
    for action in parser._actions:
        yield from (name for name in action.option_strings if name.startswith("--"))
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from _options_of(sub)


def at_least(low: int) -> Callable[[str], int]:
    """An argparse type: a whole number not under `low`.

    Examples:
        >>> at_least(2)("7")
        7
        >>> at_least(2)("1")
        Traceback (most recent call last):
        argparse.ArgumentTypeError: '1' is not a whole number of at least 2
    """

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < low:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {low}")
        return int(text)

    return number


def between(low: int, high: int) -> Callable[[str], int]:
    """An argparse type: a whole number from `low` to `high`, both included.

    Args:
        low: 0 or more: a sign is refused.
        high: The greatest that is taken.

    Returns:
        What makes the number of an option's text, or raises argparse.ArgumentTypeError.

    Examples:
        >>> between(0, 51)("18")
        18
        >>> between(0, 51)("52")
        Traceback (most recent call last):
        argparse.ArgumentTypeError: '52' is not a whole number from 0 to 51
    """

    def number(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return number


def real(low: float, high: float = math.inf) -> Callable[[str], float]:
    """An argparse type: a finite number from `low` to `high`, both included.

    Args:
        low: The least that is taken.
        high: The greatest; by default any finite number.

    Returns:
        What makes the number of an option's text, or raises argparse.ArgumentTypeError.
    """

    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and low <= value <= high):
            wanted = f"of at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
            raise argparse.ArgumentTypeError(f"{text!r} is not a number {wanted}")
        return value

    return number


def check_folder(out: Path) -> None:
    """Make the output folder and prove that it can be written.

    Args:
        out: The folder that --out names.

    Raises:
        DataError: It cannot be made or written, or the disk is full.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out) as file:
            file.write(b"\0" * 4096)
    except OSError as error:
        raise DataError(
            f"cannot write to the output folder {out}: {error.strerror or error}; choose another with --out"
        ) from error


def refused(error: object, code: int) -> int:
    """Say `error` on standard error.

    Args:
        error: An exception or a text, said after "error: ".
        code: The exit code.

    Returns:
        `code`, to be returned by the command.
    """
    # Names of files may hold bytes that are no UTF-8.
    print(f"error: {error}".encode("utf-8", "backslashreplace").decode(), file=sys.stderr)
    return code


class Stopped(KeyboardInterrupt):
    """SIGTERM, as an exception that passes every `except Exception` as Ctrl-C does."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM raises Stopped in here. Only a main thread can say so; in any other nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(number: int, _frame: object) -> NoReturn:
    raise Stopped(number)


def command_with(
    codes: Codes | None = None, stopped: str = "stopped"
) -> Callable[[Main], Callable[..., int]]:
    """A decorator that turns a command's refusals into exit codes.

    Args:
        codes: Exit codes of further errors, beside CODES; of an error's classes the most special one counts.
        stopped: What is said after Ctrl-C or SIGTERM.

    Returns:
        The decorator of a `main` that takes the arguments and returns an exit code.
    """
    known = {**CODES, **(codes or {})}

    def decorate(main: Main) -> Callable[..., int]:
        @functools.wraps(main)
        def guarded(argv: Sequence[str] | None = None) -> int:
            with _stoppable():
                try:
                    return main(argv)
                except EndedEarly as error:
                    return refused(error, error.code)
                except tuple(known) as error:
                    return refused(error, next(known[kind] for kind in type(error).__mro__ if kind in known))
                except KeyboardInterrupt as error:
                    number = error.number if isinstance(error, Stopped) else signal.SIGINT
                    return refused(stopped, 128 + number)

        return guarded

    return decorate


command = command_with()
