"""The swapper's losses against explicit loops in float64, and their gradients against finite differences."""

from __future__ import annotations

import math

import pytest
import torch

from smoothswap.losses import swapper


def test_identity_and_change_losses_by_loops() -> None:
    a, b = torch.randn(3, 5, dtype=torch.float64), torch.randn(3, 5, dtype=torch.float64)
    cosines = [
        sum(x * y for x, y in zip(p, q, strict=True)) / math.hypot(*p) / math.hypot(*q)
        for p, q in zip(a.tolist(), b.tolist(), strict=True)
    ]
    assert swapper.identity_loss(a, b).item() == pytest.approx(1 - sum(cosines) / 3, abs=1e-10)
    assert swapper.identity_loss(a, 7 * a).item() == pytest.approx(0, abs=1e-12)
    assert swapper.identity_loss(a, -a).item() == pytest.approx(2, abs=1e-12)
    x, y = torch.randn(2, 3, 4, 4, dtype=torch.float64), torch.randn(2, 3, 4, 4, dtype=torch.float64)
    total = sum((p - q) ** 2 for p, q in zip(x.flatten().tolist(), y.flatten().tolist(), strict=True))
    assert swapper.change_loss(x, y).item() == pytest.approx(total / 2 / 48, abs=1e-10)
    assert torch.autograd.gradcheck(swapper.identity_loss, (a.requires_grad_(), b))


def test_adversarial_losses_by_loops() -> None:
    real, fake = torch.tensor([0.3, -2.0, 5.0]).double(), torch.tensor([1.5, -0.7]).double()
    sigmoid = lambda v: 1 / (1 + math.exp(-v))  # noqa: E731
    generator = sum(-math.log(sigmoid(v)) for v in fake.tolist()) / 2
    assert swapper.generator_loss(fake).item() == pytest.approx(generator, abs=1e-10)
    want = sum(-math.log(sigmoid(v)) for v in real.tolist()) / 3
    want += sum(-math.log(1 - sigmoid(v)) for v in fake.tolist()) / 2
    assert swapper.discriminator_loss(real, fake).item() == pytest.approx(want, abs=1e-10)
    assert swapper.generator_loss(torch.tensor([-1e4])).isfinite()


def test_r1_is_the_squared_norm_of_the_input_gradient() -> None:
    weight = torch.randn(3, 2, 2, dtype=torch.float64)
    real = torch.randn(4, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    logits = (real.square() * weight).sum((1, 2, 3))  # dD/dx = 2 w x
    want = (2 * weight * real).square().sum((1, 2, 3)).mean()
    torch.testing.assert_close(swapper.r1_penalty(logits, real), want, rtol=1e-12, atol=1e-12)
