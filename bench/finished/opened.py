"""Files opened for the check of finished swaps: by a worker that may hang or die over one of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from smoothswap.guarded import WorkerLost, Workers
from smoothswap.media.film import VideoError

Opener = Callable[..., Any]
"""opened(call, path, *arguments) is call(path, *arguments); raises what is in thumbnails.UNREADABLE."""


def here(call: Callable[..., Any], path: Path, *arguments: Any) -> Any:
    """Open a file in this process.

    Args:
        call: call(path, *arguments) opens it.
        path: The file.
        arguments: Further ones.

    Returns:
        What `call` returned.
    """
    return call(path, *arguments)


class Guarded:
    """Opens files in a worker.

    Args:
        workers: Without a state.
    """

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def __call__(self, call: Callable[..., Any], path: Path, *arguments: Any) -> Any:
        """Open a file.

        Args:
            call: call(path, *arguments) opens it; a function of a module.
            path: The file.
            arguments: Further ones.

        Returns:
            What `call` returned.

        Raises:
            VideoError: The worker hung or died; besides what `call` raises.
        """
        try:
            return self._workers.submit(_call, call, path, *arguments, weight=_weight(path)).result()
        except WorkerLost as error:
            raise VideoError(f"{path}: the worker process that read it {error}") from None


def _weight(path: Path) -> float:
    """How large a clip is beside what a worker reads in the time for one job: ten megabytes, or fifty pictures."""
    try:
        return sum(1 for _ in path.iterdir()) / 50 if path.is_dir() else path.stat().st_size / 10_000_000
    except OSError:
        return 1.0


def _call(_: None, call: Callable[..., Any], path: Path, *arguments: Any) -> Any:
    return call(path, *arguments)
