"""Faces with ragged numbers of photos: stored, drawn and trained on; and that rendered faces are drawn as ever."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from smoothswap.checkpoint import read_tensors
from smoothswap.config import load_preset, override
from smoothswap.data.faces import FaceData
from smoothswap.data.store import validation_people
from smoothswap.errors import DataError
from smoothswap.tensors import to_tensor
from smoothswap.train import main
from smoothswap.training.embedder import EmbedderTask, draw_classes, embed_all
from tests.support.tiny_models import TINY_EMBEDDER, TINY_SWAPPER, settings

COUNTS = [5, 1, 3, 2, 4, 2, 6, 1, 3, 2]


def store(folder: Path, counts: list[int], validation: list[str] | None = None) -> Path:
    """A stored set: each photo is noise around its person's colour, its first pixel (person, number, 0)."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(3)
    people = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    colours = rng.integers(30, 220, (len(counts), 3))
    faces = (colours[people][:, None, None] + rng.integers(-20, 20, (len(people), 16, 16, 3))).astype(
        np.uint8
    )
    numbers = np.concatenate([np.arange(count) for count in counts])
    faces[:, 0, 0] = np.stack([people, numbers, 0 * people], 1)
    np.save(folder / "faces.npy", faces)
    np.save(folder / "people.npy", people)
    (folder / "names.json").write_text(json.dumps([f"person {i}" for i in range(len(counts))]))
    (folder / "meta.json").write_text("{}")
    if validation is not None:
        (folder / "split.json").write_text(json.dumps({"validation": validation}))
    return folder


@pytest.fixture
def ragged(tmp_path: Path) -> Path:
    return store(tmp_path / "ragged", COUNTS)


def seen(data: FaceData, photos: torch.Tensor) -> np.ndarray:
    """(person, number) that the photos themselves tell: int [n, 2]."""
    return ((data.load(photos)[:, :2, 0, 0] + 1) * 127.5).round().int().numpy()


def test_the_split_file_says_who_is_held_out(tmp_path: Path) -> None:
    data = FaceData(store(tmp_path / "split", COUNTS, ["person 3", "person 0", "person 8", "unknown"]), 16)
    assert (data.people, data.train_people, data.views, data.photos) == (10, 7, 6, 29)
    assert data.names[7:] == ["person 0", "person 3", "person 8"]
    assert data.counts.tolist() == [1, 3, 4, 2, 6, 1, 2, 5, 2, 3]
    told = seen(data, torch.arange(data.photos))  # every photo once, under the right name and number
    assert [data.names[i] for i in data.owner] == [f"person {i}" for i in told[:, 0]]
    assert torch.equal(data.photo(data.owner, torch.from_numpy(told[:, 1]).long()), torch.arange(data.photos))


def test_without_one_the_last_share_is(ragged: Path) -> None:
    assert FaceData(ragged, 16).train_people == 8
    assert FaceData(ragged, 16, held_out=0.3).names[7:] == ["person 7", "person 8", "person 9"]
    with pytest.raises(DataError, match="at least two are needed on either side"):
        validation_people(["a", "b", "c"], None, 0.1)


def test_people_of_one_count_are_drawn_as_rendered_faces_are(faces: Path) -> None:
    data, rng = FaceData(faces, 16), torch.Generator()
    array = np.load(faces / "faces.npy")
    people = torch.tensor([5, 0, 9])
    views, wanted = (
        data.deal(people, 3, rng.manual_seed(1)),
        torch.rand(3, 4, generator=torch.Generator().manual_seed(1)),
    )
    assert torch.equal(views, wanted.argsort(1)[:, :3])
    drawn = data.draw(people, rng.manual_seed(2))
    assert torch.equal(drawn, torch.randint(4, (3,), generator=torch.Generator().manual_seed(2)))
    assert torch.equal(data.get(people, drawn), to_tensor(array[people.numpy(), drawn.numpy()]))
    rows = torch.randn(48, 8)
    assert torch.equal(data.person_means(rows), rows.reshape(12, 4, 8).mean(1))


def test_the_flat_form_of_rendered_faces_trains_the_same(
    faces: Path, embedder_run: Path, tmp_path: Path
) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    np.save(flat / "faces.npy", np.load(faces / "faces.npy").reshape(48, 16, 16, 3))
    np.save(flat / "people.npy", np.repeat(np.arange(12, dtype=np.int32), 4))
    (flat / "meta.json").write_text("{}")
    tiny = ["--threads", "1", *settings(TINY_EMBEDDER)]
    assert main(["embedder", "--data", str(flat), "--out", str(tmp_path / "run"), *tiny]) == 0
    (one, said), (other, _) = (
        read_tensors(run / "checkpoint.safetensors") for run in (tmp_path / "run", embedder_run)
    )
    assert all(torch.equal(one[name], other[name]) for name in other)
    assert said["provenance"]["data"]["photos"] == 48


def test_draws_reach_every_photo_and_no_other(ragged: Path) -> None:
    data, rng = FaceData(ragged, 16), torch.Generator().manual_seed(0)
    people = torch.arange(10).repeat(600)
    views = data.draw(people, rng)
    for person, count in enumerate(COUNTS):
        times = torch.bincount(views[people == person], minlength=count)
        assert len(times) == count
        assert times.min() > 600 / count * 0.6  # five standard deviations and more from the mean
    dealt = data.deal(torch.arange(10), 3, rng)
    for person, count in enumerate(COUNTS):
        mine = dealt[person].tolist()
        assert max(mine) < count
        assert len(set(mine)) == min(count, 3)  # repeated only where there are too few
    told = seen(data, data.photo(torch.arange(10)[:, None], dealt).flatten())
    assert told[:, 0].tolist() == torch.arange(10).repeat_interleave(3).tolist()
    assert told[:, 1].tolist() == dealt.flatten().tolist()


