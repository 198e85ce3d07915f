"""The embedder's losses in float64 against explicit loops and pytorch-metric-learning, and what they do not depend on."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from smoothswap.losses.embedder import (
    MarginLoss,
    SoftmaxLoss,
    contrastive_loss,
    supcon_in_loss,
    supcon_out_loss,
)

PAIR_LOSSES = [contrastive_loss, supcon_out_loss, supcon_in_loss]
BATCHES = [
    [0, 0, 1, 1],
    [0, 0, 0, 1, 2, 2, 3],
    [5, 1, 5, 1, 5, 9, 9, 9],
]  # one positive each; lone faces; unsorted


def unit(n: int, d: int, seed: int = 0) -> Tensor:
    return F.normalize(
        torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)), dim=1
    )


def dot(a: list[float], b: list[float]) -> float:
    return sum(p * q for p, q in zip(a, b, strict=True))


def by_loops(loss: Callable[..., Tensor], z: Tensor, labels: list[int], t: float) -> float:
    rows, n, terms = z.tolist(), len(z), []
    for i in range(n):
        e = [math.exp(dot(rows[i], row) / t) for row in rows]
        positives = [p for p in range(n) if p != i and labels[p] == labels[i]]
        negatives = sum(e[a] for a in range(n) if labels[a] != labels[i])
        others = sum(e[a] for a in range(n) if a != i)
        if loss is contrastive_loss:
            terms += [-math.log(e[p] / (e[p] + negatives)) for p in positives]
        elif positives and loss is supcon_out_loss:
            terms.append(-sum(math.log(e[p] / others) for p in positives) / len(positives))
        elif positives:
            terms.append(-math.log(sum(e[p] / others for p in positives) / len(positives)))
    return sum(terms) / len(terms)


@pytest.mark.parametrize("loss", PAIR_LOSSES)
@pytest.mark.parametrize("labels", BATCHES)
@pytest.mark.parametrize("temperature", [0.07, 0.5])
def test_pair_losses_equal_their_written_sums(
    loss: Callable[..., Tensor], labels: list[int], temperature: float
) -> None:
    z = unit(len(labels), 6)
    got = loss(z, torch.tensor(labels), temperature).item()
    assert got == pytest.approx(by_loops(loss, z, labels, temperature), rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("labels", BATCHES)
def test_pair_losses_and_gradients_equal_pytorch_metric_learning(labels: list[int]) -> None:
    from pytorch_metric_learning.losses import NTXentLoss, SupConLoss

    z, people = unit(len(labels), 6).requires_grad_(), torch.tensor(labels)
    # their gradients go through a normalisation of z as well, so ours must, to be compared
    ours = {loss: loss(F.normalize(z, dim=1), people, 0.07) for loss in (contrastive_loss, supcon_out_loss)}
    theirs = {
        contrastive_loss: NTXentLoss(temperature=0.07)(z, people),
        supcon_out_loss: SupConLoss(temperature=0.07)(
            z, people
        ),  # drops anchors without a positive, as we do
    }
    for loss in ours:
        torch.testing.assert_close(ours[loss], theirs[loss], rtol=1e-10, atol=1e-10)
        a, b = torch.autograd.grad(ours[loss], z)[0], torch.autograd.grad(theirs[loss], z)[0]
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


def test_l_in_is_below_l_out_and_all_three_are_one_with_one_positive() -> None:
    z = unit(8, 5)
    twos, fours = torch.arange(4).repeat_interleave(2), torch.arange(2).repeat_interleave(4)
    losses = [loss(z, twos) for loss in PAIR_LOSSES]
    torch.testing.assert_close(losses[1:], losses[:1] * 2, rtol=1e-12, atol=1e-12)
    inside, outside, paper = supcon_in_loss(z, fours), supcon_out_loss(z, fours), contrastive_loss(z, fours)
    assert inside < outside
    assert paper < outside  # the paper's denominator lacks the other positives


@pytest.mark.parametrize("loss", PAIR_LOSSES)
def test_pair_losses_do_not_depend_on_order_names_or_rotation(loss: Callable[..., Tensor]) -> None:
    z, labels = unit(9, 5), torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 2])
    order = torch.randperm(9, generator=torch.Generator().manual_seed(1))
    turned = z @ torch.linalg.qr(unit(5, 5, 2))[0]
    for other in (loss(z[order], labels[order] + 100), loss(turned, labels)):
        torch.testing.assert_close(other, loss(z, labels), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("loss", PAIR_LOSSES)
def test_pair_losses_are_finite_where_all_faces_are_alike(loss: Callable[..., Tensor]) -> None:
    z = (torch.ones(4, 3, dtype=torch.float64) / math.sqrt(3)).requires_grad_()
    value = loss(z, torch.tensor([0, 0, 1, 1]))
    assert value.item() == pytest.approx(math.log(3), abs=1e-12)  # one of three others, at random
    assert torch.autograd.grad(value, z)[0].isfinite().all()


@pytest.mark.parametrize("loss", PAIR_LOSSES)
def test_pair_gradients_are_right_and_finite_with_masked_pairs(loss: Callable[..., Tensor]) -> None:
    z, labels = unit(6, 4).requires_grad_(), torch.tensor([0, 0, 1, 1, 1, 2])  # the last face has no positive
    assert torch.autograd.gradcheck(lambda v: loss(v, labels, 0.5), (z,))
    (gradient,) = torch.autograd.grad(loss(z, labels), z)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("loss", PAIR_LOSSES)
def test_pair_losses_refuse_batches_without_pairs(loss: Callable[..., Tensor]) -> None:
    name = loss.__name__.removesuffix("_loss")
    with pytest.raises(
        ValueError, match=rf"^{name} loss: no two of the 4 faces .* at least 2 views a person"
    ):
        loss(unit(4, 3), torch.arange(4))
    with pytest.raises(ValueError, match=rf"^{name} loss: .* one person only; draw at least 2 people"):
        loss(unit(4, 3), torch.zeros(4, dtype=torch.long))


def heads() -> tuple[Tensor, Tensor, Tensor]:
    """Embeddings, labels and weights of 7 people; face 0 is opposite its person's row, face 1 nearly on it."""
    z, labels, weight = unit(8, 5), torch.tensor([3, 0, 6, 6, 1, 2, 4, 5]), unit(7, 5, 3)
    z[0], z[1] = -weight[3], F.normalize(weight[0] + 0.01 * z[1], dim=0)
    z[0] = F.normalize(z[0] + 0.1 * z[2], dim=0)
    return z, labels, 3.7 * weight * torch.linspace(0.5, 2, 7, dtype=torch.float64)[:, None]


