"""Shape, expression and pose by DECA's coarse encoder: FLAME's codes without FLAME.

Feng, Feng, Black, Bolkart, "Learning an Animatable Detailed 3D Face Model from In-The-Wild Images" (SIGGRAPH 2021);
yfeng95/DECA: decalib/models/encoders.py, decalib/datasets/datasets.py, decalib/utils/config.py. The weights are the
user's: their licence allows research that is not commercial and forbids passing them on.

Codes: shape 100, texture 50, expression 50, global rotation 3, jaw 3, camera 3, light 27. DECA draws its model with y and
z turned over (decalib/deca.py), so the global rotation is already in the axes of metrics.rotation.
"""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from metrics.instruments.base import Crop, InstrumentError
from metrics.instruments.checkpoint import fill, read_tensors
from metrics.instruments.networks.resnet import DecaEncoder
from metrics.instruments.reader import TorchReader

EXPECTED = (
    "DECA's deca_model.tar (link in the README of yfeng95/DECA; not to be unpacked; licence of the Max Planck "
    "Society: research that is not commercial, no redistribution)"
)
SHAPE, EXPRESSION, POSE, JAW = slice(0, 100), slice(150, 200), slice(200, 203), slice(203, 206)


class Deca(TorchReader):
    """The instrument.

    jaw: "left_out" (expression has 50 numbers, the default) or "expression" (53: the jaw's three radians
    are appended). The paper does not say what it did.
    Crop: the square of side 1.1 * 1.25 * (w + h) / 2 about the box of 68 landmarks, 224 pixels, RGB / 255. DECA takes
    its landmarks from FAN; ours are dlib's.
    """

    name = "deca"
    reads = ("shape", "expression", "pose")
    crop = Crop("deca", 224)
    licence = "the user's file: Max Planck Society, research that is not commercial, no redistribution"
    description = (
        "DECA's coarse encoder: 100 FLAME shape and 50 expression codes, head rotation as axis-angle"
    )
    needs = f"a file of yours, deca:PATH: {EXPECTED}"
    family = "deca"

    def __init__(self, path: str | os.PathLike[str], jaw: str = "left_out", precision: str = "fp32") -> None:
        if jaw not in ("left_out", "expression"):
            raise InstrumentError(f"deca: jaw is 'left_out' or 'expression', not {jaw!r}")
        network = DecaEncoder()
        fill(network, read_tensors(path, EXPECTED, part="E_flame"), path, EXPECTED)
        self._jaw = jaw == "expression"
        super().__init__(path, network, (0, 0, 0), (255, 255, 255), "rgb", self._split, precision)
        self.parameters |= {"jaw": jaw, "scale_of_crop": 1.25}

    def _split(self, codes: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        expression = codes[:, EXPRESSION]
        if self._jaw:
            expression = np.concatenate([expression, codes[:, JAW]], axis=1)
        return {"shape": codes[:, SHAPE], "expression": expression, "pose": codes[:, POSE]}


def create(path: str, jaw: str = "left_out", precision: str = "fp32") -> Deca:
    """Factory of the registry.

    Args:
        path: DECA's deca_model.tar.
        jaw: "left_out" (expression has 50 numbers) or "expression" (53: the jaw's three radians are added
            at the end).
        precision: "fp32", or "bf16" (autocast), which is refused where it changes the readings of eight probe
            pictures by more than metrics.instruments.reader.BF16_TOLERANCE.

    Returns:
        The instrument, its weights loaded.

    Raises:
        InstrumentError: For a file that is missing or another network's, and for another option.
    """
    return Deca(path, jaw, precision)
