"""Losses of swaps whose answer is known: the true swap, or the real photo behind a stand-in. None of the paper's."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

COARSE = 4
"""By how much the picture is made smaller for the second term: light and complexion, whatever the place of an edge."""


def answer_loss(swap: Float[Tensor, "n 3 s s"], answer: Float[Tensor, "n 3 s s"]) -> Float[Tensor, ""]:
    """Mean absolute difference, half of it at a quarter of the size, and half of that of the gradients.

    Args:
        swap: Images, clamped or not.
        answer: What they should be, in [-1, 1].

    Returns:
        A scalar, 0 or above: |a - b| + |down(a) - down(b)| / 2 + (|dx a - dx b| + |dy a - dy b|) / 2, each a mean.

    Examples:
        >>> answer_loss(torch.zeros(1, 3, 8, 8), torch.full((1, 3, 8, 8), 0.5)).item()  # 0.5, and half of it again
        0.75
    """
    apart = swap - answer
    coarse = F.avg_pool2d(apart, COARSE)
    across, down = apart[..., 1:] - apart[..., :-1], apart[..., 1:, :] - apart[..., :-1, :]
    return apart.abs().mean() + coarse.abs().mean() / 2 + (across.abs().mean() + down.abs().mean()) / 2


def perceptual_loss(
    swap: Sequence[Float[Tensor, "n _ _ _"]], answer: Sequence[Float[Tensor, "n _ _ _"]]
) -> Float[Tensor, ""]:
    """Distance of a network's features, each place of unit length (LPIPS without learned weights, Zhang et al. 2018).

    Args:
        swap: Features of the swaps at some depths (Embedder.maps).
        answer: Those of the answers, of the same shapes.

    Returns:
        A scalar: the squared distance of the unit vectors, 0 (the same) to 4 (opposite), a mean over places and depths.

    Examples:
        >>> perceptual_loss([torch.ones(1, 2, 3, 3)], [torch.full((1, 2, 3, 3), 7.0)]).item()  # length does not count
        0.0
    """
    of_depth = [
        (F.normalize(s, dim=1) - F.normalize(a, dim=1)).square().sum(1).mean()
        for s, a in zip(swap, answer, strict=True)
    ]
    return torch.stack(of_depth).mean()
