"""Training faces rendered when they are asked for."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smoothswap.errors import DataError
from smoothswap.rendered import cache, on_demand
from smoothswap.rendered.dataset import person_views
from smoothswap.rendered.people import lookalike, sample_identity, sample_makeover
from smoothswap.rendered.shading import LOOK
from smoothswap.train import main

SPEC = "rendered:people=4,views=2,seed=5"


def test_a_training_renders_its_faces_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMOOTHSWAP_CACHE", str(tmp_path / "cache"))
    small = [
        "network.size=16",
        "network.width=8",
        "network.blocks=[1,1]",
        "network.hidden=16",
        "network.dim=8",
        "people=2",
        "photos=2",
        "steps=2",
        "held_out=0.5",
        "validate_every=2",
    ]
    arguments = ["embedder", "--data", SPEC, "--threads", "1", *(p for s in small for p in ("--set", s))]
    assert main([*arguments, "--out", str(tmp_path / "one")]) == 0
    faces = on_demand.folder(SPEC, 16) / "faces.npy"
    made = np.load(faces)
    assert made.shape == (4, 2, 16, 16, 3)
    assert np.array_equal(made[3], person_views(3, 2, 16, 5))
    written = faces.stat().st_mtime_ns
    assert main([*arguments, "--out", str(tmp_path / "two")]) == 0
    assert faces.stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("rendered:peple=4", "did you mean 'people'"),
        ("rendered:people=many", "people is 'many'"),
        ("rendered:people=1", "needs people >= 3"),
        ("rendered:makeover=2", "makeover from 0 to 1"),
        ("rendered:lookalikes=2", "lookalikes and shapes 0 or 1"),
    ],
)
def test_wrong_numbers_say_how_to_mend(spec: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        on_demand.parse(spec)


def test_a_cache_that_cannot_be_written_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SMOOTHSWAP_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match="SMOOTHSWAP_CACHE"):
        on_demand.ensure(SPEC, 16, 1)


def test_a_makeover_changes_complexion_and_beard_but_no_feature() -> None:
    rng = np.random.default_rng(0)
    identity = sample_identity(rng)
    changed = sample_makeover(rng, identity)
    kept = [
        i
        for i, name in enumerate(LOOK)
        if name.startswith(("brow_h", "brow_th", "brow_l", "iris", "mole", "freckles"))
    ]
    assert np.array_equal(changed.shape, identity.shape)
    assert np.array_equal(changed.look[kept], identity.look[kept])
    skin = [i for i, name in enumerate(LOOK) if name.startswith("skin")]
    assert not np.allclose(changed.look[skin], identity.look[skin])
    assert np.isfinite(changed.look).all()
    plain, made = person_views(1, 4, 16, 3), person_views(1, 4, 16, 3, makeover=1.0)
    assert not np.array_equal(plain, made)


def test_lookalikes_share_shape_with_one_neighbour_and_look_with_the_other() -> None:
    chain = [lookalike(3, person) for person in range(6)]
    shapes = np.array([[np.array_equal(a.shape, b.shape) for a in chain] for b in chain])
    looks = np.array([[np.array_equal(a.look, b.look) for a in chain] for b in chain])
    at = np.arange(6)
    assert np.array_equal(shapes, at[:, None] // 2 == at // 2)
    assert np.array_equal(looks, (at[:, None] + 1) // 2 == (at + 1) // 2)
    assert not np.array_equal(lookalike(4, 0).look, chain[0].look)


def test_lookalikes_are_rendered_on_demand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMOOTHSWAP_CACHE", str(tmp_path))
    spec = "rendered:people=3,views=1,seed=5,lookalikes=1"
    on_demand.ensure(spec, 16, 1)
    made = np.load(on_demand.folder(spec, 16) / "faces.npy")
    assert np.array_equal(made[1], person_views(1, 1, 16, 5, lookalikes=True))
    assert not np.array_equal(made[1], person_views(1, 1, 16, 5))
    assert on_demand.folder(spec, 16) != on_demand.folder(spec.replace(",lookalikes=1", ""), 16)


def test_people_of_one_shape_are_one_person_of_two_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMOOTHSWAP_CACHE", str(tmp_path))
    spec = "rendered:people=3,views=2,seed=5,lookalikes=1"
    for given in (spec.replace("people=3,views=2", "people=6,views=1"), spec + ",shapes=1"):
        on_demand.ensure(given, 16, 1)
    chain, merged = (
        np.load(path) for path in sorted(tmp_path.glob("*/faces.npy"), key=lambda p: "shapes1" in str(p))
    )
    assert np.array_equal(merged, chain.reshape(3, 2, 16, 16, 3))


@pytest.mark.parametrize(
    "spec", ["rendered:shapes=1", "rendered:views=3,lookalikes=1,shapes=1", "rendered:shapes=2"]
)
def test_shapes_are_of_lookalikes(spec: str) -> None:
    with pytest.raises(DataError, match=r"shapes=1 needs lookalikes=1|lookalikes and shapes 0 or 1"):
        on_demand.parse(spec)


def drawn(made: list[Path]) -> Any:
    """In the place of write_faces: pictures that nobody rendered, after a moment."""

    def write(out: Path, people: int, views: int, size: int, *_: object) -> None:
        time.sleep(0.05)
        made.append(out)
        out.mkdir(exist_ok=True)
        np.save(out / "faces.npy", np.zeros((people, views, size, size, 3), np.uint8))
        digest = hashlib.sha256((out / "faces.npy").read_bytes()).hexdigest()
        (out / "meta.json").write_text(json.dumps({"faces_sha256": digest}))

    return write


def test_two_first_trainings_share_one_rendering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []
    monkeypatch.setenv("SMOOTHSWAP_CACHE", str(tmp_path))
    monkeypatch.setattr("smoothswap.rendered.dataset.write_faces", drawn(made))
    threads = [threading.Thread(target=on_demand.ensure, args=(SPEC, 16, 1)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [on_demand.folder(SPEC, 16)]
    assert [path.name for path in tmp_path.iterdir()] == [made[0].name]


def test_damaged_faces_are_made_again_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[Path] = []
    monkeypatch.setenv("SMOOTHSWAP_CACHE", str(tmp_path))
    monkeypatch.setattr("smoothswap.rendered.dataset.write_faces", drawn(made))
    on_demand.ensure(SPEC, 16, 1)
    whole = (made[0] / "faces.npy").read_bytes()
    for name, content in (("faces.npy", whole[:-1] + b"\1"), ("meta.json", b"{")):
        (made[0] / name).write_bytes(content)
        on_demand.ensure(SPEC, 16, 1)
        assert f"1 files are not as they were written ({name}): made again" in capsys.readouterr().err
        assert (made[0] / "faces.npy").read_bytes() == whole
    assert len(made) == 3


def test_a_damaged_tree_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"film")
    settings = {"version": 3, "seed": 0}
    manifest = settings | {"clips": cache.hashes_of(tmp_path, ["a.mp4"]), "files": {}}
    (tmp_path / "rendered.json").write_text(json.dumps(manifest))
    assert cache.found(tmp_path, settings) == (manifest, [])
    assert cache.found(tmp_path, settings | {"seed": 1}) == (None, [])
    (tmp_path / "a.mp4").write_bytes(b"filn")
    assert cache.found(tmp_path, settings)[1] == ["a.mp4"]
    (tmp_path / "a.mp4").unlink()
    assert cache.found(tmp_path, settings)[1] == ["a.mp4"]
    (tmp_path / "rendered.json").write_text("{")
    assert cache.found(tmp_path, settings) == (None, ["rendered.json"])
