"""The IR backbone (Deng et al., CVPR 2019) with the key names of face.evoLVe, which CurricularFace and AdaFace keep.

Both have an input layer, one list of residual blocks and an output layer. AdaFace's blocks normalise once more, between the
first convolution and its PReLU, as TFace's do; the keys of a file tell which it is.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from metrics.instruments.base import InstrumentError

# By number of blocks: name, blocks of each width.
DEPTHS = {
    8: ("ir_18", (2, 2, 2, 2)),
    16: ("ir_34", (3, 4, 6, 3)),
    24: ("ir_50", (3, 4, 14, 3)),
    49: ("ir_101", (3, 13, 30, 3)),
}
_WIDTHS = (64, 128, 256, 512)


class Block(nn.Module):
    """BatchNorm, 3x3, (BatchNorm,) PReLU, 3x3 with the stride, BatchNorm; beside it the input, or its 1x1.

    between: whether there is a BatchNorm between the first convolution and its PReLU.
    """

    def __init__(self, c_in: int, c_out: int, stride: int, between: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.BatchNorm2d(c_in), nn.Conv2d(c_in, c_out, 3, 1, 1, bias=False)]
        layers += [nn.BatchNorm2d(c_out)] if between else []
        layers += [nn.PReLU(c_out), nn.Conv2d(c_out, c_out, 3, stride, 1, bias=False), nn.BatchNorm2d(c_out)]
        self.res_layer = nn.Sequential(*layers)
        self.shortcut_layer: nn.Module = nn.MaxPool2d(1, stride)
        if c_in != c_out:
            one = nn.Conv2d(c_in, c_out, 1, stride, bias=False)
            self.shortcut_layer = nn.Sequential(one, nn.BatchNorm2d(c_out))

    def forward(self, x: Tensor) -> Tensor:
        """Of [n, c_in, h, w]: [n, c_out, h / stride, w / stride]."""
        total: Tensor = self.res_layer(x) + self.shortcut_layer(x)
        return total


class IR(nn.Module):
    """forward([n, 3, 112, 112] in -1..1) -> [n, 512], not normalised."""

    def __init__(self, depths: tuple[int, int, int, int], between: bool) -> None:
        super().__init__()
        self.input_layer = nn.Sequential(
            nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64)
        )
        blocks, c_in = [], 64
        for c_out, depth in zip(_WIDTHS, depths, strict=True):
            for i in range(depth):
                blocks.append(Block(c_in, c_out, 2 if i == 0 else 1, between))
                c_in = c_out
        self.body = nn.Sequential(*blocks)
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(512),
            nn.Dropout(0.4),
            nn.Flatten(),
            nn.Linear(512 * 7 * 7, 512),
            nn.BatchNorm1d(512, affine=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features [n, 512] of [n, 3, 112, 112] in -1..1, not normalised."""
        y: Tensor = self.output_layer(self.body(self.input_layer(x)))
        return y


def described(tensors: Mapping[str, Tensor]) -> tuple[str, tuple[int, int, int, int], bool]:
    """What a file's tensors are of.

    Args:
        tensors: By key.

    Returns:
        The name, the blocks of each width, and whether blocks normalise between.

    Raises:
        InstrumentError: For no such backbone.
    """
    numbers = {key.split(".")[1] for key in tensors if key.startswith("body.")}
    found = DEPTHS.get(len(numbers))
    if found is None:
        known = ", ".join(f"{n} ({name})" for n, (name, _) in DEPTHS.items())
        raise InstrumentError(f"its body has {len(numbers)} blocks; known are {known}")
    third = tensors.get("body.0.res_layer.2.weight", torch.empty(0))
    # Both a PReLU and a BatchNorm have a weight there, only the norm a mean.
    between = third.dim() == 1 and "body.0.res_layer.2.running_mean" in tensors
    return found[0], found[1], between
