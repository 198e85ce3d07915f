"""Weights of others: every form they come in, and everything that may be wrong with a file."""

from __future__ import annotations

import collections
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from metrics.instruments import InstrumentError
from metrics.instruments.checkpoint import fill, read_tensors

EXPECTED = "net.pth of somebody"


def tiny() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(collections.OrderedDict(conv=nn.Conv2d(3, 4, 1), norm=nn.BatchNorm2d(4)))


def save(path: Path, content: object, **options: object) -> Path:
    torch.save(content, path, **options)
    return path


def python2_pickle(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    path.write_bytes(pickle.dumps(arrays, protocol=2))
    return path


@pytest.mark.parametrize(
    "form", ["zip", "legacy", "state_dict", "model_state_dict", "module", "safetensors", "arrays", "part"]
)
def test_every_form_of_a_file_gives_the_same_network(tmp_path: Path, form: str) -> None:
    source = tiny()
    state = {k: v.clone().add_(0.25) for k, v in source.state_dict().items() if v.is_floating_point()}
    if form == "safetensors":
        save_file(state, tmp_path / "n.safetensors")
        path = tmp_path / "n.safetensors"
    elif form == "arrays":
        path = python2_pickle(tmp_path / "n.pkl", {k: v.numpy() for k, v in state.items()})
    else:
        content = {
            "state_dict": {"epoch": 3, "state_dict": state},
            "model_state_dict": {"model_state_dict": state},
            "module": {f"module.{k}": v for k, v in state.items()},
            "part": {"E": state, "other": {"x": torch.zeros(1)}},
        }.get(form, state)
        path = save(tmp_path / "n.tar", content, _use_new_zipfile_serialization=form != "legacy")
    network = tiny()
    fill(network, read_tensors(path, EXPECTED, part="E" if form == "part" else None), path, EXPECTED)
    assert not network.training
    for key, value in state.items():
        assert torch.equal(network.state_dict()[key], value), key


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("conv.bias"), r"1 keys are missing \(conv\.bias\)"),
        (lambda s: s.update(extra=torch.zeros(1)), r"1 keys are unknown \(extra\)"),
        (lambda s: s.update({"conv.bias": torch.zeros(5)}), r"conv\.bias: \[5\], not \[4\]"),
        (lambda s: s.update({"conv.bias": torch.full((4,), float("nan"))}), "not finite"),
        (lambda s: s.update({"conv.bias": "text"}), "is no tensor but str"),
        (lambda s: s.clear(), "no weights by name"),
    ],
)
def test_files_that_do_not_fit_are_one_clear_error(tmp_path: Path, change: object, message: str) -> None:
    state = dict(tiny().state_dict())
    change(state)  # type: ignore[operator]
    path = save(tmp_path / "n.pth", state)
    with pytest.raises(InstrumentError, match=message) as caught:
        fill(tiny(), read_tensors(path, EXPECTED), path, EXPECTED)
    assert "n.pth" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_layers_that_are_not_needed_may_be_there(tmp_path: Path) -> None:
    path = save(tmp_path / "n.pth", {**tiny().state_dict(), "fc.weight": torch.zeros(2)})
    fill(tiny(), read_tensors(path, EXPECTED), path, EXPECTED, unused=("fc.",))


class Hostile:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("writer", ["torch", "torch legacy", "pickle", "pickle in an array"])
def test_a_hostile_pickle_is_refused_and_nothing_runs(tmp_path: Path, writer: str) -> None:
    path, marker = tmp_path / "evil.pkl", tmp_path / "ran"
    if writer.startswith("torch"):
        torch.save({"a": Hostile(marker)}, path, _use_new_zipfile_serialization=writer == "torch")
    elif writer == "pickle":
        path.write_bytes(pickle.dumps({"a": Hostile(marker)}))
    else:
        path.write_bytes(pickle.dumps({"a": np.array([Hostile(marker)], object)}))
    with pytest.raises(
        InstrumentError, match=r"evil\.pkl cannot be read as weights .*expected net\.pth of somebody"
    ):
        read_tensors(path, EXPECTED)
    assert not marker.exists()


@pytest.mark.parametrize("name", ["n.pth", "n.safetensors"])
@pytest.mark.parametrize("data", [b"", b"noise" * 50, b"PK\x03\x04" + bytes(40), b"\x80\x02."])
def test_noise_is_one_clear_error(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InstrumentError, match=name):
        read_tensors(tmp_path / name, EXPECTED)


def test_every_truncation_is_one_clear_error(tmp_path: Path) -> None:
    whole = save(tmp_path / "n.pth", tiny().state_dict()).read_bytes()
    for length in range(0, len(whole), max(1, len(whole) // 5)):
        (tmp_path / "s.pth").write_bytes(whole[:length])
        with pytest.raises(InstrumentError, match=r"s\.pth"):
            read_tensors(tmp_path / "s.pth", EXPECTED)


def test_a_missing_file_or_part_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(InstrumentError, match=r"cannot read .*none\.pth.*expected net\.pth of somebody"):
        read_tensors(tmp_path / "none.pth", EXPECTED)
    path = save(tmp_path / "n.pth", tiny().state_dict())
    with pytest.raises(InstrumentError, match="no entry 'E_flame'"):
        read_tensors(path, EXPECTED, part="E_flame")
