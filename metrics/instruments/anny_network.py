"""The regressor behind the `anny` instrument: one small residual network from pixels to the head's codes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from metrics.instruments.base import InstrumentError
from smoothswap.plumbing.texts import json_of

SIZE = 160  # pixels of the crop, DECA's square


@dataclass(frozen=True)
class Layout:
    """How many of a code's numbers are shape (mm), expression (mm) and pose (axis-angle, radians)."""

    shape: int = 40
    expression: int = 20
    pose: int = 3

    @property
    def total(self) -> int:
        """How many numbers a code has."""
        return self.shape + self.expression + self.pose


class Block(nn.Module):
    """Two 3x3 convolutions with BatchNorm beside a shortcut; stride 2 halves the size."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.norm0 = nn.BatchNorm2d(c_out)
        self.conv1 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(c_out)
        self.short = nn.Conv2d(c_in, c_out, 1, bias=False) if c_in != c_out else nn.Identity()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Of [n, c_in, h, w]: [n, c_out, h / stride, w / stride]."""
        h = self.norm1(self.conv1(F.relu(self.norm0(self.conv0(x)))))
        short = F.avg_pool2d(x, 2) if self.stride == 2 else x
        return F.relu(h + self.short(short))


class Regressor(nn.Module):
    """forward(crops [n, 3, 160, 160] in [-1, 1]) -> standardised codes [n, total]; `decode` gives them their units.

    The last map is flattened, not averaged: pose is where things are.
    """

    def __init__(self, layout: Layout = Layout(), width: int = 24, hidden: int = 192) -> None:
        super().__init__()
        w = width
        # A quarter of the size at once: lips and lids are read at full resolution, most of the work is done on 40 x 40.
        self.stem = nn.Sequential(
            nn.Conv2d(3, 2 * w, 6, 4, 2, bias=False), nn.BatchNorm2d(2 * w), nn.ReLU()
        )  # 40
        self.body = nn.Sequential(
            Block(2 * w, w, 1),
            Block(w, 2 * w, 2),
            Block(2 * w, 2 * w, 1),  # 20
            Block(2 * w, 4 * w, 2),
            Block(4 * w, 4 * w, 1),  # 10
            Block(4 * w, 6 * w, 2),
            Block(6 * w, 6 * w, 1),  # 5
        )
        self.head = nn.Sequential(nn.Linear(6 * w * 25, hidden), nn.BatchNorm1d(hidden), nn.ReLU())
        self.code = nn.Linear(hidden, layout.total)
        self.mean: Tensor
        self.scale: Tensor
        self.mirror: Tensor  # codes @ mirror are those of the mirrored picture
        self.register_buffer("mean", torch.zeros(layout.total))
        self.register_buffer("scale", torch.ones(layout.total))
        self.register_buffer("mirror", torch.eye(layout.total))

    def forward(self, crops: Tensor) -> Tensor:
        """Standardised codes [n, total] of crops [n, 3, 160, 160] in [-1, 1]."""
        h: Tensor = self.code(self.features(crops))
        return h

    def features(self, crops: Tensor) -> Tensor:
        """[n, hidden]: what the codes are a linear reading of."""
        h: Tensor = self.head(self.body(self.stem(crops)).flatten(1))
        return h

    def decode(self, standardised: Tensor) -> Tensor:
        """Codes in mm, mm and radians."""
        return standardised * self.scale + self.mean

    def read(self, crops: Tensor) -> Tensor:
        """Codes in their units: the mean of what is read from the crops and from their mirror images."""
        mirrored = self.decode(self(crops.flip(3))) @ self.mirror
        return (self.decode(self(crops)) + mirrored) / 2


def load_regressor(path: Path) -> tuple[Regressor, Layout]:
    """The network of a weights file, in eval mode. Raises InstrumentError where it is missing or another file."""
    try:
        with safe_open(str(path), "pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            about = json_of((file.metadata() or {}).get("about", "{}"))
        layout = Layout(**about["layout"])
        network = Regressor(layout, int(about["width"]), int(about.get("hidden", 192)))
        network.load_state_dict(
            {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}
        )
    except FileNotFoundError:
        raise InstrumentError(
            f"{path} is missing: make it with `python -m bench.make_anny.regressor`"
        ) from None
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InstrumentError(
            f"{path} holds no regressor of the anny head ({error}); fetch or make it again"
        ) from None
    return network.eval().requires_grad_(False), layout
