"""Frames in, readings out: detection, the choice of the face, crops and instruments, over several processes.

Nothing here needs torch, so a worker process starts in about a second.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.errors import DataError
from bench.ffpp.ledger import Status
from bench.reading.crops import cut
from bench.reading.instruments import create
from bench.reading.pictures import PictureReader
from metrics.instruments import Instrument
from smoothswap.faces.align import AlignmentError
from smoothswap.faces.detect import Detector, Face, choose
from smoothswap.workers import begin_worker

Image = npt.NDArray[np.uint8]
Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Reading:
    """One face of one frame. values: "<instrument>/<reading>" -> float32 [d], NaN where the instrument
    failed.

    face is None, and values empty, unless status is "ok"; reason says why. found: faces in the frame.
    look: features of the face's square by bench.reading.pictures, network -> float32 [d]; empty where not asked for.
    """

    found: int
    face: Face | None
    status: Status
    reason: str = ""
    values: dict[str, Vector] = field(default_factory=dict)
    look: dict[str, Vector] = field(default_factory=dict)


class Reader:
    """Reads frames in this process. instruments: specs for metrics.instruments.create; inception: a file for FID."""

    def __init__(self, instruments: Sequence[str], faces_rule: str, inception: Path | None = None) -> None:
        self._detector = Detector()
        self._pictures = PictureReader(inception)
        self._rule = faces_rule
        self._instruments: list[Instrument] = [create(spec, **single_process(spec)) for spec in instruments]

    def originals(self, frames: Sequence[Image], look: bool = False) -> list[Reading]:
        """Readings of frames of one original clip, with the face that the protocol's rule chooses."""
        detected = [self._detector.detect(frame) for frame in frames]
        single = self._rule == "single"
        chosen = choose(detected, "largest" if single else self._rule)
        readings = []
        for faces, face in zip(detected, chosen, strict=True):
            if single and len(faces) > 1:
                readings.append(Reading(len(faces), None, "many_faces", f"{len(faces)} faces in the frame"))
            elif face is None:
                lost = (
                    f"none of the {len(faces)} faces is the tracked one" if faces else "no face was detected"
                )
                readings.append(Reading(len(faces), None, "no_face", lost))
            else:
                readings.append(Reading(len(faces), face, "ok"))
        read = self._read(frames, readings)
        return self._look(frames, [one.face for one in read], read) if look else read

    def swaps(self, frames: Sequence[Image], targets: Sequence[Face], look: bool = False) -> list[Reading]:
        """Readings of swapped frames: of each, the face nearest to the target's (Protocol.swap_face_rule)."""
        found = [
            nearest(self._detector.detect(frame), face) for frame, face in zip(frames, targets, strict=True)
        ]
        read = self._read(frames, found)
        return self._look(frames, targets, read) if look else read

    def _look(
        self, frames: Sequence[Image], faces: Sequence[Face | None], readings: list[Reading]
    ) -> list[Reading]:
        """Add what each picture looks like where the face `faces` lies: of a swap the target's, lost or not."""
        shown = [i for i, face in enumerate(faces) if face is not None]
        looks = self._pictures.read([(frames[i], _landmarks(faces[i])) for i in shown])
        for i, look in zip(shown, looks, strict=True):
            readings[i] = replace(readings[i], look=look)
        return readings

    def _read(self, frames: Sequence[Image], readings: list[Reading]) -> list[Reading]:
        """Fill in what the instruments read from the chosen faces."""
        crops: dict[int, list[Image]] = {}
        for i, reading in enumerate(readings):
            if reading.face is None:
                continue
            try:
                crops[i] = [cut(frames[i], reading.face.landmarks, one.crop) for one in self._instruments]
            except AlignmentError as error:
                readings[i] = Reading(reading.found, None, "no_face", f"the face cannot be aligned: {error}")
        if not crops:
            return readings
        landmarks = np.stack([_face(readings[i]).landmarks for i in crops]).astype(np.float32)
        for j, instrument in enumerate(self._instruments):
            read = instrument.read(np.stack([cuts[j] for cuts in crops.values()]), landmarks)
            for name in instrument.reads:
                for row, i in enumerate(crops):
                    readings[i].values[f"{instrument.name}/{name}"] = np.asarray(read[name][row], np.float32)
        return readings


