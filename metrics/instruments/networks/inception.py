"""Inception-ResNet v1 (Szegedy et al., AAAI 2017, as FaceNet's ports built it) with facenet-pytorch's key names."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

Pair = int | tuple[int, int]


class Conv(nn.Module):
    """Convolution, BatchNorm (epsilon 0.001, TensorFlow's) and ReLU."""

    def __init__(self, c_in: int, c_out: int, side: Pair, stride: int = 1, padding: Pair = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, side, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(c_out, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """Of [n, c_in, h, w]: [n, c_out, h', w'] by side, stride and padding."""
        return functional.relu(self.bn(self.conv(x)))


class Residual(nn.Module):
    """x + scale * 1x1 of its branches side by side; `last` leaves the ReLU out."""

    def __init__(
        self, width: int, branches: list[nn.Module], joined: int, scale: float, last: bool = False
    ) -> None:
        super().__init__()
        for i, branch in enumerate(branches):
            setattr(self, f"branch{i}", branch)
        self._branches, self._scale, self._last = len(branches), scale, last
        self.conv2d = nn.Conv2d(joined, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Of [n, c, h, w]: the same shape."""
        parts = [getattr(self, f"branch{i}")(x) for i in range(self._branches)]
        y: Tensor = self.conv2d(torch.cat(parts, 1)) * self._scale + x
        return y if self._last else functional.relu(y)


class Reduction(nn.Module):
    """Branches side by side, then a 3x3 maximum with stride 2."""

    def __init__(self, branches: list[nn.Module]) -> None:
        super().__init__()
        for i, branch in enumerate(branches):
            setattr(self, f"branch{i}", branch)
        self._branches = len(branches)

    def forward(self, x: Tensor) -> Tensor:
        """Of [n, c, h, w]: the branches' channels and c more, at half the size."""
        parts = [getattr(self, f"branch{i}")(x) for i in range(self._branches)]
        return torch.cat([*parts, functional.max_pool2d(x, 3, 2)], 1)


def _block35() -> Residual:
    return Residual(
        256,
        [
            Conv(256, 32, 1),
            nn.Sequential(Conv(256, 32, 1), Conv(32, 32, 3, padding=1)),
            nn.Sequential(Conv(256, 32, 1), Conv(32, 32, 3, padding=1), Conv(32, 32, 3, padding=1)),
        ],
        96,
        0.17,
    )


def _block17() -> Residual:
    return Residual(
        896,
        [
            Conv(896, 128, 1),
            nn.Sequential(
                Conv(896, 128, 1),
                Conv(128, 128, (1, 7), padding=(0, 3)),
                Conv(128, 128, (7, 1), padding=(3, 0)),
            ),
        ],
        256,
        0.10,
    )


def _block8(scale: float = 0.20, last: bool = False) -> Residual:
    return Residual(
        1792,
        [
            Conv(1792, 192, 1),
            nn.Sequential(
                Conv(1792, 192, 1),
                Conv(192, 192, (1, 3), padding=(0, 1)),
                Conv(192, 192, (3, 1), padding=(1, 0)),
            ),
        ],
        384,
        scale,
        last,
    )


class InceptionResnetV1(nn.Module):
    """forward([n, 3, 160, 160], (x - 127.5) / 128) -> [n, 512]: the features that FaceNet scales to length 1."""

    def __init__(self) -> None:
        super().__init__()
        self.conv2d_1a = Conv(3, 32, 3, 2)
        self.conv2d_2a = Conv(32, 32, 3)
        self.conv2d_2b = Conv(32, 64, 3, padding=1)
        self.conv2d_3b = Conv(64, 80, 1)
        self.conv2d_4a = Conv(80, 192, 3)
        self.conv2d_4b = Conv(192, 256, 3, 2)
        self.repeat_1 = nn.Sequential(*(_block35() for _ in range(5)))
        self.mixed_6a = Reduction(
            [
                Conv(256, 384, 3, 2),
                nn.Sequential(Conv(256, 192, 1), Conv(192, 192, 3, padding=1), Conv(192, 256, 3, 2)),
            ]
        )
        self.repeat_2 = nn.Sequential(*(_block17() for _ in range(10)))
        self.mixed_7a = Reduction(
            [
                nn.Sequential(Conv(896, 256, 1), Conv(256, 384, 3, 2)),
                nn.Sequential(Conv(896, 256, 1), Conv(256, 256, 3, 2)),
                nn.Sequential(Conv(896, 256, 1), Conv(256, 256, 3, padding=1), Conv(256, 256, 3, 2)),
            ]
        )
        self.repeat_3 = nn.Sequential(*(_block8() for _ in range(5)))
        self.block8 = _block8(1.0, last=True)
        self.last_linear = nn.Linear(1792, 512, bias=False)
        self.last_bn = nn.BatchNorm1d(512, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """Features [n, 512] of [n, 3, 160, 160] in (x - 127.5) / 128."""
        x = self.conv2d_2b(self.conv2d_2a(self.conv2d_1a(x)))
        x = self.conv2d_4b(self.conv2d_4a(self.conv2d_3b(functional.max_pool2d(x, 3, 2))))
        x = self.mixed_7a(self.repeat_2(self.mixed_6a(self.repeat_1(x))))
        x = self.block8(self.repeat_3(x))
        y: Tensor = self.last_bn(self.last_linear(x.mean((2, 3))))
        return y
