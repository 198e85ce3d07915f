"""What the tests of this folder share beside fixtures."""

from __future__ import annotations

from pathlib import Path

PEOPLE = ("Anna", "Bo Ek", "Çiğdem\n2")


def content(folder: Path) -> dict[str, bytes]:
    """All files of a prepared folder by name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
