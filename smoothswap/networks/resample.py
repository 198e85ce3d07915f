"""Resampling by a factor of two: the FIR filter [1, 3, 3, 1] of StyleGAN2 and NCSN++, or plain nearest / average.

Both FIR directions pad with zeros, as `upfirdn2d` does. They are written without a compiled extension and without
a transposed convolution (slow on CPUs): the upsampling filter is bilinear interpolation of a zero-padded image.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

FIR = (1.0, 3.0, 3.0, 1.0)


def fir_kernel(like: Tensor) -> Float[Tensor, "4 4"]:
    """The separable [1, 3, 3, 1] filter as a kernel of sum 1, in the dtype and on the device of `like`.

    Examples:
        >>> (fir_kernel(torch.zeros(1)) * 64).tolist()
        [[1.0, 3.0, 3.0, 1.0], [3.0, 9.0, 9.0, 3.0], [3.0, 9.0, 9.0, 3.0], [1.0, 3.0, 3.0, 1.0]]
    """
    taps = torch.tensor(FIR, dtype=like.dtype, device=like.device)
    return torch.outer(taps, taps) / taps.sum() ** 2


def fir_down(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h//2 w//2"]:
    """FIR filter, then every second sample (upfirdn pad (1, 1)); height and width are even."""
    channels = int(x.shape[1])  # a number also while an exporter traces, which needs the kernel's shape
    kernel = fir_kernel(x).expand(channels, 1, 4, 4)
    return F.conv2d(x, kernel, stride=2, padding=1, groups=channels)


def fir_up(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c 2*h 2*w"]:
    """Zero insertion, then the FIR filter with gain 4 (upfirdn pad (2, 1)).

    Its two phases weigh neighbours by (1, 3)/4 and (3, 1)/4, which is bilinear interpolation; zeros beyond the edge.
    """
    wide = F.interpolate(F.pad(x, (1, 1, 1, 1)), scale_factor=2, mode="bilinear", align_corners=False)
    return wide[:, :, 2:-2, 2:-2]


def fir_blur(x: Float[Tensor, "n c h w"], pad: tuple[int, int]) -> Float[Tensor, "n c _ _"]:
    """FIR filter at the same scale.

    Args:
        x: Features.
        pad: Zeros (before, after) on both axes.

    Returns:
        Features of h + sum(pad) - 3 by w + sum(pad) - 3.
    """
    kernel = fir_kernel(x).expand(x.shape[1], 1, 4, 4)
    before, after = pad
    return F.conv2d(F.pad(x, (before, after, before, after)), kernel, groups=x.shape[1])


def plain_down(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h//2 w//2"]:
    """2 x 2 average pooling.

    Examples:
        >>> plain_down(torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]])).item()
        3.0
    """
    return F.avg_pool2d(x, 2)


def plain_up(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c 2*h 2*w"]:
    """Nearest neighbour, factor 2."""
    return F.interpolate(x, scale_factor=2, mode="nearest")


UP = {"fir": fir_up, "plain": plain_up}
DOWN = {"fir": fir_down, "plain": plain_down}
