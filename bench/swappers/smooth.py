"""Smooth-Swap behind the benchmark's crop interface: uint8 RGB crops in and out, float tensors inside."""

from __future__ import annotations

from typing import Any

import torch

from bench.reading.embedder import embedder_family, families_of
from bench.swappers.base import Image
from bench.swappers.departures import of_committed


class SmoothSwapModel:
    """Weights by name or path, or with "" those that smoothswap.pretrained.choose takes for faces of `domain`.

    name: of the file. info: what results.json says of the model; its `chosen` is why these weights, where nobody named
    them. For the dagger counts every embedder that taught it, or its start, or that such an embedder began from
    (smoothswap.lineage); one trained with ArcFace's loss among them makes a swapper of the arcface family, as the paper has
    it. Raises what smoothswap.pretrained.load raises.
    """

    def __init__(self, weights: str, device: str = "cpu", domain: str = "photos") -> None:
        from smoothswap import pretrained
        from smoothswap.supervision import supervision

        chosen = None if weights else pretrained.choose("rendered" if domain == "rendered" else "photos")
        named = weights if chosen is None else chosen.path
        self._device = torch.device(device)
        self._model = pretrained.load(named).to(self._device)
        self.size = int(self._model.size)
        path, card = pretrained.locate(named), pretrained.card(named)
        self.name = path.stem
        own = embedder_family(pretrained.fingerprint(self._model.embedder))
        self.lineage = pretrained.lineage_of(path)
        families = list(dict.fromkeys([own, *families_of(self.lineage)]))
        self.info: dict[str, Any] = {
            "weights": path.name,
            "weights_sha256": card["sha256"],
            "weights_domain": pretrained.domain(card),
            "chosen": None if chosen is None else chosen.reason,
            "supervision": supervision(card),
            "variant": pretrained.variant(card) or None,
            "size": self.size,
            "parameters": card.get("parameters"),
            "command": card.get("command"),
            "departures": of_committed(path.name, card["sha256"]) or None,
            "trained_with": families,
            "trained_with_unknown": sorted(self.lineage.unknown) or None,
        }

    def swap(self, source: Image, target: Image) -> Image:
        """Swap a batch of faces.

        Args:
            source: uint8 [n, size, size, 3] RGB, FFHQ-aligned: whose identity is wanted.
            target: uint8 [n, size, size, 3] RGB: whose expression, pose and light are to stay.

        Returns:
            uint8 [n, size, size, 3] RGB, in the target's alignment.
        """
        from smoothswap.tensors import to_pixels, to_tensor

        with torch.inference_mode():
            swapped = self._model.swap(to_tensor(source, self._device), to_tensor(target, self._device))
        return to_pixels(swapped)
