"""The losses of the swapper: identity, change and adversarial (paper, Section 4.3). Pure functions.

Those of the embedder are in `embedder_losses`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def identity_losses(z_swap: Tensor, z_source: Tensor) -> Tensor:
    """1 - cos(z_swap, z_source) of each pair: both [n, d], any norm -> [n], range 0..2."""
    return 1 - F.cosine_similarity(z_swap, z_source, dim=1)


def identity_loss(z_swap: Tensor, z_source: Tensor) -> Tensor:
    """L_id = 1 - cos(z_swap, z_source), mean over the batch: both [n, d], any norm; range 0..2."""
    return identity_losses(z_swap, z_source).mean()


def change_loss(swap: Tensor, target: Tensor) -> Tensor:
    """L_chg = ||x_swap - x_tgt||^2 / D, D = 3 s s, mean over the batch; images [n, 3, s, s] in [-1, 1]: range 0..4."""
    return (swap - target).square().mean()


def generator_loss(fake_logits: Tensor) -> Tensor:
    """L_adv = -log sigmoid(D(x_swap)), the non-saturating form (Goodfellow et al. 2014), mean over [n]."""
    return F.softplus(-fake_logits).mean()


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """-log sigmoid(D(real)) - log(1 - sigmoid(D(fake))), means over [n] and [m]."""
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def r1_penalty(real_logits: Tensor, real: Tensor) -> Tensor:
    """R1 (Mescheder et al. 2018): squared norm of dD/dx at real images, mean over the batch.

    `real` [n, 3, s, s] must require gradients and `real_logits` [n] be computed from it. Weigh it by gamma / 2.
    """
    (gradient,) = torch.autograd.grad(real_logits.sum(), real, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean()
