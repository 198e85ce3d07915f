"""Identity as a gate: each channel is let through as far as the vector says."""

from torch import Tensor

from smoothswap.networks.injection import Injection
from smoothswap.networks.layers import linear
from smoothswap.networks.options import GeneratorOptions


class Gate(Injection):
    """2 sigmoid(Linear(z)) * h, one gate a channel; 1 where the layer says nothing."""

    def __init__(self, options: GeneratorOptions, channels: int) -> None:
        super().__init__()
        self.linear = linear(options.identity_dim, channels)

    def forward(self, h: Tensor, z: Tensor) -> Tensor:
        """h [n, c, r, r] and the code z [n, d] -> [n, c, r, r]."""
        return 2 * self.linear(z).sigmoid()[:, :, None, None] * h
