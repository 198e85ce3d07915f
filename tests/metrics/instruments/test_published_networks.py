"""Networks whose weights are the user's: built, saved with random numbers under their authors' keys, and loaded as a user
would. That each is its authors' network to rounding was checked against their own code (issue 4); here are the layout, the
published sizes, and every step before and after the network, computed apart."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import resnet50

from metrics.instruments import InstrumentError, available, create, reader
from metrics.instruments.deca import Deca
from metrics.instruments.hopenet import degrees
from metrics.instruments.networks.inception import InceptionResnetV1
from metrics.instruments.networks.iresnet import DEPTHS, IResNet
from metrics.instruments.networks.mobilenet import MobileNet
from metrics.instruments.networks.repvgg import SixDRepNet
from metrics.instruments.networks.resnet import DecaEncoder, Hopenet
from metrics.instruments.networks.vgg_resnet import VGGResNet50
from metrics.rotation import from_6drepnet, from_degrees, geodesic, to_degrees
from smoothswap.plumbing.packed import packed
from smoothswap.plumbing.pickled import read_pickled

# Millions of parameters. IResNets: insightface's model zoo; ResNet-50 25.557 and SE-ResNet-50 28.088 with 1,000 classes
# (He et al.; Hu et al.), less those classes' 2.049; Inception-ResNet v1: facenet-pytorch; RepVGG-B1g2: 41.36 when deployed
# with 1,000 classes (Ding et al.), less 2.049, plus 0.012; MobileNet x0.5: 3DDFA_V2's README.
PUBLISHED: list[tuple[str, Callable[[], nn.Module], float, float]] = [
    ("iresnet18", lambda: IResNet(DEPTHS["iresnet18"]), 24.03, 0.01),
    ("iresnet34", lambda: IResNet(DEPTHS["iresnet34"]), 34.14, 0.01),
    ("iresnet50", lambda: IResNet(DEPTHS["iresnet50"]), 43.59, 0.01),
    ("iresnet100", lambda: IResNet(DEPTHS["iresnet100"]), 65.16, 0.01),
    ("resnet50", lambda: VGGResNet50(False), 23.508, 0.001),
    ("senet50", lambda: VGGResNet50(True), 26.039, 0.005),
    ("inception", InceptionResnetV1, 23.483, 0.001),
    ("deca", DecaEncoder, 23.508 + 2.340, 0.001),
    ("hopenet", Hopenet, 23.508 + 0.406, 0.001),
    ("6drepnet", SixDRepNet, 39.32, 0.01),
    ("mobilenet", MobileNet, 0.85, 0.02),
]


@pytest.fixture(autouse=True)
def read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of 100 MB are read in this process; that users' are read in one of their own is test_checkpoint's."""
    monkeypatch.setattr(
        "metrics.instruments.checkpoint.read_apart", lambda path: packed(read_pickled(path.read_bytes()))
    )


@pytest.mark.parametrize(("name", "make", "millions", "within"), PUBLISHED, ids=[row[0] for row in PUBLISHED])
def test_sizes_are_the_published_ones(
    name: str, make: Callable[[], nn.Module], millions: float, within: float
) -> None:
    with torch.device("meta"):
        count = sum(p.numel() for p in make().parameters()) / 1e6
    assert abs(count - millions) <= within, f"{name}: {count:.3f} million"


def randomised(network: nn.Module, lively: bool = False) -> nn.Module:
    """Random weights, and norms that differ from the identity. lively: for networks through which little else gets."""
    torch.manual_seed(0)
    for name, tensor in network.state_dict().items():
        if tensor.dim() == 4 and lively:
            nn.init.kaiming_normal_(tensor)
        elif name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5)
        elif name.endswith("running_mean"):
            tensor.normal_(0, 0.1)
        elif tensor.dim() == 1 and tensor.is_floating_point():
            tensor.add_(0.05 * torch.randn_like(tensor))
    return network.eval()


