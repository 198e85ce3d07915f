"""Which third person stands in for the source, by the rule that the row states."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

from bench.data.clips import ClipError, read_first
from bench.data.ffpp import FaceForensics
from bench.data.pairs import DataOptions, Pair
from bench.ffpp.strangers import Strangers, third_people
from bench.reading.reader import Reading
from smoothswap.faces.face import Face
from tests.support.ffpp_trees import clip_frames, face_frame, faceless, original, video

FACE = Face((0, 0, 9, 9), np.zeros((68, 2), np.float32), 1.0)


class Readers:
    """In place of a detector: a face wherever the picture is not one plain colour."""

    workers = 1

    def __init__(self) -> None:
        self.read = 0

    def first(self, path: Path) -> Future[tuple[np.ndarray, Reading]]:
        done: Future[tuple[np.ndarray, Reading]] = Future()
        self.read += 1
        frame = read_first(path)
        done.set_result((frame, Reading(1, FACE, "ok") if frame.std() > 5 else Reading(0, None, "no_face")))
        return done


def strangers(tree: Path, **people: str) -> tuple[Strangers, dict[str, Pair]]:
    data = FaceForensics(tree, DataOptions(identity_map=people))
    pairs = data.pairs("test")
    return Strangers(data, pairs, Readers()), {pair.id: pair for pair in pairs}  # type: ignore[arg-type]


def shown(found: tuple[np.ndarray, Face] | None) -> str | None:
    """Whose first frame it is."""
    return next(
        (c for c in ("000", "001", "002", "003") if found and np.array_equal(found[0], face_frame(c))), None
    )


def test_it_is_the_next_clip_of_another_person_going_round(tree: Path) -> None:
    rule, pairs = strangers(tree)
    assert [*rule.candidates(pairs["000_001"])] == ["002", "003"]
    assert [*rule.candidates(pairs["003_002"])] == ["000", "001"]
    assert [shown(rule.find(pair)) for pair in pairs.values()] == ["002", "002", "000", "000"]


def test_the_same_person_in_another_clip_is_no_stranger(tree: Path) -> None:
    rule, pairs = strangers(tree, **{"002": "000"})
    assert [*rule.candidates(pairs["000_001"])] == ["003"]
    assert third_people(rule.dataset, rule.pairs)
    assert not third_people(rule.dataset, [pairs["000_001"], pairs["001_000"]])


def test_a_clip_without_a_face_or_that_cannot_be_read_is_passed_over(tree: Path) -> None:
    rule, pairs = strangers(tree)
    original(tree, "002").unlink()
    assert shown(rule.find(pairs["000_001"])) == "003"
    video(original(tree, "003"), faceless())
    rule, pairs = strangers(tree)
    assert rule.find(pairs["000_001"]) is None


def test_a_frame_is_read_once_and_only_a_few_are_kept(tree: Path) -> None:
    rule, pairs = strangers(tree)
    for pair in (pairs["000_001"], pairs["001_000"]):
        rule.begin(pair)
        rule.find(pair)
    assert rule.readers.read == 1  # type: ignore[attr-defined]
    assert len(rule._seen) == 1


def test_the_first_frame_of_a_clip_is_read_alone(tree: Path, tmp_path: Path) -> None:
    clip = original(tree, "000")
    assert np.array_equal(read_first(clip), clip_frames("000")[0])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ClipError, match="holds no images"):
        read_first(tmp_path / "empty")
