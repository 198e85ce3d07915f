"""Which photos a source should hold: VGGFace2's and LFW's layouts, and lists of people."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoothswap.data.sources import list_photos, read_people
from smoothswap.errors import DataError


def touch(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x" * 3)
    return root


@pytest.fixture
def vggface2(tmp_path: Path) -> Path:
    return touch(
        tmp_path / "v",
        "train/n000002/0001_01.jpg",
        "train/n000002/0002_01.jpg",
        "test/n000001/0001_01.jpg",
        "train/n000004/0001_02.jpg",
        "train/list.txt",
        "bb_landmark/loose.csv",
    )


def test_vggface2_holds_out_the_people_of_test(vggface2: Path) -> None:
    everyone = list_photos("vggface2", vggface2)
    assert [(photo.person, photo.path) for photo in everyone.photos] == [
        ("n000001", "test/n000001/0001_01.jpg"),
        ("n000002", "train/n000002/0001_01.jpg"),
        ("n000002", "train/n000002/0002_01.jpg"),
        ("n000004", "train/n000004/0001_02.jpg"),
    ]
    assert (everyone.validation, len(everyone.passed_over)) == ({"n000001"}, 1)
    for split, people in (("train", {"n000002", "n000004"}), ("test", {"n000001"})):
        part = list_photos("vggface2", vggface2, split)
        assert {photo.person for photo in part.photos} == people
        assert part.validation is None
    assert len(list_photos("vggface2", vggface2 / "train").photos) == 3
    (vggface2 / "test" / "n000001" / "0001_01.jpg").unlink()
    (vggface2 / "test" / "n000001").rmdir()
    (vggface2 / "test").rmdir()
    with pytest.raises(DataError, match="no folder 'test'"):
        list_photos("vggface2", vggface2, "test")


def test_a_list_says_which_lfw_photos_are_expected(tmp_path: Path) -> None:
    root = touch(tmp_path / "lfw", "A_B/A_B_0001.jpg", "A_B/A_B_0003.jpg", "C/C_0001.jpg")
    listed = tmp_path / "people.txt"
    listed.write_text("2\nA_B\t2\nD\t1\n")
    photos = list_photos("lfw", root, people=listed).photos
    assert [(photo.path, photo.bytes) for photo in photos] == [
        ("A_B/A_B_0001.jpg", 3),
        ("A_B/A_B_0002.jpg", -1),
        ("A_B/A_B_0003.jpg", 3),
        ("D/D_0001.jpg", -1),
    ]
    with pytest.raises(DataError, match=r"1 of the 2 people on the list have no photos in .*'D'"):
        list_photos("folder", root, people=listed)
    listed.write_text("C\n")
    assert [photo.path for photo in list_photos("folder", root, people=listed).photos] == ["C/C_0001.jpg"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3\nA\t1\nB\t2\n", "announces 3 people and names 2"),
        ("", "names 0"),
        ("A\t1\nA\t2\n", "names 'A' twice"),
        ("../../etc\t1\n", "is not Name<TAB>photos"),
        ("..\t1\n", "is not Name<TAB>photos"),
        ("A\tmany\n", "is not Name<TAB>photos"),
        ("\xff\xfe", "must be UTF-8"),
    ],
)
def test_broken_lists_are_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "people.txt"
    path.write_bytes(text.encode("latin1"))
    with pytest.raises(DataError, match=message):
        read_people(path)


def test_ffhq_numbers_may_not_come_twice(tmp_path: Path) -> None:
    root = touch(tmp_path / "f", "00000/00001.png", "00001.png")
    with pytest.raises(DataError, match="holds a number twice"):
        list_photos("ffhq", root)
