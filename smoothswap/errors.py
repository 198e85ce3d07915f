"""The errors of smoothswap are the project's own (smoothswap.plumbing.errors)."""

from __future__ import annotations

from smoothswap.plumbing.errors import (
    EXIT_DATA,
    EXIT_OK,
    EXIT_USAGE,
    DataError,
    EndedEarly,
    UsageError,
    few,
    suggestion,
)

__all__ = [
    "EXIT_DATA",
    "EXIT_OK",
    "EXIT_USAGE",
    "DataError",
    "EndedEarly",
    "UsageError",
    "few",
    "suggestion",
]
