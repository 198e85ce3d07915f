"""Files written whole or not at all: beside their place first, then moved there."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from smoothswap.plumbing.locks import try_lock
from smoothswap.plumbing.made import make_folder


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A part file beside `path` to write to. It takes the place of `path` at the end, or is removed on an error.

    What a killed process left of the same file is taken over by the next that writes it.

    Args:
        path: The file, in a folder that exists.

    Yields:
        The part, empty, with the suffix of `path`.

    Raises:
        OSError: `path` is no plain file, or the part cannot be written.
    """
    refuse_special(path)
    part, descriptor = _part(path)
    try:
        yield part
        os.fsync(descriptor)  # a full disk may say so only here
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
        os.close(descriptor)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, and its folder where that is missing.

    Args:
        path: The file.
        data: All of it.

    Raises:
        OSError: It cannot be written; what was there is whole.
    """
    make_folder(path.parent)
    with replacing(path) as part, part.open("r+b") as file:
        file.write(data)


def prove(path: Path) -> None:
    """Make sure that a file can be written, before the work for it begins; what is there stays as it is.

    Args:
        path: The file; its folder is made where it is missing.

    Raises:
        OSError: It cannot.
    """
    make_folder(path.parent)
    refuse_special(path)
    part, descriptor = _part(path)
    try:
        os.write(descriptor, b"\0" * 4096)
    finally:
        part.unlink(missing_ok=True)
        os.close(descriptor)


def refuse_special(path: Path) -> None:
    """Raise OSError where `path` is there and no plain file: moved upon, a device would be lost."""
    with suppress(FileNotFoundError):
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "a device or a pipe"
            raise OSError(None, f"it is {what}, not a file", str(path))


def _part(path: Path) -> tuple[Path, int]:
    """A new part file, locked, and its descriptor."""
    names = [f".{path.name}.part{path.suffix}", f".{path.name}.{secrets.token_hex(4)}.part{path.suffix}"]
    for name in names:
        part = path.with_name(name)
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        held = try_lock(descriptor)
        with suppress(OSError):
            if os.path.samestat(part.stat(), os.fstat(descriptor)) and (held or name == names[-1]):
                os.ftruncate(descriptor, 0)
                return part, descriptor
        os.close(descriptor)  # another process writes the same file
    raise OSError(None, "others are writing it too", str(path))
