"""Worker processes that hang or die: their job is lost, and nothing else."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from smoothswap.errors import DataError
from smoothswap.guarded import WorkerLost, Workers
from tests.support import hanging


@pytest.fixture(scope="module")
def worker() -> Iterator[Workers]:
    with Workers(1, seconds=2) as workers:
        yield workers


def test_a_job_that_hangs_is_ended_in_time_and_costs_no_other(worker: Workers) -> None:
    jobs = [worker.submit(hanging.square, 2), worker.submit(hanging.stop), worker.submit(hanging.square, 3)]
    assert jobs[0].result() == 4
    with pytest.raises(WorkerLost, match="hung for 2 seconds and was killed"):
        jobs[1].result(timeout=60)
    assert jobs[2].result(timeout=60) == 9


def test_a_job_that_ends_its_process_or_raises_costs_no_other(worker: Workers) -> None:
    jobs = [worker.submit(job) for job in (hanging.die, hanging.fail)]
    with pytest.raises(WorkerLost, match="was ended by SIGSEGV"):
        jobs[0].result(timeout=60)
    with pytest.raises(KeyError, match="what it was"):
        jobs[1].result(timeout=60)


def test_a_process_that_does_not_even_read_its_job_is_given_up(worker: Workers) -> None:
    os.kill(worker.submit(hanging.process).result(timeout=60), signal.SIGSTOP)
    large = worker.submit(hanging.length, bytes(10_000_000))  # no pipe holds that much
    with pytest.raises(WorkerLost, match="hung"):
        large.result(timeout=60)


def test_a_process_that_died_with_nothing_to_do_costs_nothing(worker: Workers) -> None:
    before = worker.submit(hanging.process).result(timeout=60)
    os.kill(before, signal.SIGKILL)
    state = Path(f"/proc/{before}/stat")
    while state.exists() and ") Z " not in state.read_text():
        pass  # until it is gone, of which only its parent's wait leaves no trace
    assert worker.submit(hanging.process).result(timeout=60) != before


def test_urgent_jobs_come_first(worker: Workers, tmp_path: Path) -> None:
    said = tmp_path / "said"
    gate = worker.submit(hanging.length, bytes(30_000_000))
    jobs = [worker.submit(hanging.note, said, word) for word in ("first", "second")]
    jobs.append(worker.submit(hanging.note, said, "urgent", urgent=True))
    for job in (gate, *jobs):
        job.result(timeout=60)
    assert said.read_text().split() == ["urgent", "first", "second"]


def test_workers_that_never_start_are_one_error() -> None:
    with (
        Workers(1, hanging.never_ready) as workers,
        pytest.raises(DataError, match="worker processes end while they start"),
    ):
        workers.submit(hanging.square, 1).result(timeout=60)


def test_none_means_here_and_nothing_is_left_behind() -> None:
    threads = threading.active_count()
    with Workers(0) as here:
        assert here.submit(hanging.process).result() == os.getpid()
        with pytest.raises(KeyError):
            here.submit(hanging.fail).result()
    with Workers(1) as one:
        child = one.submit(hanging.process).result(timeout=60)
    assert not Path(f"/proc/{child}").exists()
    assert threading.active_count() == threads
