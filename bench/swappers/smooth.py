"""Smooth-Swap behind the benchmark's crop interface: uint8 RGB crops in and out, float tensors inside."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

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
        }  # fmt: skip

    def swap(self, source: Image, target: Image) -> Image:
        """source, target: uint8 [n, size, size, 3] -> uint8 of the same shape."""
        with torch.inference_mode():
            swapped = self._model.swap(self._tensor(source), self._tensor(target))
        levels = (swapped.float().clamp(-1, 1) + 1) * 127.5
        return levels.round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()

    def _tensor(self, images: Image) -> torch.Tensor:
        planes = torch.from_numpy(np.ascontiguousarray(images)).to(self._device).permute(0, 3, 1, 2)
        return planes.float() / 127.5 - 1
