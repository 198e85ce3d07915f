"""Where the eyes look, to the left or right of the head's own front: by the irises of FaceMesh v2.

The network is the one that marks the project's landmarks (Kartynnik et al., 2019, arXiv 1907.06724; the bundle of 2023,
Apache-2.0 by its model card), which also marks the irises: it runs here on a crop of its own, so that the reading is the
same whatever detector found the face. metrics.gaze has the ratio; results/gaze.json says what it is worth.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metrics.gaze import iris_offset
from metrics.instruments.arcface import session_of
from metrics.instruments.base import Crop, InstrumentError, check_crops, file_sha256
from metrics.instruments.blendshapes import SIZE, upright
from smoothswap.plumbing.packages import file_in

FILE = "landmarks-478.onnx"


def weights_path() -> Path:
    """The network's file, which comes with the project. Raises InstrumentError where it is missing."""
    if (path := file_in("smoothswap", "faces", "weights", FILE)) is None:
        raise InstrumentError(
            f"gaze: {FILE} is missing from smoothswap/faces/weights; install the package anew"
        )
    return path


class IrisGaze:
    """The instrument. Raises InstrumentError where the network's file is missing or damaged."""

    name = "gaze"
    reads = ("gaze",)
    crop = Crop("facemesh", SIZE, upright)
    licence = "Apache-2.0, by Google's model cards"
    description = (
        "where the irises stand between the corners of the eyes, by FaceMesh v2: to the left or right"
    )
    needs = None
    family = "facemesh"
    people: tuple[str, ...] = ("photographs",)

    def __init__(self) -> None:
        path = weights_path()
        self._session = _session(path)
        self.weights_sha256 = file_sha256(path)
        self.parameters: dict[str, Any] = {}

    def mesh(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The 478 landmarks of each face.

        Args:
            crops: uint8 [n, 256, 256, 3] RGB, as metrics.instruments.blendshapes.upright cuts them.

        Returns:
            float32 [n, 478, 3] in pixels of the crops.

        Raises:
            InstrumentError: For crops of another shape or type.
        """
        crops = check_crops(self.name, crops, SIZE)
        if not len(crops):
            return np.zeros((0, 478, 3), np.float32)
        return np.asarray(self._session.run(["points"], {"faces": crops})[0], np.float32)

    def read(
        self, crops: NDArray[np.uint8], landmarks: NDArray[np.float32] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """Read a batch of faces.

        Args:
            crops: uint8 [n, 256, 256, 3] RGB, as metrics.instruments.blendshapes.upright cuts them.
            landmarks: Not used: they only made the crop.

        Returns:
            {"gaze": float32 [n, 1]}, widths of the eyes, positive to the right of the picture.

        Raises:
            InstrumentError: For crops of another shape or type.
        """
        return {"gaze": iris_offset(self.mesh(crops))[:, :1].astype(np.float32)}


@lru_cache(maxsize=2)
def _session(path: Path) -> Any:
    return session_of(path.read_bytes(), path, 1)


def create() -> IrisGaze:
    """Factory of the registry.

    Raises InstrumentError where the network's file is missing or damaged.
    """
    return IrisGaze()
