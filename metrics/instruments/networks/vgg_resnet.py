"""ResNet-50 and SE-ResNet-50 as Oxford's Caffe models of VGGFace2 are built, with VGGFace2-pytorch's key names.

They differ from torchvision's: a block's stride is in its first 1x1 convolution, the maximum after the stem is not padded
and rounds its size up, and the squeeze and excitation are two 1x1 convolutions conv4 and conv5 of the block.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Block(nn.Module):
    """Bottleneck [n, c_in, h, w] -> [n, 4 width, h / stride, w / stride]."""

    def __init__(self, c_in: int, width: int, stride: int, squeeze: bool) -> None:
        super().__init__()
        c_out = 4 * width
        self.conv1 = nn.Conv2d(c_in, width, 1, stride, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self._squeeze = squeeze
        if squeeze:
            self.conv4 = nn.Conv2d(c_out, c_out // 16, 1)
            self.conv5 = nn.Conv2d(c_out // 16, c_out, 1)
        if stride != 1 or c_in != c_out:
            self.downsample: nn.Module = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )
        else:
            self.downsample = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Of [n, c_in, h, w]: [n, 4 width, h / stride, w / stride]."""
        y = functional.relu(self.bn1(self.conv1(x)))
        y = functional.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        if self._squeeze:
            y = y * torch.sigmoid(self.conv5(functional.relu(self.conv4(y.mean((2, 3), keepdim=True)))))
        return functional.relu(y + self.downsample(x))


class VGGResNet50(nn.Module):
    """forward([n, 3, 224, 224], BGR of 255 less the mean colour) -> [n, 2048], pool5/7x7_s1: not normalised."""

    def __init__(self, squeeze: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        c_in = 64
        for i, (depth, width) in enumerate(zip((3, 4, 6, 3), (64, 128, 256, 512), strict=True)):
            blocks = []
            for j in range(depth):
                blocks.append(Block(c_in, width, 2 if i and j == 0 else 1, squeeze))
                c_in = 4 * width
            setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))

    def forward(self, x: Tensor) -> Tensor:
        """Features [n, 2048] of [n, 3, 224, 224], BGR of 255 less the mean colour."""
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.max_pool2d(x, 3, 2, ceil_mode=True)
        for i in range(1, 5):
            x = getattr(self, f"layer{i}")(x)
        return x.mean((2, 3))