def crops(n: int, size: int, seed: int = 0) -> np.ndarray:
    """Channels differ much, so that a wrong colour order shows."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(0.3, 1, (n, 1, 1, 3)) * [1.0, 0.6, 0.2]
    return (rng.uniform(0, 255, (n, size, size, 3)) * level).astype(np.uint8)


def tensor(images: np.ndarray, bgr: bool, mean: Any, scale: Any) -> torch.Tensor:
    """Preprocessing once more, in float64 and pixel by pixel order."""
    x = images.astype(np.float64)
    x = np.stack([x[..., 2], x[..., 1], x[..., 0]], -1) if bgr else x
    return torch.from_numpy(((x - np.array(mean)) / np.array(scale)).transpose(0, 3, 1, 2)).float()


IMAGENET = {"mean": [123.675, 116.28, 103.53], "scale": [58.395, 57.12, 57.375]}


class Case:
    """One instrument from a file of random weights in its authors' layout."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.network: nn.Module
        self.pixels: dict[str, Any]
        if name == "arcface":
            self.network, file = randomised(IResNet(DEPTHS["iresnet18"])), "backbone.pth"
            content: Any = self.network.state_dict()
            self.crop, self.pixels = ("arcface", 112), {"bgr": False, "mean": 127.5, "scale": 127.5}
        elif name.startswith("vggface2"):
            if name == "vggface2:inception_resnet_v1":
                self.network, file = (
                    randomised(InceptionResnetV1(), lively=True),
                    "20180402-114759-vggface2.pt",
                )
                content = {
                    **self.network.state_dict(),
                    "logits.weight": torch.zeros(3, 512),
                    "logits.bias": torch.zeros(3),
                }
                self.crop, self.pixels = ("facenet", 160), {"bgr": False, "mean": 127.5, "scale": 128}
            else:
                self.network, file = randomised(VGGResNet50(name.endswith("senet50"))), "weight.pkl"
                content = {
                    **self.network.state_dict(),
                    "fc.weight": torch.zeros(3, 2048),
                    "fc.bias": torch.zeros(3),
                }
                self.crop = ("vggface2", 224)
                self.pixels = {"bgr": True, "mean": [91.4953, 103.8827, 131.0912], "scale": 1}
        elif name == "deca":
            self.network, file = randomised(DecaEncoder()), "deca_model.tar"
            content = {"E_flame": self.network.state_dict(), "E_detail": {"x": torch.zeros(1)}}
            self.crop, self.pixels = ("deca", 224), {"bgr": False, "mean": 0, "scale": 255}
        elif name == "hopenet":
            self.network, file = randomised(Hopenet()), "hopenet_robust_alpha1.pkl"
            content = {k: v for k, v in self.network.state_dict().items() if "num_batches" not in k}
            content |= {"fc_finetune.weight": torch.zeros(3, 2051), "fc_finetune.bias": torch.zeros(3)}
            self.crop, self.pixels = ("hopenet", 224), {"bgr": False, **IMAGENET}
        else:
            self.network, file = randomised(SixDRepNet(), lively=True), "6DRepNet_300W_LP_AFLW2000.pth"
            content = {"model_state_dict": self.network.state_dict()}
            self.crop, self.pixels = ("sixdrepnet", 224), {"bgr": False, **IMAGENET}
        self.path = folder / file
        torch.save(content, self.path)
        self.spec = f"{name.partition(':')[0]}:{self.path}"
        self.images = crops(3, self.crop[1])

    def codes(self) -> np.ndarray:
        with torch.no_grad():
            return self.network(tensor(self.images, **self.pixels)).double().numpy()

    def wanted(self) -> dict[str, np.ndarray]:
        codes = self.codes()
        if self.name == "deca":
            return {"shape": codes[:, :100], "expression": codes[:, 150:200], "pose": codes[:, 200:203]}
        if self.name == "hopenet":
            share = np.exp(codes.reshape(3, 3, 66))
            yaw, pitch, roll = ((share * range(66)).sum(2) / share.sum(2) * 3 - 99).T
            return {"pose": from_degrees(np.stack([pitch, yaw, roll], 1))}
        return {"pose": from_6drepnet(codes)} if self.name == "sixdrepnet" else {"identity": codes}


NAMES = [
    "arcface",
    "vggface2:resnet50",
    "vggface2:senet50",
    "vggface2:inception_resnet_v1",
    "deca",
    "hopenet",
    "sixdrepnet",
]


