"""Clips under the names that tools give them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from bench.data.ffpp import FaceForensics
from bench.data.lookup import find, holds
from bench.data.pairs import Pair
from bench.errors import UsageError
from bench.swappers import create
from tests.support.ffpp_trees import original

PAIR = Pair("000_001", "000", "001", "000", "001")


@pytest.mark.parametrize(
    "name",
    [
        "000_001.mp4",
        "000_001.MP4",
        "000_001.PNG",
        "000_001_0.jpg",
        "000_001_0.mp4",
        "frames/000_001/",
        "videos/000_001.avi",
        "images/000_001_0/",
    ],
)
def test_endings_capitals_and_folders(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.mkdir() if name.endswith("/") else path.touch()
    # What the system leaves beside files is none of them.
    (tmp_path / "._000_001.mp4").touch()
    assert find(tmp_path, "000_001") == path
    assert find(tmp_path, "001_000") is None


def test_a_folder_comes_before_a_video_and_a_video_before_a_picture(tmp_path: Path) -> None:
    for name in ("a.png", "a.mp4", "a_0.mp4"):
        (tmp_path / name).touch()
    assert find(tmp_path, "a") == tmp_path / "a.mp4"
    (tmp_path / "b.png").touch()
    assert find(tmp_path, "b", pictures=False) is None
    (tmp_path / "a").mkdir()
    assert find(tmp_path, "a") == tmp_path / "a"


def test_a_message_shows_what_is_there(tmp_path: Path) -> None:
    assert holds(tmp_path) == "it is empty"
    (tmp_path / "swap-000-001.mp4").touch()
    assert holds(tmp_path) == "it holds 1 files and folders: swap-000-001.mp4"


def test_originals_may_end_in_capitals_or_lie_in_frames(tree: Path) -> None:
    data = FaceForensics(tree)
    path = original(tree, "000")
    capitals = path.rename(path.with_suffix(".MP4"))
    assert data.path(data.original("000")) == capitals
    capitals.unlink()
    (frames := path.parents[1] / "frames" / "000").mkdir(parents=True)
    assert data.path(data.original("000")) == frames


def test_order_and_numbers_are_said_for_all_folders_or_for_one(tree: Path, tmp_path: Path) -> None:
    data = FaceForensics(tree)
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "001_000.mp4").touch()
    for model in (
        create(f"images:{tmp_path / 's'}", data, order="source_target", numbers="from-1"),
        create(f"images:{tmp_path / 's'}?order=source_target&numbers=from-1", data),
    ):
        assert model.run.path(PAIR) == tmp_path / "s" / "001_000.mp4"
        assert (model.info["order"], model.info["frame_numbers"]) == ("source_target", "from-1")
    assert create(f"images:{tmp_path / 's'}", data).run.path(PAIR) is None
    with pytest.raises(UsageError, match="Did you mean 'order'"):
        create(f"images:{tmp_path / 's'}?ordr=source_target", data)
    with pytest.raises(UsageError, match="target_source or source_target"):
        create(f"images:{tmp_path / 's'}?order=both", data)


def test_letters_apart_and_in_one_are_the_same_name(tmp_path: Path) -> None:
    apart, in_one = (unicodedata.normalize(form, "José_Zoë") for form in ("NFD", "NFC"))
    assert apart != in_one
    (tmp_path / f"{apart}.png").touch()
    assert find(tmp_path, in_one) == find(tmp_path, apart) == tmp_path / f"{apart}.png"
