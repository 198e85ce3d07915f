"""LPIPS (Zhang et al., CVPR 2018, version 0.1) on AlexNet, from the user's weights."""

from __future__ import annotations

import os

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from metrics.instruments.base import InstrumentError, file_sha256
from metrics.instruments.checkpoint import fill, read_tensors

EXPECTED = (
    "the state of lpips.LPIPS(net='alex'): pip install lpips, then python -c \"import lpips, torch; "
    "torch.save(lpips.LPIPS(net='alex').state_dict(), 'lpips-alex.pth')\""
)
SMALLEST = 32  # pixels a side: less does not reach the last layer
# By layer of AlexNet's features: input and output channels, side, stride, padding.
_CONVS = {
    "slice1.0": (3, 64, 11, 4, 2),
    "slice2.3": (64, 192, 5, 1, 2),
    "slice3.6": (192, 384, 3, 1, 1),
    "slice4.8": (384, 256, 3, 1, 1),
    "slice5.10": (256, 256, 3, 1, 1),
}


class AlexLPIPS(nn.Module):
    """forward(two of [n, 3, h, w] in -1..1) -> [n]; the key names are those of the authors' module."""

    def __init__(self) -> None:
        super().__init__()
        self.net, self.scaling_layer = nn.Module(), nn.Module()
        for name in ("shift", "scale"):
            self.scaling_layer.register_buffer(name, torch.zeros(1, 3, 1, 1))
        for i, (name, (c_in, c_out, side, stride, padding)) in enumerate(_CONVS.items()):
            part, _, place = name.partition(".")
            conv = nn.Conv2d(c_in, c_out, side, stride, padding)
            self.net.add_module(part, nn.ModuleDict({place: conv}))
            linear = nn.ModuleDict({"model": nn.ModuleDict({"1": nn.Conv2d(c_out, 1, 1, bias=False)})})
            self.add_module(f"lin{i}", linear)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """How far apart each pair is.

        Args:
            a: float [n, 3, h, w], RGB in -1..1, h and w at least SMALLEST.
            b: float [n, 3, h, w].

        Returns:
            float [n], 0 for equal pictures.
        """
        total = torch.zeros(len(a))
        for i, (x, y) in enumerate(zip(self._layers(a), self._layers(b), strict=True)):
            apart = (_unit(x) - _unit(y)) ** 2
            total = total + self.get_submodule(f"lin{i}.model.1")(apart).mean((1, 2, 3))
        return total

    def _layers(self, x: Tensor) -> list[Tensor]:
        scaling = self.scaling_layer
        x = (x - scaling.get_buffer("shift")) / scaling.get_buffer("scale")
        found = []
        for i, name in enumerate(_CONVS):
            # AlexNet halves the picture before its second and third convolution.
            x = functional.max_pool2d(x, 3, 2) if i in (1, 2) else x
            x = functional.relu(self.net.get_submodule(name)(x))
            found.append(x)
        return found


class Lpips:
    """LPIPS of two pictures.

    path: a file of the user's, EXPECTED, read as data and never executed. Raises InstrumentError for another file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        tensors = read_tensors(path, EXPECTED)
        self._network = AlexLPIPS()
        # The authors' module lists its linear layers twice.
        fill(self._network, tensors, path, EXPECTED, unused=("lins.",))
        if not bool((self._network.scaling_layer.get_buffer("scale") > 0).all()):
            raise InstrumentError(f"{path} scales colours by 0 or less; expected {EXPECTED}")
        self.weights_sha256 = file_sha256(path)

    def __call__(self, a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
        """The distance of two pictures.

        Args:
            a: uint8 [h, w, 3] RGB, SMALLEST pixels or more a side.
            b: uint8 [h, w, 3].

        Returns:
            From 0 on.
        """
        pair = torch.from_numpy(np.stack([a, b])).permute(0, 3, 1, 2).float() / 127.5 - 1
        with torch.inference_mode():
            return float(self._network(pair[:1], pair[1:])[0])


def _unit(x: Tensor) -> Tensor:
    return x / (torch.sqrt((x**2).sum(1, keepdim=True)) + 1e-10)
