"""Export and loading of weights: what comes back is what was trained, and damage is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from smoothswap import pretrained
from smoothswap.checkpoint import read_tensors
from smoothswap.pretrained import WeightsError
from smoothswap.train import main
from tests.support.tiny_models import TINY_SWAPPER, settings


@pytest.fixture(scope="module")
def exported(faces: Path, embedder_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    run = folder / "run"
    arguments = [
        "swapper",
        "--data",
        str(faces),
        "--out",
        str(run),
        "--embedder",
        str(embedder_run),
        "--threads",
        "1",
    ]
    assert main([*arguments, *settings(TINY_SWAPPER), *settings(["generator.init_scale=1.0"])]) == 0
    assert main(["export", "--run", str(run), "--name", "tiny", "--to", str(folder)]) == 0
    assert main(["export", "--run", str(embedder_run), "--name", "eye", "--to", str(folder)]) == 0
    return folder


def test_exported_swapper_is_the_average_with_its_embedder(exported: Path, embedder_run: Path) -> None:
    model = pretrained.load(exported / "tiny.safetensors")
    trained, _ = read_tensors(exported / "run" / "checkpoint.safetensors")
    for name, tensor in model.generator.state_dict().items():
        assert torch.equal(tensor, trained[f"average.{name}"])
    embedder, _ = pretrained.load_embedder(embedder_run)
    source, target = torch.rand(2, 3, 16, 16) * 2 - 1, torch.rand(2, 3, 16, 16) * 2 - 1
    z = embedder(source)
    assert torch.equal(model.embed(source), z)
    assert torch.equal(model.swap(source, target), model.generator(target, z).clamp(-1, 1))
    one = model.swap(source[:1], target)  # one source for all targets
    torch.testing.assert_close(one[:1], model.swap(source, target)[:1], rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match=r"target is \[2, 3, 8, 8\]; expected \[n, 3, 16, 16\]"):
        model.swap(source, target[:, :, :8, :8])
    with pytest.raises(ValueError, match="2 sources for 1 targets"):
        model.swap(source, target[:1])


def test_exported_embedder_loads_the_same(exported: Path, embedder_run: Path) -> None:
    one, _ = pretrained.load_embedder(exported / "eye.safetensors")
    two, _ = pretrained.load_embedder(embedder_run)
    x = torch.randn(3, 3, 16, 16)
    assert torch.equal(one(x), two(x))


def test_half_precision_halves_the_file_and_hardly_moves_an_embedding(
    exported: Path, embedder_run: Path, tmp_path: Path
) -> None:
    words = ["export", "--run", str(embedder_run), "--name", "eye", "--to", str(tmp_path), "--half"]
    assert main(words) == 0
    stored, _ = read_tensors(tmp_path / "eye.safetensors")
    whole, _ = read_tensors(exported / "eye.safetensors")
    assert {v.dtype for v in stored.values() if v.is_floating_point() and v.dim() > 1} == {torch.float16}
    assert all(torch.equal(stored[k], whole[k]) for k in whole if whole[k].dim() < 2)
    assert sum(v.nbytes for v in stored.values()) < 0.7 * sum(v.nbytes for v in whole.values())
    one, _ = pretrained.load_embedder(tmp_path / "eye.safetensors")
    two, _ = pretrained.load_embedder(embedder_run)
    x = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert all(p.dtype == torch.float32 for p in one.parameters())
    cosine = torch.nn.functional.cosine_similarity(one(x), two(x))
    assert (cosine > 0.999).all()
    assert pretrained.card(tmp_path / "eye.safetensors")["stored_as"] == "float16"


def test_card_says_what_made_it(exported: Path) -> None:
    card = pretrained.card(exported / "tiny.safetensors")
    assert card["sha256"] == pretrained.sha256(exported / "tiny.safetensors")
    assert card["steps"] == 6
    assert card["command"].startswith("python -m smoothswap.train swapper --data")
    assert set(card["scores"]) == {"val_id", "val_chg", "retrieval", "retrieval_target"}
    assert card["config"]["swapper"]["lambda_id"] == 4.0
    assert len(card["data"]["sha256"]) == 64


def test_damage_is_told(exported: Path, tmp_path: Path) -> None:
    for suffix in (".safetensors", ".json"):
        shutil.copy(exported / f"tiny{suffix}", tmp_path)
    path, card = tmp_path / "tiny.safetensors", tmp_path / "tiny.json"
    whole = path.read_bytes()
    for content in (whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1]), b""):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match="truncated or altered; restore both files"):
            pretrained.load(path)
    path.write_bytes(whole)
    card.unlink()
    with pytest.raises(WeightsError, match=r"the card of tiny\.safetensors is missing or broken"):
        pretrained.load(path)


def test_a_swappers_weights_hold_its_embedder(exported: Path) -> None:
    embedder, config = pretrained.load_embedder(exported / "tiny.safetensors")
    whole = pretrained.load(exported / "tiny.safetensors").embedder
    assert pretrained.fingerprint(embedder) == pretrained.fingerprint(whole)
    assert config.network == whole.options
    about = pretrained.card(exported / "tiny.safetensors")
    kept = pretrained.training_of(exported / "tiny.safetensors")
    assert "auc" in kept["scores"]
    assert kept["scores"] == about["embedder_training"]["scores"]


def test_foreign_weights_are_told(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="holds the weights of a embedder, not of a swapper"):
        pretrained.load(exported / "eye.safetensors")
    alien = tmp_path / "alien.safetensors"
    save_file({"x": torch.zeros(2)}, alien)
    about = {"part": "swapper", "config": {"swapper": {}, "embedder": {}}}
    (tmp_path / "alien.json").write_text(json.dumps({"sha256": pretrained.sha256(alien), **about}))
    with pytest.raises(WeightsError, match="not a file of this project"):
        pretrained.load(alien)
    with pytest.raises(WeightsError, match=r"no weights 'smothswap'.*did you mean 'smoothswap'"):
        pretrained.load("smothswap")
    with pytest.raises(WeightsError, match="is a checkpoint of a swapper"):
        pretrained.load_embedder(exported / "run")
