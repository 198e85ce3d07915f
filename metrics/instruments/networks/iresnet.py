"""IResNet, ArcFace's backbone (Duta et al. 2020; Deng et al., CVPR 2019), with insightface's arcface_torch key names.

A residual block is BatchNorm, 3x3, BatchNorm, PReLU, 3x3 (stride), BatchNorm; the head is BatchNorm, Linear, BatchNorm.
"""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

from metrics.instruments.base import InstrumentError

DEPTHS = {
    "iresnet18": (2, 2, 2, 2),
    "iresnet34": (3, 4, 6, 3),
    "iresnet50": (3, 4, 14, 3),
    "iresnet100": (3, 13, 30, 3),
    "iresnet200": (6, 26, 60, 6),
}


class Block(nn.Module):
    """[n, c_in, h, w] -> [n, c_out, h / stride, w / stride]."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.prelu = nn.PReLU(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        if stride != 1 or c_in != c_out:
            self.downsample: nn.Module = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )
        else:
            self.downsample = nn.Identity()  # it has no keys

    def forward(self, x: Tensor) -> Tensor:
        """Of [n, c_in, h, w]: [n, c_out, h / stride, w / stride]."""
        y = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        total: Tensor = self.bn3(self.conv2(y)) + self.downsample(x)
        return total


class IResNet(nn.Module):
    """forward([n, 3, 112, 112] in -1 .. 1) -> [n, 512], not normalised."""

    def __init__(self, depths: tuple[int, int, int, int], features: int = 512) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.prelu = nn.PReLU(64)
        widths = (64, 64, 128, 256, 512)
        for i, depth in enumerate(depths):
            blocks = [
                Block(widths[i] if j == 0 else widths[i + 1], widths[i + 1], 2 if j == 0 else 1)
                for j in range(depth)
            ]
            setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))
        self.bn2 = nn.BatchNorm2d(512)
        self.fc = nn.Linear(512 * 7 * 7, features)
        self.features = nn.BatchNorm1d(features)

    def forward(self, x: Tensor) -> Tensor:
        """Features [n, 512] of [n, 3, 112, 112] in -1 .. 1, not normalised."""
        x = self.prelu(self.bn1(self.conv1(x)))
        for i in range(1, 5):
            x = getattr(self, f"layer{i}")(x)
        y: Tensor = self.features(self.fc(self.bn2(x).flatten(1)))
        return y


def modules_of_layers(keys: Iterable[str]) -> list[int]:
    """How many numbered modules layer1 to layer4 have, by a file's keys "layer2.7.conv.weight"."""
    counts = [0, 0, 0, 0]
    for key in keys:
        layer, _, rest = key.partition(".")
        number = rest.partition(".")[0]
        if layer in ("layer1", "layer2", "layer3", "layer4") and number.isdigit():
            counts[int(layer[-1]) - 1] = max(counts[int(layer[-1]) - 1], int(number) + 1)
    return counts


def depths_of(keys: Iterable[str]) -> tuple[str, tuple[int, int, int, int]]:
    """Which IResNet a file's keys are of. Raises InstrumentError for none."""
    counts = modules_of_layers(keys)
    for name, depths in DEPTHS.items():
        if list(depths) == counts:
            return name, depths
    raise InstrumentError(
        f"its layers have {counts} blocks; IResNets have {', '.join(map(str, DEPTHS.values()))}"
    )
