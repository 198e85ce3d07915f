"""How far mouth and eyes are open, from the landmarks that the detector gave: ratios of distances, no picture is looked at.

metrics.openings has the ratios. With the mesh's landmarks they follow the truth of rendered faces (results/openings.json);
with dlib's, whose lids hardly move, they did not.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metrics import openings
from metrics.instruments.base import Crop, InstrumentError


class Openings:
    """The instrument. Raises nothing."""

    name = "openings"
    reads = ("mouth", "eyes")
    crop = Crop("frame", 8)  # only the landmarks are read; the picture is not looked at
    licence = "Apache-2.0 (this package)"
    description = "opening of mouth and eyes from 68 landmarks: gap over width"
    needs = None
    family = "openings"
    # ratios of distances: nobody was learnt from
    people: tuple[str, ...] = ("nobody",)

    def __init__(self) -> None:
        self.parameters: dict[str, Any] = {}
        # It has no weights: the hash is of the ratios' own code.
        self.weights_sha256 = hashlib.sha256(Path(openings.__file__).read_bytes()).hexdigest()

    def read(
        self, crops: NDArray[np.uint8], landmarks: NDArray[np.float32]
    ) -> dict[str, NDArray[np.float32]]:
        """Read a batch of faces.

        Args:
            crops: Not used.
            landmarks: float [n, 68, 2], iBUG's order, in pixels of the frames.

        Returns:
            {"mouth": [n, 1], "eyes": [n, 1], the mean of both}, float32, 0 for shut; NaN where a point is not finite or a
            width is 0.

        Raises:
            InstrumentError: For landmarks of another shape.
        """
        try:
            mouth, eyes = openings.mouth_opening(landmarks), openings.eye_opening(landmarks).mean(axis=1)
        except ValueError as error:
            raise InstrumentError(f"openings: {error}") from None
        return {"mouth": mouth[:, None].astype(np.float32), "eyes": eyes[:, None].astype(np.float32)}


def create() -> Openings:
    """The factory that the registry calls."""
    return Openings()
