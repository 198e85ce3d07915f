"""Swaps with known answers: who is drawn with whose photo, what is refused, and a training on them taken up again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from smoothswap import pretrained
from smoothswap.checkpoint import read_tensors
from smoothswap.config import load_preset, override
from smoothswap.data.answers import Answers
from smoothswap.data.faces import FaceData
from smoothswap.data.store import sha256_of
from smoothswap.errors import DataError
from smoothswap.stand_ins import draws
from smoothswap.stand_ins import main as stand_ins
from smoothswap.train import main
from smoothswap.training.batches import Batches
from tests.smoothswap.data.test_faces import COUNTS, seen, store
from tests.support.tiny_models import TINY_EMBEDDER, TINY_SWAPPER, settings


def answered(folder: Path, faces: Path, rows: list[int]) -> Path:
    """A folder of answers: each target is grey, its first pixel the number of its place."""
    folder.mkdir()
    targets = np.full((len(rows), 16, 16, 3), 100, np.uint8)
    targets[:, 0, 0, 0] = np.arange(len(rows))
    np.save(folder / "targets.npy", targets)
    np.save(folder / "photos.npy", np.array(rows, np.int64))
    meta = {"kind": "reverse", "faces_sha256": sha256_of(faces / "faces.npy", faces / "people.npy")}
    (folder / "meta.json").write_text(json.dumps(meta))
    return folder


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    return store(tmp_path / "faces", COUNTS)


def test_the_source_is_another_photo_of_the_answers_person(tmp_path: Path, faces: Path) -> None:
    data = FaceData(faces, 16)  # eight of the ten people are for training; persons 1 and 7 have one photo
    people = np.repeat(np.arange(10), COUNTS)
    answers = Answers(answered(tmp_path / "answers", faces, list(range(len(people)))), data)
    fit = [row for row, person in enumerate(people) if person < 8 and COUNTS[person] > 1]
    assert answers.count == len(fit)
    rows, source, answer = answers.draw(4000, torch.Generator().manual_seed(0))
    assert set(rows.tolist()) == set(fit)
    assert (data.owner[source] == data.owner[answer]).all()
    assert (source != answer).all()
    for row in fit:  # every other photo of the person, and no other
        person = people[row]
        others = {n for n in range(COUNTS[person]) if n != row - sum(COUNTS[:person])}
        assert {int(n) for n in seen(data, source[rows == row])[:, 1]} == others
    target, truth = answers.get(rows[:50])
    assert ((target[:, 0, 0, 0] + 1) * 127.5).round().int().tolist() == rows[:50].tolist()
    assert torch.equal(truth, data.load(answer[:50]))
    held, _, held_answer = answers.held_out(99, torch.Generator())
    assert sorted(held.tolist()) == [row for row, person in enumerate(people) if person >= 8]
    assert (data.owner[held_answer] >= 8).all()


def test_a_batch_holds_answers_first_and_is_the_same_for_all_ranks(tmp_path: Path, faces: Path) -> None:
    data = FaceData(faces, 16)
    answers = Answers(answered(tmp_path / "answers", faces, list(range(29))), data)
    config = override(
        load_preset("lite-64", "swapper"),
        dict(tiny.split("=") for tiny in [*TINY_SWAPPER, "answers=3", "batch=6"]),
    )
    sources = torch.arange(data.photos, dtype=torch.float32)[:, None]

    def drawn(rows: list[int]) -> tuple[torch.Tensor, ...]:
        rng = torch.Generator().manual_seed(5)
        batches = Batches(config, data, sources, [sources], [answers], rng, torch.device("cpu"))
        batch = batches.draw(torch.tensor(rows), adversarial=False)
        assert batch.reals == []
        return batch.target, batch.z, batch.known, batch.answer

    target, z, known, answer = drawn(list(range(6)))
    assert known.tolist() == [True] * 3 + [False] * 3
    assert ((target[:3, 1, 5, 5] + 1) * 127.5).round().tolist() == [100.0] * 3  # the stand-ins' grey
    told = torch.from_numpy(seen(data, z[:, 0].long())[:, 0])
    assert told[:3].tolist() == ((answer[:, 0, 0, 0] + 1) * 127.5).round().int().tolist()  # the same person
    even, odd = drawn([0, 2, 4]), drawn([1, 3, 5])
    for whole, one, other in zip((target, z, known), even[:3], odd[:3], strict=True):
        assert torch.equal(whole[::2], one)
        assert torch.equal(whole[1::2], other)
    assert torch.equal(answer[::2], even[3])
    assert torch.equal(answer[1:2], odd[3])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: (f / "meta.json").unlink(), "no swaps with known answers"),
        (lambda f: (f / "meta.json").write_text('{"kind": "guess"}'), "no swaps with known answers"),
        (lambda f: (f / "meta.json").write_text('{"kind": "reverse"}'), "made from other faces"),
        (lambda f: (f / "targets.npy").write_bytes(b"x"), "not a whole .npy"),
        (lambda f: np.save(f / "targets.npy", np.zeros((5, 16, 16, 3), np.uint8)), "needed is uint8"),
        (lambda f: np.save(f / "photos.npy", np.arange(29) + 1), "rows of the 29 faces"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path: Path, faces: Path, damage: object, said: str) -> None:
    folder = answered(tmp_path / "answers", faces, list(range(29)))
    damage(folder)  # type: ignore[operator]
    with pytest.raises(DataError, match=said):
        Answers(folder, FaceData(faces, 16))


def test_the_nearest_of_some_strangers_is_put_onto_a_photo() -> None:
    people = np.array([0, 0, 1, 2, 2, 3, 3])
    points = np.zeros((7, 68, 2)) + np.array([0, 9, 1, 2, 50, 3, 4.0])[:, None, None]
    points[4] = np.nan
    chosen, left = draws(people, points, seed=0)
    assert [photo for photo, _ in chosen] == [0, 1, 3, 5, 6]
    assert all(people[photo] != people[stranger] and stranger != 4 for photo, stranger in chosen)
    assert dict(left) == {"the person has no other photo": 1, "no face is found in the crop": 1}
    assert draws(people, points, seed=0) == (chosen, left)


def test_the_command_makes_answers_of_rendered_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from smoothswap.rendered.dataset import person_views

    faces = np.stack([person_views(person, 2, 96, seed=3) for person in range(4)])
    faces[3, 1] = 128  # no face in it
    (tmp_path / "people").mkdir()
    np.save(tmp_path / "people" / "faces.npy", faces)
    given = [str(tmp_path / "people"), "--out", str(tmp_path / "answers"), "--workers", "1"]
    assert stand_ins([*given, "--by", "nobody"]) == 2
    assert not (tmp_path / "answers").exists()
    assert stand_ins(given) == 0
    assert "left out: 1 x no face is found in the crop" in capsys.readouterr().out
    data = FaceData(tmp_path / "people", 96, held_out=0.5)
    answers = Answers(tmp_path / "answers", data)
    assert answers.meta["answers"] == 7
    rows = torch.arange(7)
    target, answer = answers.get(rows)
    apart = (target - answer).abs().mean(1)
    assert (apart[:, 40:60, 40:60].mean((1, 2)) > 0.02).all()  # somebody else's face
    assert apart[:, :4].max() < 1e-6  # and nothing else
    assert stand_ins(given) == 3  # a folder that holds answers is left alone


def test_true_swaps_are_rendered_into_scenes_of_strangers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from smoothswap.rendered.answers import main as render
    from smoothswap.rendered.dataset import write_faces

    people = tmp_path / "people"
    write_faces(people, people=4, views=2, size=48, seed=3, workers=1)
    given = [str(people), "--out", str(tmp_path / "answers"), "--each", "2", "--workers", "1"]
    assert render(given) == 0
    assert "8 true swaps of 4 people" in capsys.readouterr().out
    data = FaceData(people, 48, held_out=0.5)
    answers = Answers(tmp_path / "answers", data)
    assert (answers.kind, answers.count) == ("truth", 4)
    rows, source, _ = answers.draw(200, torch.Generator().manual_seed(0))
    assert set(rows.tolist()) == {0, 1, 2, 3}
    assert (data.owner[source] == rows // 2).all()
    assert len(set(source.tolist())) == 4  # any photo may be the source: none is the answer
    target, answer = answers.get(torch.arange(8))
    apart = (target - answer).abs().mean(1)
    assert (apart[:, 16:34, 16:32].mean((1, 2)) > 0.03).all()  # another face
    assert (apart[:, :3, :3].amax((1, 2)) < 1e-6).sum() >= 6  # in the same room; into a corner hair may reach
    assert not torch.equal(answer[0], answer[1])
    assert render(given) == 3
    (people / "meta.json").write_text('{"world": 4, "seed": 3, "size": 48}')
    assert render([str(people), "--out", str(tmp_path / "other")]) == 3
    assert "holds no faces of world 3" in capsys.readouterr().err


def test_a_training_on_answers_goes_on_where_it_was_and_its_card_says_so(tmp_path: Path, faces: Path) -> None:
    answers = answered(tmp_path / "answers", faces, list(range(29)))
    embedder, swapper = tmp_path / "embedder", tmp_path / "swapper"
    assert main(["embedder", "--data", str(faces), "--out", str(embedder), *settings(TINY_EMBEDDER)]) == 0
    options = [*TINY_SWAPPER, "self_pairs=0", "answers=2", "adv_start=2", "lambda_perceptual=0.1", "steps=4"]
    given = ["swapper", "--data", str(faces), "--embedder", str(embedder), *settings(options)]
    assert main([*given, "--out", str(swapper)]) == 2  # answers=2 without a folder of them
    given += ["--answers", str(answers)]
    assert main([*given, "--out", str(swapper)]) == 0
    half = tmp_path / "half"
    assert main([*given, "--out", str(half), "--steps", "4", "--minutes", "0"]) == 0
    assert main([*given, "--out", str(half), "--resume"]) == 0
    whole, again = (read_tensors(run / "checkpoint.safetensors")[0] for run in (swapper, half))
    assert all(torch.equal(whole[name], again[name]) for name in whole if name.startswith("average."))
    other = answered(tmp_path / "other", faces, [0, 1, 2])
    assert main([*given[:-1], str(other), "--out", str(half), "--resume"]) == 2
    assert main(["export", "--run", str(swapper), "--name", "mine", "--to", str(tmp_path)]) == 0
    card = pretrained.card(tmp_path / "mine.safetensors")
    assert card["answers"][0]["kind"] == "reverse"
    assert card["supervision"] == "paper + reverse"  # two pairs of three had an answer
    assert pretrained.variant(card).endswith("trained by paper + reverse")
    assert {"answer", "perceptual", "val_answer"} <= set(
        (swapper / "metrics.csv").read_text().split("\n")[0].split(",")
    )
