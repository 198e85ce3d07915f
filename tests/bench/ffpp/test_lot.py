"""The frames that are drawn by lot: the same ones for every model, whatever became of them."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import cv2
import numpy as np

from bench.data.pairs import Pair
from bench.ffpp.cases import Case
from bench.ffpp.frame import Frame
from bench.ffpp.ledger import Row
from bench.ffpp.lot import draw, pictures


def frames(model: str, people: int = 6, numbers: tuple[int, ...] = (0, 9)) -> list[Frame]:
    rows = []
    for i in range(people):
        target, source = f"{i:03d}", f"{i ^ 1:03d}"
        pair = Pair(f"{target}_{source}", target, source, target, source)
        for place, number in enumerate(numbers):
            row = Row(model, model, "c23", pair.id, target, source, pair.cluster, place, number, 0, "ok")
            rows.append(Frame(row, pair, posed=True))
    return rows


def test_it_is_the_order_of_a_hash_one_of_each_pair_of_people_first() -> None:
    rows = frames("a")
    keys = {(f.row.clip, f.row.frame): f.pair.cluster for f in rows}
    order = sorted(keys, key=lambda key: hashlib.sha256(f"7 {key[0]} {key[1]}".encode()).hexdigest())
    lot = draw({"a": rows}, seed=7)
    assert {keys[key] for key in lot.frames[:3]} == set(keys.values())
    assert lot.frames[0] == order[0]
    assert lot.frames[3] == next(key for key in order if key not in lot.frames[:3])
    assert "with seed 7" in lot.rule
    assert "from the 12 frames" in lot.rule
    assert draw({"a": rows}, seed=8).frames != lot.frames


def test_what_models_make_of_a_frame_and_how_many_there_are_plays_no_part() -> None:
    a, b = frames("a"), frames("b")
    lot = draw({"a": a, "b": b}, seed=0)
    failed = [replace(frame, row=replace(frame.row, status="no_face", reason="none")) for frame in b]
    assert draw({"a": a, "b": failed}, seed=0).frames == lot.frames
    absent = [replace(frame, posed=False) for frame in failed]
    assert draw({"a": a, "b": absent}, seed=0).frames == lot.frames
    assert draw({"b": absent, "a": a, "c": a}, seed=0).frames == lot.frames
    # A frame in which nobody had anything to swap is not drawn.
    without = [replace(f, posed=(f.row.clip, f.row.frame) != lot.frames[0]) for f in a]
    assert lot.frames[0] not in draw({"a": without}, seed=0).frames


def test_frames_that_some_row_was_not_asked_for_are_drawn_only_where_none_is_shared() -> None:
    a, b = frames("a", numbers=(0, 9)), frames("b", numbers=(0, 4))
    assert {number for _, number in draw({"a": a, "b": b}, seed=0).frames} == {0}
    apart = draw({"a": a, "b": frames("b", numbers=(1, 4))}, seed=0)
    assert len(apart.frames) == 4
    assert "from the 24 frames" in apart.rule
    assert draw({"a": [replace(f, posed=False) for f in a]}, seed=0).frames == ()


def test_the_pictures_are_those_of_the_lot_with_the_swap_left_out_where_there_is_none() -> None:
    def coded(level: int) -> bytes:
        return cv2.imencode(".png", np.full((4, 4, 3), level, np.uint8))[1].tobytes()

    rows = frames("a")
    lot = draw({"a": rows}, seed=0)
    kept = [
        replace(
            f,
            case=Case(
                coded(1), coded(2), None if (f.row.clip, f.row.frame) == lot.frames[0] else coded(3), None
            ),
        )
        for f in rows
        if (f.row.clip, f.row.frame) != lot.frames[1]
    ]
    shown = pictures("a", kept, lot)
    assert [(one.clip, one.frame) for one in shown] == [lot.frames[0], *lot.frames[2:]]
    assert [one.swap is None for one in shown] == [True, False, False]
    assert {(one.scope, one.case, one.metric_text) for one in shown} == {("lot", "random", lot.rule)}
    assert int(shown[1].source[0, 0, 0]) == 1
