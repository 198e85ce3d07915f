"""The Inception network that FID is defined on: TensorFlow's graph of 2015-12-05, with pytorch-fid's key names.

Szegedy et al. 2016 ("Rethinking the Inception architecture") in the variant of Heusel et al. 2017. It differs from
torchvision's inception_v3 in three ways that its weights do not show: an average pool counts no padding, the pool branch of
the last block takes a maximum, and pictures are resized as TensorFlow 1 did, without half-pixel centres.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

SIZE = 299
CLASSES = 1008
Sides = int | tuple[int, int]


class Conv(nn.Module):
    """Convolution, BatchNorm (epsilon 0.001) and ReLU."""

    def __init__(self, c_in: int, c_out: int, side: Sides, stride: int = 1, padding: Sides = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, side, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(c_out, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """Of [n, c_in, h, w]: [n, c_out, h', w'] by side, stride and padding."""
        return functional.relu(self.bn(self.conv(x)))


class Mixed(nn.Module):
    """Branches side by side: chains of named convolutions, forks, and at the end a pool.

    pool: "average" or "max", both of stride 1 and through the convolution `branch_pool`; "reduce": a maximum of stride 2.
    """

    def __init__(self, chains: list[list[str]], convs: dict[str, Conv], pool: str) -> None:
        super().__init__()
        for name, conv in convs.items():
            setattr(self, name, conv)
        self._chains, self._pool = chains, pool

    def forward(self, x: Tensor) -> Tensor:
        """Of [n, c, h, w]: the branches' channels; half the size where the pool reduces."""
        parts = []
        for chain in self._chains:
            y = x
            for step in chain:
                # "a|b": both of the same input, side by side.
                y = torch.cat([getattr(self, name)(y) for name in step.split("|")], 1)
            parts.append(y)
        parts.append(self._pooled(x))
        return torch.cat(parts, 1)

    def _pooled(self, x: Tensor) -> Tensor:
        if self._pool == "reduce":
            return functional.max_pool2d(x, 3, 2)
        if self._pool == "max":
            x = functional.max_pool2d(x, 3, 1, 1)
        else:
            x = functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        pooled: Tensor = self.get_submodule("branch_pool")(x)
        return pooled


_DOUBLE = ["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"]
_WIDE, _TALL = ((1, 7), (0, 3)), ((7, 1), (3, 0))


def _block_35(c_in: int, pool: int) -> Mixed:
    convs = {
        "branch1x1": Conv(c_in, 64, 1),
        "branch5x5_1": Conv(c_in, 48, 1),
        "branch5x5_2": Conv(48, 64, 5, padding=2),
        "branch3x3dbl_1": Conv(c_in, 64, 1),
        "branch3x3dbl_2": Conv(64, 96, 3, padding=1),
        "branch3x3dbl_3": Conv(96, 96, 3, padding=1),
        "branch_pool": Conv(c_in, pool, 1),
    }
    return Mixed([["branch1x1"], ["branch5x5_1", "branch5x5_2"], _DOUBLE], convs, "average")


def _to_17(c_in: int) -> Mixed:
    convs = {
        "branch3x3": Conv(c_in, 384, 3, 2),
        "branch3x3dbl_1": Conv(c_in, 64, 1),
        "branch3x3dbl_2": Conv(64, 96, 3, padding=1),
        "branch3x3dbl_3": Conv(96, 96, 3, 2),
    }
    return Mixed([["branch3x3"], _DOUBLE], convs, "reduce")


def _block_17(c: int) -> Mixed:
    convs = {"branch1x1": Conv(768, 192, 1), "branch_pool": Conv(768, 192, 1)}
    chains = [["branch1x1"]]
    for name, kinds in (("branch7x7", (_WIDE, _TALL)), ("branch7x7dbl", (_TALL, _WIDE, _TALL, _WIDE))):
        convs[f"{name}_1"] = Conv(768, c, 1)
        for i, (side, padding) in enumerate(kinds, 2):
            convs[f"{name}_{i}"] = Conv(c, 192 if i == len(kinds) + 1 else c, side, padding=padding)
        chains.append([f"{name}_{i}" for i in range(1, len(kinds) + 2)])
    return Mixed(chains, convs, "average")


