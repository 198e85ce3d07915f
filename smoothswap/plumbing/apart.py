"""Pickled weights read in a process of their own, which gives back safetensors: whatever a file does, it does there."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from smoothswap.plumbing.packed import PickledError

_PROGRAM = (
    "import sys; sys.path[:0] = sys.argv[1:2]; from smoothswap.plumbing.pickled import main; sys.exit(main())"
)
_SECONDS, _BYTES_A_SECOND = 60, 2_000_000


def read_apart(path: Path) -> bytes:
    """What a file of pickled weights holds, packed.

    Args:
        path: The file.

    Returns:
        Bytes for smoothswap.plumbing.tensors.opened.

    Raises:
        PickledError: As read_pickled; and where reading takes too long, too much memory, or ends by a signal.
        OSError: The file cannot be read, or no process be begun.
    """
    size = path.stat().st_size
    words = [sys.executable, "-I", "-S", "-c", _PROGRAM, str(Path(__file__).resolve().parents[2])]
    seconds = _SECONDS + size // _BYTES_A_SECOND
    process = subprocess.Popen(
        [*words, str(seconds), str(path.resolve())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        try:
            data, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise PickledError(f"it is not read after {seconds} s") from None
        finally:
            process.kill()
    if process.returncode == 3:
        raise PickledError(said.decode(errors="replace"))
    if process.returncode < 0:
        name = signal.Signals(-process.returncode).name
        raise PickledError(f"reading it ended by {name}")
    if process.returncode:
        raise PickledError((said.decode(errors="replace").splitlines() or ["it cannot be read"])[-1][:160])
    return data
