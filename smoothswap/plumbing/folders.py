"""A folder replaced whole or not at all: written beside its place, then the two exchanged in one step.

Where the system cannot exchange (another one than Linux, some network disks), the old one is moved aside first, and what a
kill leaves there is moved back by the next who comes. Where the folder itself cannot be moved (it is a mount, or the place
where somebody works), its files are replaced one by one under a mark that readers look for.
"""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from smoothswap.plumbing.locks import left_over, try_lock
from smoothswap.plumbing.made import make_folder

MARK = ".unfinished"
"""A file in a folder whose files are being replaced one by one."""
_AT_FDCWD, _EXCHANGE = -100, 2


class NewFolder:
    """What is to take the place of `out`, a folder beside it until `put` is called; a context manager.

    Args:
        out: The folder to replace, which may be missing.

    Raises:
        OSError: Nothing can be written there.
    """

    def __init__(self, out: Path) -> None:
        self.out = out.resolve()
        make_folder(self.out.parent)
        sweep(self.out)
        self.path = self._made(self.out.parent) or self._made(self.out)
        if self.path is None:
            raise OSError(errno.EACCES, "no folder can be made there", str(out))
        self._lock = os.open(self.path, os.O_RDONLY)
        try_lock(self._lock)

    def _made(self, parent: Path) -> Path | None:
        path = parent / f".{self.out.name}.{secrets.token_hex(4)}.part"
        try:
            parent.mkdir(exist_ok=True)
            path.mkdir()
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                return None
            raise
        return path

    def __enter__(self) -> NewFolder:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)
        if self.path is not None:
            shutil.rmtree(self.path, ignore_errors=True)

    def carry(self, name: str) -> None:
        """Take a file or folder of the old folder along: linked where that can be, else copied.

        Args:
            name: Of an entry of `out`, which stays as it is.

        Raises:
            OSError: It cannot be read, or the copy not be written.
        """
        assert self.path is not None
        old, new = self.out / name, self.path / name
        if old.is_dir() and not old.is_symlink():
            shutil.copytree(old, new, symlinks=True, copy_function=_linked)
        else:
            _linked(str(old), str(new))

    def put(self, keep: str | None = None, old: Iterable[str] = (), last: Iterable[str] = ()) -> Path | None:
        """Let the new folder take the old one's place.

        Args:
            keep: The name under which the old folder stays beside; None: it is removed.
            old: Where the folder cannot be moved: names of its entries that go, into a folder `keep` within it or for good.
            last: There, names of files that come after all others, at any depth.

        Returns:
            Where the old one is kept; None where it is not, or there was none.

        Raises:
            OSError: It cannot be done. The old folder is whole then, or marked.
        """
        assert self.path is not None
        if not self.out.is_dir():
            os.replace(self.path, self.out)
            return None
        shutil.copymode(self.out, self.path)
        before = os.open(self.out, os.O_RDONLY)  # held, so that nobody takes it for left over
        try:
            try_lock(before)
            if self.path.parent == self.out or self._is_worked_in() or not self._exchanged():
                return self._one_by_one(keep, tuple(old), tuple(last))
            if keep is None:
                return None
            self.path.rename(self.out.with_name(keep))
            return self.out.with_name(keep)
        finally:
            os.close(before)

    def _is_worked_in(self) -> bool:
        with suppress(OSError):
            return Path.cwd().is_relative_to(self.out)
        return False

    def _exchanged(self) -> bool:
        """Whether the folder could be moved; self.path is the old one then."""
        assert self.path is not None
        try:
            if not exchange(self.path, self.out):
                aside = self.path.with_suffix(".old")
                self.out.rename(aside)
                self.path.rename(self.out)
                aside.rename(self.path)
        except OSError as error:
            if error.errno in (errno.EBUSY, errno.EACCES, errno.EPERM, errno.EXDEV):
                return False
            raise
        return True

    def _one_by_one(self, keep: str | None, old: tuple[str, ...], last: tuple[str, ...]) -> Path | None:
        assert self.path is not None
        (self.out / MARK).touch()
        kept = None if keep is None else self.out / keep
        for name in old:
            if kept is not None:
                kept.mkdir(exist_ok=True)
                (self.out / name).rename(kept / name)
            elif (self.out / name).is_dir():
                shutil.rmtree(self.out / name)
            else:
                (self.out / name).unlink()
        files = [path.relative_to(self.path) for path in self.path.rglob("*") if not path.is_dir()]
        for file in sorted(files, key=lambda path: path.name in last):
            (self.out / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(self.path / file, self.out / file)
        (self.out / MARK).unlink()
        return kept


def sweep(out: Path) -> None:
    """Remove what killed processes left of folders to be put at `out`, and move back what they had moved aside."""
    for place in (out.parent, out):
        with suppress(OSError):
            for path in place.glob(f".{_plain(out.name)}.*.part"):
                if left_over(path):
                    shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):
        for path in out.parent.glob(f".{_plain(out.name)}.*.old"):
            if not left_over(path):
                continue
            if out.exists():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.rename(out)


def exchange(one: Path, other: Path) -> bool:
    """Let two paths change places in one step.

    Args:
        one: A file or folder.
        other: Another, on the same disk.

    Returns:
        False where the system has no such step; nothing was moved then.

    Raises:
        OSError: It has, and it failed.
    """
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if os.name == "posix" else None
    if call is None:
        return False
    if call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL):
        return False
    raise OSError(number, os.strerror(number), str(one), None, str(other))


def _linked(old: str, new: str) -> None:
    try:
        os.link(old, new, follow_symlinks=False)
    except OSError:  # a disk without links
        shutil.copy2(old, new, follow_symlinks=False)


def _plain(name: str) -> str:
    """A name within a pattern, its own signs taken as they are."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
