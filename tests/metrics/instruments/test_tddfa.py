"""3DDFA_V2 with its real weights: on renders of known pose, on photographs, and against a network written out by hand."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from bench.reading.crops import cut
from metrics.instruments import Instrument, InstrumentError, create, reader
from metrics.rotation import to_degrees
from smoothswap.faces.boxes import tddfa_box, tddfa_crop
from smoothswap.rendered.ffpp import Clip, render_clip

LANDMARKS = np.zeros((0, 68, 2), np.float32)
Files = tuple[Path, Path]


@pytest.fixture(scope="module")
def files(shared_data: Path) -> Files:
    weights = shared_data / "weights/tddfa_mb05_120x120.pth"
    statistics = shared_data / "weights/tddfa_param_mean_std_62d.npz"
    if not (weights.exists() and statistics.exists()):
        pytest.skip("3DDFA_V2's weights are not at hand")
    return weights, statistics


@pytest.fixture(scope="module")
def instrument(files: Files) -> Instrument:
    return create(f"tddfa:{files[0]}")


@pytest.fixture(scope="module")
def renders() -> tuple[np.ndarray, np.ndarray]:
    """Crops of 30 rendered frames at their true landmarks, and the true head rotations."""
    crops, poses = [], []
    for i in range(10):
        frames, rows = render_clip(Clip(i, i, 3, 160, 7))
        for frame, row in zip(frames, rows, strict=True):
            points = row["landmarks"].reshape(68, 2)
            crops.append(tddfa_crop(frame, tddfa_box(points)))
            poses.append(row["pose"])
    return np.stack(crops), np.stack(poses)


def test_the_network_is_the_published_one(files: Files, instrument: Instrument) -> None:
    """The forward pass once more, from the file's own keys with functional calls and nothing else."""
    state = torch.load(files[0], weights_only=True, map_location="cpu")["state_dict"]
    with np.load(files[1]) as file:
        mean, std = file["mean"], file["std"]
    images = np.random.default_rng(0).integers(0, 256, (3, 120, 120, 3), np.uint8)
    x = torch.from_numpy(np.stack([images[..., 2], images[..., 1], images[..., 0]], 1).astype(np.float32))
    x = (x - 127.5) / 128

    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        mean, var, weight, bias = (
            state[f"module.{name}.{k}"].view(-1, 1, 1)
            for k in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (var + 1e-5).sqrt() * weight + bias

    x = norm(functional.conv2d(x, state["module.conv1.weight"], None, 2, 1), "bn1").relu()
    for block in dict.fromkeys(key.split(".")[1] for key in state if ".conv_dw." in key):
        depthwise = state[f"module.{block}.conv_dw.weight"]
        stride = 2 if block in ("dw2_2", "dw3_2", "dw4_2", "dw5_6") else 1
        x = norm(
            functional.conv2d(x, depthwise, None, stride, 1, groups=len(depthwise)), f"{block}.bn_dw"
        ).relu()
        x = norm(functional.conv2d(x, state[f"module.{block}.conv_sep.weight"]), f"{block}.bn_sep").relu()
    codes = x.mean((2, 3)) @ state["module.fc_param.weight"].T + state["module.fc_param.bias"]
    read = instrument.read(images, LANDMARKS)
    assert np.allclose(read["shape"], codes[:, 12:52], atol=1e-4)
    assert np.allclose(read["expression"], codes[:, 52:], atol=1e-4)
    model = create(f"tddfa:{files[0]}?units=model").read(images, LANDMARKS)
    assert np.allclose(model["shape"], (codes.numpy() * std + mean)[:, 12:52], rtol=1e-3, atol=50)


def test_batches_change_nothing(instrument: Instrument) -> None:
    images = np.random.default_rng(1).integers(0, 256, (40, 120, 120, 3), np.uint8)  # more than one batch
    together = instrument.read(images, LANDMARKS)
    for i in (0, 31, 32, 39):
        for key, row in instrument.read(images[i : i + 1], LANDMARKS).items():
            assert np.allclose(row[0], together[key][i], atol=1e-4), key
    assert instrument.read(images[:0], LANDMARKS)["shape"].shape == (0, 40)


def test_rotation_is_the_renders_in_our_convention(instrument: Instrument, renders: tuple) -> None:
    """Each angle follows the truth with the right sign and size; the zero of pitch is 3DDFA's own (5 degrees lower).

    Measured on 60 renders: correlation 0.71, 0.97, 0.92, median error less the offset 2.9, 1.8, 0.9 degrees; the renders'
    pitch has a spread of only 5 degrees.
    """
    crops, truth = renders
    found, wanted = to_degrees(instrument.read(crops, LANDMARKS)["pose"]), to_degrees(truth)
    off = found - wanted
    for i, (name, least, most) in enumerate((("pitch", 0.5, 4.5), ("yaw", 0.9, 3.0), ("roll", 0.8, 2.0))):
        assert np.corrcoef(found[:, i], wanted[:, i])[0, 1] > least, name
        assert np.median(np.abs(off[:, i] - np.median(off[:, i]))) < most, name
    assert np.abs(np.median(off[:, 1:], axis=0)).max() < 2  # yaw and roll have one zero for all


def test_a_mirrored_face_has_the_mirrored_rotation(instrument: Instrument, renders: tuple) -> None:
    crops, _ = renders
    plain = to_degrees(instrument.read(crops, LANDMARKS)["pose"])
    mirror = to_degrees(instrument.read(crops[:, :, ::-1], LANDMARKS)["pose"]) * [1, -1, -1]
    assert np.median(np.abs(plain - mirror)) < 3


def test_bf16_is_given_only_where_the_probe_agrees(files: Files, instrument: Instrument) -> None:
    """Measured here: expression 9 % off in bf16, more than the 5 % allowed, so that it is refused."""
    images = reader.probe(120)
    exact = instrument.read(images, LANDMARKS)
    pixels = (torch.from_numpy(images[..., ::-1].copy()).permute(0, 3, 1, 2).float() - 127.5) / 128
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        codes = instrument.network(pixels).float().double().numpy()  # type: ignore[attr-defined]
    rough = instrument._decode(codes)  # type: ignore[attr-defined]
    off = {key: reader.disagreement(key, rough[key], exact[key]) for key in exact}
    assert min(off.values()) > 0
    if all(off[key] <= most for key, most in reader.BF16_TOLERANCE.items() if key in off):
        assert create(f"tddfa:{files[0]}?precision=bf16").parameters["precision"] == "bf16"
    else:
        with pytest.raises(InstrumentError, match=r"in bf16 the .* is off by .* read it in fp32"):
            create(f"tddfa:{files[0]}?precision=bf16")


def test_it_says_what_it_is_and_what_it_lacks(files: Files, instrument: Instrument, tmp_path: Path) -> None:
    assert (instrument.name, instrument.crop.template, instrument.crop.size) == ("tddfa", "tddfa", 120)
    assert "MIT" in instrument.licence
    assert instrument.parameters["units"] == "standardised"
    weights = tmp_path / "mb05_120x120.pth"
    shutil.copy(files[0], weights)
    with pytest.raises(
        InstrumentError, match=r"no file .*tddfa_param_mean_std_62d\.npz; expected .*cleardusk"
    ):
        create(f"tddfa:{weights}")
    np.savez(tmp_path / "short.npz", mean=np.zeros(5), std=np.ones(5))
    np.savez(tmp_path / "odd.npz", mean=np.array([{}], object), std=np.ones(62))
    for name, message in (("short.npz", "does not hold 62"), ("odd.npz", "cannot be read")):
        with pytest.raises(InstrumentError, match=message):
            create(f"tddfa:{weights}?statistics={tmp_path / name}")
    with pytest.raises(InstrumentError, match="'standardised' or 'model'"):
        create(f"tddfa:{files[0]}?units=mm")


def test_cut_makes_its_crop(renders: tuple, instrument: Instrument) -> None:
    frame, rows = render_clip(Clip(0, 0, 3, 160, 7))
    assert np.array_equal(cut(frame[0], rows[0]["landmarks"].reshape(68, 2), instrument.crop), renders[0][0])
