"""NCSN++'s convolution, norm and initialiser (Song et al. 2021), which the generator and its injections are made of."""

from __future__ import annotations

import math

from torch import Tensor, nn


def variance_scaling_(weight: Tensor, scale: float = 1.0) -> None:
    """NCSN++'s initialiser in place: uniform, fan_avg, variance scale / fan; a scale of 0 stands for 1e-10."""
    receptive = weight[0][0].numel() if weight.dim() > 2 else 1
    fan = (weight.shape[0] + weight.shape[1]) * receptive / 2
    bound = math.sqrt(3 * (scale or 1e-10) / fan)
    nn.init.uniform_(weight, -bound, bound) if scale else nn.init.zeros_(weight)


def conv(c_in: int, c_out: int, kernel: int = 3, scale: float = 1.0) -> nn.Conv2d:
    """Convolution with "same" padding, variance scaling and zero bias. Scale 0 gives exact zeros (NCSN++: 1e-10)."""
    layer = nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2)
    variance_scaling_(layer.weight.data, scale)
    nn.init.zeros_(layer.bias.data)  # type: ignore[union-attr]
    return layer


def linear(c_in: int, c_out: int, bias: float = 0.0) -> nn.Linear:
    """Linear layer with variance scaling and a constant bias."""
    layer = nn.Linear(c_in, c_out)
    variance_scaling_(layer.weight.data)
    nn.init.constant_(layer.bias, bias)
    return layer


def group_norm(channels: int, affine: bool = True) -> nn.GroupNorm:
    """NCSN++: min(C // 4, 32) groups, eps 1e-6; the count is lowered to a divisor of C where it is none."""
    groups = max(1, min(channels // 4, 32))
    while channels % groups:
        groups -= 1
    return nn.GroupNorm(groups, channels, eps=1e-6, affine=affine)
