"""Smooth-Swap behind the benchmark's crop interface: uint8 RGB crops in and out, float tensors inside."""

from __future__ import annotations

from typing import Any

import torch

from bench.instruments import embedder_family
from bench.swappers.base import Image


class SmoothSwapModel:
    """The committed model ("smoothswap") or a weights file. Raises what smoothswap.weights.load raises."""

    def __init__(self, weights: str, device: str = "cpu") -> None:
        from smoothswap import weights as store

        self._device = torch.device(device)
        self._model = store.load(weights).to(self._device)
        self.size = int(self._model.size)
        card = store.card(weights)
        self.info: dict[str, Any] = {
            "weights": store.locate(weights).name, "weights_sha256": card["sha256"], "size": self.size,
            "parameters": card.get("parameters"), "command": card.get("command"),
            "trained_with": [embedder_family(store.fingerprint(self._model.embedder))],
        }  # fmt: skip

    def swap(self, source: Image, target: Image) -> Image:
        """source, target: uint8 [n, size, size, 3] -> uint8 of the same shape."""
        from smoothswap.pixels import to_pixels, to_tensor

        with torch.inference_mode():
            swapped = self._model.swap(to_tensor(source, self._device), to_tensor(target, self._device))
        return to_pixels(swapped)