def test_people_with_few_photos_are_left_out_or_repeated(ragged: Path) -> None:
    def task(**options: object) -> EmbedderTask:
        tiny = dict(v.split("=") for v in TINY_EMBEDDER) | {
            "people": "3",
            "photos": "3",
            "loss": "arcface",
            **options,
        }
        return EmbedderTask(override(load_preset("lite-64", "embedder"), tiny), FaceData(ragged, 16), {})

    some, everybody = task(), task(few_photos="repeat")
    assert some.drawn.tolist() == [0, 2, 4, 6]
    assert everybody.drawn.tolist() == list(range(8))
    assert [len(next(t.modules["loss"].parameters())) for t in (some, everybody)] == [4, 8]
    for _ in range(2):  # its numbers are finite
        some.step(0)
        everybody.step(0)
    for options in ({"people": "5"}, {"photos": "7"}):
        with pytest.raises(ValueError, match=r"can be drawn.*few_photos=repeat"):
            task(**options)
    with pytest.raises(ValueError, match="choose one of leave_out, repeat"):
        task(few_photos="skip")


def test_neighbours_are_drawn_together_and_everybody_comes() -> None:
    rng = torch.Generator().manual_seed(0)
    seen: set[tuple[int, int]] = set()
    for _ in range(400):
        drawn = draw_classes(11, 8, 4, rng)
        assert len(set(drawn.tolist())) == 8
        assert int(drawn.max()) < 11
        runs = drawn.view(2, 4)
        assert (runs.diff(dim=1) == 1).all()
        seen |= {(int(a), int(b)) for run in runs for a, b in itertools.pairwise(run)}
    assert seen == {(i, i + 1) for i in range(10)}
    assert draw_classes(8, 8, 4, rng).sort().values.tolist() == list(range(8))
    plain, same = (torch.Generator().manual_seed(1) for _ in range(2))
    assert torch.equal(draw_classes(9, 4, 1, plain), torch.randperm(9, generator=same)[:4])


def test_neighbours_have_to_divide_the_people(ragged: Path) -> None:
    tiny = dict(v.split("=") for v in TINY_EMBEDDER) | {"people": "3", "neighbours": "2"}
    config = override(load_preset("lite-64", "embedder"), tiny)
    with pytest.raises(ValueError, match="neighbours=2 must be 1 or more and divide people=3"):
        EmbedderTask(config, FaceData(ragged, 16), {})


def test_single_photos_train_no_embedder_but_a_swapper(embedder_run: Path, tmp_path: Path) -> None:
    singles = store(tmp_path / "singles", [1] * 20, ["person 4", "person 9", "person 1"])
    tiny = settings([*TINY_EMBEDDER, "few_photos=repeat"])
    said = ["--data", str(singles), "--threads", "1"]
    assert main(["embedder", *said, "--out", str(tmp_path / "no"), *tiny]) == 2
    out = tmp_path / "swapper"
    arguments = [
        "swapper",
        *said,
        "--out",
        str(out),
        "--embedder",
        str(embedder_run),
        "--judge",
        str(embedder_run),
    ]
    assert main([*arguments, *settings([*TINY_SWAPPER, "id_target=view"])]) == 0
    assert (out / "samples" / "000006.png").is_file()


def test_a_swapper_trains_on_ragged_photos(ragged: Path, embedder_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = ["swapper", "--data", str(ragged), "--out", str(out), "--embedder", str(embedder_run)]
    assert main([*arguments, "--threads", "1", *settings([*TINY_SWAPPER, "id_target=person"])]) == 0
    data = FaceData(ragged, 16)
    flat = torch.nn.Flatten()
    flat.register_parameter(
        "where", torch.nn.Parameter(torch.zeros(0))
    )  # an embedder's parameters tell its device
    rows = embed_all(flat, data, range(2, 5))
    assert torch.equal(rows, data.load(torch.arange(6, 15)).flatten(1))
    means = data.person_means(embed_all(flat, data, range(10)))
    torch.testing.assert_close(means[2], rows[:3].mean(0))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda f: (f / "people.npy").unlink(), "not finished; run python -m smoothswap.prepare again"),
        (lambda f: np.save(f / "people.npy", np.arange(29)), "needed is int32"),
        (lambda f: np.save(f / "people.npy", np.arange(3, dtype=np.int32)), "needed is int32"),
        (lambda f: np.save(f / "people.npy", np.arange(29, dtype=np.int32)[::-1]), "without a gap"),
        (lambda f: np.save(f / "people.npy", np.array([{}] * 29), allow_pickle=True), "not a whole"),
        (lambda f: (f / "names.json").write_text('["a"]'), "must name the 10 people"),
        (lambda f: (f / "names.json").write_text("["), "cannot be read"),
        (lambda f: (f / "split.json").write_text("[]"), 'must be {"validation"'),
        (lambda f: (f / "split.json").write_text('{"validation": []}'), "on either side"),
        (lambda f: np.save(f / "faces.npy", np.zeros((29, 16, 16), np.uint8)), "beside people.npy"),
    ],
)
def test_damaged_sets_are_refused(harm: object, message: str, ragged: Path) -> None:
    harm(ragged)  # type: ignore[operator]
    with pytest.raises(DataError, match=message):
        FaceData(ragged, 16)
