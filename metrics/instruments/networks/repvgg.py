"""RepVGG-B1g2 (Ding et al., CVPR 2021) with six outputs: 6DRepNet's network, under its key names.

A block is 3x3 + 1x1 + identity, each with BatchNorm, while it trains, and one 3x3 with bias once they are added up
("deploy"). Published files are of the second form; both load.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

_STAGES = ((128, 4), (256, 6), (512, 16), (2048, 1))  # channels, blocks: B1's widths and depths


class _ConvNorm(nn.Module):
    def __init__(self, c_in: int, c_out: int, side: int, stride: int, groups: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, side, stride, side // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(c_out)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.bn(self.conv(x))
        return y


class Block(nn.Module):
    """[n, c_in, h, w] -> [n, c_out, h / stride, w / stride]."""

    def __init__(self, c_in: int, c_out: int, stride: int, groups: int, deploy: bool) -> None:
        super().__init__()
        self._deploy, self._identity = deploy, c_in == c_out and stride == 1
        if deploy:
            self.rbr_reparam = nn.Conv2d(c_in, c_out, 3, stride, 1, groups=groups)
            return
        if self._identity:
            self.rbr_identity = nn.BatchNorm2d(c_in)
        self.rbr_dense = _ConvNorm(c_in, c_out, 3, stride, groups)
        self.rbr_1x1 = _ConvNorm(c_in, c_out, 1, stride, groups)

    def forward(self, x: Tensor) -> Tensor:
        """Of [n, c_in, h, w]: [n, c_out, h / stride, w / stride]."""
        if self._deploy:
            return functional.relu(self.rbr_reparam(x))
        y = self.rbr_dense(x) + self.rbr_1x1(x)
        return functional.relu(y + self.rbr_identity(x) if self._identity else y)


class SixDRepNet(nn.Module):
    """forward([n, 3, 224, 224], ImageNet's mean and spread) -> [n, 6]: two columns of a rotation, not yet orthonormal."""

    def __init__(self, deploy: bool = True) -> None:
        super().__init__()
        self.layer0 = Block(3, 64, 2, 1, deploy)
        c_in, index = 64, 1
        for i, (width, depth) in enumerate(_STAGES):
            blocks = []
            for j in range(depth):
                # "g2": every second layer, counted over the whole network, has two groups.
                blocks.append(Block(c_in, width, 1 if j else 2, 1 if index % 2 else 2, deploy))
                c_in, index = width, index + 1
            setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))
        self.linear_reg = nn.Linear(c_in, 6)

    def forward(self, x: Tensor) -> Tensor:
        """Two columns of a rotation [n, 6] of [n, 3, 224, 224], ImageNet's mean and spread."""
        for i in range(5):
            x = getattr(self, f"layer{i}")(x)
        y: Tensor = self.linear_reg(x.mean((2, 3)))
        return y
