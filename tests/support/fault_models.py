"""A swapper with the noise of real reruns, and its faults, for --model NAME=fault_models:KIND_SEED.

The sound one pastes the source's face (copy-source, as a crop) with a tenth of the target left in, and a faint grain
that differs from run to run. Every fault changes one thing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

KINDS = {
    "sound": {},
    "weaker": {"left_in": 0.14},  # which takes about 1 % of the identity
    "mixed": {"left_in": 0.11},  # 1 % of the target more
    "flipped": {"flipped": True},
    "moved": {"moved": 8},  # pixels of a crop of 96: cut in one place, pasted in another
}


class Swapper:
    """Crops uint8 [n, 96, 96, 3] in, the source's over a share of the target's out."""

    size = 96

    def __init__(self, seed: int, left_in: float = 0.10, flipped: bool = False, moved: int = 0) -> None:
        self.left_in, self.flipped, self.moved = left_in, flipped, moved
        self.rng = np.random.default_rng(seed)

    def swap(self, source: np.ndarray, target: np.ndarray) -> np.ndarray:
        made = (1 - self.left_in) * source + self.left_in * target
        made = made + self.rng.normal(0, 1.0, made.shape)
        made = np.roll(made[..., ::-1] if self.flipped else made, self.moved, axis=2)
        return np.clip(np.rint(made), 0, 255).astype(np.uint8)


def __getattr__(name: str) -> Callable[[], Swapper]:
    kind, _, seed = name.partition("_")
    if kind not in KINDS or not seed.isdecimal():
        raise AttributeError(name)
    return partial(Swapper, int(seed), **KINDS[kind])  # type: ignore[arg-type]
