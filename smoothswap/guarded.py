"""Worker processes that may hang or die: what one of them was at is lost, and nothing else.

Files from anywhere are decoded by libraries that are not written in Python, and one file in a million makes them hang, or
ends the process. So such work is handed to Workers, with a time limit for every job: a process that is still at it then is
killed, whatever it is doing, and another takes its place, as it does for one that died. Whoever waits for the job is told
by WorkerLost.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from queue import PriorityQueue
from typing import Any

from smoothswap.errors import DataError
from smoothswap.plumbing.first import later
from smoothswap.workers import PARENTS, begin_worker

SECONDS = 120.0
"""That a job of usual size may take."""
STARTS = 3  # processes in a row that do not get as far as their first job: it is the machine, not the job
START_SECONDS = 60.0  # that a start may take at least


class WorkerLost(Exception):
    """The process that was at a job hung or died; the message says which."""


@dataclass(order=True)
class _Job:
    place: tuple[int, int]
    call: Callable[..., Any] = field(compare=False)
    arguments: tuple[Any, ...] = field(compare=False)
    seconds: float = field(compare=False)
    future: Future[Any] = field(compare=False, default_factory=Future)


def nothing() -> None:
    """The state of workers that need none."""


class Workers:
    """Some processes, each with a state of its own, that take jobs; a context manager.

    Args:
        count: How many; 0: jobs are done in this process, when they are handed out and without any guard.
        start: Makes the state of a process, which every job is given first; picklable, as all that is handed out.
        arguments: Of `start`.
        seconds: That a job of weight 1 may take. Time in which this process is stopped itself does not count.
    """

    def __init__(
        self,
        count: int,
        start: Callable[..., Any] = nothing,
        arguments: tuple[Any, ...] = (),
        seconds: float = SECONDS,
    ) -> None:
        self.count, self.seconds = count, seconds
        self._here = start(*arguments) if count == 0 else None
        self._jobs: PriorityQueue[_Job] = PriorityQueue()
        self._handed_out = 0
        self._closed = threading.Event()
        self.failed_starts = 0
        self._keepers = [_Keeper((start, arguments), self._jobs, self) for _ in range(count)]
        if count:
            threading.Thread(target=self._watch, daemon=True).start()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.close(at_once=kind is not None)

    def submit(
        self, call: Callable[..., Any], *arguments: Any, weight: float = 1.0, urgent: bool = False
    ) -> Future[Any]:
        """Hand a job out.

        Args:
            call: call(state, *arguments) is done by the next process that is free; a function of a module.
            arguments: Further ones.
            weight: How much larger than usual the job is: its time limit is so many times `seconds`, and at least that.
            urgent: Whether it comes before jobs that were handed out earlier.

        Returns:
            Gives what `call` returned or raised. WorkerLost: its process hung or died. DataError: no process starts.
        """
        self._handed_out += 1
        place = (0 if urgent else 1, self._handed_out)
        job = _Job(place, call, arguments, self.seconds * max(1.0, weight))
        if self.count == 0:
            try:
                job.future.set_result(call(self._here, *arguments))
            except Exception as error:  # noqa: BLE001  # whatever it is, it is the job's
                job.future.set_exception(error)
        else:
            self._jobs.put(job)
        return job.future

    def close(self, at_once: bool = False) -> None:
        """End the processes; jobs that none of them has begun are dropped.

        Args:
            at_once: Do not wait for what they are doing.
        """
        self._closed.set()
        while not self._jobs.empty():
            self._jobs.get_nowait().future.cancel()
        for keeper in self._keepers:
            self._jobs.put(_END)
            if at_once:
                keeper.kill()
        for keeper in self._keepers:
            keeper.thread.join()

    def _watch(self) -> None:
        while not self._closed.wait(1.0):
            for keeper in self._keepers:
                keeper.second_passed()


_END = _Job((2, 0), print, (), 0.0)


class _Keeper:
    """A thread with one process: hands it jobs, and replaces it where it hangs or dies."""

    def __init__(self, start: tuple[Any, ...], jobs: PriorityQueue[_Job], pool: Workers) -> None:
        self._start, self._jobs, self._pool = start, jobs, pool
        self._process: Any = None
        self._pipe: Connection | None = None
        self._left: float | None = None  # seconds until the process is given up; None: it is idle
        self._hung = False
        self._ready = False
        self._lock = threading.Lock()
        self._spawn()  # by whoever makes the workers, so that they are children of its thread
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def second_passed(self) -> None:
        """Give the process up where its time is over."""
        with self._lock:
            if self._left is None:
                return
            self._left -= 1
            if self._left < 0 and not self._hung:
                self._hung = True
                self._kill()

    def kill(self) -> None:
        """End the process, whatever it is at."""
        with self._lock:
            self._kill()

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()  # also one that was stopped, which takes no other signal

    def _run(self) -> None:
        while (job := self._jobs.get()) is not _END:
            if not job.future.set_running_or_notify_cancel():
                continue
            try:
                job.future.set_result(self._do(job))
            except BaseException as error:  # noqa: BLE001  # it belongs to whoever waits for the job
                job.future.set_exception(error)
        self._end()

    def _do(self, job: _Job) -> Any:
        if self._ready and not self._process.is_alive():
            self._buried(0)  # it died with nothing to do, so nothing is lost
        if not self._ready:
            self._begin()
        assert self._pipe is not None
        good, value = self._asked(job.seconds, (job.call, job.arguments))
        if not good:
            raise value
        return value

    def _begin(self) -> None:
        """Have a process that takes jobs; raises DataError where several in a row do not get as far."""
        while self._pool.failed_starts < STARTS:
            if self._process is None:
                self._spawn()
            try:
                good, value = self._asked(max(self._pool.seconds, START_SECONDS), None)
            except WorkerLost:
                self._pool.failed_starts += 1
                continue
            self._pool.failed_starts = 0
            if not good:
                self._end()
                raise value
            self._ready = True
            return
        raise DataError(_NO_START)

    def _spawn(self) -> None:
        # spawn: forking a process that holds torch's threads can deadlock.
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, *self._start), daemon=True)
        try:
            with later(PARENTS):
                process.start()
        except OSError as error:
            raise DataError(f"{_NO_START} ({error})") from error
        finally:
            theirs.close()
        with self._lock:
            self._process, self._hung = process, False

    def _asked(self, seconds: float, job: Any) -> tuple[bool, Any]:
        """What the process answers; raises WorkerLost where it gives none in time."""
        assert self._pipe is not None
        with self._lock:
            self._left = seconds
        try:
            if job is not None:
                self._pipe.send(job)  # waits where the process does not read
            answer: tuple[bool, Any] = self._pipe.recv()
            return answer
        except (EOFError, OSError):
            raise WorkerLost(self._buried(seconds)) from None
        finally:
            with self._lock:
                self._left = None

    def _buried(self, seconds: float) -> str:
        """How the process ended; another is started for the next job."""
        hung = self._hung
        process, self._process, self._ready = self._process, None, False
        process.kill()
        process.join()
        if self._pipe is not None:
            self._pipe.close()
        if hung:
            return f"hung for {seconds:.0f} seconds and was killed"
        code = process.exitcode
        if code is not None and code < 0:
            return f"was ended by {signal.Signals(-code).name}{_MEMORY if code == -signal.SIGKILL else ''}"
        return f"ended early with exit code {code}"

    def _end(self) -> None:
        if self._process is None:
            return
        if self._pipe is not None:
            self._pipe.close()  # its sign to go
        process, self._process = self._process, None
        if self._ready:
            process.join(5)
        self._ready = False
        process.kill()
        process.join()


_NO_START = (
    "worker processes end while they start, for lack of memory perhaps; run again with fewer --workers"
)
_MEMORY = ", as the system does for lack of memory"


def _work(pipe: Connection, start: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """The life of a process: start, then one job after the other until the pipe is closed."""
    begin_worker()  # the processes are the parallelism, and the parent decides what an interrupt does
    try:
        state = start(*arguments)
    except Exception as error:  # noqa: BLE001
        pipe.send((False, _sendable(error)))
        return
    with contextlib.suppress(EOFError, OSError):  # the parent has closed the pipe: nothing more to do
        pipe.send((True, None))
        while True:
            call, given = pipe.recv()
            try:
                answer = (True, call(state, *given))
            except Exception as error:  # noqa: BLE001
                answer = (False, _sendable(error))
            del given
            pipe.send(answer)
            del answer


def _sendable(error: Exception) -> Exception:
    """The error itself, or its words where it cannot be sent."""
    try:
        pickle.loads(pickle.dumps(error))  # our own
    except Exception:  # noqa: BLE001
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
