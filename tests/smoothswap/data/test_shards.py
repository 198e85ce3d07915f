"""Tar shards: each photo exactly once over ranks and workers, in an order that the seed says, and damage named."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from smoothswap.data.faces import FaceData
from smoothswap.data.shards import ShardedFaces, read_shard, shard_loader, shuffled
from smoothswap.errors import DataError
from tests.support.prepared_folders import content

Prepare = Callable[..., tuple[int, str]]


@pytest.fixture
def shards(ffhq: Path, tmp_path: Path, prepare: Prepare) -> Path:
    out = tmp_path / "shards"
    code, said = prepare(ffhq, "ffhq", out, "--aligned", "--shards", "4")
    assert code == 0
    assert "6 shards" in said
    return out


def people_of(data: ShardedFaces, workers: int = 0, batch: int = 3) -> list[int]:
    return [int(person) for _, people in shard_loader(data, batch, workers) for person in people]


def test_shards_hold_what_faces_npy_would(shards: Path, ffhq: Path, tmp_path: Path, prepare: Prepare) -> None:
    assert prepare(ffhq, "ffhq", tmp_path / "flat", "--aligned")[0] == 0
    flat = np.load(tmp_path / "flat" / "faces.npy")
    order = []
    for faces, people in shard_loader(ShardedFaces(shards, "all", buffer=0), 5):
        assert faces.dtype == torch.uint8
        assert np.array_equal(faces.permute(0, 2, 3, 1).numpy(), flat[people.numpy()])
        order += people.tolist()
    assert sorted(order) == list(range(23))
    assert order != sorted(order)  # stored in shuffled order
    assert (shards / "names.json").read_bytes() == (tmp_path / "flat" / "names.json").read_bytes()
    samples = [s for path in sorted(shards.glob("*.tar")) for s in read_shard(path)]
    names = json.loads((shards / "names.json").read_text())
    assert [s.number for s in samples] == list(range(23))
    assert all(s.name == names[s.person] and s.photo.endswith(f"{s.name}.png") for s in samples)
    meta = json.loads((shards / "meta.json").read_text())
    assert [row["photos"] for row in meta["shards"]] == [4, 4, 4, 4, 4, 3]
    assert prepare(ffhq, "ffhq", tmp_path / "again", "--aligned", "--shards", "4")[0] == 0
    assert content(tmp_path / "again") == content(shards)


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("ranks", [1, 3])
@pytest.mark.parametrize("workers", [0, 2, 8])
def test_every_photo_comes_once_an_epoch(ranks: int, workers: int, shards: Path) -> None:
    if workers == 8 and ranks == 3:
        workers = 3  # more workers than a rank has shards
    got = [
        people_of(ShardedFaces(shards, "all", buffer=5, rank=r, ranks=ranks), workers) for r in range(ranks)
    ]
    assert all(got)
    assert sorted(person for part in got for person in part) == list(range(23))


def test_seed_and_epoch_make_the_order(shards: Path) -> None:
    data = ShardedFaces(shards, "all", seed=1, buffer=6)
    first = people_of(data)
    assert people_of(data) == first
    data.set_epoch(1)
    assert people_of(data) != first
    assert people_of(ShardedFaces(shards, "all", seed=2, buffer=6)) != first
    assert sorted(shuffled(range(50), 7, np.random.default_rng(0))) == list(range(50))
    assert list(shuffled(range(9), 0, np.random.default_rng(0))) == list(range(9))


def test_validation_people_are_kept_apart(shards: Path) -> None:
    held = people_of(ShardedFaces(shards, "validation"))
    assert sorted(held) == list(range(17, 23))
    assert sorted(people_of(ShardedFaces(shards, "train"))) == list(range(17))
    (shards / "split.json").unlink()
    assert sorted(people_of(ShardedFaces(shards, "validation", held_out=0.3))) == list(range(16, 23))


def test_jpeg_shards_are_near(ffhq: Path, tmp_path: Path, prepare: Prepare) -> None:
    assert prepare(ffhq, "ffhq", tmp_path / "jpg", "--aligned", "--shards", "100", "--format", "jpg")[0] == 0
    faces, people = next(iter(shard_loader(ShardedFaces(tmp_path / "jpg", "all"), 23)))
    assert (faces[:, 0, 5, 5] - 10.0 * people).abs().max() <= 4


def test_damage_is_named(shards: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"tar shards, which smoothswap\.data\.shards streams"):
        FaceData(shards, 32)
    with pytest.raises(DataError, match="6 shards for 7 ranks"):
        ShardedFaces(shards, ranks=7)
    with pytest.raises(DataError, match=r"has no meta\.json with shards"):
        ShardedFaces(tmp_path)
    path = shards / "faces-000002.tar"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(DataError, match=r"faces-000002\.tar is missing or not"):
        ShardedFaces(shards)
    path.write_bytes(whole)
    data = ShardedFaces(shards, "all", buffer=0)
    data.check()
    at = whole.index(b"IDAT") + 6
    path.write_bytes(whole[:at] + bytes(40) + whole[at + 40 :])  # inside a picture
    with pytest.raises(DataError, match=r"faces-000002\.tar is not the file that was written"):
        data.check()
    with pytest.raises(DataError, match="a photo in a shard is damaged"):
        people_of(data)
    path.write_bytes(whole[:1536] + bytes(len(whole) - 1536))  # ends early, as long as before
    with pytest.raises(DataError, match=r"cut short|holds \d photos, meta.json says 4|no whole shard"):
        people_of(data)


def test_foreign_tars_are_refused_and_nothing_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "evil.tar"
    for name, kind in (("../../evil.png", tarfile.SYMTYPE), ("x.json", tarfile.REGTYPE)):
        with tarfile.open(path, "w") as tar:
            entry = tarfile.TarInfo(name)
            entry.type, entry.size = kind, 2 if kind == tarfile.REGTYPE else 0
            tar.addfile(entry, io.BytesIO(b"{}"))
        with pytest.raises(DataError, match=r"no photo of this form|no whole shard"):
            list(read_shard(path))
    path.write_bytes(b"no tar")
    with pytest.raises(DataError, match="no whole shard"):
        list(read_shard(path))
