"""The linear probe against lstsq, against what it must find and must not find, and against leaks between people."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from metrics.distances import unit
from metrics.embedders.probe import STRENGTHS, explained, linear_probe
from metrics.statistics.replicates import deal

Floats = NDArray[np.float64]


def cloud(
    people: int = 60, photos: int = 4, d: int = 12, m: int = 9, noise: float = 0.3
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """z and y of photos, both around a person's own point, y a linear map of z and noise."""
    rng = np.random.default_rng(3)
    who = np.repeat(np.arange(people), photos)
    z = rng.normal(size=(people, d))[who] + 0.3 * rng.normal(size=(len(who), d))
    y = unit(z) @ rng.normal(size=(d, m)) + noise * rng.normal(size=(len(who), m))
    return z, y, who


def share(predicted: Floats, y: Floats) -> float:
    error, spread = explained(predicted, y)
    return float(1 - error.sum() / spread.sum())


def by_lstsq(x: Floats, y: Floats, new: Floats, strength: float) -> Floats:
    """Ridge as least squares with rows added: sqrt(penalty) I against 0, and a constant that is not punished."""
    centre = x.mean(axis=0)
    d, penalty = x.shape[1], strength * np.sum((x - centre) ** 2) / x.shape[1]
    rows = np.block([[x - centre, np.ones((len(x), 1))], [np.sqrt(penalty) * np.eye(d), np.zeros((d, 1))]])
    slope = np.linalg.lstsq(rows, np.vstack([y, np.zeros((d, y.shape[1]))]), rcond=None)[0]
    return np.asarray(np.hstack([new - centre, np.ones((len(new), 1))]) @ slope)


def test_it_is_ridge_regression_with_the_strength_that_errs_least_on_other_people() -> None:
    z, y, who = cloud()
    found = linear_probe(z, y, who, folds=3, seed=5)
    x, t = unit(z), unit(y)
    fold = deal(60, 3, 5)[who]
    for k in range(3):
        inner = [j for j in range(3) if j != k]
        errors = []
        for strength in STRENGTHS:
            errors.append(0.0)
            for held in inner:
                fit = np.isin(fold, inner) & (fold != held)
                errors[-1] += np.sum(
                    (by_lstsq(x[fit], t[fit], x[fold == held], strength) - t[fold == held]) ** 2
                )
        best = STRENGTHS[int(np.argmin(errors))]
        np.testing.assert_allclose(
            found[fold == k], by_lstsq(x[fold != k], t[fold != k], x[fold == k], best), atol=1e-9
        )


def test_it_finds_a_linear_map_and_nothing_in_noise() -> None:
    z, y, who = cloud(people=200, noise=0.0)
    assert share(linear_probe(z, y, who), y) > 0.9  # y's length is not linear in z
    rng = np.random.default_rng(0)
    assert abs(share(linear_probe(rng.normal(size=z.shape), y, who), y)) < 0.05


def test_knowing_the_people_by_heart_does_not_help() -> None:
    _, y, who = cloud(d=64, people=40)
    names = np.eye(40)[who] + 0.01 * np.random.default_rng(1).normal(
        size=(len(who), 40)
    )  # whose photo, and no more
    fitted = by_lstsq(unit(names), unit(y), unit(names), 1e-3)
    assert share(fitted, y) > 0.6  # on the people it was fitted on
    assert share(linear_probe(names, y, who), y) < 0.05


def test_less_noise_more_explained() -> None:
    shares = [
        share(linear_probe(z, y, who), y) for z, y, who in (cloud(noise=s) for s in (0.0, 0.5, 1.0, 3.0))
    ]
    assert shares == sorted(shares, reverse=True)


def test_order_scale_rotation_and_names_change_nothing() -> None:
    z, y, who = cloud()
    rng = np.random.default_rng(9)
    before = linear_probe(z, y, who)
    mixed = rng.permutation(len(z))
    np.testing.assert_allclose(linear_probe(z[mixed], y[mixed], who[mixed]), before[mixed], atol=1e-9)
    turn = np.linalg.qr(rng.normal(size=(z.shape[1],) * 2))[0]
    np.testing.assert_allclose(
        linear_probe(7 * z @ turn, y * rng.uniform(1, 2, (len(y), 1)), 10 * who + 3), before, atol=1e-9
    )
    turn = np.linalg.qr(rng.normal(size=(y.shape[1],) * 2))[0]
    np.testing.assert_allclose(linear_probe(z, y @ turn, who), before @ turn, atol=1e-9)


def test_a_coordinate_that_never_changes_does_no_harm() -> None:
    z, y, who = cloud()
    assert np.isfinite(linear_probe(np.hstack([unit(z), np.zeros((len(z), 3))]), y, who)).all()
    assert share(linear_probe(np.ones_like(z), y, who), y) == pytest.approx(0, abs=0.05)


def test_bad_input_is_refused() -> None:
    z, y, who = cloud()
    with pytest.raises(ValueError, match="9 people are too few for a probe of 5 folds"):
        linear_probe(z[:36], y[:36], who[:36])
    z[3, 2] = np.nan
    with pytest.raises(ValueError, match="leave out photos without a reading"):
        linear_probe(z, y, who)
