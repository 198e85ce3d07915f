"""Pictures as the networks read them, and back: smoothswap.pixels.Image on one side, tensors on the other."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor


def to_tensor(
    pictures: UInt8[np.ndarray, "n h w 3"], device: torch.device | str = "cpu"
) -> Float[Tensor, "n 3 h w"]:
    """Pictures as the networks read them.

    Args:
        pictures: RGB in 0 .. 255.
        device: Where the result lies.

    Returns:
        float32 in [-1, 1], channels last in memory.

    Examples:
        >>> to_tensor(np.array([[[[0, 51, 255]]]], np.uint8)).flatten().tolist()
        [-1.0, -0.6000000238418579, 1.0]
    """
    own = np.require(pictures, requirements=["C", "W"])  # a memory map may be read-only, which torch warns of
    return torch.from_numpy(own).to(device).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def to_pixels(images: Float[Tensor, "n 3 h w"]) -> UInt8[np.ndarray, "n h w 3"]:
    """Images of [-1, 1] as pictures, rounded and clamped.

    Examples:
        >>> to_pixels(torch.tensor([-1.0, 0.0, 1.5]).view(1, 3, 1, 1)).tolist()
        [[[[0, 128, 255]]]]
    """
    scaled = images.detach().float().add(1).mul(127.5).round().clamp(0, 255)
    return scaled.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
