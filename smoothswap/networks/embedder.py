"""The identity embedder of Smooth-Swap (paper, Section 4.1): backbone, head, unit norm.

The head is the paper's: Linear, BatchNorm, LeakyReLU(0.2), Linear, BatchNorm, L2 norm. The backbone is ResNet-50 at
256 px, or `lite`, a small residual network of ours for 64 to 112 px on a CPU. Either may read a window of its input only:
the face without hair and background, as recognisers' tighter crops have it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from smoothswap.networks.options import EmbedderOptions
from smoothswap.networks.precision import full


class LiteBlock(nn.Module):
    """Two 3x3 convolutions with BatchNorm and LeakyReLU(0.2) beside a shortcut; stride 2 averages the shortcut."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        """Build the block; `stride` 1 or 2."""
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.LeakyReLU(0.2),
            nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        short: list[nn.Module] = [nn.AvgPool2d(2)] if stride == 2 else []
        if in_channels != out_channels:
            short += [nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels)]
        self.short = nn.Sequential(*short)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d _ _"]:
        """Features, of half the size with stride 2."""
        return F.leaky_relu(self.main(x) + self.short(x), 0.2)


class DepthwisePool(nn.Module):
    """Every channel weighs its places on its own, then BatchNorm (MobileFaceNet, Chen et al. 2018).

    Faces are cut alike, so a place means a part of the face. It starts near the mean.
    """

    def __init__(self, channels: int, side: int) -> None:
        """Build the pool of features of `side` by `side`."""
        super().__init__()
        self.weight = nn.Parameter((1 + 0.3 * torch.randn(channels, side, side)) / side**2)
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, x: Float[Tensor, "n c s s"]) -> Float[Tensor, "n c"]:
        """One number a channel."""
        return self.norm((x * self.weight).sum((2, 3)))


class LiteBackbone(nn.Module):
    """Stem with stride 2, stages at s/2, s/4, s/8, s/16, then the pool."""

    def __init__(self, options: EmbedderOptions) -> None:
        """Build the backbone; `features` says how many numbers it gives."""
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, options.width, 3, 2, 1, bias=False), nn.BatchNorm2d(options.width), nn.LeakyReLU(0.2)
        )
        layers: list[nn.Module] = []
        channels = options.width
        for stage, count in enumerate(options.blocks):
            for i in range(count):
                width = options.width * 2**stage
                layers.append(LiteBlock(channels, width, 2 if stage and i == 0 else 1))
                channels = width
        self.stages, self.features = nn.Sequential(*layers), channels
        side = options.side // 2 ** len(options.blocks)
        self.pool = DepthwisePool(channels, side) if options.pool == "depthwise" else None

    def forward(self, x: Float[Tensor, "n 3 s s"]) -> Float[Tensor, "n c"]:
        """Features of the pictures, before the head."""
        x = self.stages(self.stem(x))
        return x.mean((2, 3)) if self.pool is None else self.pool(x)


class Embedder(nn.Module):
    """Backbone, head and L2 norm.

    Examples:
        >>> options = EmbedderOptions(backbone="lite", size=32, width=4, hidden=8, dim=6)
        >>> z = Embedder(options).eval()(torch.rand(2, 3, 32, 32))
        >>> z.shape, z.norm(dim=1).allclose(torch.ones(2))
        (torch.Size([2, 6]), True)
    """

    def __init__(self, options: EmbedderOptions) -> None:
        """Build an untrained embedder."""
        super().__init__()
        self.options = options
        self.backbone: nn.Module
        if options.backbone == "lite":
            lite = LiteBackbone(options)
            self.backbone, features = lite, lite.features
        else:
            # here: the lite models need no torchvision
            from torchvision.models import resnet50  # type: ignore[import-untyped]

            net = resnet50(weights=None)
            features, net.fc = net.fc.in_features, nn.Identity()
            self.backbone = net
        self.head = nn.Sequential(
            nn.Linear(features, options.hidden),
            nn.BatchNorm1d(options.hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(options.hidden, options.dim),
            nn.BatchNorm1d(options.dim),
        )
        # A short training grows this bias until all faces share half of their embedding, and L_id then rewards a
        # face for being like nobody.
        self.head[-1].bias.requires_grad_(options.final_bias)

    def forward(self, faces: Float[Tensor, "n 3 s s"]) -> Float[Tensor, "n d"]:
        """Embeddings of unit norm.

        Args:
            faces: In [-1, 1], s = options.size, or a whole multiple of it, of which the means of squares are read.

        Returns:
            d = options.dim.
        """
        features = self.backbone(self._seen(faces))
        with torch.autocast(features.device.type, enabled=False):  # 8 bits of mantissa would blur the cosines
            return F.normalize(self.head(full(features)), dim=1)

    def maps(self, faces: Float[Tensor, "n 3 s s"]) -> list[Float[Tensor, "n c h w"]]:
        """Features on the way, of the depths at which their size changes; for a perceptual distance.

        Args:
            faces: As for the embedding.

        Returns:
            One a depth, from the first to the last, each half as wide and high as the one before.
        """
        x = self._seen(faces)
        found: list[Tensor] = []
        if isinstance(self.backbone, LiteBackbone):
            layers = [self.backbone.stem, *self.backbone.stages]
        else:
            layers = list(self.backbone.children())[:-2]  # not its pool and fc
        for layer in layers:
            x = layer(x)
            if found and found[-1].shape[-1] == x.shape[-1]:
                found[-1] = x
            else:
                found.append(x)
        return found

    def _seen(self, faces: Tensor) -> Tensor:
        """What the backbone reads of them: at its own size, and the window alone where there is one."""
        side, own = int(faces.shape[-1]), self.options.size  # a number also while an exporter traces
        if side > own and side % own == 0:
            faces = F.avg_pool2d(faces, side // own)
        top, left, side = self.options.window
        return faces[..., top : top + side, left : left + side] if side else faces
