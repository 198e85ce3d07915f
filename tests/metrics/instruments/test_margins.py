"""CosFace, CurricularFace and AdaFace: files of random weights in their authors' layouts, against the authors' forward pass
written once more from their code's formulas, with functions on the tensors of the file and no module of ours."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from metrics.instruments import InstrumentError, create
from metrics.instruments.networks.ir import DEPTHS, IR
from metrics.instruments.networks.iresnet import IResNet
from metrics.instruments.networks.sphere import DEPTHS as SPHERES
from metrics.instruments.networks.sphere import Sphere

State = dict[str, Tensor]
LANDMARKS = np.zeros((0, 68, 2), np.float32)


def randomised(network: nn.Module) -> State:
    """Weights by lot under which signals neither die nor grow, and norms that differ from the identity."""
    torch.manual_seed(0)
    for name, tensor in network.state_dict().items():
        if tensor.dim() >= 2:
            nn.init.kaiming_normal_(tensor)
        elif name.endswith("running_var"):
            tensor.uniform_(0.8, 1.5)
        elif tensor.is_floating_point():
            tensor.add_(0.1 * torch.randn_like(tensor))
    return network.state_dict()


def crops(n: int = 3) -> np.ndarray:
    """Channels and sides differ much, so that a wrong colour order or column shows."""
    rng = np.random.default_rng(1)
    level = np.array([1.0, 0.6, 0.2]) * np.linspace(0.3, 1, 112)[:, None]
    return (rng.uniform(0, 255, (n, 112, 112, 3)) * level).astype(np.uint8)


def pixels(images: np.ndarray, bgr: bool = False) -> Tensor:
    x = images[..., ::-1] if bgr else images
    return torch.from_numpy((x.astype(np.float64) / 255 - 0.5) / 0.5).permute(0, 3, 1, 2).float()


def norm(x: Tensor, w: State, key: str) -> Tensor:
    return F.batch_norm(
        x, w[f"{key}.running_mean"], w[f"{key}.running_var"], w.get(f"{key}.weight"), w.get(f"{key}.bias")
    )


def of_sphere(x: Tensor, w: State, depths: tuple[int, ...]) -> Tensor:
    for i, depth in enumerate(depths, 1):
        x = F.conv2d(x, w[f"layer{i}.0.weight"], w[f"layer{i}.0.bias"], stride=2, padding=1)
        x = F.prelu(x, w[f"layer{i}.1.weight"])
        for j in range(2, depth + 2):
            y = x
            for k in "12":
                y = F.conv2d(y, w[f"layer{i}.{j}.conv{k}.weight"], padding=1)
                y = F.prelu(y, w[f"layer{i}.{j}.prelu{k}.weight"])
            x = x + y
    return F.linear(x.flatten(1), w["fc.weight"], w["fc.bias"])


def of_ir(x: Tensor, w: State, depths: tuple[int, ...], between: bool) -> Tensor:
    x = norm(F.conv2d(x, w["input_layer.0.weight"], padding=1), w, "input_layer.1")
    x = F.prelu(x, w["input_layer.2.weight"])
    last = 3 if between else 2  # the PReLU's place
    for i, stride in enumerate(s for depth in depths for s in [2] + [1] * (depth - 1)):
        at = f"body.{i}.res_layer"
        y = F.conv2d(norm(x, w, f"{at}.0"), w[f"{at}.1.weight"], padding=1)
        y = norm(y, w, f"{at}.2") if between else y
        y = F.conv2d(
            F.prelu(y, w[f"{at}.{last}.weight"]), w[f"{at}.{last + 1}.weight"], stride=stride, padding=1
        )
        side = f"body.{i}.shortcut_layer"
        if f"{side}.0.weight" in w:
            short = norm(F.conv2d(x, w[f"{side}.0.weight"], stride=stride), w, f"{side}.1")
        else:
            short = x[..., ::stride, ::stride]
        x = norm(y, w, f"{at}.{last + 2}") + short
    x = norm(x, w, "output_layer.0").flatten(1)
    return norm(F.linear(x, w["output_layer.3.weight"], w["output_layer.3.bias"]), w, "output_layer.4")


def agrees(spec: str, wanted: Tensor, family: str) -> Any:
    instrument = create(spec)
    got = instrument.read(crops(), LANDMARKS)["identity"]
    rows = wanted.numpy()
    assert np.isfinite(rows).all()
    np.testing.assert_allclose(got, rows, atol=2e-4 * np.abs(rows).max())
    assert np.ptp(rows, axis=0).max() > 0.01 * np.abs(rows).max()  # the crops are told apart
    assert (instrument.family, instrument.reads, instrument.crop.template) == (
        family,
        ("identity",),
        "arcface",
    )
    assert instrument.name.startswith(f"{family}:")
    return instrument


@pytest.mark.parametrize("name", SPHERES)
def test_cosface_reads_the_middle_of_the_crop_by_a_sphere(name: str, tmp_path: Path) -> None:
    state = randomised(Sphere(SPHERES[name]))
    torch.save({f"module.{key}": value for key, value in state.items()}, tmp_path / "ACC99.28.pth")
    with torch.no_grad():
        wanted = of_sphere(pixels(crops())[..., 8:104], state, SPHERES[name])
    assert agrees(f"cosface:{tmp_path / 'ACC99.28.pth'}", wanted, "cosface").arch == name


def test_cosface_reads_insightfaces_backbone_too(tmp_path: Path) -> None:
    network = IResNet((2, 2, 2, 2))
    torch.save(randomised(network), tmp_path / "backbone.pth")
    with torch.no_grad():
        wanted = network.eval()(pixels(crops()))
    assert agrees(f"cosface:{tmp_path / 'backbone.pth'}", wanted, "cosface").arch == "iresnet18"


@pytest.mark.parametrize("blocks", [8, 24])
def test_curricularface_is_its_authors(blocks: int, tmp_path: Path) -> None:
    name, depths = DEPTHS[blocks]
    state = randomised(IR(depths, between=False))
    torch.save(state, tmp_path / "CurricularFace_Backbone.pth")
    with torch.no_grad():
        wanted = of_ir(pixels(crops()), state, depths, between=False)
    spec = f"curricularface:{tmp_path / 'CurricularFace_Backbone.pth'}"
    assert agrees(spec, wanted, "curricularface").arch == name
    with pytest.raises(
        InstrumentError, match=r"is no adaface network: its blocks are CurricularFace's; expected ada"
    ):
        create(spec.replace("curricularface:", "adaface:"))


class Callback:
    """An object of another package in a trainer's checkpoint."""

    called: list[str] = []  # noqa: RUF012

    def __init__(self, word: str) -> None:
        self.word = word

    def __reduce__(self) -> Any:
        return (Callback.called.append, (self.word,))


