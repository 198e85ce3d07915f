"""The paper's dagger: a swapper is marked where its own training's network, or that network's family, judges it."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.data.ffpp import FaceForensics
from bench.errors import UsageError
from bench.ffpp.options import parser
from bench.reading.embedder import JUDGE
from bench.reading.instruments import create as create_instrument
from bench.reading.instruments import describe
from bench.swappers import Swapper, create, declare
from bench.swappers.published import known_training
from reports.results import Results
from smoothswap import pretrained
from tests.support import SUPPORT
from tests.support.user_models import Paste


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SUPPORT))


def results(trained_with: list[str], *instruments: dict[str, Any]) -> Results:
    """A results file with one number by each instrument."""
    value = {"value": 0.5, "n": 4, "clusters": 2, "unit": "cosine", "higher_is_better": True, "version": 1}
    value |= {"label": "Identity", "group": "Identity change", "order": 1, "range": [-1, 1]}
    return Results.model_validate(
        {
            "run": {
                "command": "x",
                "model": {"name": "mine", "trained_with": trained_with},
                "protocol": {"hash": "h"},
                "data": {"name": "d"},
                "instruments": list(instruments),
                "environment": {},
                "seed": 0,
                "started": datetime.now(timezone.utc),
                "seconds": 1.0,
            },
            "counts": {"expected": 4, "used": 4},
            "metrics": {
                f"identity@{one['name']}": {**value, "instrument": one["name"]} for one in instruments
            },
        }
    )


def marked(found: Results) -> set[str]:
    return {key.partition("@")[2] for key, value in found.metrics.items() if value.dagger}


ARC = {"name": "arcface:w600k_r50", "family": "arcface", "weights_sha256": "aa"}
OTHER = {"name": "arcface:glint_r100", "family": "arcface", "weights_sha256": "bb"}
VGG = {"name": "vggface2:resnet50", "family": "vggface2", "weights_sha256": "cc"}
OURS = {"name": "recogniser-96", "family": "embedder-1234", "weights_sha256": "dd"}


@pytest.mark.parametrize(
    ("trained_with", "daggers"),
    [
        (["arcface"], {ARC["name"], OTHER["name"]}),
        (["ArcFace:buffalo_l"], {ARC["name"], OTHER["name"]}),
        (["CC"], {VGG["name"]}),
        (["embedder-1234"], {OURS["name"]}),
        (["embedder-9999"], set()),
        ([], set()),
    ],
)
def test_family_name_or_hash_makes_the_dagger(trained_with: list[str], daggers: set[str]) -> None:
    found = results(trained_with, ARC, OTHER, VGG, OURS)
    assert marked(found) == daggers
    for key, value in found.metrics.items():
        if value.dagger:
            assert "mine was trained with" in value.dagger
            assert key.partition("@")[2] in value.dagger
    assert marked(Results.model_validate_json(found.to_json())) == daggers  # and it is stored


def test_our_own_swapper_names_its_embedders_and_the_judge_is_another(tree: Path) -> None:
    swapper = create("smoothswap", FaceForensics(tree))
    named = swapper.info[
        "trained_with"
    ]  # of L_id and of --also; "arcface" too where that loss trained one of them
    families = [name for name in named if name != "arcface"]
    judge = describe(create_instrument(JUDGE))
    assert len(set(families)) == len(families) > 1
    assert all(family.startswith("embedder-") for family in (*families, judge["family"]))
    assert judge["family"] not in families
    for family in families:
        own = {**judge, "name": "embedder-64", "family": family}
        assert marked(results(named, judge, own)) == {"embedder-64"}


def test_an_embedder_is_known_in_whichever_file_it_lies(tmp_path: Path) -> None:
    model = pretrained.load("smoothswap")
    again = pretrained.load("smoothswap").embedder
    assert pretrained.fingerprint(model.embedder) == pretrained.fingerprint(again)
    next(again.parameters()).data[0] += 1
    assert pretrained.fingerprint(model.embedder) != pretrained.fingerprint(again)


class Declared(Paste):
    trained_with = ("arcface", "vggface2")


class InInfo(Paste):
    info = {"trained_with": "dlib"}  # noqa: RUF012


class Wrong(Paste):
    trained_with = (1, 2)


def declared() -> Declared:
    return Declared()


def in_info() -> InInfo:
    return InInfo()


def wrong() -> Wrong:
    return Wrong()


def test_a_users_model_declares_it(tree: Path) -> None:
    dataset = FaceForensics(tree)
    assert create(f"{__name__}:declared", dataset).info["trained_with"] == ["arcface", "vggface2"]
    assert create(f"{__name__}:in_info", dataset).info["trained_with"] == ["dlib"]
    assert "trained_with" not in create("user_models:paste", dataset).info
    with pytest.raises(UsageError, match=r"expected the families, names or weights' sha256"):
        create(f"{__name__}:wrong", dataset)


def test_the_command_declares_it_for_finished_swaps() -> None:
    options = parser().parse_args(["--trained-with", "mine=arcface, dlib", "--trained-with", "mine=dlib"])
    swappers = [Swapper(name, name, "finished", SimpleNamespace(), name) for name in ("mine", "other")]
    one, other = declare(swappers, options.trained_with)
    assert one.info["trained_with"] == ["arcface", "dlib"]
    assert "trained_with" not in other.info
    for bad in ("mine", "mime=arcface", "mine=", "=arcface"):
        with pytest.raises(UsageError, match="trained"):
            declare(swappers, [bad])


def test_every_instrument_of_this_installation_states_its_family() -> None:
    for spec, family in (("dlib", "dlib"), ("anny", "anny"), ("anny-landmarks", "anny")):
        assert describe(create_instrument(spec))["family"] == family


@pytest.mark.parametrize(
    "name", ["FaceShifter", "SimSwap", "MegaFS", "InfoSwap", "simswap_256", "my-SIMSWAP", "inswapper128"]
)
def test_published_methods_are_known_by_name(name: str) -> None:
    assert known_training(name) == ("arcface",)
    assert known_training("HifiFace") == ("curricularface",)
    assert known_training("Deepfakes") == known_training("SimSwapper") == ()


def test_a_published_methods_name_marks_its_finished_swaps(tree: Path, tmp_path: Path) -> None:
    dataset = FaceForensics(tree)
    (tmp_path / "simswap").mkdir()
    assert create(f"images:{tmp_path / 'simswap'}", dataset).info["trained_with"] == ["arcface"]
    assert create(f"mine=images:{tmp_path / 'simswap'}", dataset).info["trained_with"] == ["arcface"]
    (tmp_path / "swaps").mkdir()
    assert create(f"MegaFS=images:{tmp_path / 'swaps'}", dataset).info["trained_with"] == ["arcface"]
    assert "trained_with" not in create(f"images:{tmp_path / 'swaps'}", dataset).info
    own = create(f"SimSwap={__name__}:in_info", dataset)  # what a model says of itself is believed
    assert own.info["trained_with"] == ["dlib"]


def test_an_earlier_teacher_and_its_kin_are_daggered(tree: Path) -> None:
    """smoothswap-rendered-64's embedder began from that of smoothswap-lfw-64: neither may judge the other's swaps."""
    dataset = FaceForensics(tree)
    for model, judge in (("rendered-64", "lfw-64"), ("lfw-64", "rendered-64")):
        named = create(f"smoothswap:smoothswap-{model}", dataset).info["trained_with"]
        info = describe(create_instrument(f"embedder:smoothswap-{judge}"))
        assert marked(results(named, info, describe(create_instrument(JUDGE)))) == {f"smoothswap-{judge}"}
    arc = describe(create_instrument("embedder:smoothswap-lfw-64-arc"))
    assert marked(results(["arcface"], arc)) == {"smoothswap-lfw-64-arc"}


def test_a_files_own_record_can_be_declared(tree: Path) -> None:
    swapper = Swapper("mine", "mine", "finished", SimpleNamespace(), "mine")
    file = pretrained.locate("smoothswap-lfw-64-arc")
    (one,) = declare([swapper], [f"mine={file}"])
    assert "arcface" in one.info["trained_with"]
    assert any(name.startswith("embedder-") for name in one.info["trained_with"])
