"""The generator of Smooth-Swap (paper, Section 4.2 and its architecture figure): NCSN++ as a U-Net that swaps.

Two changes to NCSN++ (Song et al. 2021): an identity vector takes the place of the time embedding, and the target is
added to the output, so the network draws only the change. With `init_scale` 0 the untrained network is the identity.

    stage      blocks   width 64, multipliers (1, 2, 2, 2), 256 px
    conv in              3 x 256 x 256 ->  64 x 256 x 256
    down 1-3   3, 3, 3  -> 64 x 128 x 128 -> 128 x 64 x 64 -> 128 x 32 x 32
    bottom     3        128 x 32 x 32, then the one attention block
    up 1-4     5, 4, 4, 3 -> 128 x 64 x 64 -> 128 x 128 x 128 -> 128 x 256 x 256 -> 64 x 256 x 256
    conv out             64 x 256 x 256 -> 3 x 256 x 256, plus the target
Twelve skips: the first convolution, the nine blocks going down, and the first two at the bottom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from smoothswap.resample import DOWN, UP


@dataclass(frozen=True)
class GeneratorOptions:
    """What the sources leave open is an option; the first value named is the default."""

    size: int = 256  # px, divisible by 2 ** (levels - 1)
    width: int = 64  # channels at full resolution (paper: 64)
    channel_multipliers: tuple[int, ...] = (1, 2, 2, 2)  # of `width`, one a level (paper: 1, 2, 2, 2)
    blocks: int = 2  # residual blocks a level; the paper's counts 3,3,3 + 3 and 5,4,4,3 are 2
    identity_dim: int = 512  # of the embedder
    identity_scale: str = (
        "sqrt_dim"  # sqrt_dim: unit vector times sqrt(dim), entries of order 1 | unit. Not stated.
    )
    identity_injection: str = "add"  # add: Linear(z) added after the first convolution (paper)
    dropout: float = 0.1  # paper's figure
    shortcut: str = "before_concat"  # before_concat: as drawn in the paper | after_concat: as in NCSN++ code
    shortcut_conv: str = (
        "channels_or_resample"  # 1x1 on shortcuts: NCSN++ | channels: only where widths differ
    )
    resampling: str = "fir"  # fir: [1, 3, 3, 1] as NCSN++ | plain: nearest / average. Not stated.
    init_scale: float = (
        0.0  # of every block's second, the attention's and the last convolution. Not stated; NCSN++: 0
    )

    def __post_init__(self) -> None:
        levels = len(self.channel_multipliers)
        if levels < 2 or self.size % 2 ** (levels - 1):
            raise ValueError(
                f"generator.size {self.size} must be divisible by {2 ** max(levels - 1, 1)}: "
                f"channel_multipliers has {levels} levels (at least 2)"
            )
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"generator.{name} is {getattr(self, name)!r}; choose one of {', '.join(allowed)}"
                )


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


def group_norm(channels: int) -> nn.GroupNorm:
    """NCSN++: min(C // 4, 32) groups, eps 1e-6; the count is lowered to a divisor of C where it is none."""
    groups = max(1, min(channels // 4, 32))
    while channels % groups:
        groups -= 1
    return nn.GroupNorm(groups, channels, eps=1e-6)


class AddIdentity(nn.Module):
    """The paper's way in for identity: h + Linear(z), the same at every pixel. h [n, c, h, w], z [n, d]."""

    def __init__(self, identity_dim: int, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(identity_dim, channels)
        variance_scaling_(self.linear.weight.data)
        nn.init.zeros_(self.linear.bias)

    def forward(self, h: Tensor, z: Tensor) -> Tensor:
        return h.add_(
            self.linear(z)[:, :, None, None]
        )  # in place: a convolution's output is not kept for its gradient


INJECTIONS = {
    "add": AddIdentity
}  # the seam for other ways in: a module (identity_dim, channels), forward(h, z) -> h
_CHOICES = {
    "identity_scale": ("sqrt_dim", "unit"),
    "identity_injection": tuple(INJECTIONS),
    "shortcut": ("before_concat", "after_concat"),
    "shortcut_conv": ("channels_or_resample", "channels"),
    "resampling": ("fir", "plain"),
}


class ResBlock(nn.Module):
    """The paper's figure b: [concat skip], norm, SiLU, [resample], conv, identity, norm, SiLU, dropout, conv; shortcut."""

    def __init__(self, c_in: int, c_out: int, o: GeneratorOptions, skip: int = 0, resample: str = "") -> None:
        super().__init__()
        self.resample = {"": None, "up": UP[o.resampling], "down": DOWN[o.resampling]}[resample]
        self.shortcut_sees_skip = o.shortcut == "after_concat"
        self.norm0, self.conv0 = group_norm(c_in + skip), conv(c_in + skip, c_out)
        self.identity = INJECTIONS[o.identity_injection](o.identity_dim, c_out)
        self.norm1, self.conv1 = group_norm(c_out), conv(c_out, c_out, scale=o.init_scale)
        self.dropout = nn.Dropout(o.dropout)
        c_short = c_in + skip if self.shortcut_sees_skip else c_in
        needed = c_short != c_out or (resample != "" and o.shortcut_conv == "channels_or_resample")
        self.shortcut: nn.Module = conv(c_short, c_out, 1) if needed else nn.Identity()

    def forward(self, x: Tensor, z: Tensor, skip: Tensor | None = None) -> Tensor:
        h = x if skip is None else torch.cat([x, skip], 1)
        short = h if self.shortcut_sees_skip else x
        h = F.silu(self.norm0(h))
        if self.resample is not None:
            h, short = self.resample(h), self.resample(short)
        h = self.identity(self.conv0(h), z)
        h = self.conv1(self.dropout(F.silu(self.norm1(h))))
        return (h + self.shortcut(short)).mul_(math.sqrt(0.5))


class Attention(nn.Module):
    """Single-head self-attention over all pixels, as NCSN++'s AttnBlockpp: [n, c, h, w] -> the same."""

    def __init__(self, channels: int, init_scale: float) -> None:
        super().__init__()
        self.norm, self.qkv = group_norm(channels), conv(channels, 3 * channels, 1)
        for part in self.qkv.weight.data.chunk(3):  # three separate layers in NCSN++: the same fan
            variance_scaling_(part)
        self.out = conv(channels, channels, 1, scale=init_scale)

    def forward(self, x: Tensor) -> Tensor:
        n, c, height, width = x.shape
        q, k, v = self.qkv(self.norm(x)).flatten(2).transpose(1, 2).chunk(3, dim=2)
        h = F.scaled_dot_product_attention(q, k, v)  # scale c ** -0.5
        h = self.out(h.transpose(1, 2).reshape(n, c, height, width))
        return (x + h) * math.sqrt(0.5)


class Generator(nn.Module):
    """x_swap = x_tgt + U(x_tgt, z_src). Untrained (init_scale 0) it returns x_tgt exactly.

    forward(target [n, 3, s, s] in [-1, 1], identity [n, identity_dim] of unit norm) -> [n, 3, s, s], not clamped.
    """

    def __init__(self, options: GeneratorOptions) -> None:
        super().__init__()
        o = self.options = options
        widths = [o.width * m for m in o.channel_multipliers]
        last = len(widths) - 1
        self.conv_in = conv(3, widths[0])
        skips, c = [widths[0]], widths[0]
        self.down = (
            nn.ModuleList()
        )  # one ModuleList a stage; the last is the bottom's share that leaves skips
        for level, width in enumerate(widths):
            stage = nn.ModuleList()
            for _ in range(o.blocks):
                stage.append(ResBlock(c, width, o))
                skips.append(width)
                c = width
            if level < last:
                stage.append(ResBlock(c, c, o, resample="down"))
                skips.append(c)
            self.down.append(stage)
        self.bottom = ResBlock(c, c, o)  # third block at the bottom
        self.attention = Attention(c, o.init_scale)
        self.middle = ResBlock(c, c, o)  # first of the five of up 1
        self.up = nn.ModuleList()
        for level in range(last, -1, -1):
            stage = nn.ModuleList()
            for _ in range(o.blocks + 1):
                stage.append(ResBlock(c, widths[level], o, skip=skips.pop()))
                c = widths[level]
            if level:
                stage.append(ResBlock(c, c, o, resample="up"))
            self.up.append(stage)
        self.norm_out, self.conv_out = group_norm(c), conv(c, 3, scale=o.init_scale)

    def forward(self, target: Tensor, identity: Tensor) -> Tensor:
        o = self.options
        z = identity * math.sqrt(o.identity_dim) if o.identity_scale == "sqrt_dim" else identity
        h = self.conv_in(target)
        skips = [h]
        for stage in self.down:
            for block in stage:  # type: ignore[attr-defined]
                h = block(h, z)
                skips.append(h)
        h = self.middle(self.attention(self.bottom(h, z)), z)
        for stage in self.up:
            for i, block in enumerate(stage):  # type: ignore[arg-type]
                h = block(h, z, skips.pop()) if i <= o.blocks else block(h, z)
        return target + self.conv_out(F.silu(self.norm_out(h)))
