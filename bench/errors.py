"""The ways in which a command can be refused or end early, and the suggestion that goes with a misspelt name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_OK, EXIT_USAGE, EXIT_DATA, EXIT_REGRESSION = 0, 2, 3, 4


class UsageError(ValueError):
    """What was asked for does not exist or does not fit together (exit code 2)."""


class DataError(ValueError):
    """The data or the output folder cannot be used as they are (exit code 3)."""


class EndedEarly(Exception):
    """A process that a command started ended before its work was done; `code` is the exit code to hand on."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def suggestion(name: str, choices: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the choice nearest to `name`, or "" when none is near."""
    lowered = {choice.lower(): choice for choice in choices}
    near = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.6)
    return f" Did you mean {lowered[near[0]]!r}?" if near else ""


def few(names: Iterable[str], most: int = 5) -> str:
    """Join the first `most` names and say how many more there are: "003, 026, ... (37 in all)"."""
    listed = list(names)
    if len(listed) <= most:
        return ", ".join(listed)
    return f"{', '.join(listed[:most])}, ... ({len(listed)} in all)"
