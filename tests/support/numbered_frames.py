"""Frames that carry their own number as pixels, in blocks that survive H.264."""

from __future__ import annotations

import numpy as np

BLOCK, BITS = 16, 10


def numbered(number: int, height: int = 96, width: int = 192) -> np.ndarray:
    """A grey frame whose first row of 16-pixel blocks spells `number` in black and white, least bit first."""
    frame = np.full((height, width, 3), 90, np.uint8)
    frame[BLOCK * 2 :, :] = (
        np.arange(width)[None, :, None] + 3 * number
    ) % 160 + 40  # motion, for the encoder
    for bit in range(BITS):
        frame[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 235 if number >> bit & 1 else 20
    return frame


def number_of(frame: np.ndarray) -> int:
    """The number that a decoded frame spells; fails where a block is neither black nor white."""
    number = 0
    for bit in range(BITS):
        value = frame[4 : BLOCK - 4, bit * BLOCK + 4 : (bit + 1) * BLOCK - 4].mean()
        assert abs(value - 128) > 60, f"bit {bit} is unreadable: {value:.0f}"
        number |= int(value > 128) << bit
    return number
