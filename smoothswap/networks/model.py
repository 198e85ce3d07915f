"""A trained Smooth-Swap: the frozen embedder and the generator as one model that swaps."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from smoothswap.networks.embedder import Embedder
from smoothswap.networks.generator import Generator


class SmoothSwap(nn.Module):
    """swap(source, target): the target with the source's identity.

    Images are float32 [n, 3, s, s] in [-1, 1], RGB, FFHQ-aligned, s = `size`.
    """

    def __init__(self, generator: Generator, embedder: Embedder) -> None:
        """Freeze the two networks and put them into evaluation mode."""
        super().__init__()
        self.generator, self.embedder = generator.eval(), embedder.eval()
        self.size = generator.options.size
        self.requires_grad_(False)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.generator.conv_in.weight.device

    def _check(self, images: Tensor, name: str) -> None:
        if images.dim() != 4 or tuple(images.shape[1:]) != (3, self.size, self.size):
            raise ValueError(
                f"{name} is {list(images.shape)}; expected [n, 3, {self.size}, {self.size}] in [-1, 1]"
            )

    def embed(self, source: Tensor) -> Float[Tensor, "n d"]:
        """The identities of aligned faces.

        Args:
            source: [n, 3, s, s] in [-1, 1].

        Returns:
            Vectors of unit norm.

        Raises:
            ValueError: Images of another shape.
        """
        self._check(source, "source")
        z: Tensor = self.embedder(source)
        return z

    @torch.no_grad()
    def swap(self, source: Tensor, target: Tensor) -> Float[Tensor, "n 3 s s"]:
        """The targets with the sources' identities.

        Args:
            source: [n, 3, s, s] in [-1, 1], or [1, 3, s, s] for all targets.
            target: [n, 3, s, s] in [-1, 1].

        Returns:
            Images clamped to [-1, 1].

        Raises:
            ValueError: Images of another shape, or another number of sources.
        """
        return self.swap_identity(self.embed(source), target)

    @torch.no_grad()
    def swap_identity(self, identity: Float[Tensor, "m d"], target: Tensor) -> Float[Tensor, "n 3 s s"]:
        """As swap, with what embed() gave for the sources.

        Args:
            identity: Vectors of unit norm, one for each target (m = n) or one for all (m = 1).
            target: [n, 3, s, s] in [-1, 1].

        Returns:
            Images clamped to [-1, 1].

        Raises:
            ValueError: Images of another shape, or another number of identities.
        """
        self._check(target, "target")
        if len(identity) not in (1, len(target)):
            raise ValueError(f"{len(identity)} sources for {len(target)} targets; give as many, or one")
        swapped: Tensor = self.generator(target, identity.expand(len(target), -1))
        return swapped.clamp(-1, 1)

    forward = swap
