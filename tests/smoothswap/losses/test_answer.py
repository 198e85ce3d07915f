"""The losses of known answers against explicit loops in float64, and their gradients against finite differences."""

from __future__ import annotations

import math

import pytest
import torch

from smoothswap.losses.answer import COARSE, answer_loss, perceptual_loss


def test_the_answer_loss_by_loops() -> None:
    x, y = (torch.randn(2, 3, 8, 8, dtype=torch.float64) for _ in range(2))
    apart = (x - y).tolist()
    pixels, coarse, across, down = [], [], [], []
    for channel in (c for picture in apart for c in picture):
        for i in range(8):
            for j in range(8):
                pixels.append(abs(channel[i][j]))
                across += [abs(channel[i][j] - channel[i][j - 1])] if j else []
                down += [abs(channel[i][j] - channel[i - 1][j])] if i else []
        for i in range(0, 8, COARSE):
            for j in range(0, 8, COARSE):
                square = [channel[i + a][j + b] for a in range(COARSE) for b in range(COARSE)]
                coarse.append(abs(sum(square) / len(square)))
    mean = lambda values: sum(values) / len(values)  # noqa: E731
    want = mean(pixels) + mean(coarse) / 2 + (mean(across) + mean(down)) / 2
    assert answer_loss(x, y).item() == pytest.approx(want, abs=1e-12)
    assert answer_loss(x, x).item() == 0
    assert torch.autograd.gradcheck(answer_loss, (x.requires_grad_(), y))


def test_the_perceptual_loss_is_of_angles_place_by_place() -> None:
    a, b = (torch.randn(2, 5, 3, 3, dtype=torch.float64) for _ in range(2))
    places = [(n, i, j) for n in range(2) for i in range(3) for j in range(3)]
    total = 0.0
    for n, i, j in places:
        p, q = a[n, :, i, j].tolist(), b[n, :, i, j].tolist()
        cosine = sum(x * y for x, y in zip(p, q, strict=True)) / math.hypot(*p) / math.hypot(*q)
        total += 2 - 2 * cosine
    assert perceptual_loss([a], [b]).item() == pytest.approx(total / len(places), abs=1e-12)
    assert perceptual_loss([a, a], [b, 3 * a]).item() == pytest.approx(total / len(places) / 2, abs=1e-12)
