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
            return self._workers.submit(_call, call, path, *arguments).result()
        except WorkerLost as error:
            raise VideoError(f"{path}: the worker process that read it {error}") from None


def _call(_: None, call: Callable[..., Any], path: Path, *arguments: Any) -> Any:
    return call(path, *arguments)
