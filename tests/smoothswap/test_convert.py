"""smoothswap.convert: the same numbers as safetensors, a card with hashes, and nothing written over."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from metrics.instruments import InstrumentError
from metrics.instruments.checkpoint import read_tensors
from smoothswap.convert import main
from smoothswap.pretrained import sha256


def test_a_trainers_file_becomes_its_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = {
        "conv.weight": torch.randn(2, 3, 1, 1),
        "norm.num": torch.tensor(7),
        "half": torch.ones(2).half(),
    }
    path = tmp_path / "net.tar"
    torch.save({"state_dict": {**weights, "note": "x"}, "epoch": 3}, path)
    assert main([str(path)]) == 0
    assert "net.safetensors: 3 tensors" in capsys.readouterr().out
    made = load_file(tmp_path / "net.safetensors")
    assert made.keys() == weights.keys()
    assert all(torch.equal(made[key], value) for key, value in weights.items())
    card = json.loads((tmp_path / "net.json").read_text())
    assert card["sha256"] == sha256(tmp_path / "net.safetensors")
    assert card["converted_from"] == {"file": "net.tar", "sha256": sha256(path)}
    assert card["left_out"] == ["note"]
    assert main([str(path)]) == 0
    assert "converted before" in capsys.readouterr().out


def test_a_part_reads_as_it_did(tmp_path: Path) -> None:
    arrays = {"E_flame": {"w": np.arange(6.0).reshape(2, 3)}, "other": {"w": np.zeros(2)}}
    (tmp_path / "deca.pkl").write_bytes(pickle.dumps(arrays, protocol=2))
    out = tmp_path / "weights"
    assert main([str(tmp_path / "deca.pkl"), "--part", "E_flame", "--out", str(out)]) == 0
    before = read_tensors(tmp_path / "deca.pkl", "DECA's", part="E_flame")
    after = read_tensors(out / "deca.safetensors", "DECA's", part="E_flame")
    assert torch.equal(before["w"], after["w"])
    assert after.keys() == {"w"}
    with pytest.raises(InstrumentError, match="no weights by name"):
        read_tensors(out / "deca.safetensors", "DECA's", part="other")


def test_converted_weights_are_held_against_their_card(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(4)}, tmp_path / "n.pth")
    assert main([str(tmp_path / "n.pth")]) == 0
    made = tmp_path / "n.safetensors"
    made.write_bytes(made.read_bytes()[:-1] + b"\1")
    with pytest.raises(InstrumentError, match=r"n\.safetensors is not what its card n\.json says"):
        read_tensors(made, "a net")
    assert main([str(tmp_path / "n.pth")]) == 0  # made again
    assert torch.equal(read_tensors(made, "a net")["w"], torch.ones(4))


class Hostile:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.marker),)


def test_what_cannot_be_converted_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"a": Hostile(tmp_path / "ran")}, tmp_path / "evil.pth")
    torch.save({"a": 3}, tmp_path / "none.pth")
    torch.save({"a.b": torch.ones(1), "a": {"b": torch.ones(1)}}, tmp_path / "twice.pth")
    torch.save({"E_flame": {"w": torch.ones(1)}}, tmp_path / "deca.tar")
    (tmp_path / "taken.pth").write_bytes((tmp_path / "deca.tar").read_bytes())
    (tmp_path / "taken.safetensors").write_bytes(b"mine")
    for words, said in [
        (["evil.pth"], "evil.pth cannot be converted: it names"),
        (["none.pth"], "none.pth cannot be converted: it holds no tensors by name"),
        (["twice.pth"], "two of its tensors would be called 'a.b'"),
        (["missing.pth"], "missing.pth: No such file"),
        (["deca.tar", "--part", "E_flam"], "no entry 'E_flam'. Did you mean 'E_flame'?"),
        (["taken.pth"], "taken.safetensors is there already, and not of this file"),
        (["taken.safetensors"], "is safetensors by its name already"),
    ]:
        assert main([str(tmp_path / words[0]), *words[1:]]) == 3
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
    assert not (tmp_path / "ran").exists()
    assert (tmp_path / "taken.safetensors").read_bytes() == b"mine"
