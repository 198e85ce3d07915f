"""Identity by a network trained on VGGFace2, its features not normalised: the paper's "VGG" is an L2 distance of about 100.

Which network the paper used is not stated. Three can be read: Oxford's ResNet-50 and SE-ResNet-50 (Cao et al., FG 2018;
keys of cydonia999/VGGFace2-pytorch), 2,048 features of pool5, and FaceNet's Inception-ResNet v1 (keys of
timesler/facenet-pytorch), 512 features. A file's keys say which it is.
"""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray
from torch import nn

from metrics.instruments.base import Crop, InstrumentError
from metrics.instruments.checkpoint import fill, read_tensors
from metrics.instruments.networks.inception import InceptionResnetV1
from metrics.instruments.networks.vgg_resnet import VGGResNet50
from metrics.instruments.reader import TorchReader

EXPECTED = (
    "resnet50_ft_weight.pkl, senet50_ft_weight.pkl or their _scratch forms (links in the README of "
    "cydonia999/VGGFace2-pytorch), or 20180402-114759-vggface2.pt (releases of timesler/facenet-pytorch, MIT)"
)
MEAN_BGR = (91.4953, 103.8827, 131.0912)  # Oxford's, in the order in which their networks read


class VGGFace2(TorchReader):
    """The instrument. arch: "resnet50", "senet50" or "inception_resnet_v1", found from the keys.

    ResNet-50 and SE-ResNet-50: box grown by 0.3, 224 pixels, BGR of 255 less the mean colour. Inception-ResNet v1: tight
    box, 160 pixels, RGB, (x - 127.5) / 128. normalise: scale the features to length 1 (FaceNet's own use).
    """

    reads = ("identity",)
    licence = "the user's file; VGGFace2 was published for research"
    needs = f"a file of yours, vggface2:PATH: {EXPECTED}"
    family = "vggface2"
    # VGGFace2
    people: tuple[str, ...] = ("photographs",)

    def __init__(
        self, path: str | os.PathLike[str], normalise: bool | str = False, precision: str = "fp32"
    ) -> None:
        flags = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        if str(normalise).lower() not in flags:
            raise InstrumentError(f"vggface2: normalise is true or false, not {normalise!r}")
        self._normalise = flags[str(normalise).lower()]
        tensors = read_tensors(path, EXPECTED)
        inception = "last_linear.weight" in tensors
        arch = (
            "inception_resnet_v1"
            if inception
            else "senet50"
            if "layer1.0.conv4.weight" in tensors
            else "resnet50"
        )
        network: nn.Module = InceptionResnetV1() if inception else VGGResNet50(squeeze=arch == "senet50")
        # The classifiers of 8,631 people: features are read before them.
        fill(network, tensors, path, EXPECTED, unused=("logits.", "fc."))
        self.name, self.arch = f"vggface2:{arch}", arch
        self.crop = Crop("facenet", 160) if inception else Crop("vggface2", 224)
        self.description = f"{arch} trained on VGGFace2: {512 if inception else 2048} features, " + (
            "of length 1" if self._normalise else "not normalised"
        )
        mean, scale = ((127.5,) * 3, (128.0,) * 3) if inception else (MEAN_BGR, (1.0,) * 3)
        super().__init__(path, network, mean, scale, "rgb" if inception else "bgr", self._features, precision)
        self.parameters |= {"arch": arch, "normalise": self._normalise}

    def _features(self, codes: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        if self._normalise:
            codes = codes / np.maximum(np.linalg.norm(codes, axis=1, keepdims=True), 1e-12)
        return {"identity": codes}


def create(path: str, normalise: bool | str = False, precision: str = "fp32") -> VGGFace2:
    """Factory of the registry.

    Args:
        path: A file of one of the three networks; its keys say of which.
        normalise: Whether the features are scaled to length 1 (FaceNet's own use), as a bool or its text:
            "true", "yes", "1", "false", "no", "0".
        precision: "fp32", or "bf16" (autocast), which is refused where it changes the readings of eight probe
            pictures by more than metrics.instruments.reader.BF16_TOLERANCE.

    Returns:
        The instrument, its weights loaded.

    Raises:
        InstrumentError: For a file that is missing or another network's, and for other options.
    """
    return VGGFace2(path, normalise, precision)
