"""Which committed weights are taken for which faces, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from smoothswap import pretrained
from smoothswap.pretrained import WeightsError, choose, domain, variant


def put(folder: Path, name: str, **about: Any) -> None:
    """A card with a file beside it; `loss`, `size` and swapper options go into its configuration."""
    (folder / f"{name}.safetensors").write_bytes(name.encode())
    swapper = {
        "lambda_id": about.pop("lambda_id", 4.0),
        "generator.size": about.pop("size", 64),
        "generator.identity_injection": about.pop("injection", "add"),
    }
    config = {"swapper": swapper, "embedder": {"loss": about.pop("loss", "contrastive")}}
    digest = pretrained.sha256(folder / f"{name}.safetensors")
    card = {"sha256": digest, "part": "swapper", "steps": 100, "config": config, "data": {}, **about}
    (folder / f"{name}.json").write_text(json.dumps(card))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path)
    return tmp_path


OLD = {"data": {"meta": {"people_ids": "rendered:3000:0..3999"}}}


def test_the_domain_of_the_faces_decides(folder: Path) -> None:
    put(folder, "smoothswap-64", **OLD)  # an older card, which does not state its domain
    put(folder, "smoothswap-lfw-64", domain="photos")
    assert choose("rendered").name == "smoothswap-64"
    assert choose("photos").name == "smoothswap-lfw-64"
    assert "photographs, and these were trained on such" in choose("photos").reason
    assert (
        pretrained.locate("smoothswap") == folder / "smoothswap-lfw-64.safetensors"
    )  # a name alone is of pictures
    assert choose("rendered").sha256 == pretrained.sha256(folder / "smoothswap-64.safetensors")


def test_the_main_model_is_taken_and_the_longest_trained(folder: Path) -> None:
    put(folder, "smoothswap-64", **OLD)
    put(folder, "smoothswap-rendered-64", domain="rendered", steps=900)
    put(folder, "smoothswap-rendered-64-arc", domain="rendered", steps=9000, loss="arcface", size=128)
    put(folder, "smoothswap-rendered-64-lambda1", domain="rendered", steps=9000, lambda_id=1.0)
    put(folder, "smoothswap-rendered-64-map", domain="rendered", steps=9000, injection="map")
    put(folder, "recogniser-96", part="embedder", domain="rendered", steps=99999)
    found = choose("rendered")
    assert found.name == "smoothswap-rendered-64"
    assert "of 2 trained on such" in found.reason
    put(
        folder,
        "smoothswap-rendered-64-on",
        domain="rendered",
        steps=200,
        start={"steps": 1, "start": {"steps": 800}},
    )
    assert choose("rendered").name == "smoothswap-rendered-64-on"
    assert "for 1,001 steps" in dict(pretrained.swappers())["smoothswap-rendered-64-on"]
    put(folder, "smoothswap-rendered-128", domain="rendered", steps=5, size=128)
    assert choose("rendered").name == "smoothswap-rendered-128"


def test_a_lacking_domain_is_said(folder: Path) -> None:
    with pytest.raises(WeightsError, match="no swapper's weights in"):
        choose("photos")
    put(folder, "smoothswap-64", **OLD)
    assert choose("photos").name == "smoothswap-64"
    assert (
        "no weights trained on photographs are here; these know rendered faces only"
        in choose("photos").reason
    )
    (folder / "broken.safetensors").write_bytes(b"")
    (folder / "broken.json").write_text("{")
    assert choose("rendered").name == "smoothswap-64"


def test_an_unknown_name_is_answered_with_the_nearest(folder: Path) -> None:
    put(folder, "smoothswap-rendered-64-arc", **OLD)
    with pytest.raises(WeightsError, match="did you mean 'smoothswap-rendered-64-arc'"):
        pretrained.locate("smoothswap-renderd-64-arc")


def test_variants_are_named(folder: Path) -> None:
    put(folder, "a", **OLD)
    put(folder, "b", loss="arcface", lambda_id=1.0, injection="adalin", **OLD)
    put(folder, "c", injection="map", domain="photos")
    cards = [pretrained.card(name) for name in "abc"]
    assert [variant(card) for card in cards] == ["", "ArcFace embedder, lambda_id 1, AdaLIN", "identity map"]
    assert [domain(card) for card in cards] == ["rendered", "rendered", "photos"]
    lines = dict(pretrained.swappers())
    assert (
        lines["b"] == "64 px, trained on rendered faces for 100 steps, ArcFace embedder, lambda_id 1, AdaLIN"
    )


def test_what_weights_began_with_is_named(folder: Path) -> None:
    photographs = {"steps": 20, "data": {"meta": {}}}
    put(folder, "a", start=photographs, **OLD)
    put(folder, "b", start={"steps": 30, "start": photographs, **OLD}, **OLD)
    lines = dict(pretrained.swappers())
    assert lines["a"] == "64 px, trained on photographs for 20 steps, then on rendered faces for 100 steps"
    assert lines["b"] == "64 px, trained on photographs for 20 steps, then on rendered faces for 130 steps"


def test_the_committed_weights_are_chosen_from() -> None:
    found = choose("rendered")
    assert domain(pretrained.card(found.name)) == "rendered"
    about = pretrained.card(found.name)
    assert about.get("main") or variant(about) == ""
    assert domain(pretrained.card("smoothswap-rendered-64-arc")) == "rendered"
