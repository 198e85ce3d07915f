"""A trained embedder of ours as an instrument, which only this layer may load.

embedder:recogniser-96      by the name of its weights, or by path to its .safetensors
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from metrics.instruments import Available, Crop, InstrumentError
from metrics.instruments.base import check_crops

if TYPE_CHECKING:
    from smoothswap.lineage import Lineage

# a second opinion on rendered faces; it trained no swapper
JUDGE = "embedder:recogniser-96"
BATCH = 64


class EmbedderInstrument:
    """A trained embedder as an instrument: unit vectors of FFHQ crops at the network's own size."""

    reads = ("identity",)
    licence = "Apache-2.0 (weights that come with the project)"
    needs = None

    def __init__(self, weights: str) -> None:
        from smoothswap import lineage
        from smoothswap.pretrained import WeightsError, card, fingerprint, load_embedder, locate

        try:
            self._network, config = load_embedder(weights)
            about = card(weights)
            self.weights_sha256 = str(about["sha256"])
        except WeightsError as error:
            raise InstrumentError(f"embedder: {error}") from None
        self.name = locate(weights).stem
        # One embedder is one family: two of ours share code, not people, pictures or weights. What one began from is kin.
        self.family = embedder_family(fingerprint(self._network))
        self.lineage = lineage.of_embedder(about)
        self.kin = tuple(name for name in families_of(self.lineage) if name != self.family)
        self.crop = Crop("ffhq", config.network.size)
        self.description = (
            f"{config.network.dim}-d embedder trained with the {config.loss} loss on aligned faces"
        )
        self.parameters: dict[str, Any] = {"loss": config.loss, "seed": config.seed}

    def read(
        self, crops: NDArray[np.uint8], landmarks: NDArray[np.float32] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """Embed a batch of faces.

        Args:
            crops: uint8 [n, size, size, 3] RGB, FFHQ-aligned, `size` being the network's own (`crop.size`).
            landmarks: Not used: they only made the crop.

        Returns:
            {"identity": float32 [n, dim]}, rows of length 1.

        Raises:
            InstrumentError: For crops of another shape or type.
        """
        import torch

        from smoothswap.tensors import to_tensor

        images = check_crops(self.name, crops, self.crop.size)
        rows = np.empty((len(images), self._network.options.dim), np.float32)
        with torch.inference_mode():
            for i in range(0, len(images), BATCH):
                rows[i : i + BATCH] = self._network(to_tensor(images[i : i + BATCH])).numpy()
        return {"identity": rows}


def embedder_family(fingerprint: str) -> str:
    """The family of a network of ours, from smoothswap.pretrained.fingerprint: itself alone."""
    return f"embedder-{fingerprint[:16]}"


def families_of(lineage: Lineage) -> list[str]:
    """What a lineage shares with judges: the families of its networks, then those of recognisers (arcface)."""
    return [*map(embedder_family, sorted(lineage.networks)), *lineage.families]


EMBEDDER = Available(
    name="embedder",
    reads=("identity",),
    description=f"an embedder trained by smoothswap.train; {JUDGE} reads rendered ones",
    needs="its name or .safetensors file: embedder:NAME",
    factory="bench.reading.embedder:EmbedderInstrument",
    takes_path=True,
    default=False,
)
