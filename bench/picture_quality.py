"""Picture quality: what each scored face looks like as a picture, and how far the swaps are from the targets as a set.

Swap and target are cut at the same place, the FFHQ square of the target's face, so a swap in which no face is found is
looked at too. The filter bank needs nothing; Inception, for FID and KID, needs the file that `--inception` names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bench.crops import square
from metrics.catalogue import PICTURES
from metrics.evaluation import MissingPolicy, Value
from metrics.picture_features import Inception, filter_bank
from metrics.picture_sets import DISTANCES, FILTER_BANK, INCEPTION, picture_distances
from smoothswap.faces.align import AlignmentError

if TYPE_CHECKING:
    from bench.scoring import Frame

Image = npt.NDArray[np.uint8]
Vector = npt.NDArray[np.float32]
SIZE = 128  # pixels of the square; part of the metrics' definition
DESCRIPTIONS = {metric.key: metric.description for metric in PICTURES}


class PictureReader:
    """Features of pictures by every network at hand. inception: torchvision's weights, None: the filter bank alone.

    Raises InstrumentError where the file is missing or another network's.
    """

    def __init__(self, inception: Path | None = None) -> None:
        self.networks: dict[str, Callable[[Image], npt.NDArray[np.float64]]] = {FILTER_BANK: filter_bank}
        self._inception = None if inception is None else Inception(inception)
        if self._inception is not None:
            self.networks[INCEPTION] = self._inception

    def read(self, faces: Sequence[tuple[Image, Vector]]) -> list[dict[str, Vector]]:
        """Of each (frame uint8 [h, w, 3], landmarks float32 [68, 2]): network -> float32 [d]; {} for no face's points.

        Each picture is read alone, so that its company never changes a number.
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
        listed: list[dict[str, Any]] = [{
            "name": FILTER_BANK, "weights_sha256": None, "licence": "Apache-2.0", "crop": crop, "reads": ["picture"],
            "parameters": {"features": 36}, "family": FILTER_BANK,
            "description": "derivative energies and colour moments of a face's square; no network",
        }]  # fmt: skip
        if self._inception is not None:
            listed.append({
                "name": INCEPTION, "weights_sha256": self._inception.weights_sha256, "licence": "the user's file",
                "crop": crop, "reads": ["picture"], "parameters": {"features": 2048}, "family": INCEPTION,
                "description": "torchvision's Inception v3, the 2,048 numbers before its last layer",
            })  # fmt: skip
        return listed


def with_black(frames: Sequence[Frame], reader: PictureReader) -> list[Frame]:
    """The same rows, where a posed frame without a picture looks black."""
    black = reader.black()
    return [replace(f, look=black) if f.posed and not f.look else f for f in frames]


def score_pictures(frames: Sequence[Frame], missing: MissingPolicy) -> dict[str, Value]:
    """The metrics of sets of pictures, of the posed frames of one model (with_black)."""
    asked = [frame for frame in frames if frame.posed and frame.target is not None and frame.target.look]
    scored: dict[str, Value] = {}
    for network in DISTANCES:
        rows = [f for f in asked if f.target is not None and network in f.look and network in f.target.look]
        if rows:
            scored |= picture_distances(
                np.stack([frame.look[network] for frame in rows]),
                np.stack([frame.target.look[network] for frame in rows if frame.target is not None]),
                np.array([frame.swap is not None for frame in rows]),
                np.array([frame.pair.cluster for frame in rows]),
                network,
                missing,
            )
    return scored
