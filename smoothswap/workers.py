"""Worker processes, one a core: each keeps to one thread and ends with its parent."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

T = TypeVar("T")
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


class _Pool(ProcessPoolExecutor):
    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        with _deaf():
            return super().submit(fn, *args, **kwargs)


@contextmanager
def _deaf() -> Iterator[None]:
    """Ctrl-C waits, and never reaches a process that is begun in here: while it imports it would print a traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def pool_of(count: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of worker processes that is left as soon as anything is raised, whatever they are at.

    Args:
        count: How many. Spawned, because a forked child would inherit the threads of torch and warp in an unknown state.

    Yields:
        The pool, each process begun by begin_worker.
    """
    pool = _Pool(count, get_context("spawn"), initializer=begin_worker)
    try:
        yield pool
    except BaseException:
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


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
