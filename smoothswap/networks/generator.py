"""The generator of Smooth-Swap (paper, Section 4.2 and its architecture figure): NCSN++ as a U-Net that swaps.

Two changes to NCSN++ (Song et al. 2021): an identity vector takes the place of the time embedding, and the target is
added to the output, so the network draws only the change. With `init_scale` 0 the untrained network is the identity.

    stage      blocks   width 64, multipliers (1, 2, 2, 2), 256 px
    conv in              3 x 256 x 256 ->  64 x 256 x 256
    down 1-3   3, 3, 3  -> 64 x 128 x 128 -> 128 x 64 x 64 -> 128 x 32 x 32
    bottom     3        128 x 32 x 32, then the one attention block
    up 1-4     5, 4, 4, 3 -> 128 x 64 x 64 -> 128 x 128 x 128 -> 128 x 256 x 256 -> 64 x 256 x 256
    conv out             64 x 256 x 256 -> 3 x 256 x 256, plus the target
Twelve skips: the first convolution, the nine blocks going down, and the first two at the bottom. How identity enters a
block is `injection.py`'s.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from smoothswap.networks.injection import INJECTIONS
from smoothswap.networks.layers import conv, group_norm, variance_scaling_
from smoothswap.networks.options import GeneratorOptions
from smoothswap.networks.resample import DOWN, UP


class ResBlock(nn.Module):
    """The paper's figure b: [concat skip], norm, SiLU, [resample], conv, identity, norm, SiLU, dropout, conv; shortcut."""

    def __init__(self, c_in: int, c_out: int, o: GeneratorOptions, skip: int = 0, resample: str = "") -> None:
        super().__init__()
        self.resample = {"": None, "up": UP[o.resampling], "down": DOWN[o.resampling]}[resample]
        self.shortcut_sees_skip = o.shortcut == "after_concat"
        self.norm0, self.conv0 = group_norm(c_in + skip), conv(c_in + skip, c_out)
        self.identity = INJECTIONS[o.identity_injection](o, c_out)
        self.norm1 = nn.Identity() if self.identity.normalises else group_norm(c_out)
        self.conv1 = conv(c_out, c_out, scale=o.init_scale)
        self.dropout = nn.Dropout(o.dropout)
        c_short = c_in + skip if self.shortcut_sees_skip else c_in
        needed = c_short != c_out or (resample != "" and o.shortcut_conv == "channels_or_resample")
        self.shortcut: nn.Module = conv(c_short, c_out, 1) if needed else nn.Identity()

    def forward(self, x: Tensor, code: Tensor, skip: Tensor | None = None) -> Tensor:
        h = x if skip is None else torch.cat([x, skip], 1)
        short = h if self.shortcut_sees_skip else x
        h = F.silu(self.norm0(h))
        if self.resample is not None:
            h, short = self.resample(h), self.resample(short)
        h = self.identity(self.conv0(h), code)
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
        self.identity_code = INJECTIONS[o.identity_injection].shared(o)
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
        if target.device.type == "cpu":  # where GroupNorm is ten times slower channels last
            target = target.contiguous()
        z = identity * math.sqrt(o.identity_dim) if o.identity_scale == "sqrt_dim" else identity
        code = self.identity_code(z)
        h = self.conv_in(target)
        skips = [h]
        for stage in self.down:
            for block in stage:  # type: ignore[attr-defined]
                h = self._run(block, h, code)
                skips.append(h)
        h = self._run(self.middle, self.attention(self._run(self.bottom, h, code)), code)
        for stage in self.up:
            for i, block in enumerate(stage):  # type: ignore[arg-type]
                h = self._run(block, h, code, *([skips.pop()] if i <= o.blocks else []))
        return target + self.conv_out(F.silu(self.norm_out(h)))

    def _run(self, block: nn.Module, *inputs: Tensor) -> Tensor:
        """A block, with gradient checkpointing (Chen et al. 2016) where it is asked for and gradients are kept."""
        if self.options.checkpointing and torch.is_grad_enabled():
            return checkpoint(block, *inputs, use_reentrant=False)  # draws the same dropout again
        return block(*inputs)
