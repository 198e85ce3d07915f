"""Spectrum, effective rank, alignment and uniformity against scikit-learn, scipy and the authors' own expressions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.decomposition import PCA

from metrics.embedders.space import alignment, effective_rank, potentials, spectrum, uniformity


@pytest.fixture
def rows() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(size=(60, 8)) * np.linspace(1, 3, 8) + 0.5


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_spectrum_is_that_of_principal_components(rows: np.ndarray) -> None:
    found = spectrum(rows)
    oracle = PCA().fit(unit(rows)).explained_variance_ * 59 / 60
    assert found == pytest.approx(oracle)
    assert found.sum() == pytest.approx(1 - np.sum(unit(rows).mean(0) ** 2))
    turned = rows @ np.linalg.qr(np.random.default_rng(1).normal(size=(8, 8)))[0]
    assert spectrum(3 * turned) == pytest.approx(found)
    with pytest.raises(ValueError, match="reading"):
        spectrum(np.where(np.arange(8) == 0, np.nan, rows))


def test_the_effective_rank_counts_directions() -> None:
    assert effective_rank([0.2] * 5 + [0.0] * 3) == pytest.approx(5)
    assert effective_rank([3.0, 0, 0]) == pytest.approx(1)
    values = np.random.default_rng(0).uniform(size=20)
    assert effective_rank(values) == pytest.approx(np.exp(stats.entropy(values)))
    assert effective_rank(values * 7) == pytest.approx(effective_rank(values))
    assert np.isnan(effective_rank([0.0, 0.0]))
    with pytest.raises(ValueError, match="eigenvalues"):
        effective_rank([1.0, -0.1])


def test_alignment_and_uniformity_are_the_authors(rows: np.ndarray) -> None:
    x = torch.from_numpy(unit(rows))
    y = x.flip(0)
    assert alignment(rows, rows[::-1]).mean() == pytest.approx((x - y).norm(p=2, dim=1).pow(2).mean().item())
    authors = torch.pdist(x, p=2).pow(2).mul(-2).exp().mean().log().item()
    assert uniformity(potentials(rows)) == pytest.approx(authors)
    assert uniformity(potentials(rows, 0.5)) == pytest.approx(
        torch.pdist(x).pow(2).mul(-0.5).exp().mean().log().item()
    )


def test_ends_of_uniformity() -> None:
    same = np.ones((5, 3))
    assert uniformity(potentials(same)) == pytest.approx(0)
    rng = np.random.default_rng(0)
    spread, bunched = rng.normal(size=(400, 64)), rng.normal(size=(400, 64)) + 2
    assert uniformity(potentials(spread)) < uniformity(potentials(bunched)) < 0
    with pytest.raises(ValueError, match="square"):
        uniformity(np.ones((1, 1)))
