"""The identity embedder of Smooth-Swap (paper, Section 4.1): backbone, head, unit norm.

The head is the paper's: Linear, BatchNorm, LeakyReLU(0.2), Linear, BatchNorm, L2 norm. The backbone is ResNet-50 at
256 px, or `lite`, a small residual network of ours for 64 to 112 px on a CPU. Either may read a window of its input only:
the face without hair and background, as recognisers' tighter crops have it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from smoothswap.networks.options import EmbedderOptions
from smoothswap.networks.precision import full


class LiteBlock(nn.Module):
    """Two 3x3 convolutions with BatchNorm and LeakyReLU(0.2) beside a shortcut; stride 2 averages the shortcut."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(c_out),
            nn.LeakyReLU(0.2),
            nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False),
            nn.BatchNorm2d(c_out),
        )
        short: list[nn.Module] = [nn.AvgPool2d(2)] if stride == 2 else []
        if c_in != c_out:
            short += [nn.Conv2d(c_in, c_out, 1, bias=False), nn.BatchNorm2d(c_out)]
        self.short = nn.Sequential(*short)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.main(x) + self.short(x), 0.2)


class DepthwisePool(nn.Module):
    """[n, c, s, s] -> [n, c]: every channel weighs its places on its own, then BatchNorm (MobileFaceNet, Chen et al. 2018).

    Faces are cut alike, so a place means a part of the face. It starts near the mean.
    """

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.weight = nn.Parameter((1 + 0.3 * torch.randn(channels, side, side)) / side**2)
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm((x * self.weight).sum((2, 3)))


class LiteBackbone(nn.Module):
    """[n, 3, s, s] -> [n, 8 * width]: stem with stride 2, stages at s/2, s/4, s/8, s/16, then the pool."""

    def __init__(self, o: EmbedderOptions) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, o.width, 3, 2, 1, bias=False), nn.BatchNorm2d(o.width), nn.LeakyReLU(0.2)
        )
        layers: list[nn.Module] = []
        c = o.width
        for stage, count in enumerate(o.blocks):
            for i in range(count):
                c_out = o.width * 2**stage
                layers.append(LiteBlock(c, c_out, 2 if stage and i == 0 else 1))
                c = c_out
        self.stages, self.features = nn.Sequential(*layers), c
        self.pool = DepthwisePool(c, o.side // 2 ** len(o.blocks)) if o.pool == "depthwise" else None

    def forward(self, x: Tensor) -> Tensor:
        x = self.stages(self.stem(x))
        return x.mean((2, 3)) if self.pool is None else self.pool(x)


class Embedder(nn.Module):
    """forward(faces [n, 3, s, s] in [-1, 1]) -> z [n, dim] of unit L2 norm."""

    def __init__(self, options: EmbedderOptions) -> None:
        super().__init__()
        o = self.options = options
        self.backbone: nn.Module
        if o.backbone == "lite":
            lite = LiteBackbone(o)
            self.backbone, features = lite, lite.features
        else:
            from torchvision.models import resnet50  # type: ignore[import-untyped]  # here: the lite models need no torchvision

            net = resnet50(weights=None)
            features, net.fc = net.fc.in_features, nn.Identity()
            self.backbone = net
        self.head = nn.Sequential(
            nn.Linear(features, o.hidden),
            nn.BatchNorm1d(o.hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(o.hidden, o.dim),
            nn.BatchNorm1d(o.dim),
        )
        # A short training grows this bias until all faces share half of their embedding, and L_id then rewards a
        # face for being like nobody.
        self.head[-1].bias.requires_grad_(o.final_bias)

    def forward(self, faces: Tensor) -> Tensor:
        top, left, side = self.options.window
        if side:
            faces = faces[..., top : top + side, left : left + side]
        features = self.backbone(faces)
        with torch.autocast(features.device.type, enabled=False):  # 8 bits of mantissa would blur the cosines
            return F.normalize(self.head(full(features)), dim=1)
