"""Head pose by 6DRepNet: six numbers, made into a rotation.

Hempel, Abdelrahman, Al-Hamadi, "6D Rotation Representation for Unconstrained Head Pose Estimation" (ICIP 2022);
thohemp/6DRepNet: sixdrepnet/model.py, backbone/repvgg.py, utils.py, test.py.
"""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from metrics.instruments.base import Crop
from metrics.instruments.checkpoint import fill, read_tensors
from metrics.instruments.hopenet import IMAGENET_MEAN, IMAGENET_STD
from metrics.instruments.networks.repvgg import SixDRepNet as Network
from metrics.instruments.reader import TorchReader
from metrics.rotation import from_6drepnet

EXPECTED = (
    "6DRepNet's 6DRepNet_300W_LP_AFLW2000.pth (link under Fine-tuned Models in the README of thohemp/6DRepNet; MIT, "
    "trained on 300W-LP)"
)


class SixDRepNet(TorchReader):
    """The instrument. Crop: as in the authors' test on AFLW2000 (shorter side 256, middle 224), RGB, ImageNet's mean."""

    name = "sixdrepnet"
    reads = ("pose",)
    crop = Crop("sixdrepnet", 224)
    licence = "the user's file: MIT; trained on 300W-LP (research)"
    description = "6DRepNet, RepVGG-B1g2: head rotation as axis-angle"
    needs = f"a file of yours, sixdrepnet:PATH: {EXPECTED}"
    family = "sixdrepnet"

    def __init__(self, path: str | os.PathLike[str], precision: str = "fp32") -> None:
        tensors = read_tensors(path, EXPECTED)
        network = Network(deploy=not any(".rbr_dense." in key for key in tensors))
        fill(network, tensors, path, EXPECTED)
        super().__init__(path, network, IMAGENET_MEAN, IMAGENET_STD, "rgb", _split, precision)


def _split(six: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return {"pose": from_6drepnet(six)}


def create(path: str, precision: str = "fp32") -> SixDRepNet:
    """Factory of the registry.

    Args:
        path: 6DRepNet's .pth file, its RepVGG blocks in training form or fused for deployment.
        precision: "fp32", or "bf16" (autocast), which is refused where it changes the readings of eight probe
            pictures by more than metrics.instruments.reader.BF16_TOLERANCE.

    Returns:
        The instrument, its weights loaded.

    Raises:
        InstrumentError: For a file that is missing or another network's, and for another precision.
    """
    return SixDRepNet(path, precision)
