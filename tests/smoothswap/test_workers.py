"""Worker processes keep to one thread, also of libraries that were loaded before the pool's initializer ran."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from smoothswap.workers import use_one_core


def counts(_: int) -> list[int]:
    np.ones((8, 8)) @ np.ones((8, 8))  # this module has loaded numpy, and with it BLAS
    return [pool["num_threads"] for pool in threadpool_info()]


@pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) < 2,
    reason="one core: BLAS has one thread anyway (run it on two or more)",
)
def test_a_worker_has_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "2")
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        assert max(pool.submit(counts, 0).result()) == 2
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=use_one_core) as pool:
        found = pool.submit(counts, 0).result()
    assert set(found) == {1}
