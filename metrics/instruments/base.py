"""What an instrument is: a network or a fit that reads a crop of a face and says exactly what it is."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
    """The crop that an instrument wants, cut from the original frame.

    Args:
        template: The alignment: one of Template, or a name of its own where `cut` is given.
        size: Its side, pixels.
        cut: For a template that is not among ours: (frame uint8 [h, w, 3] RGB, landmarks float32 [68, 2] in its pixels,
            size) -> crop uint8 [size, size, 3]. A function of a module, so that worker processes can import it.
    """

    template: Template | str
    size: int
    cut: Callable[[NDArray[np.uint8], NDArray[np.float32], int], NDArray[np.uint8]] | None = field(
        default=None, compare=False, repr=False
    )


class Instrument(Protocol):
    """Reads faces. Colour order and value range are its own business: it is handed uint8 RGB.

    A class of attributes and `read` is enough; nothing needs to be inherited.
    """

    @property
    def name(self) -> str:
        """The name in keys and tables, NAME or NAME:VARIANT; of one run each is different."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Which of "identity", "shape", "expression", "pose" it returns."""

    @property
    def crop(self) -> Crop:
        """The crop that it wants."""

    @property
    def weights_sha256(self) -> str:
        """Hash of the file that it reads with, hex."""

    @property
    def licence(self) -> str:
        """The licence of its weights, for results.json."""

    @property
    def family(self) -> str:
        """What networks of one training recipe and objective share.

        A swapper that was trained with one of them is not compared with others by this instrument (the paper's dagger).
        """

    @property
    def description(self) -> str:
        """What it is, in one line."""

    @property
    def needs(self) -> str | None:
        """What the user must supply; None if it works straight after installation."""

    @property
    def parameters(self) -> dict[str, Any]:
        """Every option that changes a number, as JSON holds it."""

    def read(
        self, crops: NDArray[np.uint8], landmarks: NDArray[np.float32]
    ) -> dict[str, NDArray[np.float32]]:
        """Read a batch of faces.

        Args:
            crops: uint8 [n, s, s, 3] RGB, as `crop` wants them.
            landmarks: float32 [n, 68, 2], in pixels of the frames that the crops come from.

        Returns:
            A float32 [n, d] for each of `reads`. A face that cannot be read is a row of NaN.

        Raises:
            InstrumentError: For crops of another shape or type.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Available:
    """What is known of an instrument before it is made: a line of the list, and how it is made.

    Args:
        name: What a user writes, as `--instruments NAME` or `NAME:PATH`.
        reads: The readings that it gives: identity, shape, expression, pose.
        description: One line.
        factory: "module:function" of `function(**options) -> Instrument`, or of `function(path, **options)` if
            `takes_path`; imported when the instrument is made.
        needs: What the user must supply; None: nothing.
        takes_path: Whether it is written NAME:PATH.
        default: Read by a run that names no instruments, if it needs nothing.
        single: Options that keep it to one thread and one process, for callers that use every core themselves.
    """

    name: str
    reads: tuple[str, ...]
    description: str
    factory: str
    needs: str | None = None
    takes_path: bool = False
    default: bool = True
    single: Mapping[str, Any] = field(default_factory=dict)


def check_crops(name: str, crops: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The crops, contiguous, if an instrument can read them.

    Args:
        name: The instrument's, for the message.
        crops: What it was handed.
        size: The side that it wants, pixels.

    Returns:
        uint8 [n, size, size, 3].

    Raises:
        InstrumentError: For another shape or type.
    """
    shape, dtype = np.shape(crops), getattr(crops, "dtype", type(crops))
    if len(shape) != 4 or shape[1:] != (size, size, 3) or dtype != np.uint8:
        raise InstrumentError(f"{name} reads uint8 crops [n, {size}, {size}, 3]; got {dtype} {list(shape)}")
    return np.ascontiguousarray(crops)


def file_sha256(path: str | os.PathLike[str]) -> str:
    """Hash of a file, computed once as long as its size and time stay the same.

    Args:
        path: The file.

    Returns:
        Hex SHA-256.

    Raises:
        OSError: When it cannot be read.
    """
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
