"""Swappers as a user would write them, for --model package.module:factory."""

from __future__ import annotations

from typing import Any

import numpy as np


class Paste:
    """The source crop itself."""

    size = 64
    name = "paste"

    def swap(self, source: np.ndarray, target: np.ndarray) -> np.ndarray:
        assert source.shape == target.shape == (len(source), 64, 64, 3)
        assert source.dtype == np.uint8
        return source


class FailsOnRedTargets(Paste):
    """Fails for the frames of one clip, and with it for every batch that holds one of them."""

    name = "fails"

    def swap(self, source: np.ndarray, target: np.ndarray) -> np.ndarray:
        red, _, blue = np.moveaxis(target[:, 24:40, 24:40].mean(axis=(1, 2)), -1, 0)
        if (red > blue).any():
            raise RuntimeError("too red")
        return source


class Floats(Paste):
    name = "floats"

    def swap(self, source: np.ndarray, target: np.ndarray) -> np.ndarray:
        return source / 255


class Wall:
    """A frame swapper that paints the face over."""

    name = "wall"

    def swap_frame(self, task: Any) -> np.ndarray:
        return np.full_like(task.target, 127)


def paste() -> Paste:
    return Paste()


def fails() -> FailsOnRedTargets:
    return FailsOnRedTargets()


def floats() -> Floats:
    return Floats()


def wall() -> Wall:
    return Wall()


def broken() -> None:
    raise OSError("no checkpoint")


def nothing() -> object:
    return object()
