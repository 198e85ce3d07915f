"""Who is followed over a clip: made-up faces whose vectors are known, so that every decision can be worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from bench.reading.same import THRESHOLD, follow
from metrics.distances import unit
from smoothswap.faces.choose import choose
from smoothswap.faces.face import Face
from smoothswap.pixels import Image

FRAME = np.zeros((8, 8, 3), np.uint8)
ANNA, BEN = np.eye(4, dtype=np.float32)[:2]


def face(x: float, side: float = 50.0) -> Face:
    return Face((x, 0.0, x + side, side), np.zeros((68, 2), np.float32), 1.0)


def scene(*frames: Sequence[tuple[Face, np.ndarray | None]]) -> tuple[list[Face | None], list[str]]:
    """What is followed in frames of (face, who it is)."""
    who = {id(one): vector for frame in frames for one, vector in frame}
    found = [[one for one, _ in frame] for frame in frames]

    def read(faces: Sequence[tuple[Image, Face]]) -> list[np.ndarray | None]:
        return [who[id(one)] for _, one in faces]

    return follow([FRAME] * len(frames), found, choose(found), read)


def test_another_person_in_the_same_place_is_not_followed() -> None:
    a, b, c = face(0, 60), face(2), face(4)
    chosen, reasons = scene([(a, ANNA)], [(b, BEN)], [(c, ANNA)])
    assert chosen == [a, None, c]
    assert reasons == ["", "another person: the likest cosine to the tracked face is 0.00, under 0.3", ""]


def test_the_person_is_found_again_elsewhere_after_a_cut() -> None:
    """By overlap alone Ben is taken in the second frame and nobody in the third."""
    a, ben, moved, far = face(0, 60), face(3), face(200), face(400)
    frames = ([(a, ANNA)], [(ben, BEN), (moved, ANNA)], [(far, ANNA)])
    assert choose([[one for one, _ in frame] for frame in frames]) == [a, ben, None]
    chosen, reasons = scene(*frames)
    assert chosen == [a, moved, far]
    assert reasons == ["", "", ""]


def test_a_face_is_compared_with_all_that_were_taken_before() -> None:
    """A turn away in small steps: the last face is like the one before it, not like the first."""
    angles = np.deg2rad([0, 60, 120])  # cosine 0.5 from one to the next, -0.5 from the first to the last
    vectors = [np.array([np.cos(t), np.sin(t), 0, 0], np.float32) for t in angles]
    faces = [face(0, 60), face(1), face(2)]
    assert THRESHOLD < 0.5
    chosen, _ = scene(*([(one, v)] for one, v in zip(faces, vectors, strict=True)))
    assert chosen == faces


def test_it_starts_at_the_largest_face_and_walks_both_ways() -> None:
    before, start, after = face(1), face(0, 90), face(2)
    chosen, _ = scene([(before, BEN)], [(start, ANNA)], [(after, ANNA)])
    assert chosen == [None, start, after]


def test_nothing_to_compare() -> None:
    a, b = face(0, 60), face(1)
    assert scene([]) == ([None], [""])
    assert scene([(a, ANNA)])[0] == [a]
    assert scene([(a, None)], [(b, BEN)])[0] == [a, b]  # the first face cannot be read: overlap alone decides
    assert scene([(a, ANNA)], [(b, None)])[0] == [a, None]
    assert np.linalg.norm(unit(np.array([[3, 4]], np.float32))) == pytest.approx(1)