Make = Callable[[str], Case]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Cases by name, each made once."""
    return lru_cache(lambda name: Case(tmp_path_factory.mktemp("weights"), name))


@pytest.fixture(params=NAMES)
def case(request: pytest.FixtureRequest, make: Make) -> Case:
    return make(request.param)


def test_a_file_in_the_authors_layout_is_read_as_they_would(case: Case) -> None:
    instrument = create(case.spec)
    read, wanted = instrument.read(case.images, np.zeros((3, 68, 2), np.float32)), case.wanted()
    assert set(read) == set(instrument.reads) == set(wanted)
    for key, rows in wanted.items():
        assert read[key].dtype == np.float32
        if key == "pose":
            assert geodesic(read[key], rows).max() < 0.01
            assert geodesic(rows[:1], rows[1:]).min() > 0.02  # the crops are told apart
        else:
            assert np.allclose(read[key], rows, atol=2e-4 * np.abs(rows).max()), key
            assert np.ptp(rows, axis=0).max() > 0.01 * np.abs(rows).max()
    assert (instrument.crop.template, instrument.crop.size) == case.crop
    assert instrument.weights_sha256 == hashlib.sha256(case.path.read_bytes()).hexdigest()
    assert instrument.family == case.name.partition(":")[0]
    assert instrument.licence
    assert instrument.parameters["precision"] == "fp32"
    assert case.path.name.split("_")[0] in (instrument.needs or "") or case.path.name in (
        "backbone.pth",
        "weight.pkl",
    )
    # The batch does not matter: one alone, none, and all together.
    alone = instrument.read(case.images[1:2], np.zeros((1, 68, 2), np.float32))
    none = instrument.read(case.images[:0], np.zeros((0, 68, 2), np.float32))
    for key, rows in read.items():
        assert np.allclose(alone[key][0], rows[1], atol=1e-4 * max(1.0, np.abs(rows).max()))
        assert none[key].shape == (0, rows.shape[1])


def test_the_wrong_file_is_refused_with_the_right_ones_name(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save(
        {"E_flame": {"a.weight": torch.zeros(2)}} if case.name == "deca" else {"a.weight": torch.zeros(2)},
        path,
    )
    name = case.name.partition(":")[0]
    for spec, message in (
        (f"{name}:{path}", r"other\.pth .*expected "),
        (f"{name}:{tmp_path / 'none.pth'}", "cannot read"),
    ):
        with pytest.raises(InstrumentError, match=message):
            create(spec)
    with pytest.raises(InstrumentError, match="needs"):
        create(name)
    with pytest.raises(InstrumentError, match="did you mean 'precision'"):
        create(f"{case.spec}?precison=bf16")


def test_every_instrument_says_what_it_needs_and_belongs_to_a_family() -> None:
    needs = {entry.name: entry.needs for entry in available()}
    files = {"deca": "deca_model.tar", "tddfa": "mb05_120x120.pth", "hopenet": "hopenet_robust_alpha1.pkl"}
    files |= {"sixdrepnet": "6DRepNet_300W_LP_AFLW2000.pth", "vggface2": "senet50_ft_weight.pkl"}
    for name, file in files.items():
        assert file in str(needs[name])


def test_deca_is_torchvisions_resnet_and_two_layers() -> None:
    """An independent network: torchvision's own forward pass, with an identity for its classifier."""
    ours, other = randomised(DecaEncoder()), resnet50()
    other.fc = nn.Identity()
    other.load_state_dict(ours.encoder.state_dict())
    x = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        hidden = torch.relu(other.eval()(x) @ ours.layers[0].weight.T + ours.layers[0].bias)
        assert torch.allclose(ours(x), hidden @ ours.layers[2].weight.T + ours.layers[2].bias, atol=1e-4)


def test_decas_jaw_is_an_option(make: Make) -> None:
    deca = make("deca")
    read = Deca(deca.path, jaw="expression").read(deca.images)
    assert np.allclose(read["expression"][:, 50:], deca.codes()[:, 203:206], atol=1e-3)
    with pytest.raises(InstrumentError, match="'left_out' or 'expression'"):
        Deca(deca.path, jaw="both")


