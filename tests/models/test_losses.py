"""The losses against explicit loops in float64, and their gradients against finite differences."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from smoothswap import losses


def unit(n: int, d: int, seed: int = 0) -> torch.Tensor:
    return F.normalize(
        torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)), dim=1
    )


def contrastive_by_loops(z: torch.Tensor, labels: list[int], temperature: float) -> float:
    rows = z.tolist()
    dot = lambda a, b: sum(p * q for p, q in zip(a, b, strict=True))  # noqa: E731
    terms = []
    for i, anchor in enumerate(rows):
        negatives = sum(
            math.exp(dot(anchor, rows[n]) / temperature) for n in range(len(rows)) if labels[n] != labels[i]
        )
        for p in range(len(rows)):
            if p != i and labels[p] == labels[i]:
                positive = math.exp(dot(anchor, rows[p]) / temperature)
                terms.append(-math.log(positive / (positive + negatives)))
    return sum(terms) / len(terms)


@pytest.mark.parametrize("labels", [[0, 0, 1, 1], [0, 0, 0, 1, 2, 2, 3], [5, 1, 5, 1, 5, 9, 9, 9]])
@pytest.mark.parametrize("temperature", [0.07, 0.5])
def test_contrastive_equals_the_paper_s_sum(labels: list[int], temperature: float) -> None:
    z = unit(len(labels), 6)
    got = losses.contrastive_loss(z, torch.tensor(labels), temperature)
    assert got.item() == pytest.approx(contrastive_by_loops(z, labels, temperature), rel=1e-10, abs=1e-10)


def test_contrastive_does_not_depend_on_order_or_names_and_stays_finite() -> None:
    z, labels = unit(9, 5), torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 2])
    loss = losses.contrastive_loss(z, labels)
    order = torch.randperm(9, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(
        losses.contrastive_loss(z[order], labels[order] + 100), loss, rtol=1e-12, atol=1e-12
    )
    same = torch.ones(4, 3, dtype=torch.float64) / math.sqrt(3)  # all alike: the loss is log(1 + negatives)
    assert losses.contrastive_loss(same, torch.tensor([0, 0, 1, 1])).item() == pytest.approx(
        math.log(3), abs=1e-12
    )


def test_contrastive_gradient_is_right_and_finite_with_masked_pairs() -> None:
    z, labels = unit(6, 4).requires_grad_(), torch.tensor([0, 0, 1, 1, 1, 2])
    assert torch.autograd.gradcheck(lambda v: losses.contrastive_loss(v, labels, 0.5), (z,))
    (gradient,) = torch.autograd.grad(losses.contrastive_loss(z, labels), z)
    assert gradient.isfinite().all()


def test_contrastive_refuses_batches_without_pairs() -> None:
    with pytest.raises(ValueError, match=r"no two of the 4 faces .* at least 2 views a person"):
        losses.contrastive_loss(unit(4, 3), torch.arange(4))
    with pytest.raises(ValueError, match="one person only; draw at least 2 people"):
        losses.contrastive_loss(unit(4, 3), torch.zeros(4))


def test_identity_and_change_losses_by_loops() -> None:
    a, b = torch.randn(3, 5, dtype=torch.float64), torch.randn(3, 5, dtype=torch.float64)
    cosines = [
        sum(x * y for x, y in zip(p, q, strict=True)) / math.hypot(*p) / math.hypot(*q)
        for p, q in zip(a.tolist(), b.tolist(), strict=True)
    ]
    assert losses.identity_loss(a, b).item() == pytest.approx(1 - sum(cosines) / 3, abs=1e-10)
    assert losses.identity_loss(a, 7 * a).item() == pytest.approx(0, abs=1e-12)
    assert losses.identity_loss(a, -a).item() == pytest.approx(2, abs=1e-12)
    x, y = torch.randn(2, 3, 4, 4, dtype=torch.float64), torch.randn(2, 3, 4, 4, dtype=torch.float64)
    total = sum((p - q) ** 2 for p, q in zip(x.flatten().tolist(), y.flatten().tolist(), strict=True))
    assert losses.change_loss(x, y).item() == pytest.approx(total / 2 / 48, abs=1e-10)
    assert torch.autograd.gradcheck(losses.identity_loss, (a.requires_grad_(), b))


def test_adversarial_losses_by_loops() -> None:
    real, fake = torch.tensor([0.3, -2.0, 5.0]).double(), torch.tensor([1.5, -0.7]).double()
    sigmoid = lambda v: 1 / (1 + math.exp(-v))  # noqa: E731
    generator = sum(-math.log(sigmoid(v)) for v in fake.tolist()) / 2
    assert losses.generator_loss(fake).item() == pytest.approx(generator, abs=1e-10)
    want = sum(-math.log(sigmoid(v)) for v in real.tolist()) / 3
    want += sum(-math.log(1 - sigmoid(v)) for v in fake.tolist()) / 2
    assert losses.discriminator_loss(real, fake).item() == pytest.approx(want, abs=1e-10)
    assert losses.generator_loss(torch.tensor([-1e4])).isfinite()


def test_r1_is_the_squared_norm_of_the_input_gradient() -> None:
    weight = torch.randn(3, 2, 2, dtype=torch.float64)
    real = torch.randn(4, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    logits = (real.square() * weight).sum((1, 2, 3))  # dD/dx = 2 w x
    want = (2 * weight * real).square().sum((1, 2, 3)).mean()
    torch.testing.assert_close(losses.r1_penalty(logits, real), want, rtol=1e-12, atol=1e-12)