def margin_by_loops(
    z: Tensor, labels: list[int], weight: Tensor, s: float, angle: float, cosine: float
) -> float:
    total = 0.0
    for row, y in zip(z.tolist(), labels, strict=True):
        logits = []
        for j, w in enumerate(weight.tolist()):
            cos = dot(row, w) / math.hypot(*w)
            theta = math.acos(cos)
            if j == y:
                cos = math.cos(theta + angle) if theta + angle <= math.pi else cos - angle * math.sin(angle)
                cos -= cosine
            logits.append(s * cos)
        top = max(logits)
        total += top + math.log(sum(math.exp(v - top) for v in logits)) - logits[y]
    return total / len(labels)


@pytest.mark.parametrize(
    ("angle", "cosine"), [(0.5, 0.0), (1.2, 0.0), (0.0, 0.35), (0.0, 0.4), (0.3, 0.2), (0, 0)]
)
@pytest.mark.parametrize("scale", [64.0, 10.0])
def test_margins_equal_their_written_sums(angle: float, cosine: float, scale: float) -> None:
    z, labels, weight = heads()
    loss = MarginLoss(7, 5, scale, angle, cosine).double()
    loss.weight.data.copy_(weight)
    want = margin_by_loops(z, labels.tolist(), weight, scale, angle, cosine)
    assert loss(z, labels).item() == pytest.approx(want, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("kind", ["arcface", "cosface"])
def test_margins_and_gradients_equal_pytorch_metric_learning(kind: str) -> None:
    from pytorch_metric_learning.losses import ArcFaceLoss, CosFaceLoss

    z, labels, weight = heads()
    z.requires_grad_()
    theirs: Any
    if kind == "arcface":
        ours = MarginLoss(7, 5, angle=0.5).double()
        theirs = ArcFaceLoss(
            num_classes=7, embedding_size=5, margin=math.degrees(0.5), scale=64
        )  # in degrees
    else:
        ours = MarginLoss(7, 5, cosine=0.35).double()
        theirs = CosFaceLoss(num_classes=7, embedding_size=5, margin=0.35, scale=64)
    ours.weight.data.copy_(weight)
    theirs.double().W.data.copy_(weight.T)  # theirs is [dim, classes]
    a, b = ours(F.normalize(z, dim=1), labels), theirs(z, labels)
    torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
    az, aw = torch.autograd.grad(a, (z, ours.weight))
    bz, bw = torch.autograd.grad(b, (z, theirs.W))
    torch.testing.assert_close(az, bz, rtol=1e-9, atol=1e-10)
    torch.testing.assert_close(aw, bw.T, rtol=1e-9, atol=1e-10)


def test_softmax_is_cross_entropy_of_a_linear_layer_by_loops() -> None:
    z, labels, weight = heads()
    loss = SoftmaxLoss(7, 5).double()
    loss.weight.data.copy_(weight)
    loss.bias.data.copy_(torch.linspace(-1, 1, 7))
    total = 0.0
    for row, y in zip(z.tolist(), labels.tolist(), strict=True):
        logits = [dot(row, w) + b for w, b in zip(weight.tolist(), loss.bias.tolist(), strict=True)]
        total += math.log(sum(math.exp(v) for v in logits)) - logits[y]
    assert loss(z, labels).item() == pytest.approx(total / 8, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize(
    "make",
    [
        lambda: MarginLoss(7, 5, 8.0, angle=0.5),
        lambda: MarginLoss(7, 5, 8.0, cosine=0.35),
        lambda: SoftmaxLoss(7, 5),
    ],
)
def test_class_losses_do_not_depend_on_order_and_their_gradients_are_right(make: Callable[[], Any]) -> None:
    z, labels, weight = heads()
    loss = make().double()
    loss.weight.data.copy_(weight)
    order = torch.randperm(8, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(loss(z[order], labels[order]), loss(z, labels), rtol=1e-12, atol=1e-12)

    def at(v: Tensor, w: Tensor) -> Tensor:
        return torch.func.functional_call(loss, {"weight": w}, (v, labels))

    assert torch.autograd.gradcheck(at, (z.requires_grad_(), weight.requires_grad_()))


def test_arcface_falls_with_the_angle_everywhere_and_is_finite_at_its_ends() -> None:
    loss = MarginLoss(2, 2, 1.0, angle=0.5).double()
    loss.weight.data.copy_(torch.eye(2))
    theta = torch.linspace(0, math.pi, 181, dtype=torch.float64)
    logits = loss._with_margin(theta.cos())
    assert (logits.diff() < 0).all()
    ends = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(ends, torch.tensor([0, 0])), ends)
    assert gradient.isfinite().all()


def test_class_losses_tell_margins_in_degrees_and_people_they_do_not_know() -> None:
    with pytest.raises(ValueError, match=r"the angle is 28\.6; it is in radians"):
        MarginLoss(7, 5, angle=28.6)
    with pytest.raises(ValueError, match=r"the cosine is -0\.1 and the scale 64\.0"):
        MarginLoss(7, 5, cosine=-0.1)
    for loss in (MarginLoss(7, 5), SoftmaxLoss(7, 5)):
        with pytest.raises(ValueError, match="labels run from 2 to 7; this loss was made for people 0 to 6"):
            loss(unit(2, 5).float(), torch.tensor([2, 7]))
