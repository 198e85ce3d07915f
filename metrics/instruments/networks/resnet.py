"""ResNet-50 without its classifier, with one or more linear layers after it: what DECA and Hopenet are.

torchvision's network and key names (stride in the 3x3 convolution). Forward passes take [n, 3, 224, 224].
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.models.resnet import Bottleneck, ResNet  # type: ignore[import-untyped]


class Trunk(ResNet):
    """torchvision's ResNet-50 that ends at the global average: [n, 3, h, w] -> [n, 2048]. It has no `fc`."""

    def __init__(self) -> None:
        super().__init__(Bottleneck, [3, 4, 6, 3])
        del self.fc

    def forward(self, x: Tensor) -> Tensor:
        """Features [n, 2048] of [n, 3, h, w]."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.avgpool(x).flatten(1)


class DecaEncoder(nn.Module):
    """DECA's E_flame (Feng et al., SIGGRAPH 2021): 236 codes. Keys encoder.*, layers.0.*, layers.2.*."""

    CODES = 236

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Trunk()
        self.layers = nn.Sequential(nn.Linear(2048, 1024), nn.ReLU(), nn.Linear(1024, self.CODES))

    def forward(self, x: Tensor) -> Tensor:
        """Codes [n, 236] of [n, 3, 224, 224] in 0 .. 1."""
        y: Tensor = self.layers(self.encoder(x))
        return y


class Hopenet(Trunk):
    """Hopenet (Ruiz et al., CVPRW 2018): 66 logits each of yaw, pitch and roll, [n, 198] in that order."""

    BINS = 66

    def __init__(self) -> None:
        super().__init__()
        self.fc_yaw, self.fc_pitch, self.fc_roll = (nn.Linear(2048, self.BINS) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        """Logits [n, 198] of [n, 3, 224, 224], ImageNet's mean and spread: 66 each of yaw, pitch and roll."""
        features = super().forward(x)
        return torch.cat([self.fc_yaw(features), self.fc_pitch(features), self.fc_roll(features)], dim=1)
