"""Rendered trees and faces that are kept: made by one process at a time, held against their hashes before they are used."""

from __future__ import annotations

import functools
import hashlib
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from smoothswap.errors import few
from smoothswap.plumbing.folders import exchange
from smoothswap.plumbing.locks import alone
from smoothswap.plumbing.made import make_folder
from smoothswap.plumbing.texts import read_json

P = ParamSpec("P")
R = TypeVar("R")
MANIFEST = "rendered.json"


@contextmanager
def one_at_a_time(out: Path) -> Iterator[None]:
    """One process makes `out`; others wait, and then find it made. What killed ones left beside it is removed.

    Args:
        out: The folder; the one that holds it is made where it is missing.

    Yields:
        Nothing.

    Raises:
        OSError: Nothing can be written there.
    """

    def waiting() -> None:
        print(f"another process makes {out}; waiting for it", file=sys.stderr)

    make_folder(out.parent)
    with alone(out.parent / f".{out.name}.lock", waiting):
        for left in out.parent.iterdir():
            if left.name.startswith(f".{out.name}.") and left.name.endswith(".part"):
                shutil.rmtree(left, ignore_errors=True)
        yield


def alone_in(make: Callable[Concatenate[Path, P], R]) -> Callable[Concatenate[Path, P], R]:
    """A decorator of what makes a folder, its first argument: one process at a time."""

    @functools.wraps(make)
    def made(out: Path, *args: P.args, **kwargs: P.kwargs) -> R:
        out = Path(out).absolute()
        with one_at_a_time(out):
            return make(out, *args, **kwargs)

    return made


def found(root: Path, settings: Mapping[str, Any]) -> tuple[dict[str, Any] | None, list[str]]:
    """A rendered tree that is there already.

    Args:
        root: Its folder.
        settings: What its manifest must say of it.

    Returns:
        Its manifest, None where there is none of these settings; the files that are not as they were written. A manifest
        that cannot be read is such a file itself.
    """
    path = root / MANIFEST
    if not path.is_file():
        return None, []
    try:
        manifest = read_json(path)
        if not all(manifest.get(key) == value for key, value in settings.items()):
            return None, []
        hashes = {**manifest["clips"], **manifest.get("files", {})}
        return manifest, [name for name, wanted in hashes.items() if _sha256(root / name) != wanted]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None, [MANIFEST]


def say_damaged(root: Path, names: list[str]) -> None:
    """Say on standard error that what is kept is made again, and why.

    Args:
        root: Its folder.
        names: The files that are not as they were written.
    """
    print(
        f"{root} is damaged, {len(names)} files are not as they were written ({few(names, most=3)}): made again",
        file=sys.stderr,
    )


def put(work: Path, out: Path) -> None:
    """Let a finished folder take the place of one that is empty, damaged or not there.

    Args:
        work: It; it is gone afterwards, or holds what was at `out`.
        out: Where it belongs.

    Raises:
        OSError: It cannot be moved.
    """
    if out.is_dir() and not any(out.iterdir()):
        out.rmdir()
    if out.is_dir() and not exchange(work, out):
        shutil.rmtree(out)
    if not out.is_dir():
        work.rename(out)


def hashes_of(root: Path, names: list[str]) -> dict[str, str]:
    """The SHA-256 of files below a folder, by name.

    Args:
        root: The folder.
        names: Of the files, from there.

    Returns:
        Hex digests; "" for a file that cannot be read.
    """
    return {name: _sha256(root / name) for name in names}


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
