"""Head pose by Hopenet: three classifiers of 66 bins, each read as the expectation of its angle.

Ruiz, Chong, Rehg, "Fine-Grained Head Pose Estimation Without Keypoints" (CVPRW 2018); natanielruiz/deep-head-pose:
code/hopenet.py, code/test_hopenet.py, code/datasets.py. Bins of 3 degrees: degrees = 3 * sum(softmax * (0 .. 65)) - 99.
"""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from metrics.instruments.base import Crop
from metrics.instruments.checkpoint import fill, read_tensors
from metrics.instruments.networks.resnet import Hopenet as Network
from metrics.instruments.reader import TorchReader
from metrics.rotation import from_degrees

EXPECTED = (
    "Hopenet's hopenet_robust_alpha1.pkl, hopenet_alpha1.pkl or hopenet_alpha2.pkl (links in the README of "
    "natanielruiz/deep-head-pose; code Apache-2.0, trained on 300W-LP)"
)
IMAGENET_MEAN, IMAGENET_STD = (
    (123.675, 116.28, 103.53),
    (58.395, 57.12, 57.375),
)  # 255 * (0.485, ...), 255 * (0.229, ...)


def degrees(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logits [n, 198] of yaw, pitch, roll -> (pitch, yaw, roll) [n, 3] in degrees, -99 .. 96."""
    bins = logits.reshape(-1, 3, Network.BINS)
    shares = np.exp(bins - bins.max(2, keepdims=True))
    shares /= shares.sum(2, keepdims=True)
    yaw, pitch, roll = (shares @ np.arange(float(Network.BINS)) * 3 - 99).T
    return np.stack([pitch, yaw, roll], axis=1)


class Hopenet(TorchReader):
    """The instrument. Its degrees come back from the reading by metrics.rotation.to_degrees, for a yaw within +-90.

    Crop: the loose box of Hopenet's own test on AFLW2000, from 68 landmarks, 224 pixels, RGB, ImageNet's mean and spread.
    """

    name = "hopenet"
    reads = ("pose",)
    crop = Crop("hopenet", 224)
    licence = "the user's file; code Apache-2.0, trained on 300W-LP (research)"
    description = (
        "Hopenet, ResNet-50: head rotation as axis-angle, from the expectation over 66 bins an angle"
    )
    needs = f"a file of yours, hopenet:PATH: {EXPECTED}"
    family = "hopenet"

    def __init__(self, path: str | os.PathLike[str], precision: str = "fp32") -> None:
        network = Network()
        # fc_finetune: a layer left over from the authors' experiments, which their forward pass does not use.
        fill(network, read_tensors(path, EXPECTED), path, EXPECTED, unused=("fc_finetune.",))
        super().__init__(path, network, IMAGENET_MEAN, IMAGENET_STD, "rgb", _split, precision)


def _split(logits: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return {"pose": from_degrees(degrees(logits))}


def create(path: str, precision: str = "fp32") -> Hopenet:
    """Factory of the registry.

    Args:
        path: One of Hopenet's .pkl files.
        precision: "fp32", or "bf16" (autocast), which is refused where it changes the readings of eight probe
            pictures by more than metrics.instruments.reader.BF16_TOLERANCE.

    Returns:
        The instrument, its weights loaded.

    Raises:
        InstrumentError: For a file that is missing or another network's, and for another precision.
    """
    return Hopenet(path, precision)
