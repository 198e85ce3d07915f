"""Full disks by kind: a command ends in one line, what was there before stays whole, and nothing half-written is left."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

_LIMITED = """
import resource, runpy, sys
sys.dont_write_bytecode = True
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.argv = sys.argv[2:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
CODES = (3, 4)
"""With which a command ends on a full disk; 4 is a training's."""


@dataclass(frozen=True)
class DiskFault:
    """One kind of a full disk.

    Args:
        name: Of the kind.
        how: "largest": no file may grow beyond a size; "tmpfs": a small disk in memory, which needs the right to mount;
            "output": standard output is full.
        smallest: Bytes that there are at least.
        largest: Bytes that there are at most.
    """

    name: str
    how: Literal["largest", "tmpfs", "output"]
    smallest: int
    largest: int

    def available(self) -> bool:
        """Whether this machine can have it."""
        if self.how == "output":
            return Path("/dev/full").exists()
        if self.how == "largest":
            return sys.platform != "win32"
        return shutil.which("mount") is not None and _mounted()

    def room(self, seed: int) -> int:
        """How many bytes there are, drawn by a seed."""
        random = np.random.default_rng([seed, zlib.crc32(self.name.encode())])
        return int(random.integers(self.smallest, self.largest + 1))

    def run(self, words: Sequence[str], out: Path, seed: int) -> subprocess.CompletedProcess[bytes]:
        """Run a command that writes to a full disk.

        Args:
            words: A module of ours and its arguments; where they hold OUT, it becomes the folder to write to.
            out: A folder: of a disk in memory it is the place.
            seed: Draws how much room there is.

        Returns:
            The finished process.
        """
        return self.tried(words, out, seed)[0]

    def tried(
        self, words: Sequence[str], out: Path, seed: int
    ) -> tuple[subprocess.CompletedProcess[bytes], list[Path]]:
        """As `run`.

        Args:
            words: As there.
            out: As there.
            seed: As there.

        Returns:
            The finished process, and what it left behind of unfinished files, looked for while the disk was there.
        """
        words = [word.replace("OUT", str(out / "run")) for word in words]
        if self.how == "tmpfs":
            with _small(out, self.room(seed)):
                command = [sys.executable, "-m", *words]
                done = subprocess.run(command, capture_output=True, check=False, cwd=_ROOT)
                return done, left_behind(out)
        if self.how == "output":
            with open("/dev/full", "wb") as full:
                command = [sys.executable, "-m", *words]
                done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, cwd=_ROOT)
            return done, left_behind(out)
        command = [sys.executable, "-c", _LIMITED, str(self.room(seed)), *words]
        done = subprocess.run(command, capture_output=True, check=False, cwd=_ROOT)
        return done, left_behind(out)


_ROOT = Path(__file__).resolve().parents[2]


def said_in_one_line(done: subprocess.CompletedProcess[bytes]) -> bool:
    """Whether a command that met a full disk ended as it should: its code, one error, no traceback."""
    lines = [line for line in done.stderr.decode(errors="replace").splitlines() if line.startswith("error: ")]
    return done.returncode in CODES and len(lines) == 1 and b"Traceback" not in done.stderr


def left_behind(folder: Path) -> list[Path]:
    """Part files and folders that are still there."""
    return [path for path in folder.rglob("*") if ".part" in path.name or path.name.endswith(".tmp")]


@contextmanager
def _small(place: Path, size: int) -> Iterator[None]:
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def _mounted() -> bool:
    with (
        suppress(OSError, subprocess.CalledProcessError),
        tempfile.TemporaryDirectory() as place,
        _small(Path(place) / "disk", 1 << 16),
    ):
        return True
    return False


FAULTS = (
    DiskFault("no file may grow", "largest", 1, 16 << 10),
    DiskFault("a small disk", "tmpfs", 4 << 10, 64 << 10),
    DiskFault("standard output is full", "output", 0, 0),
)
"""Every kind."""
