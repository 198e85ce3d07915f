"""dlib's face recognition network in torch: the wheel's numbers to rounding, at a small part of its time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metrics.instruments.base import InstrumentError
from metrics.instruments.dlib_file import DIMENSIONS, Layer, Weights

if TYPE_CHECKING:
    import torch

BATCH = 32  # faces at a time: about 60 MB of maps; more is not faster


def fold(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Every affine layer made part of the convolution before it: the same function, computed in float64."""
    folded: list[Layer] = []
    for layer in layers:
        if layer.shape.kind != "affine":
            folded.append(layer)
            continue
        before, scale = folded.pop(), layer.weights.astype(np.float64)
        weights = before.weights * scale[:, None, None, None]
        bias = before.bias * scale + layer.bias
        folded.append(Layer(before.shape, weights.astype(np.float32), bias.astype(np.float32)))
    return tuple(folded)


class Network:
    """The layers one by one, on the CPU in float32.

    weights: of dlib_file.read_weights, as they are or folded. threads: of torch during `describe`; 0: as torch
    is set. A face's neighbours, its place among them and the threads change its descriptor by less than 1e-5.
    """

    def __init__(self, weights: Weights, threads: int = 0) -> None:
        try:
            import torch
        except ImportError as error:
            raise InstrumentError(
                "dlib's engine 'torch' needs torch; install it or use engine=wheel"
            ) from error
        self._threads = threads
        self._mean = torch.tensor(weights.mean).view(3, 1, 1)
        self._steps = [
            (layer.shape, torch.from_numpy(layer.weights), torch.from_numpy(layer.bias))
            for layer in weights.layers
        ]
        for i, (shape, kernel, bias) in enumerate(self._steps):
            if shape.kind == "con":
                self._steps[i] = (shape, kernel.contiguous(memory_format=torch.channels_last), bias)

    def describe(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """float32 [n, 128] of uint8 RGB chips [n, 150, 150, 3]."""
        import torch

        rows = np.empty((len(chips), DIMENSIONS), np.float32)
        with torch.inference_mode(), _limited(self._threads):
            for start in range(0, len(chips), BATCH):
                # Pictures stored [n, h, w, 3] are already channels_last.
                pictures = torch.tensor(chips[start : start + BATCH]).permute(0, 3, 1, 2)
                rows[start : start + BATCH] = self._forward((pictures - self._mean) / 256).numpy()
        return rows

    def _forward(self, x: torch.Tensor) -> torch.Tensor:
        from torch.nn import functional

        tags: dict[str, torch.Tensor] = {}
        for (kind, _, _, window), weights, bias in self._steps:
            side, stride, padding = window[:2], window[2:4], window[4:]
            if kind == "con":
                x = functional.conv2d(x, weights, bias, stride, padding)
            elif kind == "affine":
                x = x * weights[:, None, None] + bias[:, None, None]
            elif kind == "relu":
                x = x.relu_()  # never on a tagged tensor: what precedes is a sum or a convolution
            elif kind == "max_pool":
                x = functional.max_pool2d(x, side, stride, padding)
            elif kind == "avg_pool":
                x = functional.avg_pool2d(x, side if any(side) else x.shape[2:], stride, padding)
            elif kind == "fc":
                x = x.flatten(1) @ weights
            elif kind.startswith("tag"):
                tags[kind[-1]] = x
            elif kind.startswith("skip"):
                x = tags[kind[-1]]
            else:
                x = _add_prev(x, tags[kind[-1]])
        return x


@contextlib.contextmanager
def _limited(threads: int) -> Iterator[None]:
    """torch's threads set to `threads` and back: the setting belongs to the whole process."""
    import torch

    before = torch.get_num_threads()
    if threads:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        if threads:
            torch.set_num_threads(before)


def _add_prev(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The sum of two maps of unequal size: as in dlib, zeros are added at the ends (channels, rows, columns)."""
    from torch.nn import functional

    channels, rows, columns = (max(p, q) for p, q in zip(a.shape[1:], b.shape[1:], strict=True))

    def extended(x: torch.Tensor) -> torch.Tensor:
        if x.shape[1:] == (channels, rows, columns):
            return x
        return functional.pad(x, (0, columns - x.shape[3], 0, rows - x.shape[2], 0, channels - x.shape[1]))

    return extended(a) + extended(b)
