"""What a scored face looks like as a picture, in numbers: the features behind picture quality.

Swap and target are cut at the same place, the FFHQ square of the target's face, so a swap in which no face is found is
looked at too. The filter bank needs nothing; Inception, for FID and KID, needs the file that `--inception` names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.reading.crops import square
from metrics.pictures.distances import FILTER_BANK
from metrics.pictures.features import filter_bank, open_inception
from smoothswap.faces.align import AlignmentError
from smoothswap.pixels import Image

Vector = npt.NDArray[np.float32]
SIZE = 128  # pixels of the square; part of the metrics' definition


class PictureReader:
    """Features of whole pictures of faces by every network at hand, for the distances between sets.

    Args:
        inception: Weights of FID's Inception, or of torchvision's; None: the filter bank alone.

    Raises:
        InstrumentError: For a file that is missing or another network's.
    """

    def __init__(self, inception: Path | None = None) -> None:
        self.networks: dict[str, Callable[[Image], npt.NDArray[np.float64]]] = {FILTER_BANK: filter_bank}
        self._inception = None if inception is None else open_inception(inception)
        if self._inception is not None:
            self.networks[self._inception.name] = self._inception

    def read(self, faces: Sequence[tuple[Image, Vector]]) -> list[dict[str, Vector]]:
        """Read each picture alone, so that its company never changes a number.

        Args:
            faces: (frame uint8 [h, w, 3] RGB, landmarks float32 [68, 2] in its pixels) each.

        Returns:
            Of each: network -> float32 [d]; {} for landmarks that are no face.
        """
        looks: list[dict[str, Vector]] = []
        for frame, landmarks in faces:
            try:
                picture = square(frame, landmarks, SIZE)[None]
            except AlignmentError:
                looks.append({})
            else:
                looks.append({name: self._row(name, picture) for name in self.networks})
        return looks

    def black(self) -> dict[str, Vector]:
        """What stands for a picture that a model did not give."""
        picture = np.zeros((1, SIZE, SIZE, 3), np.uint8)
        return {name: self._row(name, picture) for name in self.networks}

    def _row(self, name: str, picture: Image) -> Vector:
        return np.asarray(self.networks[name](picture)[0], np.float32)

    def described(self) -> list[dict[str, Any]]:
        """The networks as results.json lists instruments."""
        crop = {"template": "square", "size": SIZE}
        listed: list[dict[str, Any]] = [
            {
                "name": FILTER_BANK,
                "weights_sha256": None,
                "licence": "Apache-2.0",
                "crop": crop,
                "reads": ["picture"],
                "parameters": {"features": 36},
                "family": FILTER_BANK,
                "description": "derivative energies and colour moments of a face's square; no network",
            }
        ]
        if self._inception is not None:
            listed.append(
                {
                    "name": self._inception.name,
                    "weights_sha256": self._inception.weights_sha256,
                    "licence": "the user's file",
                    "crop": crop,
                    "reads": ["picture"],
                    "parameters": {"features": 2048},
                    "family": self._inception.name,
                    "description": self._inception.description,
                }
            )
        return listed
