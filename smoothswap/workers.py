"""Worker processes, one a core: each keeps to one thread and ends with its parent."""

from __future__ import annotations

import os
import sys
import threading
from multiprocessing import parent_process

from threadpoolctl import threadpool_limits

_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def cores() -> int:
    """How many cores this process may run on, which a container or a scheduler may have narrowed."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def begin_worker() -> None:
    """The initializer of a pool with a process a core: one thread, and an end where the parent was killed."""
    use_one_core()
    threading.Thread(target=_end_with_parent, daemon=True).start()


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
