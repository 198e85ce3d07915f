"""StyleGAN2's residual discriminator (Karras et al. 2020), as the paper uses it (Section 4.3), in plain PyTorch.

28.86 M parameters at 256 px with channel_base 32768 (channel multiplier 2 in the well-known re-implementations).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from smoothswap.networks.options import DiscriminatorOptions
from smoothswap.networks.precision import full
from smoothswap.networks.resample import fir_blur


class EqualConv(nn.Module):
    """Convolution (or, with kernel 0, linear layer) with equalised learning rate: weights N(0, 1) / sqrt(fan_in)."""

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernel: int,
        stride: int = 1,
        act: bool = True,
        bias: bool = True,
        blur: bool = True,
    ) -> None:
        super().__init__()
        shape = (c_out, c_in, kernel, kernel) if kernel else (c_out, c_in)
        self.weight = nn.Parameter(torch.randn(shape))
        self.bias = nn.Parameter(torch.zeros(c_out)) if bias else None
        self.scale = 1 / math.sqrt(c_in * max(kernel, 1) ** 2)
        self.kernel, self.stride, self.act, self.blur = kernel, stride, act, blur

    def forward(self, x: Tensor) -> Tensor:
        padding = self.kernel // 2
        if self.blur and self.stride == 2:  # blur first, so that striding does not alias: h -> h / 2
            x = fir_blur(x, (2, 2) if self.kernel == 3 else (1, 1))
            padding = 0
        weight = self.weight * self.scale
        if self.kernel:
            x = F.conv2d(x, weight, self.bias, stride=self.stride, padding=padding)
        else:
            x = F.linear(x, weight, self.bias)
        return F.leaky_relu(x, 0.2) * math.sqrt(2) if self.act else x


class DiscriminatorBlock(nn.Module):
    """Two 3x3 convolutions, the second with blur and stride 2, beside a 1x1 shortcut; (out + short) / sqrt(2)."""

    def __init__(self, c_in: int, c_out: int, blur: bool = True) -> None:
        super().__init__()
        self.conv0, self.conv1 = EqualConv(c_in, c_in, 3), EqualConv(c_in, c_out, 3, stride=2, blur=blur)
        self.short = EqualConv(c_in, c_out, 1, stride=2, act=False, bias=False, blur=blur)

    def forward(self, x: Tensor) -> Tensor:
        return (self.conv1(self.conv0(x)) + self.short(x)) * math.sqrt(0.5)


def minibatch_stddev(x: Tensor, group: int) -> Tensor:
    """Append one channel: the standard deviation over a group of images, averaged over channels and pixels.

    [n, c, h, w] -> [n, c + 1, h, w], any n: image i belongs to group i mod ceil(n / group), so groups hold `group`
    images or fewer, and where n is divisible by `group` this is StyleGAN2's own grouping. eps 1e-8. Of many ranks each
    sees its own n, every N-th image: the groups of one rank with all images where `group` divides n (distributed.py).
    """
    n, _, height, width = x.shape
    count = -(-n // group)
    groups = [full(x[k::count]).var(0, unbiased=False) for k in range(count)]
    values = torch.stack([(variance + 1e-8).sqrt().mean() for variance in groups]).to(x.dtype)
    values = values.repeat(-(-n // count))[:n]
    return torch.cat([x, values[:, None, None, None].expand(n, 1, height, width)], 1)


class Discriminator(nn.Module):
    """Logits, high for real faces: [n, 3, s, s] in [-1, 1] -> [n]. Any batch size."""

    def __init__(self, options: DiscriminatorOptions) -> None:
        super().__init__()
        o = self.options = options
        layers: list[nn.Module] = [EqualConv(3, o.channels(o.size), 1)]
        resolution = o.size
        while resolution > 4:
            c_in, c_out = o.channels(resolution), o.channels(resolution // 2)
            layers.append(DiscriminatorBlock(c_in, c_out, o.resampling == "fir"))
            resolution //= 2
        self.body = nn.Sequential(*layers)
        c = o.channels(4)
        self.conv = EqualConv(c + 1, c, 3)
        self.linear, self.logit = EqualConv(c * 16, c, 0), EqualConv(c, 1, 0, act=False)

    def forward(self, x: Tensor) -> Tensor:
        h = minibatch_stddev(self.body(x), self.options.stddev_group)
        return full(self.logit(self.linear(self.conv(h).flatten(1)))).squeeze(1)
