"""Distances against scipy, and at the points where naive formulas fail."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import distance as oracle

from metrics.distances import cosine_distance, cosine_similarity, l2, relative, unit


def rows(seed: int, n: int = 40, d: int = 9) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


def test_distances_agree_with_scipy_row_by_row() -> None:
    a, b = rows(0), rows(1)
    np.testing.assert_allclose(l2(a, b), [oracle.euclidean(x, y) for x, y in zip(a, b, strict=True)])
    cosine = [oracle.cosine(x, y) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(cosine_distance(a, b), cosine, atol=1e-14)
    np.testing.assert_allclose(cosine_similarity(a, b), 1 - np.array(cosine), atol=1e-14)


def test_l2_is_a_distance_not_a_root_mean_square() -> None:
    assert l2([[0, 0, 0, 0]], [[1, 1, 1, 1]]).tolist() == [2.0]


def test_distance_to_itself_is_exactly_zero_in_float32_too() -> None:
    a = rows(2).astype(np.float32)
    assert not cosine_distance(a, a).any()
    assert not l2(a, a).any()


@pytest.mark.parametrize("scale", [1e-200, 1e-30, 1e30, 1e200])
def test_unit_neither_overflows_nor_underflows(scale: float) -> None:
    np.testing.assert_allclose(unit(rows(3) * scale), unit(rows(3)), atol=1e-14)


@pytest.mark.parametrize("bad", [[0.0, 0.0, 0.0], [np.nan, 1.0, 1.0], [np.inf, 1.0, 1.0]])
def test_a_row_without_direction_is_no_reading(bad: list[float]) -> None:
    other = [[1.0, 2.0, 3.0]]
    assert np.isnan(cosine_similarity([bad], other)).all()
    assert np.isnan(cosine_distance(other, [bad])).all()


def test_relative_at_its_ends_and_middle() -> None:
    got = relative([0.0, 2.0, 1.0, 0.0, np.nan, 1.0], [3.0, 2.0, 0.0, 0.0, 1.0, np.nan])
    np.testing.assert_array_equal(got, [0.0, 0.5, 1.0, np.nan, np.nan, np.nan])


def test_empty_input_gives_empty_output() -> None:
    empty = np.empty((0, 4))
    assert cosine_distance(empty, empty).shape == l2(empty, empty).shape == (0,)
