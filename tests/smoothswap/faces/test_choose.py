"""Which of several faces counts, in a frame and over a clip."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smoothswap.faces.choose import RULES, choose, iou
from smoothswap.faces.face import Face


def face_at(x: float, side: float) -> Face:
    return Face((x, 0.0, x + side, side), np.zeros((68, 2), np.float32), 1.0)


def test_the_tracked_face_stays_the_same_person() -> None:
    """A passer-by is larger in two frames, but never the largest of the clip."""
    person = [face_at(100 + 5 * i, 80 + i) for i in range(6)]
    passer_by = {2: face_at(300, 83), 3: face_at(310, 84)}
    frames = [[passer_by[i], one] if i in passer_by else [one] for i, one in enumerate(person)]
    assert choose(frames) == person
    assert choose(frames, "largest") == [*person[:2], passer_by[2], passer_by[3], *person[4:]]


def test_tracking_walks_both_ways_and_over_gaps() -> None:
    a, b, c = face_at(100, 60), face_at(120, 90), face_at(140, 70)
    stranger = face_at(400, 50)
    frames = [[a, stranger], [], [b], [stranger], [stranger, c]]
    assert choose(frames) == [a, None, b, None, c]


def test_no_faces_and_unknown_rules() -> None:
    for rule in RULES:
        assert choose([[], [], []], rule) == [None, None, None]
        assert choose([], rule) == []
    with pytest.raises(
        ValueError, match="unknown rule 'biggest' for several faces; there are largest_tracked"
    ):
        choose([[]], "biggest")


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 300), st.integers(10, 99)), max_size=4), max_size=8))
def test_choices_come_from_their_frames(boxes: list[list[tuple[int, int]]]) -> None:
    frames = [[face_at(x, side) for x, side in frame] for frame in boxes]
    tracked, largest = choose(frames), choose(frames, "largest")
    for faces, one, big in zip(frames, tracked, largest, strict=True):
        assert one is None or one in faces
        assert (big is None) == (not faces)
        assert big is None or big.area == max(face.area for face in faces)
    everyone = [face for faces in frames for face in faces]
    if everyone:
        assert max(face.area for face in everyone) in [one.area for one in tracked if one is not None]


@settings(deadline=None)
@given(st.lists(st.integers(0, 12), min_size=8, max_size=8))
def test_iou_counts_cells(edges: list[int]) -> None:
    """Boxes with whole edges: areas are counted cell by cell."""
    ax, bx = sorted(edges[0:2]), sorted(edges[2:4])
    ay, by = sorted(edges[4:6]), sorted(edges[6:8])
    cells = np.zeros((2, 12, 12), bool)
    cells[0, ay[0] : ay[1], ax[0] : ax[1]] = True
    cells[1, by[0] : by[1], bx[0] : bx[1]] = True
    union = cells.any(0).sum()
    expected = cells.all(0).sum() / union if union else 0.0
    assert iou((ax[0], ay[0], ax[1], ay[1]), (bx[0], by[0], bx[1], by[1])) == pytest.approx(expected)
