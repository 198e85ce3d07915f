"""python -m bench.make_ffpp: folders of photos to a tree that bench.ffpp reads; bad photos are named."""

from __future__ import annotations

import json
import struct
import tarfile
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.data.ffpp import FaceForensics
from bench.data.pairs import require
from bench.make_ffpp import fit, main
from smoothswap.media.video import read_frames


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Five people with three photos each; the photos of person i are of level 40 i + 10 j."""
    root = tmp_path / "people"
    for i, name in enumerate(("Ada", "Bo", "Cy", "Di", "Ed")):
        (root / name).mkdir(parents=True)
        for j in range(3):
            cv2.imwrite(str(root / name / f"{name}_{j}.png"), np.full((50, 41), 40 * i + 10 * j, np.uint8))
    return root


def make(people: Path, out: Path, *options: str) -> int:
    return main(["--from", str(people), "--out", str(out), "--min-photos", "3", *options])


def test_the_tree_is_one_that_ffpp_reads(people: Path, tmp_path: Path) -> None:
    assert make(people, tmp_path / "out") == 0
    data = FaceForensics(tmp_path / "out")
    pairs = data.pairs("test")
    assert len(pairs) == 4  # five people: one stays without a pair
    require(data, [data.original(clip) for pair in pairs for clip in (pair.target, pair.source)])
    written = json.loads((tmp_path / "out" / "identities.json").read_text())["people"]
    assert {clip: person["name"] for clip, person in written.items()} == {
        "000": "Ada",
        "001": "Bo",
        "002": "Cy",
        "003": "Di",
        "004": "Ed",
    }
    path = data.path(data.original("002"))
    assert path is not None
    frames = read_frames(path)
    assert frames.count == 3
    assert frames.frames[0].shape == (50, 50, 3)
    for j, frame in enumerate(frames.frames):  # photo j of Cy is grey level 80 + 10 j
        assert np.abs(frame[10:40, 12:38].astype(int) - (80 + 10 * j)).max() <= 3
        assert frame[:, :2].max() <= 16  # padded with black


def test_the_seed_draws_people_and_pairs(people: Path, tmp_path: Path) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2"), ("d", "3"), ("e", "4")):
        assert make(people, tmp_path / name, "--limit", "4", "--seed", seed) == 0
    trees = [
        {p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).rglob("*") if p.is_file()}
        for name in "abcde"
    ]
    assert trees[0] == trees[1]
    assert any(trees[0] != other for other in trees[2:])
    assert len(FaceForensics(tmp_path / "a").pairs("test")) == 4


def test_a_list_restricts_the_people(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held_out = tmp_path / "held_out.txt"
    held_out.write_text("2\nCy\t3\nAda\t3\n")
    assert make(people, tmp_path / "out", "--people", str(held_out)) == 0
    written = json.loads((tmp_path / "out" / "identities.json").read_text())
    assert {person["name"] for person in written["people"].values()} == {"Ada", "Cy"}
    assert written["listed"] == "held_out.txt"
    assert written["left_out"] == []

    held_out.write_text("Ada\nZed\n")
    capsys.readouterr()
    assert make(people, tmp_path / "other", "--people", str(held_out)) == 3
    assert "the first is 'Zed'" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is that large, and holds next to nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def test_bad_photos_are_named_and_left_out(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(people / "Ada" / "one.png"), np.zeros((1, 1), np.uint8))
    (people / "Ada" / "huge.png").write_bytes(png_header(20_000, 20_000))
    whole = (people / "Ada" / "Ada_0.png").read_bytes()
    (people / "Ada" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (people / "Bo" / "Bo_0.png").write_bytes(b"")
    assert make(people, tmp_path / "out") == 0
    error = capsys.readouterr().err
    for said in ("left out Ada/one.png: ", "left out Ada/huge.png: ", "left out Ada/cut.png: "):
        assert said in error
    written = json.loads((tmp_path / "out" / "identities.json").read_text())
    assert [p["name"] for p in written["people"].values()] == ["Ada", "Cy", "Di", "Ed"]
    assert len(written["people"]["000"]["unreadable"]) == 3
    [bo] = written["left_out"]
    assert bo["name"] == "Bo"
    assert "2 readable photos, fewer than 3" in bo["reason"]


def test_many_photos_are_thinned_evenly(people: Path, tmp_path: Path) -> None:
    for j in range(3, 9):
        cv2.imwrite(str(people / "Ada" / f"Ada_{j}.png"), np.full((50, 41), 10 * j, np.uint8))
    assert make(people, tmp_path / "out", "--max-photos", "3") == 0
    written = json.loads((tmp_path / "out" / "identities.json").read_text())["people"]
    assert written["000"]["photos"] == ["Ada_0.png", "Ada_4.png", "Ada_8.png"]


def test_fit_pads_and_reduces_but_never_enlarges() -> None:
    small = fit(np.full((10, 20, 3), 200, np.uint8), 32)
    assert (small[11:21, 6:26] == 200).all()
    assert small.sum() == 200 * 10 * 20 * 3
    large = fit(np.full((100, 50, 3), 200, np.uint8), 32)
    assert (large[:, 8:24] == 200).all()
    assert large.sum() == 200 * 32 * 16 * 3


def test_wrong_input_is_one_clear_error(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "people.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(people, "people")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("x")
    (tmp_path / "nobody").mkdir()
    cases = [
        ([str(archive), str(tmp_path / "o")], "is a file; unpack it and name the folder"),
        ([str(tmp_path / "none"), str(tmp_path / "o")], "is not there; name the folder"),
        ([str(tmp_path / "nobody"), str(tmp_path / "o")], "holds no folders"),
        ([str(people), str(tmp_path / "full")], "exists already and is not empty"),
        (
            [str(people), str(tmp_path / "o"), "--min-photos", "4"],
            "0 people with 4 readable photos or more; two are needed",
        ),
    ]
    for (folder, out, *options), said in cases:
        assert main(["--from", folder, "--out", out, *options]) == 3
        error = capsys.readouterr().err
        assert said in error
        assert len(error.strip().splitlines()) == 1
    with pytest.raises(SystemExit) as stopped:
        make(people, tmp_path / "o", "--size", "33")
    assert stopped.value.code == 2
    assert not (tmp_path / "o").exists()
