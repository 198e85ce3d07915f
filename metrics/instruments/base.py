"""What an instrument is: a network or a fit that reads a crop of a face and says exactly what it is."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Template = Literal[
    "ffhq", "arcface", "deca", "dlib", "frame", "tddfa", "vggface2", "facenet", "hopenet", "sixdrepnet"
]


class InstrumentError(ValueError):
    """An instrument cannot be had, or was handed something that it cannot read."""


@dataclass(frozen=True)
class Crop:
    """The crop that an instrument wants, cut from the original frame: alignment template, side in pixels."""

    template: Template
    size: int


class Instrument(Protocol):
    """Reads faces. Colour order and value range are its own business: it is handed uint8 RGB.

    reads: which of "identity", "shape", "expression", "pose" it returns. needs: what the user must supply,
    None if it works straight after installation. parameters: every option that changes a number.
    family: networks of one training recipe and objective share it. A swapper that was trained with one of them is not
    compared with others by this instrument (the paper's dagger).
    """

    @property
    def name(self) -> str: ...
    @property
    def reads(self) -> tuple[str, ...]: ...
    @property
    def crop(self) -> Crop: ...
    @property
    def weights_sha256(self) -> str: ...
    @property
    def licence(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def needs(self) -> str | None: ...
    @property
    def parameters(self) -> dict[str, Any]: ...

    def read(
        self, crops: NDArray[np.uint8], landmarks: NDArray[np.float32]
    ) -> dict[str, NDArray[np.float32]]:
        """crops uint8 [n, s, s, 3] RGB, landmarks float32 [n, 68, 2] in frame pixels -> float32 [n, d] each.

        The keys are `reads`. A face that cannot be read is a row of NaN. Raises InstrumentError for crops of
        another shape or type.
        """
        ...


def check_crops(name: str, crops: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The crops, contiguous, if they are uint8 [n, size, size, 3]; otherwise InstrumentError."""
    shape, dtype = np.shape(crops), getattr(crops, "dtype", type(crops))
    if len(shape) != 4 or shape[1:] != (size, size, 3) or dtype != np.uint8:
        raise InstrumentError(f"{name} reads uint8 crops [n, {size}, {size}, 3]; got {dtype} {list(shape)}")
    return np.ascontiguousarray(crops)


def file_sha256(path: str | os.PathLike[str]) -> str:
    """Hex SHA-256 of a file, computed once as long as its size and time stay the same."""
    path = Path(path).resolve()
    state = path.stat()
    return _sha256(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _sha256(path: Path, _size: int, _mtime_ns: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def available_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
