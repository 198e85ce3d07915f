"""MobileNet v1 (Howard et al. 2017) at half its width, as 3DDFA_V2 built it, under its key names."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

# Name, channels in and out at full width, stride.
_BLOCKS = (
    ("dw2_1", 32, 64, 1),
    ("dw2_2", 64, 128, 2),
    ("dw3_1", 128, 128, 1),
    ("dw3_2", 128, 256, 2),
    ("dw4_1", 256, 256, 1),
    ("dw4_2", 256, 512, 2),
    ("dw5_1", 512, 512, 1),
    ("dw5_2", 512, 512, 1),
    ("dw5_3", 512, 512, 1),
    ("dw5_4", 512, 512, 1),
    ("dw5_5", 512, 512, 1),
    ("dw5_6", 512, 1024, 2),
    ("dw6", 1024, 1024, 1),
)


class Block(nn.Module):
    """A 3x3 convolution of each channel alone, then 1x1, each with BatchNorm and ReLU."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.conv_dw = nn.Conv2d(c_in, c_in, 3, stride, 1, groups=c_in, bias=False)
        self.bn_dw = nn.BatchNorm2d(c_in)
        self.conv_sep = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.bn_sep = nn.BatchNorm2d(c_out)

    def forward(self, x: Tensor) -> Tensor:
        """Of [n, c_in, h, w]: [n, c_out, h / stride, w / stride]."""
        x = functional.relu(self.bn_dw(self.conv_dw(x)))
        return functional.relu(self.bn_sep(self.conv_sep(x)))


class MobileNet(nn.Module):
    """forward([n, 3, 120, 120], BGR, (x - 127.5) / 128) -> [n, 62]: standardised camera, shape, expression."""

    def __init__(self, width: float = 0.5, codes: int = 62) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, int(32 * width), 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(int(32 * width))
        for name, c_in, c_out, stride in _BLOCKS:
            setattr(self, name, Block(int(c_in * width), int(c_out * width), stride))
        self.fc_param = nn.Linear(int(1024 * width), codes)

    def forward(self, x: Tensor) -> Tensor:
        """Codes [n, 62] of [n, 3, 120, 120], BGR, (x - 127.5) / 128."""
        x = functional.relu(self.bn1(self.conv1(x)))
        for name, *_ in _BLOCKS:
            x = getattr(self, name)(x)
        y: Tensor = self.fc_param(x.mean((2, 3)))
        return y
