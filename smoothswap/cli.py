"""The kit of every command: a parser whose errors suggest what was meant, types of options, and how a command ends.

    @command
    def main(argv: Sequence[str] | None = None) -> int:
        options = parser().parse_args(argv)
        ...
        return EXIT_OK

What goes wrong is one clear line on standard error and an exit code instead of a traceback (smoothswap.plumbing.ending).
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from smoothswap.errors import DataError
from smoothswap.plumbing import ending
from smoothswap.plumbing.ending import Codes, Main
from smoothswap.plumbing.files import prove
from smoothswap.plumbing.made import make_folder
from smoothswap.plumbing.parser import Parser

MOST = (1 << 63) - 1
"""Of a whole number that an option takes."""


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
        if not text.isdecimal() or len(text) > 4000 or int(text) < low:
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a whole number of at least {low}")
        if int(text) > MOST:
            raise argparse.ArgumentTypeError(
                f"{text[:40]!r} is more than any machine holds; give at most {MOST}"
            )
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


def check_folder(out: Path, option: str = "--out") -> None:
    """Make the output folder and prove that it can be written; a command that is refused leaves it only with what it wrote.

    Args:
        out: The folder.
        option: Which names it.

    Raises:
        DataError: It cannot be made or written, or the disk is full.
    """
    try:
        make_folder(out)
        with tempfile.TemporaryFile(dir=out) as file:
            file.write(b"\0" * 4096)
    except OSError as error:
        raise DataError(
            f"cannot write to the output folder {out}: {error.strerror or error}; choose another with {option}"
        ) from error


def foresee_folder(out: Path, option: str = "--out") -> None:
    """Prove early that an output folder can be written, and leave none behind: the command may still be refused.

    Args:
        out: The folder.
        option: Which names it.

    Raises:
        DataError: As check_folder.
    """
    made = [path for path in (out, *out.parents) if not path.exists()]
    try:
        check_folder(out, option)
    finally:
        for path in made:
            with suppress(OSError):
                path.rmdir()


def check_file(path: Path) -> None:
    """Prove that an output can be written, before the work for it begins.

    Args:
        path: The file; its folder is made where it is missing.

    Raises:
        DataError: It cannot, or the disk is full.
    """
    try:
        prove(path)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}; choose another file") from error


def command_with(
    codes: Codes | None = None, stopped: str = "stopped"
) -> Callable[[Main], Callable[..., int]]:
    """smoothswap.plumbing.ending's decorator.

    Args:
        codes: Exit codes of further errors, beside UsageError's and DataError's.
        stopped: What is said after a signal.

    Returns:
        The decorator of a `main` that takes the arguments and returns an exit code.
    """
    return ending.command_with(codes or {}, stopped)


command = command_with()

__all__ = [
    "Parser",
    "at_least",
    "between",
    "check_file",
    "check_folder",
    "command",
    "command_with",
    "foresee_folder",
    "real",
]
