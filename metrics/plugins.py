"""What a message says of an entry point, whoever's it is."""

from __future__ import annotations

from importlib import metadata


def owner(entry: metadata.EntryPoint) -> str:
    """Whose entry point it is.

    Args:
        entry: Ours, or that of an installed package.

    Returns:
        Its name and value, and the package with its version where one brings it.

    >>> owner(metadata.EntryPoint("glow", "glow_metrics:METRICS", "smoothswap.metrics"))
    "the entry point glow = 'glow_metrics:METRICS'"
    """
    package = f" of the package {entry.dist.name} {entry.dist.version}" if entry.dist else ""
    return f"the entry point {entry.name} = {entry.value!r}{package}"
