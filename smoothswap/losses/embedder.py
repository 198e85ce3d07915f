"""The losses that train an embedder: the paper's contrastive one (Section 4.1) and those it is compared with.

Pure functions of embeddings z [n, dim] of unit norm and labels [n] (whole numbers that name people):
`contrastive_loss` (the paper), `supcon_out_loss` and `supcon_in_loss` (Khosla et al. 2020, equations 2 and 3).

Modules that own a row of weights for every person in training, called the same way, with labels 0 to classes - 1:
`MarginLoss` (ArcFace: Deng et al. 2019; CosFace: Wang et al. 2018) and `SoftmaxLoss` (VGGFace2: Cao et al. 2018).
Their weights belong to the optimiser and the checkpoint, and are of no use after the training.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Integer
from torch import Tensor, nn

Embeddings = Float[Tensor, "n d"]
Labels = Integer[Tensor, " n"]
Scalar = Float[Tensor, ""]


def _pairs(labels: Labels, name: str) -> tuple[Bool[Tensor, "n n"], Bool[Tensor, "n n"]]:
    """Same person (with the diagonal), and positive pairs (without). Raises ValueError as below."""
    same = labels[:, None] == labels[None, :]
    positive = same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    if not bool(positive.any()):
        raise ValueError(
            f"{name} loss: no two of the {len(labels)} faces in the batch share a person; draw at least 2 views a person"
        )
    if bool(same.all()):
        raise ValueError(f"{name} loss: the batch holds one person only; draw at least 2 people")
    return same, positive


def contrastive_loss(z: Embeddings, labels: Labels, temperature: float = 0.07) -> Scalar:
    """The embedder's loss: the mean over ordered positive pairs (i, p) of a logarithm.

        -log( exp(z_i.z_p / t) / (exp(z_i.z_p / t) + sum over negatives n of exp(z_i.z_n / t)) )

    The denominator holds the one positive of the numerator and the negatives; other positives are not in it,
    unlike SupCon's (Khosla et al. 2020). It is NT-Xent with labels.

    Args:
        z: Of unit norm.
        labels: Whole numbers that name people.
        temperature: 0.07 is the paper's.

    Returns:
        A scalar, 0 or above.

    Raises:
        ValueError: The batch has no positive pair or holds one person only.

    Examples:
        >>> z, labels = torch.eye(3)[[0, 0, 1, 1]], torch.tensor([0, 0, 1, 1])
        >>> round(contrastive_loss(z, labels, temperature=1.0).item(), 4)  # log(1 + 2 / e)
        0.5514
    """
    same, positive = _pairs(labels, "contrastive")
    logits = z @ z.T / temperature
    negatives = logits.masked_fill(same, -torch.inf).logsumexp(1, keepdim=True)
    pair = torch.logaddexp(logits, negatives) - logits
    return torch.where(positive, pair, torch.zeros_like(pair)).sum() / positive.sum()


def _supcon(
    z: Embeddings, labels: Labels, temperature: float, name: str
) -> tuple[Float[Tensor, "a n"], Bool[Tensor, "a n"]]:
    """log( exp(z_i.z_j / t) / sum over a != i of exp(z_i.z_a / t) ) and the positive pairs, both [anchors, n].

    Anchors are the faces with a positive in the batch; the sum runs over positives and negatives.
    """
    _, positive = _pairs(labels, name)
    anchors = positive.any(1)
    logits = z @ z.T / temperature
    own = torch.eye(len(z), dtype=torch.bool, device=z.device)
    log_p = logits - logits.masked_fill(own, -torch.inf).logsumexp(1, keepdim=True)
    return log_p[anchors], positive[anchors]


def supcon_out_loss(z: Embeddings, labels: Labels, temperature: float = 0.07) -> Scalar:
    """SupCon's L_out (Khosla et al. 2020, equation 2): the mean over anchors i.

        -1/|P(i)| sum over positives p of log( exp(z_i.z_p / t) / sum over a != i of exp(z_i.z_a / t) )

    The paper sums over anchors; the mean over those that have a positive does not grow with the batch. No
    factor t / t_base, which the authors' code has.

    Args:
        z: Of unit norm.
        labels: Whole numbers that name people.
        temperature: t.

    Returns:
        A scalar, 0 or above.

    Raises:
        ValueError: As contrastive_loss.
    """
    log_p, positive = _supcon(z, labels, temperature, "supcon_out")
    each = torch.where(positive, log_p, torch.zeros_like(log_p)).sum(1) / positive.sum(1)
    return -each.mean()


def supcon_in_loss(z: Embeddings, labels: Labels, temperature: float = 0.07) -> Scalar:
    """SupCon's L_in (Khosla et al. 2020, equation 3): L_out with its mean over positives inside the log.

        -log( 1/|P(i)| sum over positives p of exp(z_i.z_p / t) / sum over a != i of exp(z_i.z_a / t) )

    Never above L_out (Jensen), equal where every anchor has one positive.

    Args:
        z: Of unit norm.
        labels: Whole numbers that name people.
        temperature: t.

    Returns:
        A scalar, 0 or above, the mean over anchors.

    Raises:
        ValueError: As contrastive_loss.

    Examples:
        >>> z, labels = torch.eye(3)[[0, 0, 1, 1, 2]], torch.tensor([0, 0, 1, 1, 2])
        >>> torch.isclose(supcon_in_loss(z, labels), supcon_out_loss(z, labels)).item()
        True
    """
    log_p, positive = _supcon(z, labels, temperature, "supcon_in")
    each = log_p.masked_fill(~positive, -torch.inf).logsumexp(1) - positive.sum(1).to(log_p).log()
    return -each.mean()


class SoftmaxLoss(nn.Module):
    """Plain softmax: mean cross entropy of the linear layer W z + b, as VGGFace2's networks were trained.

    There it read features of any norm. On the unit sphere no logit exceeds its row's length, so rows have to grow from
    about 1 before the loss can fall far: the first steps learn slowly.

    weight [classes, dim], bias [classes].
    """

    def __init__(self, classes: int, dim: int) -> None:
        """Draw the weights of so many people."""
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, dim) / math.sqrt(dim))
        self.bias = nn.Parameter(torch.zeros(classes))

    def forward(self, z: Embeddings, labels: Labels) -> Scalar:
        """The loss of a batch.

        Args:
            z: Embeddings [n, dim], of unit norm in this project.
            labels: Whole numbers 0 to classes - 1, [n].

        Returns:
            A scalar, 0 or above, the mean over the batch.

        Raises:
            ValueError: For labels outside 0 to classes - 1.
        """
        _check(labels, len(self.weight))
        return F.cross_entropy(F.linear(z, self.weight, self.bias), labels)


class MarginLoss(nn.Module):
    """Mean cross entropy of s cos(theta_j), theta_j between z and row j, the true class y made harder by margins.

        s (cos(theta_y + angle) - cosine)         where theta_y + angle <= pi, else
        s (cos(theta_y) - angle sin(angle) - cosine)

    (Deng et al. 2019, equation 4 with m1 = 1.) ArcFace: angle 0.5, in radians; CosFace: angle 0, cosine 0.35 (0.4 in
    later models). The second line keeps the logit falling with theta; it is not the "easy margin" of some codes, which
    drops the margin already beyond pi / 2.

    weight [classes, dim], of any norm.
    """

    def __init__(
        self, classes: int, dim: int, scale: float = 64.0, angle: float = 0.0, cosine: float = 0.0
    ) -> None:
        """Draw the weights of so many people. Raises ValueError for a scale not above 0, or a margin out of its range."""
        super().__init__()
        if not 0 <= angle < math.pi:
            raise ValueError(
                f"the margin on the angle is {angle}; it is in radians, at least 0 and below pi (ArcFace: 0.5)"
            )
        if cosine < 0 or scale <= 0:
            raise ValueError(
                f"the margin on the cosine is {cosine} and the scale {scale}; choose at least 0 and above 0"
            )
        self.scale, self.angle, self.cosine = scale, angle, cosine
        self.weight = nn.Parameter(torch.randn(classes, dim) / math.sqrt(dim))

    def forward(self, z: Embeddings, labels: Labels) -> Scalar:
        """The loss of a batch.

        Args:
            z: Embeddings [n, dim] of unit norm: it is not normalised here.
            labels: Whole numbers 0 to classes - 1, [n].

        Returns:
            A scalar, 0 or above, the mean over the batch.

        Raises:
            ValueError: For labels outside 0 to classes - 1.
        """
        _check(labels, len(self.weight))
        cosines = z @ F.normalize(self.weight, dim=1).T
        true = labels[:, None]
        harder = self._with_margin(cosines.gather(1, true))
        return F.cross_entropy(self.scale * cosines.scatter(1, true, harder), labels)

    def _with_margin(self, cos: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        # the bound keeps the root's gradient finite at theta = 0 and pi
        sin = ((1 - cos) * (1 + cos)).clamp_min(torch.finfo(cos.dtype).tiny).sqrt()
        turned = cos * math.cos(self.angle) - sin * math.sin(self.angle)
        beyond = cos - self.angle * math.sin(self.angle)
        return torch.where(cos >= -math.cos(self.angle), turned, beyond) - self.cosine


def _check(labels: Labels, classes: int) -> None:
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise ValueError(f"labels run from {low} to {high}; this loss was made for people 0 to {classes - 1}")
