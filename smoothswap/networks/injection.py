"""How identity enters the generator: the paper's addition (Section 4.2, figure b) and two ways proposed after it.

The seam is one class. A ResBlock runs its first convolution, then its injection, then norm, SiLU, dropout and the second
convolution. What the injection reads besides the features, the code, is made of the vector once a forward by `shared` and
is the same tensor for all blocks.

    name    code               in a block, h [n, c, r, r]                         norm after it
    add     z [n, d]           h + Linear(z)                                      GroupNorm (paper)
    adalin  z [n, d]           gamma(z) * (rho IN(h) + (1 - rho) LN(h)) + beta(z)  none: it is the norm
    map     map [n, m, k, k]   gamma(map) * GroupNorm(h) + beta(map), by pixel    none: it is the norm
The second convolution starts at zero whatever it reads, so with `init_scale` 0 the generator starts as the identity.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from smoothswap.networks.layers import conv, group_norm, linear
from smoothswap.networks.options import GeneratorOptions, IdentityInjection
from smoothswap.networks.precision import full


class Injection(nn.Module):
    """A way in: built as (options, channels), called as (h [n, c, r, r], code) -> [n, c, r, r]."""

    normalises = False  # true: it stands in the place of the GroupNorm that would follow

    @staticmethod
    def shared(o: GeneratorOptions) -> nn.Module:
        """z [n, identity_dim] -> the code: one module a generator, run once a forward. By default the vector itself."""
        return nn.Identity()


class AddIdentity(Injection):
    """The paper's: h + Linear(z), the same at every pixel."""

    def __init__(self, o: GeneratorOptions, channels: int) -> None:
        super().__init__()
        self.linear = linear(o.identity_dim, channels)

    def forward(self, h: Tensor, z: Tensor) -> Tensor:
        return h.add_(
            self.linear(z)[:, :, None, None]
        )  # in place: a convolution's output is not kept for its gradient


class AdaLIN(Injection):
    """Adaptive Layer-Instance Normalisation (Kim et al. 2020, U-GAT-IT), in the place of the block's second GroupNorm.

    h is normalised over each channel's pixels (instance) and over all of an image (layer); rho of each channel mixes the
    two, and gamma and beta come from the identity. U-GAT-IT clips rho to [0, 1] after every update and starts at 0.9;
    here rho is the logistic function of a parameter, which needs no hook in the optimiser, and starts there as well.
    """

    normalises = True
    eps = 1e-5  # U-GAT-IT's

    def __init__(self, o: GeneratorOptions, channels: int) -> None:
        super().__init__()
        self.gamma = linear(o.identity_dim, channels, bias=1.0)
        self.beta = linear(o.identity_dim, channels)
        self.mix = nn.Parameter(torch.full((channels,), 0.9).logit())

    def forward(self, h: Tensor, z: Tensor) -> Tensor:
        wide, rho = full(h), self.mix.sigmoid()
        var, mean = torch.var_mean(wide, (2, 3), correction=0)  # [n, c] each
        mean_all = mean.mean(1, keepdim=True)
        var_all = var.mean(1, keepdim=True) + mean.var(1, correction=0, keepdim=True)
        instance, layer = rho * (var + self.eps).rsqrt(), (1 - rho) * (var_all + self.eps).rsqrt()
        # both norms and the affine are one line h * scale + shift a channel, so that one map is kept, not five
        gamma, beta = full(self.gamma(z)), full(self.beta(z))
        scale = gamma * (instance + layer)
        shift = beta - gamma * (instance * mean + layer * mean_all)
        return torch.addcmul(shift[:, :, None, None], wide, scale[:, :, None, None]).to(h.dtype)


class IdentityMap(nn.Module):
    """z [n, d] -> the identity map [n, m, k, k]: Linear, SiLU, 3x3 convolution (m, k: `identity_map_channels`, `_size`)."""

    def __init__(self, o: GeneratorOptions) -> None:
        super().__init__()
        self.shape = (o.identity_map_channels, o.identity_map_size, o.identity_map_size)
        m, k, _ = self.shape
        self.linear, self.conv = linear(o.identity_dim, m * k * k), conv(m, m)

    def forward(self, z: Tensor) -> Tensor:
        return self.conv(F.silu(self.linear(z).unflatten(1, self.shape)))


class MapModulation(Injection):
    """A 2-D identity map that modulates place by place, after StyleMapGAN (Kim et al. 2021): eyes apart from the mouth.

    gamma and beta are a 1x1 convolution of the map [n, m, k, k], resized bilinearly to the features. StyleMapGAN resizes
    the map first and refines it by convolutions at every resolution; a 1x1 convolution and the resizing can change places,
    so doing it in this order is the same as without refinement, for next to nothing, and detail is left to the skips.
    """

    normalises = True

    def __init__(self, o: GeneratorOptions, channels: int) -> None:
        super().__init__()
        self.norm = group_norm(channels, affine=False)
        self.gamma, self.beta = (conv(o.identity_map_channels, channels, 1) for _ in range(2))
        nn.init.ones_(self.gamma.bias.data)  # type: ignore[union-attr]

    @staticmethod
    def shared(o: GeneratorOptions) -> nn.Module:
        return IdentityMap(o)

    def forward(self, h: Tensor, code: Tensor) -> Tensor:
        gamma, beta = (
            F.interpolate(part(code), h.shape[2:], mode="bilinear", align_corners=False)
            for part in (self.gamma, self.beta)
        )
        return torch.addcmul(beta, self.norm(h), gamma)


INJECTIONS: dict[IdentityInjection, type[Injection]] = {
    "add": AddIdentity,
    "adalin": AdaLIN,
    "map": MapModulation,
}
