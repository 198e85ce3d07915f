"""Shapes in signatures are checked in the test run, here of metrics that are asked with the wrong ones."""

from __future__ import annotations

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from metrics.distances import l2, relative, unit
from metrics.statistics.intervals import standard_error


def test_a_wrong_shape_is_seen() -> None:
    rows = np.ones((3, 4))
    assert l2(rows, rows).shape == (3,)
    assert l2(rows.tolist(), rows).shape == (3,)  # lists are taken
    for call in (
        lambda: l2(rows, rows[0]),
        lambda: l2(rows, rows[:, :3]),
        lambda: relative(rows[:, 0], rows[:2, 0]),
        lambda: unit(rows[0]),
        lambda: unit(rows.astype(str)),
        lambda: standard_error(rows[0], rows[0, :2]),
    ):
        with pytest.raises(TypeCheckError):
            call()
