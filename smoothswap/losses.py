"""The losses of Smooth-Swap: contrastive (Section 4.1), identity, change and adversarial (Section 4.3). Pure functions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def contrastive_loss(z: Tensor, labels: Tensor, temperature: float = 0.07) -> Tensor:
    """The embedder's loss, a scalar: the mean over ordered positive pairs (i, p) of

        -log( exp(z_i.z_p / t) / (exp(z_i.z_p / t) + sum over negatives n of exp(z_i.z_n / t)) )

    The denominator holds the one positive of the numerator and the negatives; other positives are not in it, unlike
    SupCon's (Khosla et al. 2020). It is NT-Xent with labels.

    z [n, d] of unit norm, labels [n]; temperature 0.07 is the paper's.
    Raises ValueError where the batch has no positive pair or some anchor with a positive has no negative.
    """
    same = labels[:, None] == labels[None, :]
    positive = same & ~torch.eye(len(z), dtype=torch.bool, device=z.device)
    if not bool(positive.any()):
        raise ValueError(
            f"contrastive loss: no two of the {len(z)} faces in the batch share a person; draw at least 2 views a person"
        )
    if bool((same.all(1) & positive.any(1)).any()):
        raise ValueError("contrastive loss: the batch holds one person only; draw at least 2 people")
    logits = z @ z.T / temperature
    negatives = logits.masked_fill(same, -torch.inf).logsumexp(1, keepdim=True)
    pair = torch.logaddexp(logits, negatives) - logits
    return torch.where(positive, pair, torch.zeros_like(pair)).sum() / positive.sum()


def identity_loss(z_swap: Tensor, z_source: Tensor) -> Tensor:
    """L_id = 1 - cos(z_swap, z_source), mean over the batch: both [n, d], any norm; range 0..2."""
    return (1 - F.cosine_similarity(z_swap, z_source, dim=1)).mean()


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
