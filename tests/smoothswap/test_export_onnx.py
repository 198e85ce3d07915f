"""ONNX files compute what the networks compute, at any batch size, and none is written that does not."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
import torch.nn.functional as F

from smoothswap import export_onnx, pretrained
from smoothswap.config import EmbedderConfig, SwapperConfig, flatten
from smoothswap.export_onnx import ExportError, difference, main, to_onnx
from smoothswap.networks.embedder import Embedder
from smoothswap.networks.generator import Generator
from smoothswap.networks.options import EmbedderOptions, GeneratorOptions

EYE = EmbedderOptions(backbone="lite", size=16, width=8, blocks=(1, 1), hidden=16, dim=8)


def hand(resampling: str = "fir") -> GeneratorOptions:
    return GeneratorOptions(
        size=16,
        width=8,
        channel_multipliers=(1, 2),
        blocks=1,
        identity_dim=8,
        init_scale=1.0,
        resampling=resampling,
    )


@pytest.fixture(scope="module")
def swapper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    configs = {
        "swapper": flatten(SwapperConfig(generator=hand())),
        "embedder": flatten(EmbedderConfig(network=EYE)),
    }
    modules = {"generator": Generator(hand()), "embedder": Embedder(EYE)}
    pretrained.save(path, modules, {"part": "swapper", "config": configs})
    return path


def test_both_networks_by_the_command(
    swapper: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(swapper), "-o", str(tmp_path / "onnx")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        str(tmp_path / "onnx" / f"tiny-{part}.onnx") for part in ("generator", "embedder")
    ]
    assert all(", opset 17, differs from torch by " in line for line in lines)
    model = pretrained.load(swapper)
    source, target = torch.rand(5, 3, 16, 16) * 2 - 1, torch.rand(5, 3, 16, 16) * 2 - 1
    embedder, generator = (
        onnxruntime.InferenceSession(tmp_path / "onnx" / f"tiny-{part}.onnx")
        for part in ("embedder", "generator")
    )
    (identity,) = embedder.run(None, {"face": source.numpy()})
    (swapped,) = generator.run(["swapped"], {"target": target.numpy(), "identity": identity})
    np.testing.assert_allclose(identity, model.embed(source).numpy(), atol=1e-4)
    np.testing.assert_allclose(np.clip(swapped, -1, 1), model.swap(source, target).numpy(), atol=1e-4)
    assert np.abs(swapped - target.numpy()).max() > 0.1


def test_plain_resampling_and_an_embedder_alone(tmp_path: Path) -> None:
    assert to_onnx(Generator(hand("plain")))[1] < 1e-4
    pretrained.save(
        tmp_path / "eye.safetensors",
        {"embedder": Embedder(EYE)},
        {"part": "embedder", "config": {"embedder": flatten(EmbedderConfig(network=EYE))}},
    )
    ((file, worst),) = export_onnx.export(tmp_path / "eye.safetensors", tmp_path)
    assert file == tmp_path / "eye-embedder.onnx"
    assert file.is_file()
    assert worst < 1e-4


def test_another_network_is_found_out() -> None:
    torch.manual_seed(2)
    one, two = Embedder(EYE).eval(), Embedder(EYE).eval()
    content, _ = to_onnx(one)
    assert difference(content, one) < 1e-4
    assert difference(content, two) > 0.05


def test_nothing_is_written_that_differs(
    swapper: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The embedder, checked after the generator, is off: neither file appears."""
    monkeypatch.setattr(
        export_onnx, "difference", lambda content, network: 2e-4 if isinstance(network, Embedder) else 0.0
    )
    assert main([str(swapper), "-o", str(tmp_path)]) == 3
    assert "the embedder differs by 2.0e-04 in ONNX, more than 0.0001; not written" in capsys.readouterr().err
    monkeypatch.setattr(export_onnx, "difference", lambda content, network: float("nan"))
    with pytest.raises(ExportError, match="differs by nan"):
        export_onnx.export(swapper, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_missing_is_named(
    swapper: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["smothswap", "-o", str(tmp_path)]) == 2
    assert "did you mean 'smoothswap'" in capsys.readouterr().err
    (tmp_path / "file").write_text("no folder")
    assert main([str(swapper), "-o", str(tmp_path / "file")]) == 3
    assert "cannot write to the output folder" in capsys.readouterr().err
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "onnx" else find(name, *rest)
    )
    assert main([str(swapper), "-o", str(tmp_path / "new")]) == 3
    assert "needs the package onnx: pip install" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


# The generator's identity has unit norm; what the file is checked with must be of that kind too.
def test_the_check_uses_identities_of_unit_norm() -> None:
    _, identity = export_onnx._inputs(Generator(hand()), 3)
    torch.testing.assert_close(identity, F.normalize(identity, dim=1))
