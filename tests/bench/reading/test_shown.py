"""How large and how bright a face is, on pictures whose faces are known."""

from __future__ import annotations

import numpy as np
import pytest

from bench.reading.shown import shown
from smoothswap.faces.face import Face


def face(points: list[tuple[float, float]]) -> Face:
    return Face((10.0, 20.0, 50.0, 80.0), np.array(points, np.float32), 1.0)


def test_brightness_is_that_of_the_face_alone() -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[20:81, 10:51] = (200, 100, 50)
    square = face([(10, 20), (50, 20), (50, 80), (10, 80), (30, 50)])
    found = shown(picture, square)
    assert found.size == 60.0
    assert found.brightness == pytest.approx(0.299 * 200 + 0.587 * 100 + 0.114 * 50, abs=0.5)
    picture[30:40, 60:] = 255
    assert shown(picture, square) == found


def test_what_lies_beyond_the_frame_is_left_out() -> None:
    picture = np.full((100, 100, 3), 80, np.uint8)
    assert shown(picture, face([(-30, -30), (40, -30), (40, 40), (-30, 40)])).brightness == 80.0
    assert np.isnan(shown(picture, face([(200, 200), (240, 200), (220, 240)])).brightness)
