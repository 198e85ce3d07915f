"""Identity by recognisers of other margins than ArcFace's, from their authors' checkpoints, each a family of its own.

cosface:FILE          Wang et al., CVPR 2018: a sphere20 or sphere64 (MuggleWang/CosFace_pytorch), or an IResNet that was
                      trained with CosFace (insightface's arcface_torch, glint360k_cosface_*)
curricularface:FILE   Huang et al., CVPR 2020: CurricularFace_Backbone.pth (HuangYG123/CurricularFace)
adaface:FILE          Kim et al., CVPR 2022: adaface_ir50_ms1mv2.ckpt and its like (mk-minchul/AdaFace)

All read the five-point crop of 112 pixels in (x - 127.5) / 127.5; AdaFace's blue first.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from metrics.instruments.base import Crop, InstrumentError
from metrics.instruments.checkpoint import fill, read_tensors
from metrics.instruments.networks import ir, iresnet, sphere
from metrics.instruments.reader import TorchReader

EXPECTED = {
    "cosface": "a sphere20 or sphere64 of MuggleWang/CosFace_pytorch (ACC99.28.pth), or a backbone.pth that insightface's "
    "arcface_torch trained with CosFace (glint360k_cosface_r50)",
    "curricularface": "CurricularFace_Backbone.pth of HuangYG123/CurricularFace",
    "adaface": "adaface_ir50_ms1mv2.ckpt, or another IR checkpoint of mk-minchul/AdaFace",
}


class MarginReader(TorchReader):
    """One of the three. family: a key of EXPECTED; path: the user's file; precision: "fp32" or "bf16".

    Raises InstrumentError for a file that is missing or another network's.
    """

    reads = ("identity",)
    crop = Crop("arcface", 112)
    licence = "the user's file; see its source"

    def __init__(self, family: str, path: str | os.PathLike[str], precision: str = "fp32") -> None:
        expected = EXPECTED[family]
        tensors = read_tensors(path, expected)
        if family == "adaface" and any(key.startswith("model.") for key in tensors):
            # Lightning keeps the backbone under "model." beside the head that it was trained with.
            tensors = {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
        try:
            self.arch, network = _network(family, tensors)
        except InstrumentError as error:
            raise InstrumentError(f"{path} is no {family} network: {error}; expected {expected}") from None
        fill(network, tensors, path, expected)
        self.family = family
        self.needs = f"a file of yours, {family}:PATH: {expected}"
        self.name = f"{family}:{Path(path).stem}"
        self.description = f"{self.arch} trained with {family}, 512-d, 112 px"
        colour = "bgr" if family == "adaface" else "rgb"
        super().__init__(path, network, (127.5,) * 3, (127.5,) * 3, colour, _identity, precision)
        self.parameters["arch"] = self.arch


# The factories of `cosface:PATH` and its like; `path` and `precision` are their options.
cosface = partial(MarginReader, "cosface")
curricularface = partial(MarginReader, "curricularface")
adaface = partial(MarginReader, "adaface")


def _network(family: str, tensors: Mapping[str, Tensor]) -> tuple[str, nn.Module]:
    """The empty network that a file's keys are of."""
    if family == "cosface":
        if "features.weight" in tensors:
            name, depths = iresnet.depths_of(tensors)
            return name, iresnet.IResNet(depths)
        name, depths = sphere.depths_of(tensors)
        return name, sphere.Sphere(depths)
    name, depths, between = ir.described(tensors)
    if between != (family == "adaface"):
        other = "AdaFace's" if between else "CurricularFace's"
        raise InstrumentError(f"its blocks are {other}")
    return name, ir.IR(depths, between)


def _identity(codes: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return {"identity": codes}
