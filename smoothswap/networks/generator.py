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
block is `injection.py`'s. With `patch` 2 the first level works at half the size, on squares of pixels laid side by side
(Shi et al. 2016, sub-pixel convolution): not the paper's, and four times the pictures a second.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from smoothswap.networks.injection import injection
from smoothswap.networks.layers import conv, group_norm, variance_scaling_
from smoothswap.networks.options import GeneratorOptions
from smoothswap.networks.resample import DOWN, UP


class ResBlock(nn.Module):
    """The paper's figure b: [concat skip], norm, SiLU, [resample], conv, identity, norm, SiLU, dropout, conv; shortcut."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        options: GeneratorOptions,
        skip: int = 0,
        resample: Literal["", "up", "down"] = "",
    ) -> None:
        """Build the block; `skip`: channels of the skip that forward() is given."""
        super().__init__()
        self.resample = {"": None, "up": UP[options.resampling], "down": DOWN[options.resampling]}[resample]
        self.shortcut_sees_skip = options.shortcut == "after_concat"
        self.norm0, self.conv0 = group_norm(in_channels + skip), conv(in_channels + skip, out_channels)
        self.identity = injection(options.identity_injection)(options, out_channels)
        self.norm1 = nn.Identity() if self.identity.normalises else group_norm(out_channels)
        self.conv1 = conv(out_channels, out_channels, scale=options.init_scale)
        self.dropout = nn.Dropout(options.dropout)
        short_channels = in_channels + skip if self.shortcut_sees_skip else in_channels
        resampled = resample != "" and options.shortcut_conv == "channels_or_resample"
        needed = resampled or short_channels != out_channels
        self.shortcut: nn.Module = conv(short_channels, out_channels, 1) if needed else nn.Identity()

    def forward(
        self,
        x: Float[Tensor, "n c h w"],
        code: Float[Tensor, "n ..."],
        skip: Float[Tensor, "n s h w"] | None = None,
    ) -> Float[Tensor, "n d _ _"]:
        """The block's features: the main path and the shortcut, added and divided by sqrt(2).

        Args:
            x: Features.
            code: What the injection reads: the identity vector [n, d], or its map [n, m, k, k]
                (injection.py).
            skip: Features of the way down, of the same height and width, with as many channels as the block
                was built for; None for a block without.

        Returns:
            Features of the block's own number of channels, of half or double the height and width where it
            resamples.
        """
        h = x if skip is None else torch.cat([x, skip], 1)
        short = h if self.shortcut_sees_skip else x
        h = F.silu(self.norm0(h))
        if self.resample is not None:
            h, short = self.resample(h), self.resample(short)
        h = self.identity(self.conv0(h), code)
        h = self.conv1(self.dropout(F.silu(self.norm1(h))))
        return (h + self.shortcut(short)).mul_(math.sqrt(0.5))


class Attention(nn.Module):
    """Single-head self-attention over all pixels, as NCSN++'s AttnBlockpp."""

    def __init__(self, channels: int, init_scale: float) -> None:
        """Build the block; `init_scale` of its last convolution."""
        super().__init__()
        self.norm, self.qkv = group_norm(channels), conv(channels, 3 * channels, 1)
        for part in self.qkv.weight.data.chunk(3):  # three separate layers in NCSN++: the same fan
            variance_scaling_(part)
        self.out = conv(channels, channels, 1, scale=init_scale)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Features, each mixed with those of all places."""
        n, c, height, width = x.shape
        q, k, v = self.qkv(self.norm(x)).flatten(2).transpose(1, 2).chunk(3, dim=2)
        h = F.scaled_dot_product_attention(q, k, v)  # scale c ** -0.5
        h = self.out(h.transpose(1, 2).reshape(n, c, height, width))
        return (x + h) * math.sqrt(0.5)


class Generator(nn.Module):
    """x_swap = x_tgt + U(x_tgt, z_src). Untrained (init_scale 0) it returns x_tgt exactly.

    Examples:
        >>> options = GeneratorOptions(size=16, width=8, channel_multipliers=(1, 2), identity_dim=4)
        >>> target, identity = torch.rand(2, 3, 16, 16), torch.eye(4)[:2]
        >>> torch.equal(Generator(options)(target, identity), target)
        True
    """

    def __init__(self, options: GeneratorOptions) -> None:
        """Build an untrained generator."""
        super().__init__()
        self.options = options
        widths = [options.width * multiplier for multiplier in options.channel_multipliers]
        last = len(widths) - 1
        self.identity_code = injection(options.identity_injection).shared(options)
        self.conv_in = conv(3 * options.patch**2, widths[0])
        skips, channels = [widths[0]], widths[0]
        # One ModuleList a stage; the last is the bottom's share that leaves skips.
        self.down = nn.ModuleList()
        for level, width in enumerate(widths):
            stage = nn.ModuleList()
            for _ in range(options.blocks):
                stage.append(ResBlock(channels, width, options))
                skips.append(width)
                channels = width
            if level < last:
                stage.append(ResBlock(channels, channels, options, resample="down"))
                skips.append(channels)
            self.down.append(stage)
        self.bottom = ResBlock(channels, channels, options)  # third block at the bottom
        self.attention = Attention(channels, options.init_scale)
        self.middle = ResBlock(channels, channels, options)  # first of the five of up 1
        self.up = nn.ModuleList()
        for level in range(last, -1, -1):
            stage = nn.ModuleList()
            for _ in range(options.blocks + 1):
                stage.append(ResBlock(channels, widths[level], options, skip=skips.pop()))
                channels = widths[level]
            if level:
                stage.append(ResBlock(channels, channels, options, resample="up"))
            self.up.append(stage)
        self.norm_out = group_norm(channels)
        self.conv_out = conv(channels, 3 * options.patch**2, scale=options.init_scale)

    def forward(
        self, target: Float[Tensor, "n 3 s s"], identity: Float[Tensor, "n d"]
    ) -> Float[Tensor, "n 3 s s"]:
        """The swap, not clamped.

        Args:
            target: Pictures in [-1, 1], s = options.size.
            identity: Vectors of unit norm, d = options.identity_dim.

        Returns:
            The target plus the change that the network draws; it may leave [-1, 1].
        """
        options = self.options
        if target.device.type == "cpu":  # where GroupNorm is ten times slower channels last
            target = target.contiguous()
        z = identity * math.sqrt(options.identity_dim) if options.identity_scale == "sqrt_dim" else identity
        code = self.identity_code(z)
        h = self.conv_in(F.pixel_unshuffle(target, options.patch) if options.patch > 1 else target)
        skips = [h]
        for stage in self.down:
            for block in stage:  # type: ignore[attr-defined]
                h = self._run(block, h, code)
                skips.append(h)
        h = self._run(self.middle, self.attention(self._run(self.bottom, h, code)), code)
        for stage in self.up:
            for i, block in enumerate(stage):  # type: ignore[arg-type]
                h = self._run(block, h, code, *([skips.pop()] if i <= options.blocks else []))
        change = self.conv_out(F.silu(self.norm_out(h)))
        return target + (F.pixel_shuffle(change, options.patch) if options.patch > 1 else change)

    def _run(self, block: nn.Module, *inputs: Tensor) -> Tensor:
        """A block, with gradient checkpointing (Chen et al. 2016) where it is asked for and gradients are kept."""
        if self.options.checkpointing and torch.is_grad_enabled():
            return checkpoint(block, *inputs, use_reentrant=False)  # draws the same dropout again
        return block(*inputs)
