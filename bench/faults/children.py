"""A command in a child of this process: forked, so that it costs no import, and cut where its work begins.

The child may write within its own folder alone and starts no processes of Python: where it would, its arguments were taken
and its work has begun, and it is ended there, as it is at the end of its time. All that it started ends with it.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import importlib.util
import multiprocessing.process
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

CODES = (0, 2, 3, 4)
"""With which commands end: done, what was asked for, data and outputs, got worse or cannot be written."""
_BEGUN = 99
_MEMORY = 3 << 30  # bytes besides what this process has
_STEPS = 0.005  # seconds between looks
_WRITES = (
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "shutil.rmtree",
)
_OURS = tuple(
    str(Path(__file__).resolve().parents[2] / name) for name in ("bench", "smoothswap", "metrics", "reports")
)


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Args:
        code: Its exit code, -n after signal n; None: it was at work, and was cut.
        out: What it wrote on standard output.
        error: And on standard error.
        late: Whether it was cut for its time, not for where it had got to.
    """

    code: int | None
    out: str
    error: str
    late: bool = False


def main_of(module: str) -> Callable[[Sequence[str]], int]:
    """The function behind `python -m MODULE`.

    Args:
        module: Of a command, as "bench.ffpp".
    """
    package = importlib.util.find_spec(f"{module}.__main__") if _is_package(module) else None
    return importlib.import_module(f"{module}.__main__" if package else module).main


def _is_package(module: str) -> bool:
    found = importlib.util.find_spec(module)
    return found is not None and found.submodule_search_locations is not None


def inside(main: Callable[[Sequence[str]], Any], words: Sequence[str], place: Path, seconds: float) -> Ended:
    """Run a command in a child.

    Args:
        main: The command's.
        words: Its arguments.
        place: Its working folder, the one place where it may write; its caches are made there too.
        seconds: That it may take.

    Returns:
        How it ended.
    """
    said = [place.parent / f".{place.name}.{name}" for name in ("out", "error")]
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    child = os.fork()
    if child == 0:
        faulthandler.disable()  # how it ended is counted; its stack on this process's standard error tells nobody
        gc.freeze()  # what waits for threads when it is collected would wait for ever: they are not here
        code = 1
        try:
            _confined(place, said)
            code = _code_of(main, words)
        except BaseException:  # noqa: BLE001  # nothing may pass: above stand this process's own frames
            traceback.print_exc()
        finally:
            with suppress(BaseException):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)
    code, late = _waited(child, seconds)
    out, error = (
        path.read_text(encoding="utf-8", errors="replace") if path.exists() else "" for path in said
    )
    for path in said:
        path.unlink(missing_ok=True)
    return Ended(None if late or code == _BEGUN else code, out, error, late)


def _waited(child: int, seconds: float) -> tuple[int, bool]:
    end = time.monotonic() + seconds
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        late = not done and time.monotonic() > end
        if done or late:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child, signal.SIGKILL)
            if late:
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
                _, status = os.waitpid(child, 0)
            return os.waitstatus_to_exitcode(status), late
        time.sleep(_STEPS)


def _code_of(main: Callable[[Sequence[str]], Any], words: Sequence[str]) -> int:
    try:
        return int(main(list(words)) or 0)
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
        return error.code if isinstance(error.code, int) else int(error.code is not None)


def _confined(place: Path, said: Sequence[Path]) -> None:
    os.setsid()
    for number, path in enumerate(said, 1):
        target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(target, number)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    # A test's process has streams of its own in their place.
    sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.chdir(place)
    os.environ.update(HOME=str(place), SMOOTHSWAP_CACHE=str(place / "cache"), TMPDIR=str(place))
    multiprocessing.process.BaseProcess.start = _begun  # type: ignore[method-assign, assignment]
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with suppress(OSError, ValueError):
            now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (now + _MEMORY,) * 2)
    sys.addaudithook(_hook(os.path.realpath(place)))


def _begun(*_: object) -> None:
    with suppress(BaseException):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(_BEGUN)


def _hook(place: str) -> Callable[[str, tuple[Any, ...]], None]:
    """Ends this process where it writes outside of its place."""
    allowed = (place, "/dev/")

    def meet(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            flags = arguments[2] if len(arguments) > 2 and isinstance(arguments[2], int) else 0
            if not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return
        elif event not in _WRITES:
            return
        path = arguments[0]
        if not isinstance(path, (str, bytes)):
            return
        text = os.fsdecode(path)
        # Kept bytecode is nobody's work.
        if "\0" in text or "__pycache__" in text:
            return
        with suppress(OSError, ValueError):
            if not os.path.realpath(text).startswith(allowed):
                _begun()

    return meet


def wrong(ended: Ended, place: Path, before: frozenset[str]) -> str:
    """What is wrong with how a command ended.

    Args:
        ended: It.
        place: Its working folder.
        before: What stood in there before, as `entries` gives it.

    Returns:
        "" where nothing is: done, at work when it was cut, or refused in one line and nothing left; else what is.
    """
    if "Traceback (most recent call last)" in ended.error:
        return f"traceback: {_last(ended.error)}"
    if ended.code is None:
        return ""
    if ended.code < 0:
        return f"ended by {signal.Signals(-ended.code).name}"
    if ended.code not in CODES:
        return f"exit code {ended.code}"
    if ended.code in (2, 3):
        lines = [line for line in ended.error.splitlines() if line.startswith("error: ")]
        if len(lines) != 1 and not ended.out:
            return f"exit code {ended.code} with {len(lines)} lines of error"
        if left := sorted(name for name in entries(place) - before if _is_left(place / name)):
            return f"refused, and left {left[0]}"
    return ""


def entries(place: Path) -> frozenset[str]:
    """What stands in a folder, at any depth.

    Args:
        place: The folder.
    """
    return frozenset(
        str((Path(at) / name).relative_to(place))
        for at, folders, files in os.walk(place)
        for name in folders + files
    )


def _is_left(path: Path) -> bool:
    """Whether a refused command should have taken it away: an empty folder, a part of a file."""
    if path.name.endswith((".part", ".tmp")) or ".part." in path.name:
        return True
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


def _last(error: str) -> str:
    """Of a traceback the error, and the deepest place in our own code."""
    lines = error.strip().splitlines()
    said = next((line for line in reversed(lines) if line and not line.startswith((" ", "error: "))), "")
    frames = [
        line.strip()
        for line in lines
        if line.strip().startswith('File "') and any(part in line for part in _OURS) and __file__ not in line
    ]
    where = ""
    if frames:
        path, line, name = (*frames[-1].split(", "), "", "")[:3]
        where = f" in {Path(path[6:-1]).name}:{line.removeprefix('line ')} {name.removeprefix('in ')}"
    return f"{said[:90]}{where}"