def nearest(faces: Sequence[Face], target: Face) -> Reading:
    """Choose the face whose box centre is nearest to the target's; farther than one box side is no face."""
    if not faces:
        return Reading(0, None, "no_face", "no face was detected in the swapped frame")
    x, y = _centre(target)
    distances = [float(np.hypot(_centre(face)[0] - x, _centre(face)[1] - y)) for face in faces]
    best = int(np.argmin(distances))
    side = max(target.box[2] - target.box[0], target.box[3] - target.box[1])
    if distances[best] > side:
        reason = f"the nearest face of the swapped frame is {distances[best]:.0f} px from the target's"
        return Reading(len(faces), None, "no_face", f"{reason}, whose box is {side:.0f} px")
    return Reading(len(faces), faces[best], "ok")


class Readers:
    """A Reader in each of `workers` processes, or in this one when workers is 1. Use as a context manager.

    Frames are read clip by clip and alone, so that the number of workers never changes a number.
    Raises what the instruments raise; DataError when a worker process is killed (out of memory).
    """

    def __init__(
        self,
        instruments: Sequence[str],
        faces_rule: str,
        workers: int = 1,
        inception: Path | None = None,
    ) -> None:
        self.workers = max(1, workers)
        given = (list(instruments), faces_rule, inception)
        self._here = Reader(*given) if self.workers == 1 else None
        self._pool: ProcessPoolExecutor | None = None
        if self._here is None:
            # spawn: forking a process that holds torch's threads can deadlock.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.workers, context, _start, given)

    def __enter__(self) -> Readers:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def originals(self, frames: Sequence[Image], look: bool = False) -> Future[list[Reading]]:
        return self._submit("originals", list(frames), look)

    def swaps(
        self, frames: Sequence[Image], targets: Sequence[Face], look: bool = False
    ) -> Future[list[Reading]]:
        return self._submit("swaps", list(frames), list(targets), look)

    def _submit(self, method: str, *arguments: Any) -> Future[list[Reading]]:
        if self._pool is None:
            future: Future[list[Reading]] = Future()
            future.set_result(getattr(self._here, method)(*arguments))
            return future
        with _killed_workers():
            return self._pool.submit(_call, method, *arguments)

    @staticmethod
    def result(future: Future[list[Reading]]) -> list[Reading]:
        """Wait for a reading; a worker that was killed becomes a DataError."""
        with _killed_workers():
            return future.result()


_reader: Reader | None = None  # of this worker process


def _start(instruments: list[str], faces_rule: str, inception: Path | None) -> None:
    global _reader
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt does
    begin_worker()  # the processes are the parallelism
    _reader = Reader(instruments, faces_rule, inception)


def _call(method: str, *arguments: Any) -> list[Reading]:
    call: Callable[..., list[Reading]] = getattr(_reader, method)
    return call(*arguments)


@contextlib.contextmanager
def _killed_workers() -> Any:
    try:
        yield
    except BrokenProcessPool as error:
        raise DataError(
            "a worker process ended early, most likely for lack of memory; run again with --workers 1"
        ) from error


def single_process(spec: str) -> dict[str, int]:
    """One thread or process an instrument: the Readers already use every core."""
    name = spec.partition(":")[0].partition("?")[0]
    return {"dlib": {"processes": 1}, "arcface": {"threads": 1}}.get(name, {})


def _centre(face: Face) -> tuple[float, float]:
    return (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2


def _landmarks(face: Face | None) -> Vector:
    assert face is not None
    return face.landmarks


def _face(reading: Reading) -> Face:
    assert reading.face is not None
    return reading.face
