"""Configurations of both parts that train in a second, as --set values."""

from __future__ import annotations

TINY_EMBEDDER = [
    *("network.size=16", "network.width=8", "network.blocks=[1,1]", "network.hidden=16", "network.dim=8"),
    *("people=4", "photos=2", "steps=6", "warmup=2", "log_every=1", "validate_every=3"),
    # The drawn people are told apart by colour, which the preset's augmentation takes away.
    *("augment.saturation=0.4", "augment.tint=0.1", "augment.grayscale=0.1"),
]
TINY_SWAPPER = [
    *(
        "generator.size=16",
        "generator.width=8",
        "generator.channel_multipliers=[1,2]",
        "generator.identity_dim=8",
    ),
    *(
        "generator.dropout=0.1",
        "discriminator.size=16",
        "discriminator.channel_base=128",
        "batch=3",
        "steps=6",
    ),
    *("r1_every=2", "log_every=1", "validate_every=3", "adv_warmup=2"),
]


def settings(values: list[str]) -> list[str]:
    """--set arguments of the command line."""
    return [part for value in values for part in ("--set", value)]
