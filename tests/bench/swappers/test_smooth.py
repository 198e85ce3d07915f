"""--model smoothswap takes the weights that fit the tree and says so; variants are rows of one table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.errors import UsageError
from bench.ffpp.__main__ import main
from bench.list import models
from bench.reading.embedder import embedder_family
from bench.swappers import create
from bench.swappers.smooth import SmoothSwapModel
from reports.results import load
from smoothswap import pretrained
from smoothswap.config import EmbedderConfig, SwapperConfig, flatten, override
from smoothswap.networks.embedder import Embedder
from smoothswap.networks.generator import Generator

SIZES: dict[str, Any] = {
    "generator.size": 32,
    "generator.width": 8,
    "generator.channel_multipliers": (1, 2),
    "generator.identity_dim": 6,
}
NETWORK: dict[str, Any] = {
    "network.backbone": "lite",
    "network.size": 32,
    "network.hidden": 8,
    "network.dim": 6,
    "network.width": 4,
}


def put(
    folder: Path,
    name: str,
    domain: str,
    loss: str = "contrastive",
    also: tuple[dict[str, Any], ...] = (),
    **options: Any,
) -> None:
    """Untrained weights of a swapper under a name, with the card that an export writes."""
    torch.manual_seed(len(name))
    swapper: SwapperConfig = override(SwapperConfig(), SIZES | options)
    embedder: EmbedderConfig = override(EmbedderConfig(), NETWORK | {"loss": loss})
    modules = {"generator": Generator(swapper.generator), "embedder": Embedder(embedder.network)}
    config = {"swapper": flatten(swapper), "embedder": flatten(embedder)}
    about = {"name": name, "part": "swapper", "steps": 10, "domain": domain, "data": {}, "config": config}
    about |= {"also": list(also)} if also else {}
    pretrained.save(folder / f"{name}.safetensors", modules, about)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "weights")
    put(tmp_path / "weights", "smoothswap-rendered-64", "rendered")
    put(tmp_path / "weights", "smoothswap-rendered-64-arc", "rendered", "arcface")
    return tmp_path / "weights"


@pytest.fixture
def score(tree: Path, tmp_path: Path, colours: str) -> Callable[..., Path]:
    def call(*options: str) -> Path:
        base = ["--data", str(tree), "--frames", "1", "--workers", "1", "--device", "cpu", "--no-references"]
        given = [*base, "--instruments", colours, "--out", str(tmp_path / "out"), *options]
        assert main(given) == 0
        return tmp_path / "out"

    return call


@pytest.mark.page
def test_variants_are_rows_and_the_choice_is_recorded(
    folder: Path, score: Callable[..., Path], add_swaps: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    add_swaps("oracle")
    out = score("--model", "smoothswap", "--model", "smoothswap:smoothswap-rendered-64-arc")
    said = capsys.readouterr()
    assert said.err.count("smoothswap: smoothswap-rendered-64.safetensors, the data are rendered faces") == 1
    main_row, arc = (
        load(out / name / "results.json") for name in ("smoothswap", "smoothswap-rendered-64-arc")
    )
    extra = main_row.run.model.model_extra or {}
    assert extra["weights"] == "smoothswap-rendered-64.safetensors"
    assert extra["chosen"].startswith("the data are rendered faces")
    assert main_row.run.model.weights_sha256 == pretrained.sha256(
        folder / "smoothswap-rendered-64.safetensors"
    )
    assert (arc.run.model.model_extra or {})["variant"] == "ArcFace embedder"
    assert "chosen" not in (arc.run.model.model_extra or {})  # it was named
    assert arc.metrics["identity"].dagger  # read by an instrument of ArcFace's family
    assert not main_row.metrics["identity"].dagger
    assert "smoothswap-rendered-64-arc (ArcFace embedder)" in said.out
    page = (out / "report.html").read_text()
    assert "smoothswap-rendered-64-arc" in page
    assert "(Arc) λid = 4" in page  # the paper's rows, quoted


def test_every_embedder_of_the_identity_loss_counts_for_the_dagger(folder: Path) -> None:
    plain = SmoothSwapModel("smoothswap-rendered-64").info["trained_with"]
    assert len(plain) == 1
    other = {"weights": "ab" * 32, "config": {"loss": "contrastive"}}
    put(folder, "two", "photos", also=(other,))
    assert SmoothSwapModel("two").info["trained_with"][1:] == [embedder_family("ab" * 32)]
    put(folder, "three", "photos", also=(other, {"weights": "cd" * 32, "config": {"loss": "arcface"}}))
    families = SmoothSwapModel("three").info["trained_with"]
    assert families[1:] == [embedder_family("ab" * 32), embedder_family("cd" * 32), "arcface"]


def test_a_real_tree_falls_back_and_says_so(
    folder: Path, score: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    score("--model", "smoothswap", "--dry-run")  # the tree has no true swap
    assert (
        "no weights trained on photographs are here; these know rendered faces only"
        in capsys.readouterr().err
    )
    put(folder, "smoothswap-lfw-64", "photos")
    score("--model", "smoothswap", "--dry-run")
    assert "smoothswap: smoothswap-lfw-64.safetensors, the data are photographs" in capsys.readouterr().err


def test_names_are_listed_and_suggested(folder: Path, tree: Path) -> None:
    from bench.data.ffpp import FaceForensics

    lines = {name: line for name, line, _ in models()}
    assert "ArcFace embedder" in lines["smoothswap:smoothswap-rendered-64-arc"]
    with pytest.raises(UsageError, match="did you mean 'smoothswap-rendered-64-arc'"):
        create("smoothswap:smoothswap-renderd-64-arc", FaceForensics(tree))
