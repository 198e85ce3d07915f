"""Jobs for worker processes that hang, die or fail."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def square(_: None, number: int) -> int:
    return number * number


def stop(_: None) -> None:
    """Stopped: only SIGKILL ends it."""
    os.kill(os.getpid(), signal.SIGSTOP)


def die(_: None) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def fail(_: None) -> None:
    raise KeyError("what it was")


def length(_: None, content: bytes) -> int:
    return len(content)


def process(_: None) -> int:
    return os.getpid()


def note(_: None, path: Path, word: str) -> None:
    with path.open("a") as file:
        file.write(f"{word} ")


def never_ready() -> None:
    os._exit(7)