def test_adaface_is_its_authors_from_a_trainers_checkpoint(tmp_path: Path) -> None:
    """As Lightning writes it: the head beside the backbone, and objects that are left as holes and never called."""
    name, depths = DEPTHS[8]
    state = randomised(IR(depths, between=True))
    content = {
        "epoch": 25,
        "callbacks": {Callback: {"best": torch.tensor(0.9)}, "other": Callback("executed")},
        "hyper_parameters": argparse.Namespace(arch=name),
        "state_dict": {f"model.{key}": value for key, value in state.items()}
        | {"head.kernel": torch.zeros(512, 4)},
    }
    path = tmp_path / "adaface_ir18.ckpt"
    torch.save(content, path)
    with torch.no_grad():
        wanted = of_ir(pixels(crops(), bgr=True), state, depths, between=True)
    assert agrees(f"adaface:{path}", wanted, "adaface").arch == name
    assert not Callback.called
    with pytest.raises(InstrumentError, match=r"is no cosface network: .*expected a sphere20"):
        create(f"cosface:{path}")


@pytest.mark.parametrize(
    ("make", "millions"),
    [
        (lambda: Sphere(SPHERES["sphere20"]), 22.67),
        (lambda: IR(DEPTHS[24][1], False), 43.58),
        (lambda: IR(DEPTHS[49][1], True), 65.16),
    ],
)
def test_sizes(make: Any, millions: float) -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in make().parameters()) / 1e6 == pytest.approx(millions, abs=0.03)


@pytest.mark.parametrize("family", ["cosface", "curricularface", "adaface"])
def test_other_files_are_refused_with_the_right_ones_name(family: str, tmp_path: Path) -> None:
    torch.save({"a.weight": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(InstrumentError, match=rf"other\.pth is no {family} network.*expected "):
        create(f"{family}:{tmp_path / 'other.pth'}")
    with pytest.raises(InstrumentError, match="cannot read"):
        create(f"{family}:{tmp_path / 'none.pth'}")
