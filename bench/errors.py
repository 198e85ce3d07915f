"""The errors of bench are the project's own (smoothswap.errors); a regression has an exit code to itself."""

from __future__ import annotations

from smoothswap.errors import (
    EXIT_DATA,
    EXIT_OK,
    EXIT_USAGE,
    DataError,
    EndedEarly,
    UsageError,
    few,
    suggestion,
)

EXIT_REGRESSION = 4

__all__ = [
    "EXIT_DATA",
    "EXIT_OK",
    "EXIT_REGRESSION",
    "EXIT_USAGE",
    "DataError",
    "EndedEarly",
    "UsageError",
    "few",
    "suggestion",
]
