"""Identity by an IResNet in torch: weights of insightface's recognition/arcface_torch, .pth or .safetensors.

Deng et al., ArcFace (CVPR 2019). The file's keys say which depth it is. Input: the five-point crop of 112 pixels, RGB,
(x - 127.5) / 127.5.
"""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from metrics.instruments.base import Crop, InstrumentError
from metrics.instruments.checkpoint import fill, read_tensors
from metrics.instruments.networks.iresnet import IResNet, depths_of
from metrics.instruments.reader import TorchReader

EXPECTED = (
    "a backbone.pth of insightface's recognition/arcface_torch (its README, Model Zoo: research that is not commercial) or "
    "the same keys as .safetensors"
)


class ArcFaceTorch(TorchReader):
    """The instrument. flip: add the features of the mirrored crop (usual in LFW tests; twice the time)."""

    reads = ("identity",)
    crop = Crop("arcface", 112)
    licence = "the user's file; insightface's: research that is not commercial"
    needs = f"a file of yours, arcface:PATH: {EXPECTED}"
    family = "arcface"

    def __init__(self, path: str | os.PathLike[str], flip: bool = False, precision: str = "fp32") -> None:
        tensors = read_tensors(path, EXPECTED)
        try:
            self.arch, depths = depths_of(tensors)
        except InstrumentError as error:
            raise InstrumentError(f"{path} is no IResNet: {error}; expected {EXPECTED}") from None
        network: nn.Module = IResNet(depths)
        fill(network, tensors, path, EXPECTED)
        self.name = f"arcface:{os.path.splitext(os.path.basename(path))[0]}"  # noqa: PTH119, PTH122
        self.description = f"{self.arch} in torch, 512-d, 112 px"
        super().__init__(
            path,
            _Flipped(network) if flip else network,
            (127.5,) * 3,
            (127.5,) * 3,
            "rgb",
            _identity,
            precision,
        )
        self.parameters |= {"arch": self.arch, "flip": flip}


class _Flipped(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.network(x) + self.network(x.flip(3))
        return y


def _identity(codes: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return {"identity": codes}
