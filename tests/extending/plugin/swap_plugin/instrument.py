"""A face as an 8 x 8 thumbnail: no recogniser, but it shows what one has to say of itself."""

import cv2
import numpy as np
from numpy.typing import NDArray

from metrics.instruments import Available, Crop
from metrics.instruments.base import check_crops


def box(frame: NDArray[np.uint8], landmarks: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """The landmarks' upright box, squeezed into a square: an alignment that the benchmark does not have."""
    low = np.maximum(landmarks.min(axis=0).astype(int), 0)
    high = landmarks.max(axis=0).astype(int) + 1
    part = frame[low[1] : high[1], low[0] : high[0]]
    return np.asarray(cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


class Thumbnail:
    """Identity as 192 numbers: the mean colours of 8 x 8 fields."""

    name = "thumbnail"
    reads = ("identity",)
    crop = Crop("landmark_box", 64, cut=box)
    family = "thumbnail"
    weights_sha256 = None
    licence = "CC0"
    needs = None
    description = "mean colours of 8 x 8 fields of the landmarks' box"

    def __init__(self, grey: str = "no") -> None:
        self.grey = grey == "yes"
        self.parameters = {"grey": self.grey}

    def read(
        self, crops: NDArray[np.uint8], landmarks: NDArray[np.float32] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """{"identity": float32 [n, 192]} of uint8 crops [n, 64, 64, 3]."""
        fields = check_crops(self.name, crops, 64).reshape(-1, 8, 8, 8, 8, 3).mean(axis=(2, 4))
        if self.grey:
            fields = np.repeat(fields.mean(axis=3, keepdims=True), 3, axis=3)
        return {"identity": (fields.reshape(len(crops), -1) - 128).astype(np.float32)}


THUMBNAIL = Available(
    name="thumbnail",
    reads=Thumbnail.reads,
    description=Thumbnail.description,
    factory="swap_plugin.instrument:Thumbnail",
    default=False,
)
