"""Preparing folders of photos: what is cut, what is refused and why, and that a killed run goes on to the same bytes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import smoothswap.data.crop
import smoothswap.prepare
from smoothswap.data.crop import Cutter, central
from smoothswap.data.faces import FaceData
from smoothswap.data.sources import Photo
from smoothswap.data.store import sha256_of
from smoothswap.faces.align import ffhq_crop
from smoothswap.faces.detect import Detector
from smoothswap.faces.face import Face
from tests.support.prepared_folders import PEOPLE, content

Prepare = Callable[..., tuple[int, str]]


def ledger(out: Path) -> pd.DataFrame:
    return pd.read_parquet(out / "ledger.parquet").set_index("photo")


def test_photos_become_ffhq_crops(
    photos: Path, frames: list[list[np.ndarray]], tmp_path: Path, prepare: Prepare
) -> None:
    out = tmp_path / "out"
    code, said = prepare(photos, "folder", out)
    assert code == 0
    assert "9 of 10 photos kept, 3 people, 32 x 32" in said
    assert "left out: 1 no_face" in said
    rows = ledger(out)
    assert (len(rows), (rows["status"] == "ok").sum()) == (10, 9)
    wall = rows.loc[f"{PEOPLE[1]}/wall.png"]
    assert (wall["status"], wall["reason"], wall["row"]) == ("no_face", "the detector finds none", -1)
    faces, people = np.load(out / "faces.npy"), np.load(out / "people.npy")
    assert people.tolist() == [0] * 4 + [1] * 2 + [2] * 3
    assert json.loads((out / "names.json").read_text()) == list(PEOPLE)
    for person, i in ((0, 2), (2, 1)):
        frame = frames[person][i]
        crop, quad = ffhq_crop(frame, Detector().detect(frame)[0].landmarks, 32)
        row = rows.loc[f"{PEOPLE[person]}/{i}.png"]
        assert np.array_equal(faces[row["row"]], crop)
        assert row["square"] == pytest.approx(np.hypot(*(quad[3] - quad[0])), abs=0.01)
    meta = json.loads((out / "meta.json").read_text())
    assert meta["faces_sha256"] == sha256_of(out / "faces.npy")
    assert meta["expected"] == 10 == sum(meta["counts"].values())
    assert "--kind folder" in meta["command"]
    assert not (out / "parts").exists()


def test_two_workers_give_the_bytes_of_one(
    photos: Path, tmp_path: Path, prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smoothswap.prepare, "PART", 2)
    assert prepare(photos, "folder", tmp_path / "one")[0] == 0
    assert prepare(photos, "folder", tmp_path / "two", "--workers", "2")[0] == 0
    assert content(tmp_path / "one") == content(tmp_path / "two")


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks for child processes in /proc")
def test_a_killed_run_goes_on(
    photos: Path, tmp_path: Path, prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = tmp_path / "many", tmp_path / "out"
    for name in PEOPLE:
        (source / name).mkdir(parents=True)
        for i in range(10):
            (source / name / f"{i}.png").symlink_to(photos / name / f"{i % 2}.png")
    code = "import sys, smoothswap.prepare as p; p.PART = 2; sys.exit(p.main(sys.argv[1:]))"
    arguments = [str(source), "--kind", "folder", "--size", "32", "--out", str(out), "--workers", "2"]
    with subprocess.Popen([sys.executable, "-c", code, *arguments], stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + 60
        while len(list((out / "parts").glob("0*.npz"))) < 3:
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.005)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.kill()
    assert len(children) >= 2
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < end:
        time.sleep(0.01)
    assert not [
        child for child in children if Path(f"/proc/{child}").exists()
    ]  # no worker outlives the command
    done = len(list((out / "parts").glob("0*.npz")))
    assert 3 <= done < 15
    assert not (out / "meta.json").exists()

    monkeypatch.setattr(smoothswap.prepare, "PART", 2)
    cut, cut_part = [], smoothswap.data.crop.cut_part

    def counted(cutter: Cutter, some: list[Photo], part: Path) -> int:
        cut.append(part)
        return cut_part(cutter, some, part)

    monkeypatch.setattr(smoothswap.data.crop, "cut_part", counted)
    assert prepare(source, "folder", out)[0] == 0
    assert len(cut) == 15 - done
    assert prepare(source, "folder", tmp_path / "straight")[0] == 0
    assert content(out) == content(tmp_path / "straight")
    before = len(cut)
    code_again, said = prepare(source, "folder", out)
    assert (code_again, len(cut)) == (0, before)
    assert "was prepared before" in said


def test_sigterm_stops_with_a_word(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepare: Prepare
) -> None:
    cut_part = smoothswap.data.crop.cut_part

    def stopping(cutter: Cutter, some: list[Photo], part: Path) -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        return cut_part(cutter, some, part)

    monkeypatch.setattr(smoothswap.data.crop, "cut_part", stopping)
    code, said = prepare(photos, "folder", tmp_path / "out")
    assert code == 128 + signal.SIGTERM
    assert "give the same command again" in said


def test_a_begun_folder_takes_no_other_work(
    photos: Path, tmp_path: Path, prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    monkeypatch.setattr(
        smoothswap.prepare, "assemble", lambda *_: (_ for _ in ()).throw(smoothswap.prepare.DataError("full"))
    )
    assert prepare(photos, "folder", out) == (3, "error: full")
    monkeypatch.undo()
    assert (
        "begun with other options or photos (size, min_face)"
        in prepare(photos, "folder", out, "--size", "48")[1]
    )
    part = out / "parts" / "0000000.npz"
    whole = part.read_bytes()
    part.write_bytes(whole[:300])
    code, said = prepare(photos, "folder", out)
    assert code == 3
    assert "0000000.npz is damaged" in said
    part.unlink()
    (out / ".faces.1.part.npy").write_bytes(b"left by a kill while it was written")
    assert prepare(photos, "folder", out)[0] == 0
    assert prepare(photos, "folder", tmp_path / "straight")[0] == 0
    assert content(out) == content(tmp_path / "straight")
    assert "holds another data set" in prepare(photos, "folder", out, "--many-faces", "refuse")[1]


def test_hostile_files_get_their_row(
    photos: Path, frames: list[list[np.ndarray]], tmp_path: Path, prepare: Prepare
) -> None:
    source = tmp_path / "source"
    good, bad = source / "good", source / os.fsdecode(b"odd \xff name")
    good.mkdir(parents=True)
    bad.mkdir()
    Image.fromarray(frames[0][0]).save(good / "a.png")
    Image.fromarray(frames[0][1]).save(bad / os.fsdecode(b"\xfe.png"))
    whole = (good / "a.png").read_bytes()
    (bad / "cut.png").write_bytes(whole[: len(whole) // 2])
    Image.new("RGB", (1, 1)).save(bad / "dot.png")
    Image.new("1", (20_000, 20_000)).save(bad / "huge.png")
    (bad / "text.jpg").write_text("no picture")
    (bad / "empty.jpg").write_bytes(b"")
    (bad / "loop.jpg").symlink_to("loop.jpg")
    (bad / "gone.jpg").symlink_to("nowhere.jpg")
    os.mkfifo(bad / "pipe.jpg")  # to open it would wait for ever
    two = Image.fromarray(np.concatenate([frames[1][0], frames[2][0]], 1))
    two.save(bad / "two.png")
    Image.fromarray(frames[0][2]).resize((72, 72), Image.Resampling.LANCZOS).save(bad / "small.png")
    (source / "back").symlink_to(source)
    (source / "none").mkdir()
    (bad / "._a.jpg").write_bytes(b"a Mac's shadow of a file")
    (bad / "notes.txt").write_text("no photo")
    out = tmp_path / "out"
    code, said = prepare(source, "folder", out, "--many-faces", "refuse", "--min-face", "70")
    assert code == 0
    rows = ledger(out)
    told = {name.split("/")[1]: (row["status"], row["reason"]) for name, row in rows.iterrows()}
    assert {name for name, (status, _) in told.items() if status == "ok"} == {"a.png", "\\xfe.png"}
    assert told["two.png"][0] == "many_faces"
    assert told["dot.png"] == ("too_small", "the photo is 1 x 1 pixels, too small to hold a face")
    assert told["small.png"][0] == "too_small"
    assert "under --min-face 70" in told["small.png"][1]
    for name, reason in {
        "cut.png": "not a whole image",
        "huge.png": "more than the limit",
        "text.jpg": "not a whole image in one of",
        "empty.jpg": "not a whole image in one of",
        "loop.jpg": "no regular one",
        "gone.jpg": "no such file",
        "pipe.jpg": "no regular one",
    }.items():
        assert told[name][0] == "decode_error"
        assert reason in told[name][1]
    assert not rows["reason"].str.contains(str(tmp_path)).any()  # reasons do not tell where things lay
    assert all(bool(row["reason"]) == (row["status"] != "ok") for _, row in rows.iterrows())
    assert json.loads((out / "names.json").read_text()) == ["good", "odd \\xff name"]
    # The four folders behind the link to SOURCE, and a file; a hidden one is nothing.
    assert "passed over: 5 other files and folders, no photos of this layout: back/back, back/good, " in said


def test_of_several_faces_the_rule_takes_one(frames: list[list[np.ndarray]], tmp_path: Path) -> None:
    def face(x: float, side: float) -> Face:
        return Face(
            (x - side / 2, 50 - side / 2, x + side / 2, 50 + side / 2), np.zeros((68, 2), np.float32), 1.0
        )

    large, middle = face(20, 40), face(105, 20)
    assert central([large, middle], (100, 200)) is middle
    wide = np.concatenate([frames[0][0], frames[1][0], np.zeros((128, 90, 3), np.uint8)], 1)
    wide = np.asarray(Image.fromarray(wide).resize((692, 256), Image.Resampling.BICUBIC))
    Image.fromarray(wide).save(tmp_path / "two.png")
    found = Detector().detect(wide)
    assert len(found) == 2
    for rule, wanted in (("centre", central(found, wide.shape)), ("largest", found[0])):
        row, crop = Cutter(str(tmp_path), 32, rule).cut(Photo("two.png", "x", 1))
        assert (row["status"], row["faces"]) == ("ok", 2)
        assert crop == ffhq_crop(wide, wanted.landmarks, 32)[0].tobytes()
    assert central(found, wide.shape).box[0] > 256  # here the two rules can be told apart by eye


def test_aligned_photos_are_only_resized(ffhq: Path, tmp_path: Path, prepare: Prepare) -> None:
    code, said = prepare(ffhq, "ffhq", tmp_path / "out")
    assert code == 2
    assert "aligned already: add --aligned" in said
    assert prepare(ffhq.parent, "ffhq", tmp_path / "out", "--aligned")[0] == 0
    faces = np.load(tmp_path / "out" / "faces.npy")
    assert faces[:, 5, 5, 0].tolist() == [10 * i for i in range(23)]
    row, crop = Cutter(str(tmp_path), 16, aligned=True, min_face=50).cut(Photo("small.png", "0", 1))
    assert (row["status"], crop) == ("decode_error", b"")
    pixels = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "small.png")
    Image.fromarray(pixels[:40]).save(tmp_path / "wide.png")
    row, crop = Cutter(str(tmp_path), 16, aligned=True).cut(Photo("small.png", "0", 1))
    assert crop == Image.fromarray(pixels).resize((16, 16), Image.Resampling.LANCZOS).tobytes()
    assert (
        Cutter(str(tmp_path), 16, aligned=True, min_face=50).cut(Photo("small.png", "0", 1))[0]["status"]
        == "too_small"
    )
    assert (
        "aligned photos are square"
        in Cutter(str(tmp_path), 16, aligned=True).cut(Photo("wide.png", "0", 1))[0]["reason"]
    )


@pytest.mark.parametrize(("split", "train"), [("63k", 17), ("official", 15), ("seeded", None)])
def test_ffhq_is_split_by_number(
    split: str, train: int | None, ffhq: Path, tmp_path: Path, prepare: Prepare
) -> None:
    out = tmp_path / "out"
    code, said = prepare(ffhq, "ffhq", out, "--aligned", "--split", split, "--seed", "3")
    assert code == 0, said
    held = json.loads((out / "split.json").read_text())["validation"]
    if split == "seeded":
        drawn = set(np.random.default_rng(3).permutation(70_000)[:7000].tolist())
        assert held == [name for name in json.loads((out / "names.json").read_text()) if int(name) in drawn]
    else:
        data = FaceData(out, 32)
        assert (data.people, data.views, data.train_people) == (23, 1, train)
        assert data.names[data.train_people :] == held
        assert min(int(name) for name in held) == (63_000 if split == "63k" else 62_998)


def test_what_does_not_fit_is_refused(photos: Path, ffhq: Path, tmp_path: Path, prepare: Prepare) -> None:
    out = tmp_path / "out"
    empty = tmp_path / "empty"
    empty.mkdir()
    full = tmp_path / "full"
    full.mkdir()
    (full / "thesis.txt").write_text("mine")
    sealed = tmp_path / "a file"
    sealed.write_text("")
    cases: list[tuple[int, str, tuple[Any, ...]]] = [
        (2, "lies inside SOURCE", (photos, "folder", photos / "out")),
        (2, "lies inside SOURCE", (photos, "folder", photos)),
        (2, "Did you mean 'official'?", (ffhq, "ffhq", out, "--split", "oficial")),
        (2, "has no split 'train'", (photos, "folder", out, "--split", "train")),
        (2, "ffhq has none", (ffhq, "ffhq", out, "--aligned", "--people", "x")),
        (2, "not a whole number of at least 16", (photos, "folder", out, "--size", "8")),
        (2, "invalid choice: 'lwf'", (photos, "lwf", out)),
        (2, "'nan' is not a number of at least 0", (photos, "folder", out, "--min-face", "nan")),
        (3, "no photos in", (empty, "folder", out)),
        (3, "no photos in", (photos / "Anna", "folder", out)),
        (3, "is not there", (tmp_path / "nowhere", "folder", out)),
        (3, "is a file; unpack it", (sealed, "folder", out)),
        (3, "is not numbered 00000 to 69999", (photos / "Anna", "ffhq", out)),
        (3, "not an empty folder", (photos, "folder", full)),
        (3, "cannot write", (photos, "folder", sealed / "out")),
        (3, "cannot read the list", (photos, "folder", out, "--people", str(empty))),
    ]
    for code, message, (source, kind, where, *options) in cases:
        if message == "is not numbered 00000 to 69999":
            source = full
            Image.new("RGB", (20, 20)).save(full / "me.png")
        got, said = prepare(source, kind, where, *options)
        assert (got, message in said) == (code, True), said
    assert not out.exists()
    assert [path.name for path in full.iterdir() if path.suffix == ".txt"] == ["thesis.txt"]


def test_photos_without_any_face_leave_a_ledger(tmp_path: Path, prepare: Prepare) -> None:
    (tmp_path / "walls" / "white").mkdir(parents=True)
    Image.new("RGB", (60, 60), "white").save(tmp_path / "walls" / "white" / "a.png")
    code, said = prepare(tmp_path / "walls", "folder", tmp_path / "out")
    assert code == 3
    assert "none of the 1 photos gave a crop" in said
    assert ledger(tmp_path / "out")["status"].tolist() == ["no_face"]
    assert not (tmp_path / "out" / "meta.json").exists()


def test_real_photos(shared_data: Path, tmp_path: Path, prepare: Prepare) -> None:
    import tarfile

    archive = shared_data / "lfw" / "lfw250_deepfunneled.tar"
    if not archive.is_file():
        pytest.skip("Labeled Faces in the Wild is not among the real data")
    names = ("Aaron_Peirsol", "Abdoulaye_Wade")
    with tarfile.open(archive) as tar:
        tar.extractall(
            tmp_path, [m for m in tar if m.name.split("/")[1:2] in ([n] for n in names)], filter="data"
        )
    listed = tmp_path / "people.txt"
    listed.write_text("2\nAaron_Peirsol\t4\nAbdoulaye_Wade\t4\n")
    code, _ = prepare(tmp_path / "images_deepfunneled", "lfw", tmp_path / "out", "--people", str(listed))
    assert code == 0
    rows = ledger(tmp_path / "out")
    assert len(rows) == 8
    assert rows["status"].tolist() == ["ok"] * 8
    assert "Abdoulaye_Wade/Abdoulaye_Wade_0003.jpg" in rows.index  # a profile
