"""dlib's face recognition network: 128-d identity, published 99.38 % on LFW. King, dlib 19.3 (2017).

dlib holds Python's global lock while its network runs, so that threads gain nothing: faces are shared out
over small worker processes. Each face is computed alone, so the split never changes a number.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import struct
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metrics.instruments.base import Crop, InstrumentError, available_cores, check_crops, file_sha256

SIZE = 150
DIMENSIONS = 128
_FEW = 4  # faces a worker must get for a second process to pay for itself
_HEADER = struct.Struct("<q")
_SERVE = "from metrics.instruments.dlib import serve; import sys; serve(sys.argv[1])"


def weights_path() -> Path:
    """The network's file in face-recognition-models; the package is not imported (it needs pkg_resources)."""
    spec = importlib.util.find_spec("face_recognition_models")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "models" / "dlib_face_recognition_resnet_model_v1.dat"
        if path.is_file():
            return path
    raise InstrumentError(
        "dlib's recognition weights are not installed; pip install face-recognition-models, "
        "or give the file: dlib?weights=PATH"
    )


class Dlib:
    """Identity by dlib. weights: another file of the same network; processes: 0 for one a core."""

    name = "dlib"
    reads = ("identity",)
    crop = Crop("dlib", SIZE)
    licence = "CC0-1.0 (weights), BSL-1.0 (dlib)"
    description = "dlib's face recognition ResNet, 128-d; chips of get_face_chip, 150 px, padding 0.25"
    needs = None

    def __init__(self, weights: str | os.PathLike[str] | None = None, processes: int | str = 0) -> None:
        self._weights = Path(weights) if weights is not None else weights_path()
        try:
            self._processes = int(processes) or available_cores()
        except ValueError:
            raise InstrumentError(f"dlib: processes must be a whole number, not {processes!r}") from None
        self._network = _load(self._weights)
        self.weights_sha256 = file_sha256(self._weights)
        self.parameters: dict[str, Any] = {"jitters": 0}
        self._workers: list[subprocess.Popen[bytes]] = []

    def read(
        self, crops: NDArray[np.uint8], landmarks: NDArray[np.float32] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """{"identity": float32 [n, 128]} of uint8 RGB chips [n, 150, 150, 3]; landmarks are not used."""
        chips = check_crops("dlib", crops, SIZE)
        processes = min(self._processes, len(chips) // _FEW)
        if processes < 2:
            return {"identity": _describe(self._network, chips)}
        return {"identity": self._share_out(chips, processes)}

    def _share_out(self, chips: NDArray[np.uint8], processes: int) -> NDArray[np.float32]:
        while len(self._workers) < processes:
            self._workers.append(_start(self._weights))
            weakref.finalize(self, _stop, self._workers[-1])
        parts = np.array_split(chips, processes)
        try:
            # A worker reads its whole share before it answers, so writing all first cannot lock up.
            shares = list(zip(self._workers[:processes], parts, strict=True))
            for worker, part in shares:
                _send(worker.stdin, part)
            return np.concatenate([_receive(worker.stdout, len(part)) for worker, part in shares])
        except BaseException as error:
            self.close()  # half-read answers must not meet the next question
            if isinstance(error, (OSError, EOFError)):
                raise InstrumentError("dlib: a worker process ended early (out of memory?)") from error
            raise

    def close(self) -> None:
        """End the worker processes; the next read starts them again."""
        workers, self._workers = self._workers, []
        for worker in workers:
            _stop(worker)


def create(weights: str | None = None, processes: int | str = 0) -> Dlib:
    """Factory of the registry."""
    return Dlib(weights, processes)


def serve(weights: str) -> None:
    """A worker: chips in on stdin, descriptors out on stdout, until stdin closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair: it closes stdin
    network = _load(Path(weights))
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    while header := stdin.read(_HEADER.size):
        count = _HEADER.unpack(header)[0]
        raw = stdin.read(count * SIZE * SIZE * 3)
        chips = np.frombuffer(raw, np.uint8).reshape(count, SIZE, SIZE, 3)
        stdout.write(_describe(network, chips).tobytes())
        stdout.flush()


def _load(weights: Path) -> Any:
    try:
        import dlib
    except ImportError as error:
        raise InstrumentError("dlib is not installed; pip install dlib-bin") from error
    if not weights.is_file():
        raise InstrumentError(f"dlib: no file {weights}; give dlib_face_recognition_resnet_model_v1.dat")
    try:
        return dlib.face_recognition_model_v1(str(weights))
    except RuntimeError as error:
        raise InstrumentError(f"dlib: {weights} is not dlib's face recognition network ({error})") from error


def _describe(network: Any, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
    rows = np.empty((len(chips), DIMENSIONS), np.float32)
    for i, chip in enumerate(chips):
        rows[i] = network.compute_face_descriptor(chip)
    return rows


def _start(weights: Path) -> subprocess.Popen[bytes]:
    # A bare child, not multiprocessing: that would import the caller's main module, torch and all, once more.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p or str(Path.cwd()) for p in sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(weights)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=environment,
    )  # fmt: skip


def _stop(worker: subprocess.Popen[bytes]) -> None:
    for stream in (worker.stdin, worker.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    worker.terminate()
    worker.wait()


def _send(stream: Any, chips: NDArray[np.uint8]) -> None:
    stream.write(_HEADER.pack(len(chips)) + chips.tobytes())
    stream.flush()


def _receive(stream: Any, count: int) -> NDArray[np.float32]:
    size = count * DIMENSIONS * 4
    raw = stream.read(size)
    if len(raw) != size:
        raise EOFError("short answer")
    return np.frombuffer(raw, np.float32).reshape(count, DIMENSIONS)
