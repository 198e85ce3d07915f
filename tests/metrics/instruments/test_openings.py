"""The instrument of openings: points placed by hand, and landmarks that are none."""

from __future__ import annotations

import numpy as np
import pytest

from metrics.instruments import InstrumentError, registry


def face(mouth: float, left: float, right: float) -> np.ndarray:
    """68 points: lips and lids open by these shares of their width, which is 20 and 10 pixels."""
    points = np.random.default_rng(1).uniform(0, 100, (68, 2))
    across = np.linspace(0, 20, 5)
    gap = 20 * mouth
    points[60:65] = np.column_stack([across, [0, gap / 2, gap / 2, gap / 2, 0]])
    points[65:68] = np.column_stack([across[[3, 2, 1]], [-gap / 2] * 3])
    for start, share in ((36, left), (42, right)):
        lid = 10 * share / 2
        points[start : start + 6] = [[0, 0], [3, lid], [7, lid], [10, 0], [7, -lid], [3, -lid]]
    return points.astype(np.float32)


def test_openings_are_gaps_over_widths() -> None:
    instrument = registry.create("openings", single=True)
    landmarks = np.stack([face(0.5, 0.3, 0.1), face(0, 0, 0), np.full((68, 2), np.nan)])
    read = instrument.read(np.zeros((3, 8, 8, 3), np.uint8), landmarks.astype(np.float32))
    np.testing.assert_allclose(read["mouth"][:, 0], [0.5, 0, np.nan], atol=1e-6)
    np.testing.assert_allclose(read["eyes"][:, 0], [0.2, 0, np.nan], atol=1e-6)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    again = instrument.read(
        np.zeros((1, 8, 8, 3), np.uint8), (landmarks[:1] @ turn * 3 + 50).astype(np.float32)
    )
    np.testing.assert_allclose(again["mouth"], [[0.5]], atol=1e-5)
    assert instrument.reads == tuple(read)
    with pytest.raises(InstrumentError, match="openings: landmarks are"):
        instrument.read(np.zeros((1, 8, 8, 3), np.uint8), np.zeros((1, 5, 2), np.float32))
