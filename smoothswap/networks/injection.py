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

from functools import cache
from importlib import metadata

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from smoothswap.errors import UsageError, suggestion
from smoothswap.networks.layers import conv, group_norm, linear
from smoothswap.networks.options import INJECTIONS_GROUP, GeneratorOptions, IdentityInjection, injections
from smoothswap.networks.precision import full


class Injection(nn.Module):
    """A way in: built as (options, channels), called as (features, code)."""

    # true: it stands in the place of the GroupNorm that would follow
    normalises = False

    @staticmethod
    def shared(options: GeneratorOptions) -> nn.Module:
        """The module that makes the code of z [n, identity_dim], run once a forward. By default the vector itself."""
        return nn.Identity()


class AddIdentity(Injection):
    """The paper's: h + Linear(z), the same at every pixel."""

    def __init__(self, options: GeneratorOptions, channels: int) -> None:
        """Build the injection of a block with so many channels."""
        super().__init__()
        self.linear = linear(options.identity_dim, channels)

    def forward(self, h: Float[Tensor, "n c h w"], z: Float[Tensor, "n d"]) -> Float[Tensor, "n c h w"]:
        """Add the identity's number of each channel to all its pixels.

        Args:
            h: Features, changed in place: a convolution's output is not kept for its gradient.
            z: The identity vectors, d = options.identity_dim, as the generator hands them on (times sqrt(d)
                where options.identity_scale is "sqrt_dim").

        Returns:
            `h` itself.
        """
        return h.add_(self.linear(z)[:, :, None, None])


class AdaLIN(Injection):
    """Adaptive Layer-Instance Normalisation (Kim et al. 2020, U-GAT-IT), in the place of the block's second GroupNorm.

    h is normalised over each channel's pixels (instance) and over all of an image (layer); rho of each channel mixes the
    two, and gamma and beta come from the identity. U-GAT-IT clips rho to [0, 1] after every update and starts at 0.9;
    here rho is the logistic function of a parameter, which needs no hook in the optimiser, and starts there as well.
    """

    normalises = True
    # U-GAT-IT's
    eps = 1e-5

    def __init__(self, options: GeneratorOptions, channels: int) -> None:
        """Build the injection of a block with so many channels."""
        super().__init__()
        self.gamma = linear(options.identity_dim, channels, bias=1.0)
        self.beta = linear(options.identity_dim, channels)
        self.mix = nn.Parameter(torch.full((channels,), 0.9).logit())

    def forward(self, h: Float[Tensor, "n c h w"], z: Float[Tensor, "n d"]) -> Float[Tensor, "n c h w"]:
        """Features normalised both ways, with the scale and the shift that the identity gives.

        Args:
            h: Features, left as they are.
            z: The identity vectors, d = options.identity_dim, as the generator hands them on (times sqrt(d)
                where options.identity_scale is "sqrt_dim").

        Returns:
            New features of the same shape and dtype; the statistics are taken in float32 or better.
        """
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
    """The vector as a map: Linear, SiLU, 3x3 convolution (m, k: `identity_map_channels`, `identity_map_size`)."""

    def __init__(self, options: GeneratorOptions) -> None:
        """Build the map's layers."""
        super().__init__()
        self.shape = (options.identity_map_channels, options.identity_map_size, options.identity_map_size)
        m, k, _ = self.shape
        self.linear, self.conv = linear(options.identity_dim, m * k * k), conv(m, m)

    def forward(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n m k k"]:
        """The identity map, the same for all blocks."""
        return self.conv(F.silu(self.linear(z).unflatten(1, self.shape)))


class MapModulation(Injection):
    """A 2-D identity map that modulates place by place, after StyleMapGAN (Kim et al. 2021): eyes apart from the mouth.

    gamma and beta are a 1x1 convolution of the map [n, m, k, k], resized bilinearly to the features. StyleMapGAN resizes
    the map first and refines it by convolutions at every resolution; a 1x1 convolution and the resizing can change places,
    so doing it in this order is the same as without refinement, for next to nothing, and detail is left to the skips.
    """

    normalises = True

    def __init__(self, options: GeneratorOptions, channels: int) -> None:
        """Build the injection of a block with so many channels."""
        super().__init__()
        self.norm = group_norm(channels, affine=False)
        self.gamma, self.beta = (conv(options.identity_map_channels, channels, 1) for _ in range(2))
        nn.init.ones_(self.gamma.bias.data)  # type: ignore[union-attr]

    @staticmethod
    def shared(options: GeneratorOptions) -> nn.Module:
        """The map, in the place of the vector."""
        return IdentityMap(options)

    def forward(
        self, h: Float[Tensor, "n c h w"], code: Float[Tensor, "n m k k"]
    ) -> Float[Tensor, "n c h w"]:
        """Features normalised, then scaled and shifted place by place.

        Args:
            h: Features, left as they are.
            code: The identity map, m = options.identity_map_channels, k = options.identity_map_size; what it
                says is resized to h.

        Returns:
            New features of the same shape.
        """
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
# Ours are entry points too, read by the same code; they stand here so that a checkout never depends on what was installed.
OURS = tuple(
    metadata.EntryPoint(name, f"{kind.__module__}:{kind.__name__}", INJECTIONS_GROUP)
    for name, kind in INJECTIONS.items()
)


@cache  # every block of a generator asks, and a search through all installed packages takes 16 ms
def injection(name: str) -> type[Injection]:
    """The way in of that name: ours, or that of an installed package.

    Args:
        name: `GeneratorOptions.identity_injection`.

    Returns:
        A subclass of Injection.

    Raises:
        UsageError: There is none of that name, or the package that brings it is broken.
    """
    entries = {entry.name: entry for entry in (*metadata.entry_points(group=INJECTIONS_GROUP), *OURS)}
    if name not in entries:
        raise UsageError(
            f"no way in for identity {name!r}.{suggestion(name, entries)} Known: {', '.join(injections())}"
        )
    where = f"the way in {name} ({entries[name].value})"
    try:
        kind = entries[name].load()
    # A plug-in may fail in any way; what failed and whose it is must be said.
    except Exception as error:
        raise UsageError(
            f"{where} cannot be loaded: {type(error).__name__}: {error}; mend the package that brings it, or uninstall it"
        ) from error
    if not (isinstance(kind, type) and issubclass(kind, Injection)):
        raise UsageError(
            f"{where} is no smoothswap.networks.injection.Injection; the group {INJECTIONS_GROUP} expects one"
        )
    return kind