def test_a_repvgg_in_training_form_is_the_deployed_one() -> None:
    """The three branches of a block, added up by hand into one convolution, give the deployed network's numbers."""
    from metrics.instruments.networks.repvgg import Block

    for c_in, c_out, stride, groups in ((8, 8, 1, 2), (8, 16, 2, 1)):
        train, one = (
            randomised(Block(c_in, c_out, stride, groups, False)),
            Block(c_in, c_out, stride, groups, True).eval(),
        )
        kernel, bias = torch.zeros_like(one.rbr_reparam.weight), torch.zeros(c_out)
        branches = [
            (train.rbr_dense.conv.weight, train.rbr_dense.bn),
            (nn.functional.pad(train.rbr_1x1.conv.weight, (1, 1, 1, 1)), train.rbr_1x1.bn),
        ]
        if stride == 1:
            identity = torch.zeros_like(kernel)
            for i in range(c_out):
                identity[i, i % (c_in // groups), 1, 1] = 1
            branches.append((identity, train.rbr_identity))
        for weight, norm in branches:
            factor = norm.weight / (norm.running_var + norm.eps).sqrt()
            kernel += weight * factor.view(-1, 1, 1, 1)
            bias += norm.bias - norm.running_mean * factor
        one.load_state_dict({"rbr_reparam.weight": kernel.detach(), "rbr_reparam.bias": bias.detach()})
        x = torch.randn(2, c_in, 9, 9)
        assert torch.allclose(train(x), one(x), atol=1e-5)


def test_hopenets_expectation_covers_its_bins() -> None:
    logits = np.full((2, 3, 66), -50.0)
    logits[0, :, 0] = logits[1, :, 65] = 50.0
    logits[1, 1] = 0.0  # pitch: all bins alike
    assert np.allclose(degrees(logits.reshape(2, -1)), [[-99, -99, -99], [-1.5, 96, 96]], atol=1e-6)
    assert np.isfinite(degrees(np.full((1, 198), 1e5))).all()


def test_hopenets_degrees_come_back_from_the_reading(make: Make) -> None:
    hopenet = make("hopenet")
    read = create(hopenet.spec).read(hopenet.images, np.zeros((3, 68, 2), np.float32))["pose"]
    assert np.abs(to_degrees(read) - degrees(hopenet.codes())).max() < 0.01


def test_bf16_agrees_or_is_refused(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    arcface = make("arcface")
    two = reader.probe(112, 2)  # of the eight: bfloat16 takes seconds a picture where a processor lacks it
    monkeypatch.setattr(reader, "probe", lambda size: two)
    rough = create(f"{arcface.spec}?precision=bf16")
    off = rough.parameters["bf16_identity"]
    assert 0 < off < 0.05
    exact, read = create(arcface.spec).read(arcface.images), rough.read(arcface.images)  # type: ignore[call-arg]
    apart = np.linalg.norm(exact["identity"] - read["identity"]) / np.linalg.norm(exact["identity"])
    assert 0 < apart < 0.05
    monkeypatch.setitem(reader.BF16_TOLERANCE, "identity", off / 2)
    with pytest.raises(InstrumentError, match="read it in fp32"):
        create(f"{arcface.spec}?precision=bf16")
    with pytest.raises(InstrumentError, match="fp32, bf16"):
        create(f"{arcface.spec}?precision=fp16")


def test_arcface_takes_torch_files_flips_and_refuses_onnx_options(make: Make, tmp_path: Path) -> None:
    arcface = make("arcface")
    plain = create(arcface.spec).read(arcface.images, np.zeros((3, 68, 2), np.float32))["identity"]
    mirror = create(arcface.spec).read(arcface.images[:, :, ::-1], np.zeros((3, 68, 2), np.float32))[
        "identity"
    ]
    both = create(f"{arcface.spec}?flip=true").read(arcface.images, np.zeros((3, 68, 2), np.float32))[
        "identity"
    ]
    assert np.allclose(both, plain + mirror, atol=1e-3)
    with pytest.raises(InstrumentError, match="belong to ONNX"):
        create(f"{arcface.spec}?colour=bgr")
    state = torch.load(arcface.path, weights_only=True)
    torch.save({k: v for k, v in state.items() if not k.startswith("layer3.1")}, tmp_path / "short.pth")
    with pytest.raises(
        InstrumentError, match=r"short\.pth is no IResNet: its layers have \[2, 2, 1, 2\] blocks"
    ):
        create(f"arcface:{tmp_path / 'short.pth'}")


def test_vggface2_features_are_as_long_as_they_come(make: Make) -> None:
    case = make("vggface2:resnet50")
    features = create(case.spec).read(case.images, np.zeros((3, 68, 2), np.float32))["identity"]
    unit = create(f"{case.spec}?normalise=yes").read(case.images, np.zeros((3, 68, 2), np.float32))[
        "identity"
    ]
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    assert np.abs(lengths - 1).min() > 0.1
    assert np.allclose(unit, features / lengths, atol=1e-5)
