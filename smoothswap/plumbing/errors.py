"""How a command is refused or ends early: the project's errors, their exit codes, and the suggestion of what was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_OK, EXIT_USAGE, EXIT_DATA = 0, 2, 3


class UsageError(ValueError):
    """What was asked for does not exist or does not fit together (exit code 2)."""


class DataError(ValueError):
    """A file, a folder or what they hold cannot be used as it is (exit code 3)."""


class EndedEarly(Exception):
    """A process that a command started ended before its work was done; `code` is the exit code to hand on."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def suggestion(name: str, choices: Iterable[str]) -> str:
    """The choice nearest to `name`, as a sentence to append to an error.

    Args:
        name: What was given, perhaps misspelt.
        choices: What there is.

    Returns:
        " Did you mean 'x'?", or "" when none is near.

    Examples:
        >>> suggestion("lite-46", ["lite-64", "paper-256"])
        " Did you mean 'lite-64'?"
        >>> suggestion("celeba", ["lite-64", "paper-256"])
        ''
    """
    lowered = {choice.lower(): choice for choice in choices}
    near = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.6)
    return f" Did you mean {lowered[near[0]]!r}?" if near else ""


def few(names: Iterable[str], most: int = 5) -> str:
    """The first names of a list, and how many more there are.

    Args:
        names: All of them.
        most: How many are named.

    Returns:
        The names, joined by commas.

    Examples:
        >>> few(["003", "026", "034", "037"], most=2)
        '003, 026, ... (4 in all)'
    """
    listed = list(names)
    if len(listed) <= most:
        return ", ".join(listed)
    return f"{', '.join(listed[:most])}, ... ({len(listed)} in all)"
