"""What the instruments in torch share: pixels in, batches, precision, readings out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from metrics.instruments.base import Crop, InstrumentError, check_crops, file_sha256

BATCH = 32
PRECISIONS = ("fp32", "bf16")
# How far bf16 may be from fp32 on the probe: |difference| / |reading| of all probe rows together, or degrees of pose.
BF16_TOLERANCE = {"identity": 0.05, "shape": 0.05, "expression": 0.05, "pose": 1.0}
Readings = dict[str, NDArray[np.float32]]
Decode = Callable[[NDArray[np.float64]], dict[str, NDArray[np.float64]]]


class TorchReader:
    """A network in torch as an instrument. Subclasses declare name, reads, crop, licence, description, family, needs.

    network: in eval mode, maps float [n, 3, s, s] to codes [n, d]. mean, scale: pixels enter as (x - mean) / scale, of 255,
    in the order of `colour` ("rgb" or "bgr"). decode: codes [n, d] -> readings.
    precision: "fp32", or "bf16" (autocast), which is refused where the readings of eight probe pictures differ from fp32 by
    more than BF16_TOLERANCE. What it was is in `parameters`.
    """

    name: str
    reads: tuple[str, ...]
    crop: Crop
    licence: str
    description: str
    family: str
    needs: str | None

    def __init__(
        self,
        path: str | os.PathLike[str],
        network: nn.Module,
        mean: tuple[float, float, float],
        scale: tuple[float, float, float],
        colour: str,
        decode: Decode,
        precision: str = "fp32",
        channels_last: bool = True,
    ) -> None:
        if precision not in PRECISIONS:
            raise InstrumentError(
                f"{self.name}: precision is one of {', '.join(PRECISIONS)}, not {precision!r}"
            )
        self.path = Path(path)
        self.weights_sha256 = file_sha256(self.path)
        self.network = network.to(memory_format=torch.channels_last) if channels_last else network
        self._mean, self._scale = (torch.tensor(v, dtype=torch.float32).view(3, 1, 1) for v in (mean, scale))
        self._bgr, self._decode = colour == "bgr", decode
        self._bf16 = False
        self.parameters: dict[str, Any] = {
            "mean": list(mean),
            "scale": list(scale),
            "colour": colour,
            "precision": precision,
        }
        if precision == "bf16":
            self._check_bf16()
            self._bf16 = True

    def read(self, crops: NDArray[np.uint8], landmarks: NDArray[np.float32] | None = None) -> Readings:
        """Read a batch of faces.

        Args:
            crops: uint8 [n, s, s, 3] RGB, as `crop` wants them.
            landmarks: Only made the crop.

        Returns:
            A float32 [n, d] for each of `reads`.

        Raises:
            InstrumentError: For crops of another shape or type.
        """
        codes = self.codes(check_crops(self.name, crops, self.crop.size))
        return {
            key: value.astype(np.float32) for key, value in self._decode(codes.astype(np.float64)).items()
        }

    def codes(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the network itself returns, float32 [n, d]."""
        rows: list[NDArray[np.float32]] = []
        with torch.inference_mode():
            # An empty batch still tells the width: one black crop is read and dropped.
            for start in range(0, max(len(crops), 1), BATCH):
                part = (
                    crops[start : start + BATCH] if len(crops) else np.zeros((1, *crops.shape[1:]), np.uint8)
                )
                rows.append(self._forward(self._pixels(part)).numpy())
        return np.concatenate(rows)[: len(crops)]

    def differentiable(self, pixels: Tensor) -> Tensor:
        """Codes through which gradients flow, in fp32.

        Args:
            pixels: float [n, 3, s, s] RGB, 0 to 255.

        Returns:
            float [n, d]; gradients reach the pixels.
        """
        return cast(Tensor, self.network(self._normal(pixels)))

    def _pixels(self, crops: NDArray[np.uint8]) -> Tensor:
        return self._normal(torch.tensor(crops).permute(0, 3, 1, 2).float())

    def _normal(self, x: Tensor) -> Tensor:
        return ((x.flip(1) if self._bgr else x) - self._mean) / self._scale

    def _forward(self, x: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            y: Tensor = self.network(x)
        return y.float()

    def _check_bf16(self) -> None:
        crops = probe(self.crop.size)
        exact = self.read(crops)
        self._bf16 = True
        rough = self.read(crops)
        self._bf16 = False
        for reading, rows in exact.items():
            apart = disagreement(reading, rough[reading], rows)
            self.parameters[f"bf16_{reading}"] = round(apart, 5)
            if not apart <= BF16_TOLERANCE[reading]:
                unit = "degrees" if reading == "pose" else "of its length"
                raise InstrumentError(
                    f"{self.name}: in bf16 the {reading} is off by {apart:.3g} {unit}, more than "
                    f"{BF16_TOLERANCE[reading]:g}; read it in fp32"
                )


def disagreement(reading: str, rough: NDArray[np.floating], exact: NDArray[np.floating]) -> float:
    """How far two readings of the same crops are apart: the largest angle, or a share of their length.

    Args:
        reading: "pose", which is compared by angle, or another, which is compared by length.
        rough: float [n, d], the one; of pose [n, 3], axis-angle in radians.
        exact: float [n, d], the other, whose length counts.

    Returns:
        Of pose the largest of the n angles, degrees, 0 to 180. Else the length of the difference divided by
        that of `exact`, all rows taken together as one vector: 0 for equal readings, 0.05 for 5 %.
    """
    if reading == "pose":
        from metrics.rotation import geodesic

        return float(geodesic(rough, exact).max())
    difference = np.linalg.norm(rough.astype(np.float64) - exact)
    return float(difference / max(float(np.linalg.norm(exact.astype(np.float64))), 1e-12))


def probe(size: int, count: int = 8) -> NDArray[np.uint8]:
    """Pictures for the check of bf16: smooth random colours, always the same.

    Args:
        size: Side, pixels.
        count: How many.

    Returns:
        uint8 [count, size, size, 3] RGB, 0 to 255.
    """
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.uniform(0, 255, (count, 3, 7, 7)))
    smooth = torch.nn.functional.interpolate(coarse, (size, size), mode="bicubic", align_corners=False)
    return smooth.clamp(0, 255).permute(0, 2, 3, 1).round().to(torch.uint8).numpy()
