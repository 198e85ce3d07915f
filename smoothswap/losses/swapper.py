"""The losses of the swapper: identity, change and adversarial (paper, Section 4.3). Pure functions.

Those of the embedder are in `smoothswap.losses.embedder`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def identity_losses(z_swap: Float[Tensor, "n d"], z_source: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
    """1 - cos(z_swap, z_source) of each pair.

    Args:
        z_swap: Embeddings of the swaps, of any norm.
        z_source: Those of their sources, row by row.

    Returns:
        One number a pair, 0 (the same direction) to 2 (opposite).

    Examples:
        >>> swaps, sources = torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [0.0, -3.0]])
        >>> identity_losses(swaps, sources).tolist()
        [0.0, 2.0]
    """
    return 1 - F.cosine_similarity(z_swap, z_source, dim=1)


def identity_loss(z_swap: Float[Tensor, "n d"], z_source: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """L_id = 1 - cos(z_swap, z_source), mean over the batch.

    Args:
        z_swap: Embeddings of the swaps, of any norm.
        z_source: Those of their sources, row by row.

    Returns:
        A scalar, 0 to 2.
    """
    return identity_losses(z_swap, z_source).mean()


def change_loss(swap: Float[Tensor, "n 3 s s"], target: Float[Tensor, "n 3 s s"]) -> Float[Tensor, ""]:
    """L_chg = ||x_swap - x_tgt||^2 / D, D = 3 s s, mean over the batch.

    Args:
        swap: Images, clamped or not.
        target: What they were made from, in [-1, 1].

    Returns:
        A scalar, 0 to 4 where both lie in [-1, 1].

    Examples:
        >>> change_loss(torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.5)).item()
        0.25
    """
    return (swap - target).square().mean()


def generator_loss(fake_logits: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    """L_adv = -log sigmoid(D(x_swap)), the non-saturating form (Goodfellow et al. 2014), mean over the batch.

    Examples:
        >>> round(generator_loss(torch.zeros(4)).item(), 4)  # log 2: the discriminator does not know
        0.6931
    """
    return F.softplus(-fake_logits).mean()


def discriminator_loss(
    real_logits: Float[Tensor, " n"], fake_logits: Float[Tensor, " m"]
) -> Float[Tensor, ""]:
    """-log sigmoid(D(real)) - log(1 - sigmoid(D(fake))), a mean over each of the two batches.

    Args:
        real_logits: The discriminator's logits of real faces, high for real.
        fake_logits: Its logits of swaps, of another number if need be.

    Returns:
        A scalar, 0 or above; 2 log 2 where all logits are 0.
    """
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def r1_penalty(real_logits: Float[Tensor, " n"], real: Float[Tensor, "n 3 s s"]) -> Float[Tensor, ""]:
    """R1 (Mescheder et al. 2018): squared norm of dD/dx at real images, mean over the batch.

    Weigh it by gamma / 2.

    Args:
        real_logits: Computed from `real`.
        real: Images, which must require gradients.

    Returns:
        A scalar, 0 or above, that can itself be differentiated.

    Examples:
        >>> real = torch.ones(1, 3, 2, 2, requires_grad=True)
        >>> r1_penalty(real.sum((1, 2, 3)), real).item()  # dD/dx is 1 for each of the 12 numbers
        12.0
    """
    (gradient,) = torch.autograd.grad(real_logits.sum(), real, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean()
