"""Another photo of the target's own person, and photographs in a folder a person."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import leaks
from bench.data import open_dataset, split_kind
from bench.data.ffpp import FaceForensics
from bench.data.other_photos import cycle_pairs, other_clip, self_pairs
from bench.data.pairs import DataOptions
from bench.data.photographs import Photographs
from bench.errors import DataError
from bench.ffpp.provenance import data as described
from tests.support.ffpp_trees import original

PHOTOS = ("Ann/Ann_0001.jpg", "Ann/Ann_0002.jpg", "Bo/1.png", "Bo/2.png", "Bo/3.png", "Cy/Cy_0001.jpg")
MORE = ("Di/a.jpg", "Di/b.jpg", "Ed/a.jpg", "Ed/b.jpg", "Flo/a.jpg", "Flo/b.jpg")


def folder(root: Path, photos: tuple[str, ...] = PHOTOS) -> Path:
    """Empty files: nothing is opened before it is asked for."""
    for photo in photos:
        (root / photo).parent.mkdir(parents=True, exist_ok=True)
        (root / photo).touch()
    return root


def test_photographs_are_clips_of_their_person(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kind, root = split_kind(f"people:{folder(tmp_path)}")
    data = open_dataset(kind, root, DataOptions())
    said = capsys.readouterr().err
    assert "1 of 3 people are left out" in said
    assert "Cy" in said
    pairs = data.pairs("test")
    assert [pair.id for pair in pairs] == ["Ann_0001_Bo_1", "Bo_1_Ann_0001"]
    assert [pair.cluster for pair in pairs] == ["Ann+Bo", "Ann+Bo"]
    assert data.pairs("test", 1) == pairs[:1]
    assert data.path(data.original("Bo_1")) == root / "Bo" / "1.png"
    assert data.path(data.original("Bo_9")) is None
    assert data.others("Bo_2") == ["Bo_1", "Bo_3"]  # type: ignore[attr-defined]
    stored = described(kind, data, pairs)
    assert (stored["kind"], stored["people"], stored["left_out"]) == ("people", 3, 1)
    assert data.only_pictures(pairs)  # type: ignore[attr-defined]
    assert leaks.people_of(data, pairs) == ["name:Ann", "name:Bo"]
    with pytest.raises(DataError, match="no split 'train'"):
        data.pairs("train")


def test_of_an_odd_number_of_people_the_last_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = Photographs(folder(tmp_path, PHOTOS + MORE))
    assert data.left_out == ["Cy", "Flo"]
    assert "2 of 6 people are left out" in capsys.readouterr().err
    assert [pair.target_person for pair in data.pairs("test")] == ["Ann", "Bo", "Di", "Ed"]


def test_photographs_that_cannot_be_told_apart_or_paired_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"1 of 2 people have two photos or more; .* DIR/Name/photo.jpg"):
        Photographs(folder(tmp_path / "few", ("Ann/1.jpg", "Ann/2.jpg", "Bo/1.jpg")))
    with pytest.raises(DataError, match=r"both called 'A_b_1': rename"):
        Photographs(folder(tmp_path / "twice", ("A/A_b_1.jpg", "A/2.jpg", "A_b/1.jpg", "A_b/2.jpg")))


def test_the_other_photo_is_the_next_one_going_round(tmp_path: Path) -> None:
    data = Photographs(folder(tmp_path))
    assert [other_clip(data, f"Bo_{i}") for i in (1, 2, 3)] == ["Bo_2", "Bo_3", "Bo_1"]
    pairs = data.pairs("test")
    own = self_pairs(data, pairs)
    assert [(pair.id, pair.target_person, pair.source_person) for pair in own] == [
        ("Ann_0001_Ann_0002", "Ann", "Ann"),
        ("Bo_1_Bo_2", "Bo", "Bo"),
    ]
    assert [pair.cluster for pair in own] == ["Ann+Ann", "Bo+Bo"]
    cycles = cycle_pairs(data, pairs)
    assert [(pair.id, pair.again) for pair in cycles] == [
        ("Ann_0001_Bo_1", "Ann_0002"),
        ("Bo_1_Ann_0001", "Bo_2"),
    ]
    assert cycles[0].clips == ["Ann_0001", "Bo_1", "Ann_0002"]


def test_without_another_clip_it_is_the_targets_own(tree: Path) -> None:
    data = FaceForensics(tree)
    pairs = data.pairs("test")
    assert [pair.id for pair in self_pairs(data, pairs)] == ["000_000", "001_001", "002_002", "003_003"]
    assert cycle_pairs(data, pairs)[0].clips == ["000", "001"]


def test_people_who_appear_twice_have_another_clip(tree: Path) -> None:
    data = FaceForensics(tree, DataOptions(identity_map={"002": "000", "003": "000"}))
    assert data.others("000") == ["002", "003"]
    assert [other_clip(data, clip) for clip in ("000", "001", "002", "003")] == ["002", "001", "003", "000"]


def test_an_actor_has_the_clips_of_other_scenes(tmp_path: Path) -> None:
    for clip in ("01__walking", "01__talking", "02__walking"):
        path = Path(str(original(tmp_path, clip)).replace("youtube", "actors"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    data = FaceForensics(tmp_path, DataOptions(sequences="actors"))
    assert data.others("01__walking") == ["01__talking"]
    assert other_clip(data, "02__walking") == "02__walking"
