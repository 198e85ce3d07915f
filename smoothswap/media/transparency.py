"""What a person sees of a picture that is transparent in places."""

from __future__ import annotations

import numpy as np

from smoothswap.pixels import Image


def over_white(rgba: Image) -> Image:
    """A picture laid over white, as browsers and printers show it; what is wholly transparent does not come through.

    Args:
        rgba: uint8 [h, w, 4], alpha last and not multiplied in; 255 is opaque.

    Returns:
        uint8 [h, w, 3]; opaque pixels are those of `rgba` exactly.

    Examples:
        >>> over_white(np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [0, 0, 0, 127]]], np.uint8)).tolist()
        [[[10, 20, 30], [255, 255, 255], [128, 128, 128]]]
    """
    colour, alpha = rgba[..., :3], rgba[..., 3:].astype(np.uint16)
    laid = (colour * alpha + 255 * (255 - alpha) + 127) // 255
    return np.ascontiguousarray(laid.astype(np.uint8))
