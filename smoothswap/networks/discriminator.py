"""StyleGAN2's residual discriminator (Karras et al. 2020), as the paper uses it (Section 4.3), in plain PyTorch.

28.86 M parameters at 256 px with channel_base 32768 (channel multiplier 2 in the well-known re-implementations).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from smoothswap.networks.options import DiscriminatorOptions
from smoothswap.networks.precision import full
from smoothswap.networks.resample import fir_blur


class EqualConv(nn.Module):
    """A convolution (or, with kernel 0, a linear layer) with equalised learning rate: weights N(0, 1) / sqrt(fan_in)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        *,
        stride: int = 1,
        act: bool = True,
        bias: bool = True,
        blur: bool = True,
    ) -> None:
        """Build the layer.

        Args:
            in_channels: Of the input.
            out_channels: Of the output.
            kernel: Its side in pixels; 0 for a linear layer.
            stride: 1 or 2.
            act: Whether a leaky ReLU with gain sqrt(2) follows.
            bias: Whether a bias is learned.
            blur: Whether the FIR filter comes before a stride of 2.
        """
        super().__init__()
        shape = (out_channels, in_channels, kernel, kernel) if kernel else (out_channels, in_channels)
        self.weight = nn.Parameter(torch.randn(shape))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.scale = 1 / math.sqrt(in_channels * max(kernel, 1) ** 2)
        self.kernel, self.stride, self.act, self.blur = kernel, stride, act, blur

    def forward(self, x: Float[Tensor, "n c ..."]) -> Float[Tensor, "n d ..."]:
        """Features of h / stride by w / stride, or, with kernel 0, vectors."""
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

    def __init__(self, in_channels: int, out_channels: int, blur: bool = True) -> None:
        """Build the block; `blur` before the strides."""
        super().__init__()
        self.conv0 = EqualConv(in_channels, in_channels, 3)
        self.conv1 = EqualConv(in_channels, out_channels, 3, stride=2, blur=blur)
        self.short = EqualConv(in_channels, out_channels, 1, stride=2, act=False, bias=False, blur=blur)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h//2 w//2"]:
        """Features of half the size."""
        return (self.conv1(self.conv0(x)) + self.short(x)) * math.sqrt(0.5)


def minibatch_stddev(x: Float[Tensor, "n c h w"], group: int) -> Float[Tensor, "n c+1 h w"]:
    """Append one channel: the standard deviation over a group of images, averaged over channels and pixels.

    Any n: image i belongs to group i mod ceil(n / group), so groups hold `group` images or fewer, and where n is
    divisible by `group` this is StyleGAN2's own grouping. eps 1e-8. Of many ranks each sees its own n, every N-th image:
    the groups of one rank with all images where `group` divides n (distributed.py).

    Args:
        x: Features of a batch.
        group: Images of a group, at most.

    Returns:
        The features with the new channel behind.

    Examples:
        >>> batch = torch.tensor([0.0, 2.0, 6.0]).view(3, 1, 1, 1)
        >>> minibatch_stddev(batch, 2)[:, 1].flatten().round(decimals=3).tolist()  # 0 and 6 are a group, 2 is alone
        [3.0, 0.0, 3.0]
    """
    n, _, height, width = x.shape
    count = -(-n // group)
    groups = [full(x[k::count]).var(0, unbiased=False) for k in range(count)]
    values = torch.stack([(variance + 1e-8).sqrt().mean() for variance in groups]).to(x.dtype)
    values = values.repeat(-(-n // count))[:n]
    return torch.cat([x, values[:, None, None, None].expand(n, 1, height, width)], 1)


class Discriminator(nn.Module):
    """Logits, high for real faces. Any batch size."""

    def __init__(self, options: DiscriminatorOptions) -> None:
        """Build an untrained discriminator."""
        super().__init__()
        self.options = options
        layers: list[nn.Module] = [EqualConv(3, options.channels(options.size), 1)]
        resolution = options.size
        while resolution > 4:
            channels = options.channels(resolution), options.channels(resolution // 2)
            layers.append(DiscriminatorBlock(*channels, blur=options.resampling == "fir"))
            resolution //= 2
        self.body = nn.Sequential(*layers)
        last = options.channels(4)
        self.conv = EqualConv(last + 1, last, 3)
        self.linear, self.logit = EqualConv(last * 16, last, 0), EqualConv(last, 1, 0, act=False)

    def forward(self, x: Float[Tensor, "n 3 s s"]) -> Float[Tensor, " n"]:
        """A logit of each picture in [-1, 1], s = options.size."""
        h = minibatch_stddev(self.body(x), self.options.stddev_group)
        return full(self.logit(self.linear(self.conv(h).flatten(1)))).squeeze(1)
