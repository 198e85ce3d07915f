"""The options of the three networks: plain numbers and names, which know no network and no torch.

A choice is a Literal here, and the network that carries it out has one entry for each name.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from typing import Any, Literal, get_args

IdentityScale = Literal["sqrt_dim", "unit"]
IdentityInjection = Literal["add", "adalin", "map"]
Shortcut = Literal["before_concat", "after_concat"]
ShortcutConv = Literal["channels_or_resample", "channels"]
Resampling = Literal["fir", "plain"]
Backbone = Literal["resnet50", "lite"]
Pool = Literal["mean", "depthwise"]


INJECTIONS_GROUP = "smoothswap.injections"
"""The group of entry points by which a package adds a way in for identity (smoothswap.networks.injection)."""


def injections() -> list[str]:
    """The names that `identity_injection` may have: ours and those of installed packages."""
    installed = sorted(entry.name for entry in metadata.entry_points(group=INJECTIONS_GROUP))
    return list(dict.fromkeys([*get_args(IdentityInjection), *installed]))


def _check_choices(options: Any, table: str, **choices: Any) -> None:
    """Raise ValueError for a field that holds none of its Literal's names."""
    for name, literal in choices.items():
        allowed, value = get_args(literal), getattr(options, name)
        if value not in allowed:
            raise ValueError(f"{table}.{name} is {value!r}; choose one of {', '.join(allowed)}")


@dataclass(frozen=True)
class GeneratorOptions:
    """What the sources leave open is an option; the first value named is the default.

    Raises:
        ValueError: A size that the levels do not divide, or a name that is none of the choices.
    """

    # px, divisible by patch * 2 ** (levels - 1)
    size: int = 256
    # channels at full resolution (paper: 64)
    width: int = 64
    # of `width`, one a level (paper: 1, 2, 2, 2)
    channel_multipliers: tuple[int, ...] = (1, 2, 2, 2)
    # residual blocks a level; the paper's counts 3,3,3 + 3 and 5,4,4,3 are 2
    blocks: int = 2
    # of the embedder
    identity_dim: int = 512
    # sqrt_dim: unit vector times sqrt(dim), entries of order 1 | unit. Not stated.
    identity_scale: IdentityScale = "sqrt_dim"
    # add: Linear(z) added after the first convolution (paper) | adalin | map | one that a package adds
    identity_injection: str = "add"
    # px, map only: side of the map that the vector becomes
    identity_map_size: int = 8
    # map only
    identity_map_channels: int = 64
    # paper's figure
    dropout: float = 0.1
    # before_concat: as drawn in the paper | after_concat: as in NCSN++ code
    shortcut: Shortcut = "before_concat"
    # 1x1 on shortcuts: NCSN++ | channels: only where widths differ
    shortcut_conv: ShortcutConv = "channels_or_resample"
    # fir: [1, 3, 3, 1] as NCSN++ | plain: nearest / average. Not stated.
    resampling: Resampling = "fir"
    # of every block's second, the attention's and the last convolution. Not stated; NCSN++: 0
    init_scale: float = 0.0
    # training keeps each block's input only and computes the rest twice
    checkpointing: bool = False
    # px: a square of so many is one place of the first level, its pixels the channels (paper: 1)
    patch: int = 1

    def __post_init__(self) -> None:
        levels = len(self.channel_multipliers)
        if self.patch < 1:
            raise ValueError(f"generator.patch is {self.patch}; give 1 or more pixels")
        if levels < 2 or self.size % (self.patch * 2 ** (levels - 1)):
            raise ValueError(
                f"generator.size {self.size} must be divisible by {self.patch * 2 ** max(levels - 1, 1)}: "
                f"channel_multipliers has {levels} levels (at least 2)"
                + (f" of patches of {self.patch} px" if self.patch > 1 else "")
            )
        if min(self.identity_map_size, self.identity_map_channels) < 1:
            raise ValueError("generator.identity_map_size and identity_map_channels must be 1 or more")
        if self.identity_injection not in (known := injections()):
            raise ValueError(
                f"generator.identity_injection is {self.identity_injection!r}; choose one of {', '.join(known)}"
            )
        _check_choices(
            self,
            "generator",
            identity_scale=IdentityScale,
            shortcut=Shortcut,
            shortcut_conv=ShortcutConv,
            resampling=Resampling,
        )


@dataclass(frozen=True)
class DiscriminatorOptions:
    """Channels at resolution r: min(channel_base / r, channel_max).

    Raises:
        ValueError: A size that is no power of two from 8, or an unknown resampling.
    """

    # px, a power of two, at least 8
    size: int = 256
    # 256 px: 128 channels, 128 px: 256, from 64 px on channel_max
    channel_base: int = 32768
    channel_max: int = 512
    # largest group of the minibatch standard deviation
    stddev_group: int = 4
    # before a stride: fir: blur, as StyleGAN2 | plain: none, so patterns of 2 px are seen
    resampling: Resampling = "fir"

    def __post_init__(self) -> None:
        if self.size < 8 or self.size & (self.size - 1):
            raise ValueError(f"discriminator.size {self.size} must be a power of two, 8 or more")
        _check_choices(self, "discriminator", resampling=Resampling)

    def channels(self, resolution: int) -> int:
        """Channels at a resolution in pixels.

        Examples:
            >>> [DiscriminatorOptions().channels(resolution) for resolution in (256, 128, 64, 4)]
            [128, 256, 512, 512]
        """
        return min(self.channel_base // resolution, self.channel_max)


@dataclass(frozen=True)
class EmbedderOptions:
    """Sizes of the embedder; the defaults are the paper's.

    Raises:
        ValueError: An unknown backbone or pool, a window that does not lie in the picture, or too few pixels.
    """

    backbone: Backbone = "resnet50"
    # px of the input
    size: int = 256
    # of the head
    hidden: int = 1024
    # of the embedding
    dim: int = 512
    # false: the last BatchNorm's bias stays 0, so embeddings are centred
    final_bias: bool = True
    # lite only: channels of the first stage
    width: int = 32
    # lite only: residual blocks a stage; stages halve the size
    blocks: tuple[int, ...] = (1, 1, 1, 1)
    # the square that is read: top, left, side in px; side 0: all
    window: tuple[int, ...] = (0, 0, 0)
    # lite only: mean of the last places | depthwise: their sum with learned weights
    pool: Pool = "mean"

    def __post_init__(self) -> None:
        _check_choices(self, "network", backbone=Backbone, pool=Pool)
        if len(self.window) != 3 or min(self.window) < 0 or max(self.window[:2]) + self.window[2] > self.size:
            raise ValueError(
                f"network.window {list(self.window)} is no square inside {self.size} px: give [top, left, side]"
            )
        if self.side < 2 ** (len(self.blocks) + 1):
            raise ValueError(
                f"{self.side} px (network.size or window) are too few for {len(self.blocks)} stages"
            )

    @property
    def side(self) -> int:
        """Side in px of what the backbone reads."""
        return self.window[2] or self.size