def _to_8() -> Mixed:
    convs = {
        "branch3x3_1": Conv(768, 192, 1),
        "branch3x3_2": Conv(192, 320, 3, 2),
        "branch7x7x3_1": Conv(768, 192, 1),
        "branch7x7x3_2": Conv(192, 192, _WIDE[0], padding=_WIDE[1]),
        "branch7x7x3_3": Conv(192, 192, _TALL[0], padding=_TALL[1]),
        "branch7x7x3_4": Conv(192, 192, 3, 2),
    }
    chains = [["branch3x3_1", "branch3x3_2"], [f"branch7x7x3_{i}" for i in range(1, 5)]]
    return Mixed(chains, convs, "reduce")


def _block_8(c_in: int, pool: str) -> Mixed:
    convs = {
        "branch1x1": Conv(c_in, 320, 1),
        "branch3x3_1": Conv(c_in, 384, 1),
        "branch3x3dbl_1": Conv(c_in, 448, 1),
        "branch3x3dbl_2": Conv(448, 384, 3, padding=1),
        "branch_pool": Conv(c_in, 192, 1),
    }
    for name in ("branch3x3_2", "branch3x3dbl_3"):
        convs[f"{name}a"] = Conv(384, 384, (1, 3), padding=(0, 1))
        convs[f"{name}b"] = Conv(384, 384, (3, 1), padding=(1, 0))
    chains = [
        ["branch1x1"],
        ["branch3x3_1", "branch3x3_2a|branch3x3_2b"],
        ["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3a|branch3x3dbl_3b"],
    ]
    return Mixed(chains, convs, pool)


class InceptionFID(nn.Module):
    """forward([n, 3, h, w] in 0..255) -> [n, 2048], the pool before the classes."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Conv(3, 32, 3, 2)
        self.Conv2d_2a_3x3 = Conv(32, 32, 3)
        self.Conv2d_2b_3x3 = Conv(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = Conv(64, 80, 1)
        self.Conv2d_4a_3x3 = Conv(80, 192, 3)
        self.Mixed_5b = _block_35(192, 32)
        self.Mixed_5c = _block_35(256, 64)
        self.Mixed_5d = _block_35(288, 64)
        self.Mixed_6a = _to_17(288)
        self.Mixed_6b = _block_17(128)
        self.Mixed_6c = _block_17(160)
        self.Mixed_6d = _block_17(160)
        self.Mixed_6e = _block_17(192)
        self.Mixed_7a = _to_8()
        self.Mixed_7b = _block_8(1280, "average")
        self.Mixed_7c = _block_8(2048, "max")
        # The classes' layer is in every file; the features come before it.
        self.fc = nn.Linear(2048, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Features [n, 2048] of pictures [n, 3, h, w] in 0..255, RGB."""
        x = (resized(x, SIZE) - 128) / 128
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(functional.max_pool2d(x, 3, 2)))
        x = functional.max_pool2d(x, 3, 2)
        for name in ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c"):
            x = getattr(self, f"Mixed_{name}")(x)
        return functional.adaptive_avg_pool2d(x, 1).flatten(1)


def resized(x: Tensor, size: int) -> Tensor:
    """Pictures at another size as TensorFlow 1 made them: pixel i lies at i * old / new, bilinear, no antialiasing.

    Args:
        x: float [n, c, h, w].
        size: The side wanted, pixels.

    Returns:
        float [n, c, size, size].
    """
    for axis in (3, 2):
        old = x.shape[axis]
        at = torch.arange(size, dtype=x.dtype, device=x.device) * torch.tensor(
            old / size, dtype=torch.float32
        )
        low = at.long()
        high = (low + 1).clamp_max(old - 1)
        share = (at - low).view(-1, *[1] * (3 - axis))
        first = x.index_select(axis, low)
        x = first + (x.index_select(axis, high) - first) * share
    return x
