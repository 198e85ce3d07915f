"""NCSN++'s convolution, norm and initialiser (Song et al. 2021), which the generator and its injections are made of."""

from __future__ import annotations

import math

from torch import Tensor, nn


def variance_scaling_(weight: Tensor, scale: float = 1.0) -> None:
    """NCSN++'s initialiser in place: uniform, fan_avg, variance scale / fan.

    Args:
        weight: Of a linear layer or a convolution, [out, in, ...].
        scale: Of the variance; 0 gives exact zeros, where NCSN++ has 1e-10.
    """
    receptive = weight[0][0].numel() if weight.dim() > 2 else 1
    fan = (weight.shape[0] + weight.shape[1]) * receptive / 2
    bound = math.sqrt(3 * (scale or 1e-10) / fan)
    nn.init.uniform_(weight, -bound, bound) if scale else nn.init.zeros_(weight)


def conv(in_channels: int, out_channels: int, kernel: int = 3, scale: float = 1.0) -> nn.Conv2d:
    """A convolution with "same" padding, variance scaling and zero bias.

    Args:
        in_channels: Of the input.
        out_channels: Of the output.
        kernel: Its side in pixels, odd.
        scale: Of the weights' variance (variance_scaling_); 0 makes a layer that gives zeros until it is
            trained.

    Returns:
        A layer of stride 1.

    Examples:
        >>> conv(3, 8).weight.shape
        torch.Size([8, 3, 3, 3])
        >>> conv(3, 8, kernel=1, scale=0.0).weight.abs().max().item()
        0.0
    """
    layer = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2)
    variance_scaling_(layer.weight.data, scale)
    nn.init.zeros_(layer.bias.data)  # type: ignore[union-attr]
    return layer


def linear(in_features: int, out_features: int, bias: float = 0.0) -> nn.Linear:
    """A linear layer with variance scaling and a constant bias.

    Args:
        in_features: Of the input.
        out_features: Of the output.
        bias: What every bias starts at.

    Returns:
        The layer, whose bias is learned.
    """
    layer = nn.Linear(in_features, out_features)
    variance_scaling_(layer.weight.data)
    nn.init.constant_(layer.bias, bias)
    return layer


def group_norm(channels: int, affine: bool = True) -> nn.GroupNorm:
    """NCSN++'s norm: min(C // 4, 32) groups, eps 1e-6; the count is lowered to a divisor of C.

    Args:
        channels: C.
        affine: Whether each channel learns a scale and a shift.

    Returns:
        The norm.

    Examples:
        >>> [group_norm(channels).num_groups for channels in (8, 64, 128, 256, 132)]
        [2, 16, 32, 32, 22]
    """
    groups = max(1, min(channels // 4, 32))
    while channels % groups:
        groups -= 1
    return nn.GroupNorm(groups, channels, eps=1e-6, affine=affine)
