"""Files and folders written whole or not at all, and locks that end with their process."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from smoothswap.plumbing import folders
from smoothswap.plumbing.files import prove, replacing, write_whole
from smoothswap.plumbing.folders import MARK, NewFolder, exchange
from smoothswap.plumbing.locks import alone


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_error_leaves_the_old_file_and_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write_whole(path, b"old")

    def half() -> None:
        with replacing(path) as part:
            assert part.suffix == ".html"
            part.write_bytes(b"half")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        half()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["page.html"]


def test_what_a_killed_process_left_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / ".x.json.part.json").write_bytes(b"half of something longer")
    write_whole(tmp_path / "x.json", b"new")
    assert (tmp_path / "x.json").read_bytes() == b"new"
    assert names(tmp_path) == ["x.json"]


def test_two_who_write_one_file_do_not_meet(tmp_path: Path) -> None:
    with replacing(tmp_path / "x") as one, replacing(tmp_path / "x") as other:
        assert one != other
        one.write_bytes(b"1")
        other.write_bytes(b"2")
    assert (tmp_path / "x").read_bytes() == b"1"
    assert names(tmp_path) == ["x"]


def test_a_device_or_a_folder_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(OSError, match="not a file"):
            write_whole(path, b"")
    with pytest.raises(OSError, match="not a file"):
        prove(tmp_path / "pipe")
    prove(tmp_path / "new" / "file")
    assert names(tmp_path) == ["new", "pipe"]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    folder = tmp_path / "place" / "run"
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "results.json").write_text("old")
    (folder / "mine.txt").write_text("mine")
    return folder


def write_new(new: NewFolder) -> None:
    assert new.path is not None
    (new.path / "model").mkdir()
    (new.path / "model" / "results.json").write_text("new")


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_folder_is_replaced_whole(old: Path, can_exchange: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not can_exchange:
        monkeypatch.setattr(folders, "exchange", lambda one, other: False)
    with NewFolder(old) as new:
        write_new(new)
        assert (old / "model" / "results.json").read_text() == "old"
        new.carry("mine.txt")
        kept = new.put("run.before")
    assert (old / "model" / "results.json").read_text() == "new"
    assert (old / "mine.txt").read_text() == "mine"
    assert kept == old.parent / "run.before"
    assert (kept / "model" / "results.json").read_text() == "old"
    assert names(old.parent) == ["run", "run.before"]


def test_a_folder_in_which_somebody_works_is_replaced_file_by_file(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(old)
    with NewFolder(old) as new:
        write_new(new)
        new.put("run.before", ["model"], ["results.json"])
    assert Path("model/results.json").read_text() == "new"
    assert Path("run.before/model/results.json").read_text() == "old"
    assert names(old) == ["mine.txt", "model", "run.before"]
    assert not (old / MARK).exists()


def test_what_a_kill_left_is_swept_and_what_it_moved_aside_comes_back(old: Path) -> None:
    left = old.with_name(".run.1234.part")
    left.mkdir()
    old.rename(old.with_name(".run.1234.old"))
    with NewFolder(old) as new:  # and is left without put
        assert new.path is not None
        assert new.path.is_dir()
    assert not left.exists()
    assert names(old.parent) == ["run"]
    assert (old / "model" / "results.json").read_text() == "old"


def test_a_folder_that_another_writes_is_not_swept(old: Path) -> None:
    with NewFolder(old) as one, NewFolder(old) as other:
        assert one.path is not None
        assert one.path.is_dir()
        assert one.path != other.path


def test_two_paths_change_places(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_text(name)
    assert exchange(tmp_path / "a", tmp_path / "b")
    assert [(tmp_path / name).read_text() for name in "ab"] == ["b", "a"]
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "a", tmp_path / "none")


def test_one_at_a_time(tmp_path: Path) -> None:
    inside, most, waited = [0], [0], [0]

    def work() -> None:
        with alone(tmp_path / "lock", lambda: waited.__setitem__(0, waited[0] + 1)):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.02)
            inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, names(tmp_path)) == ([1], [])
    assert waited[0] >= 1
