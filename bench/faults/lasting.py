"""Folders for what a whole campaign needs and is made once: they last as long as the process."""

from __future__ import annotations

import tempfile
from pathlib import Path

_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def lasting_folder() -> Path:
    """An empty folder that is removed when the process ends."""
    _KEPT.append(tempfile.TemporaryDirectory(prefix="faults-"))
    return Path(_KEPT[-1].name)
