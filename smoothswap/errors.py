"""The errors of smoothswap are the project's own (plumbing.errors)."""

from __future__ import annotations

from plumbing.errors import EXIT_DATA, EXIT_OK, EXIT_USAGE, DataError, EndedEarly, UsageError, few, suggestion

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
