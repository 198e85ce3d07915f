"""Differentiable augmentation of face batches, in torch only: colour, geometry, blur, noise, occlusion.

The paper does not state its augmentation. Ours serves twice: it trains an embedder that cannot live on one cue, and
it perturbs x_swap before the frozen embedder inside L_id, so that no adversarial patch satisfies it (`id_views`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator as Rng
from torch import Tensor

from smoothswap.training.distributed import Draws


@dataclass(frozen=True)
class AugmentOptions:
    """Every strength is the half-width of a uniform draw unless it says probability; 0 switches the step off."""

    # probability of a horizontal flip
    flip: float = 0.5
    # degrees
    rotate: float = 10.0
    # relative
    scale: float = 0.1
    # of the image's width
    shift: float = 0.06
    # added, on the [-1, 1] scale
    brightness: float = 0.3
    # relative
    contrast: float = 0.35
    # relative
    saturation: float = 0.5
    # relative gain of each channel: colour of the light
    tint: float = 0.12
    # of log2 gamma, on the [0, 1] scale
    gamma: float = 0.35
    # probability
    grayscale: float = 0.15
    # probability of a 3x3 binomial blur
    blur: float = 0.3
    # largest standard deviation, drawn per image
    noise: float = 0.08
    # probability of each of `erase_count` rectangles
    erase: float = 0.5
    erase_count: int = 2
    # largest side, of the image's width
    erase_size: float = 0.45


def _uniform(n: int, half: float, draws: Draws) -> Tensor:
    return (draws.rand(n) * 2 - 1) * half


def _geometry(x: Tensor, options: AugmentOptions, draws: Draws) -> Tensor:
    if not (options.flip or options.rotate or options.scale or options.shift):
        return x
    n = len(x)
    angle = _uniform(n, math.radians(options.rotate), draws)
    zoom = 1 + _uniform(n, options.scale, draws)
    mirror = torch.where(draws.rand(n) < options.flip, -1.0, 1.0)
    dx, dy = _uniform(n, 2 * options.shift, draws), _uniform(n, 2 * options.shift, draws)
    cos, sin = angle.cos() * zoom, angle.sin() * zoom
    theta = torch.stack(
        [torch.stack([cos * mirror, -sin, dx], 1), torch.stack([sin * mirror, cos, dy], 1)], 1
    )
    grid = F.affine_grid(theta.to(x), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _colour(x: Tensor, options: AugmentOptions, draws: Draws) -> Tensor:
    n = len(x)
    draw = lambda half: _uniform(n, half, draws).view(n, 1, 1, 1).to(x)  # noqa: E731
    grey = x.mean(1, keepdim=True)
    saturation = 1 + draw(options.saturation)
    grey_ones = (draws.rand(n, 1, 1, 1) < options.grayscale).to(x.device)
    saturation = torch.where(grey_ones, 0.0, saturation)
    x = grey + (x - grey) * saturation
    if options.gamma:
        exponent = 2 ** draw(options.gamma)
        x = ((x + 1) / 2).clamp(1e-3, 1) ** exponent * 2 - 1  # 1e-3 keeps the power's gradient finite
    gain = 1 + ((draws.rand(n, 3, 1, 1) * 2 - 1) * options.tint).to(x)
    return ((x + 1) * gain * (1 + draw(options.contrast)) - 1 + draw(options.brightness)).clamp(-1.5, 1.5)


def _erase(x: Tensor, options: AugmentOptions, draws: Draws) -> Tensor:
    n, _, height, width = x.shape
    rows, columns = torch.arange(height).view(1, height, 1), torch.arange(width).view(1, 1, width)
    for _ in range(options.erase_count):
        cy, cx = draws.rand(n, 1, 1) * height, draws.rand(n, 1, 1) * width
        half_h = draws.rand(n, 1, 1) * options.erase_size * height / 2
        half_w = draws.rand(n, 1, 1) * options.erase_size * width / 2
        chosen = draws.rand(n, 1, 1) < options.erase
        mask = chosen & ((rows - cy).abs() < half_h) & ((columns - cx).abs() < half_w)
        fill = (draws.rand(n, 3, 1, 1) * 2 - 1).to(x)
        x = torch.where(mask[:, None].to(x.device), fill, x)
    return x


def _soft(x: Tensor) -> Tensor:
    """The 3x3 binomial blur, edges repeated; as sums, because a grouped convolution takes ten times as long on a CPU."""
    wide = F.pad(x, (1, 1, 1, 1), mode="replicate")
    rows = (wide[:, :, :-2] + wide[:, :, 2:]) / 4 + wide[:, :, 1:-1] / 2
    return (rows[..., :-2] + rows[..., 2:]) / 4 + rows[..., 1:-1] / 2


def augment(
    x: Float[Tensor, "n 3 h w"], options: AugmentOptions, rng: Rng | Draws | None = None
) -> Float[Tensor, "n 3 h w"]:
    """One random view of every image, differentiable in x.

    Args:
        x: Images in [-1, 1].
        options: How strong each step is.
        rng: A CPU generator: the draws, and so the view, depend on its state alone. Draws of a whole batch's
            rows give the views that these images have in it. None: torch's own generator.

    Returns:
        The views, on the device of x. Colours may reach [-1.5, 1.5], and noise goes a little beyond.
    """
    draws = rng if isinstance(rng, Draws) else Draws(rng)
    x = _geometry(x, options, draws)
    if (
        options.brightness
        or options.contrast
        or options.saturation
        or options.tint
        or options.gamma
        or options.grayscale
    ):
        x = _colour(x, options, draws)
    if options.blur:
        x = torch.where((draws.rand(len(x), 1, 1, 1) < options.blur).to(x.device), _soft(x), x)
    if options.noise:
        level = draws.rand(len(x), 1, 1, 1) * options.noise
        x = x + (level * draws.randn(*x.shape)).to(x)
    return _erase(x, options, draws) if options.erase else x
