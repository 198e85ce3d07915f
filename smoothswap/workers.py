"""Worker processes, one a core: each keeps to one thread and ends with its parent."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from smoothswap.plumbing.first import SIGNALS, later

T = TypeVar("T")
PARENTS = [number for number in SIGNALS if number != signal.SIGTERM]
"""Signals that the parent of worker processes alone hears."""
_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def cores() -> int:
    """How many cores this process may run on, which a container or a scheduler may have narrowed."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def begin_worker() -> None:
    """The initializer of a pool with a process a core: one thread, and an end where the parent was killed.

    Ctrl-C reaches all processes of a terminal; the parent alone says so and sees to the others.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    use_one_core()
    threading.Thread(target=_end_with_parent, daemon=True).start()


class Pool(ProcessPoolExecutor):
    """Spawned processes, since forked ones would inherit the threads of torch and warp in an unknown state.

    None of them, and not what multiprocessing keeps beside them, hears of Ctrl-C or of a terminal that is closed: they
    would print tracebacks of what their parent says in a line.

    Args:
        count: How many.
        initializer: What begins each of them; it calls begin_worker.
        initargs: Its arguments.
    """

    def __init__(
        self, count: int, initializer: Callable[..., object] = begin_worker, initargs: tuple[Any, ...] = ()
    ) -> None:
        with later(PARENTS):
            super().__init__(count, get_context("spawn"), initializer, initargs)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """As every executor's; it may begin a process."""
        with later(PARENTS):
            return super().submit(fn, *args, **kwargs)

    def leave(self, at_once: bool) -> None:
        """End the processes.

        Args:
            at_once: Whatever they are at; else when they have done what they are at. What waits is not begun.
        """
        processes = list((self._processes or {}).values())
        self.shutdown(wait=not at_once, cancel_futures=True)
        if at_once:
            for process in processes:
                process.terminate()
            self.shutdown(wait=True)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.leave(at_once=kind is not None)


def _end_with_parent() -> None:
    """A killed parent says no goodbye, and its workers would wait for it for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def use_one_core() -> None:
    """Give this process one thread for BLAS, OpenMP, OpenCV and torch.

    Two processes of two threads each on two cores render at less than half the speed of two of one.
    """
    for name in _VARIABLES:
        os.environ[name] = "1"  # for libraries that are loaded later
    threadpool_limits(1)  # for those that are: they read the environment once, before any initializer
    if cv2 := sys.modules.get("cv2"):
        cv2.setNumThreads(1)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
