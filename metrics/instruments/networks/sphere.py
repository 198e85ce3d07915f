"""SphereFace's plain residual network (Liu et al., CVPR 2017) as CosFace_pytorch built it, with its key names."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

from metrics.instruments.base import InstrumentError
from metrics.instruments.networks.iresnet import modules_of_layers

DEPTHS = {"sphere20": (1, 2, 4, 1), "sphere64": (3, 7, 16, 3)}
WIDTH, HEIGHT = 96, 112


class Block(nn.Module):
    """x + two 3x3 convolutions, each with its PReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.prelu1 = nn.PReLU(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.prelu2 = nn.PReLU(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Of [n, c, h, w]: the same shape."""
        total: Tensor = x + self.prelu2(self.conv2(self.prelu1(self.conv1(x))))
        return total


class Sphere(nn.Module):
    """forward([n, 3, 112, 112] in -1..1) -> [n, 512], not normalised.

    The network reads the middle 96 columns: its five-point template is ArcFace's, 8 pixels to the left.
    """

    def __init__(self, depths: tuple[int, int, int, int]) -> None:
        super().__init__()
        c_in = 3
        for i, (c_out, depth) in enumerate(zip((64, 128, 256, 512), depths, strict=True), 1):
            first = [nn.Conv2d(c_in, c_out, 3, 2, 1), nn.PReLU(c_out)]
            setattr(self, f"layer{i}", nn.Sequential(*first, *(Block(c_out) for _ in range(depth))))
            c_in = c_out
        self.fc = nn.Linear(512 * 7 * 6, 512)

    def forward(self, x: Tensor) -> Tensor:
        """Features [n, 512] of [n, 3, 112, 112] in -1..1, not normalised."""
        beyond = (x.shape[3] - WIDTH) // 2
        x = x[..., beyond : beyond + WIDTH]
        for i in range(1, 5):
            x = getattr(self, f"layer{i}")(x)
        y: Tensor = self.fc(x.flatten(1))
        return y


def depths_of(keys: Iterable[str]) -> tuple[str, tuple[int, int, int, int]]:
    """Which of DEPTHS a file's keys are of. Raises InstrumentError for none."""
    # The first two of a layer are its strided convolution and PReLU.
    counts = [max(0, modules - 2) for modules in modules_of_layers(keys)]
    for name, depths in DEPTHS.items():
        if list(depths) == counts:
            return name, depths
    raise InstrumentError(
        f"its layers have {counts} blocks; sphere20 and sphere64 have {', '.join(map(str, DEPTHS.values()))}"
    )
