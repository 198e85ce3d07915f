"""What trained a network is known through every start, teacher and export; what older files hide is named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from smoothswap import export_onnx, pretrained
from smoothswap.card_lineage import completed
from smoothswap.checkpoint import read_tensors, write_tensors
from smoothswap.data.sources import read_people
from smoothswap.lineage import (
    Lineage,
    for_card,
    for_training,
    named_people,
    of_embedder,
    rendered_set,
    saw,
)
from smoothswap.recipe import read_recipe
from smoothswap.rendered.people import lookalike, sample_identity
from smoothswap.train import main
from tests.smoothswap.training.test_training import command
from tests.support.tiny_models import settings


def exported(run: Path, name: str, *options: str) -> Path:
    assert main(["export", "--run", str(run), "--name", name, "--to", str(run.parent), *options]) == 0
    return run.parent / f"{name}.safetensors"


def test_the_family_follows_starts_teachers_and_exports(
    faces: Path, embedder_run: Path, tmp_path: Path
) -> None:
    arc, first, second = tmp_path / "arc", tmp_path / "first", tmp_path / "second"
    taught = [*command("embedder", faces, arc), "--start", str(embedder_run), "--steps", "1"]
    assert main([*taught, *settings(["loss=arcface"])]) == 0
    assert main([*command("swapper", faces, first, arc), "--steps", "1"]) == 0
    weights = exported(first, "arc-swapper", "--half")
    begun = [*command("swapper", faces, second, embedder_run), "--start", str(weights), "--steps", "3"]
    assert main(begun) == 0
    made = exported(second, "tuned")
    known = pretrained.lineage_of(made)
    assert known.families == ["arcface"]
    assert known.losses == {"arcface", "contrastive"}
    assert not known.unknown
    teachers = {
        pretrained.fingerprint(pretrained.load_embedder(run)[0]) for run in (arc, embedder_run, weights)
    }
    assert len(teachers) == 3  # in half precision the numbers are others
    assert teachers <= known.networks
    record = json.loads(made.with_suffix(".json").read_text())
    assert Lineage.of_json(record["lineage"]) == for_card(record)
    # Its embedder was taught by less than it was: no start of the swapper's counts as the embedder's.
    assert of_embedder(record).families == []
    files = export_onnx.export(made, tmp_path)
    generator, embedder = (export_onnx.lineage_of(path) for path, _ in files)
    assert generator == known
    assert embedder is not None
    assert embedder.families == []
    # From a run's folder as from weights, and from a checkpoint that was written before there were lineages.
    tensors, stored = read_tensors(second / "checkpoint.safetensors")
    assert "arcface" in stored["provenance"]["lineage"]["losses"]
    assert "names" not in stored["provenance"]["start"]["lineage"]
    del stored["provenance"]["lineage"], stored["provenance"]["start"]["lineage"]
    write_tensors(second / "checkpoint.safetensors", tensors, stored)
    old = for_training({**stored["provenance"], "config": stored["config"]}, "swapper")
    assert any(text.startswith("the embedders of: ") for text in old.unknown)
    third = [
        *command("swapper", faces, tmp_path / "third", embedder_run),
        "--start",
        str(second),
        "--steps",
        "1",
    ]
    assert main(third) == 0
    assert pretrained.lineage_of(exported(tmp_path / "third", "third")).unknown == old.unknown


def test_a_later_checkpoint_of_a_teacher_is_its_kin(faces: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert main([*command("embedder", faces, run), "--steps", "1"]) == 0
    early = pretrained.lineage_of(exported(run, "early"))
    assert main([*command("embedder", faces, run), "--resume", "--steps", "2"]) == 0
    late = pretrained.lineage_of(exported(run, "late"))
    assert len(early.networks & late.networks) == 1
    other = tmp_path / "other"
    assert main([*command("embedder", faces, other), "--steps", "1", *settings(["seed=3"])]) == 0
    assert not early.networks & pretrained.lineage_of(exported(other, "other")).networks


def test_old_records_say_what_is_not_known() -> None:
    start = {"command": "python -m smoothswap.train embedder --out x", "data": {}, "steps": 3}
    node = {"config": {"loss": "contrastive"}, "weights": "ab", "start": start}
    known = for_training(node, "embedder")
    assert known.unknown == {"the loss of: python -m smoothswap.train embedder --out x"}
    assert known.networks == {"ab"}
    assert for_training({**node, "start": {**start, "config": {"loss": "cosface"}}}, "embedder").families == [
        "cosface"
    ]


@pytest.mark.parametrize("name", pretrained.names())
def test_the_committed_cards_follow_the_rule(name: str, shared_data: Path) -> None:
    listed = shared_data / "lfw" / "meta" / "peopleDevTrain.txt"
    if not listed.is_file():
        pytest.skip("no list of LFW's people at hand")
    card = pretrained.card(name)
    bare = {key: value for key, value in card.items() if key != "lineage"}
    if "embedder_training" in bare:
        bare["embedder_training"] = {k: v for k, v in bare["embedder_training"].items() if k != "lineage"}
    assert completed(bare, read_recipe(), read_people(listed)) == card


def test_the_committed_weights_know_their_teachers_and_people() -> None:
    known = {name: pretrained.lineage_of(name) for name in pretrained.names()}
    assert not any(one.unknown for one in known.values())
    assert {name for name, one in known.items() if one.families} == {
        "smoothswap-lfw-64-arc",
        "smoothswap-rendered-64-arc",
    }
    teacher = pretrained.fingerprint(pretrained.load_embedder("smoothswap-lfw-64")[0])
    assert teacher in known["smoothswap-rendered-64"].networks
    assert saw(known["smoothswap-lfw-64"], "name:Aaron_Eckhart") is True  # of peopleDevTrain.txt
    assert saw(known["smoothswap-lfw-64"], "name:Nobody Of That Name") is False
    assert saw(known["smoothswap-lfw-64"], "rendered:0:77:1") is False
    assert saw(known["recogniser-96"], "rendered:2000:7") is True
    assert saw(known["recogniser-96"], "name:Aaron_Eckhart") is False


def test_rendered_people_are_compared_by_what_draws_them() -> None:
    """The oracle is the face itself: numpy's seeds [0, 77] and [0, 77, 0] draw one person."""
    plain = Lineage(people=frozenset({rendered_set({"seed": 0, "people": 100})}))
    chain = Lineage(people=frozenset({rendered_set({"seed": 0, "people": 200, "lookalikes": True})}))
    trained = [sample_identity(np.random.default_rng([0, i])).shape for i in range(60, 100)]
    links = [(lookalike(0, i).shape, lookalike(0, i).look) for i in range(140, 170)]
    for face in range(4):
        tested = sample_identity(np.random.default_rng([0, 77, face]))
        same = any(np.array_equal(tested.shape, shape) for shape in trained)
        assert saw(plain, f"rendered:0:77:{face}") is same, face
        alike = any(np.array_equal(tested.shape, s) or np.array_equal(tested.look, look) for s, look in links)
        assert saw(chain, f"rendered:0:77:{face}") is alike, face
        assert saw(plain, f"rendered:1:77:{face}") is False
    few = Lineage(people=frozenset({rendered_set({"seed": 0, "people": 77})}))
    assert saw(few, "rendered:0:77:0") is False  # person 77 is the 78th
    anny = Lineage(people=frozenset({"rendered:6:78:0..9999"}))
    assert saw(anny, "rendered:6:78:9999") is True
    assert saw(anny, "rendered:6:78:10000") is False


def test_names_are_compared_and_numbers_are_not_names() -> None:
    names = named_people(["Ann_Lee", "Bo Ek", "Zoë"])
    known = Lineage(people=frozenset(names), names=names)
    assert saw(known, "name:ann_lee") is True
    assert saw(known, "name:Bo_Ek") is True
    assert saw(known, "name:Cy") is False
    assert named_people(["001", "002"]) == {}
    hidden = Lineage(people=frozenset({"unnamed:1234"}))
    assert saw(hidden, "name:Cy") is None
    assert saw(known | hidden, "name:Cy") is None
    assert saw(known | hidden, "name:Ann Lee") is True
    assert saw(Lineage(), "name:Cy") is None
    assert Lineage.of_json(json.loads(json.dumps((known | hidden).as_json()))) == known | hidden
