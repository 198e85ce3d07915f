"""Folders made for outputs, which are taken away again where the command is refused before anything lies in them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_made: list[Path] = []


def make_folder(path: Path) -> None:
    """Make a folder and those above it where they are missing.

    Args:
        path: The folder, which may be there.

    Raises:
        OSError: It cannot be made.
    """
    missing = []
    for folder in (path, *path.parents):
        if folder.exists():
            break
        missing.append(folder)
    _made[:0] = missing  # the deepest first, and what is within others before them
    path.mkdir(parents=True, exist_ok=True)


def keep_made() -> None:
    """What was made so far stays: a command begins, or has ended well."""
    _made.clear()


def unmake() -> None:
    """Take away what was made and is empty still."""
    for folder in _made:
        with suppress(OSError):
            folder.rmdir()
    _made.clear()
