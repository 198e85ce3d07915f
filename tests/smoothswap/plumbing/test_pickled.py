"""Pickled weights: torch's and numpy's own files read the same, forged ones are one error, and nothing is executed."""

from __future__ import annotations

import collections
import io
import pickle
import pickletools
import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from smoothswap.plumbing import pickled
from smoothswap.plumbing.packed import PickledError, packed
from smoothswap.plumbing.tensors import opened
from smoothswap.plumbing.unpickler import DTYPES

STORAGES = {
    name: getattr(torch, name)
    for name in "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool".split()
}


def read_pickled(data: bytes) -> Any:
    """What the process of a file does, and its parent, in this one."""
    return opened(packed(pickled.read_pickled(data)))


def saved(content: object, legacy: bool = False) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


@pytest.mark.parametrize("legacy", [False, True])
def test_torchs_files_read_as_torch_reads_them(legacy: bool) -> None:
    base = torch.arange(24.0)
    content: dict[str, Any] = {
        name: torch.arange(6).reshape(2, 3).to(dtype) for name, dtype in STORAGES.items()
    }
    content |= {
        "view": base[3:15:2],
        "turned": base.reshape(4, 6).T,
        "whole": base,
        "empty": torch.zeros(0, 3),
        "number": torch.tensor(7.0),
        "parameter": nn.Parameter(torch.ones(2)),
        "size": torch.Size([2, 3]),
        "words": ["a", ("b", 1)],
        "inner": collections.OrderedDict(x=torch.eye(2)),
    }
    data = saved(content, legacy)
    ours, theirs = read_pickled(data), torch.load(io.BytesIO(data), weights_only=True)
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        if isinstance(value, torch.Tensor):
            assert torch.equal(ours[key], value), key
            assert ours[key].dtype == value.dtype, key
    assert torch.equal(ours["inner"]["x"], torch.eye(2))
    assert (ours["size"], ours["words"]) == ((2, 3), ["a", ("b", 1)])


@pytest.mark.parametrize("protocol", range(5))
def test_numpys_arrays_read_as_pickle_reads_them(protocol: int) -> None:
    arrays = {name: np.arange(6).reshape(2, 3).astype(name) for name in DTYPES}
    arrays |= {"big-endian": np.arange(3, dtype=">f4"), "columns": np.asfortranarray(np.eye(3)[:2])}
    arrays |= {"number": np.array(2.5), "empty": np.zeros((0, 4))}
    ours = read_pickled(pickle.dumps(arrays, protocol=protocol))
    for key, value in arrays.items():
        assert np.array_equal(ours[key], value), key
        assert ours[key].dtype == value.dtype.newbyteorder("="), key


def test_what_a_trainer_keeps_beside_the_weights_is_a_hole() -> None:
    content = {"state_dict": {"w": torch.ones(2)}, "callbacks": random.Random(1), "seen": {torch.nn.Module}}
    assert torch.equal(read_pickled(saved(content))["state_dict"]["w"], torch.ones(2))
    content["weights"] = content.pop("state_dict")
    with pytest.raises(PickledError, match=r"it names random\.Random, which is no tensor"):
        read_pickled(saved(content))


def test_a_memo_of_two_billion_costs_no_memory() -> None:
    assert read_pickled(b"\x80\x02}r\xff\xff\xff\x7f.") == {}


# ---- forged files ----
class Array:
    """An array's pickle, each part of it as one likes."""

    def __init__(self, shape: object, dtype: object, raw: object, state: object = None) -> None:
        self.state = (1, shape, dtype, False, raw) if state is None else state

    def __reduce__(self) -> Any:
        make = np._core.multiarray._reconstruct  # type: ignore[attr-defined]
        return make, (np.ndarray, (0,), b"b"), self.state


class Type:
    def __init__(self, name: object, state: object = (3, "<", None, None, None, -1, -1, 0)) -> None:
        self.made, self.state = (name, False, True), state

    def __reduce__(self) -> Any:
        return np.dtype, self.made, self.state


class Tensor:
    """A tensor's pickle, in an archive of its own."""

    def __init__(self, *said: object) -> None:
        self.said = said

    def __reduce__(self) -> Any:
        return torch._utils._rebuild_tensor_v2, (*self.said, False, collections.OrderedDict())


class Storage:
    def __init__(self, *said: object) -> None:
        self.said = said


def archive(content: object, parts: dict[str, bytes], packed: bool = False) -> bytes:
    class Writer(pickle.Pickler):
        def persistent_id(self, one: object) -> object:
            return one.said if isinstance(one, Storage) else None

    pickled, buffer = io.BytesIO(), io.BytesIO()
    Writer(pickled, protocol=2).dump(content)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as file:
        file.writestr("a/data.pkl", pickled.getvalue())
        for key, part in parts.items():
            file.writestr(f"a/data/{key}", part)
    return buffer.getvalue()


def held(numel: object = 4, key: str = "0", dtype: object = torch.FloatStorage) -> Storage:
    return Storage("storage", dtype, key, "cpu", numel)


HUGE = 1 << 40
FORGED: dict[str, Callable[[], bytes]] = {
    "dtype of objects": lambda: pickle.dumps({"a": Array((1,), Type("O8"), b"8" * 8)}, 2),
    "dtype with fields": lambda: pickle.dumps(
        {"a": Array((1,), Type("V8", (3, "|", None, ("x",), {"x": (np.dtype("O"), 0)}, 8, 1, 27)), b"8" * 8)},
        2,
    ),
    "dtype whose state says objects": lambda: pickle.dumps(
        {"a": Array((1,), Type("f8", (3, "|", None, None, None, 8, 8, 63)), b"8" * 8)}, 2
    ),
    "dtype of a subarray": lambda: pickle.dumps(
        {"a": Array((1,), Type("f4", (3, "<", (np.dtype("f4"), (HUGE,)), None, None, -1, -1, 0)), b"8888")}, 2
    ),
    "dtype of another kind": lambda: pickle.dumps({"a": Array((1,), "f4", b"8888")}, 2),
    "array longer than its bytes": lambda: pickle.dumps({"a": Array((HUGE,), Type("f4"), b"8888")}, 2),
    "array of negative size": lambda: pickle.dumps({"a": Array((-1, -4), Type("f4"), b"8" * 16)}, 2),
    "array of words": lambda: pickle.dumps({"a": Array(("x",), Type("f4"), b"8888")}, 2),
    "array of nothing": lambda: pickle.dumps({"a": Array(None, None, None, state=(1,))}, 2),
    "array whose bytes are a list": lambda: pickle.dumps({"a": Array((1,), Type("f4"), [1.0])}, 2),
    "storage longer than its bytes": lambda: archive(
        {"a": Tensor(held(HUGE), 0, (HUGE,), (1,))}, {"0": b"8" * 16}
    ),
    "storage shorter than its bytes": lambda: archive(
        {"a": Tensor(held(2), 0, (2,), (1,))}, {"0": b"8" * 16}
    ),
    "storage of two lengths": lambda: archive(
        {"a": Tensor(held(4), 0, (4,), (1,)), "b": Tensor(held(8), 0, (8,), (1,))}, {"0": b"8" * 16}
    ),
    "storage that is not there": lambda: archive(
        {"a": Tensor(held(4, "1"), 0, (4,), (1,))}, {"0": b"8" * 16}
    ),
    "storage that is packed": lambda: archive(
        {"a": Tensor(held(), 0, (4,), (1,))}, {"0": b"8" * 16}, packed=True
    ),
    "tensor beyond its storage": lambda: archive({"a": Tensor(held(), 1, (4,), (1,))}, {"0": b"8" * 16}),
    "tensor of long steps": lambda: archive({"a": Tensor(held(), 0, (2, 2), (1 << 30, 1))}, {"0": b"8" * 16}),
    "tensor repeated without end": lambda: archive({"a": Tensor(held(), 0, (HUGE,), (0,))}, {"0": b"8" * 16}),
    "tensor that goes backwards": lambda: archive({"a": Tensor(held(), 3, (4,), (-1,))}, {"0": b"8" * 16}),
    "tensor of a list": lambda: archive({"a": Tensor([1.0], 0, (1,), (1,))}, {}),
    "another function of torch": lambda: archive({"a": torch.load}, {}),
    "a truth value of two": lambda: pickle.dumps({"a": Array((1,), Type("b1"), b"2")}, 2),
    "lists of lists without end": lambda: (
        b"\x80\x02}X\x01\x00\x00\x00a]q\x00" + b"(h\x00h\x00h\x00h\x00tq\x00" * 20 + b"s."
    ),
    "tensors that share a storage without end": lambda: archive(
        {str(i): Tensor(held(1 << 16), 0, (1 << 16,), (1,)) for i in range(100)}, {"0": b"8" * (4 << 16)}
    ),
    "a dictionary within itself": lambda: b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.",
    "a text longer than the file": lambda: b"\x80\x04\x8d" + struct.pack("<Q", HUGE) + b"x.",
    "bytes longer than the file": lambda: b"\x80\x05\x96" + struct.pack("<Q", HUGE << 10) + b"x.",
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_file_is_one_error(kind: str) -> None:
    with pytest.raises(PickledError) as caught:
        read_pickled(FORGED[kind]())
    assert "\n" not in str(caught.value)
    assert str(caught.value)


def mutated(data: bytes, chance: random.Random) -> Iterator[bytes]:
    """Without end: the file with some bytes changed, numbers of its pickle made extreme, a part cut out or doubled."""
    while True:
        changed = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(changed))
            match chance.randrange(4):
                case 0:
                    changed[at] = chance.randrange(256)
                case 1:
                    changed[at : at + 4] = chance.choice(
                        [b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\xff\xff\xff\xff"]
                    )
                case 2:
                    del changed[at : at + chance.randint(1, 16)]
                case 3:
                    changed[at:at] = changed[at : at + chance.randint(1, 16)]
        yield bytes(changed)


def test_a_thousand_damaged_files_end_in_content_or_one_error() -> None:
    """Each is read in this process: a signal would end the run. What is read is finite in size and plain."""
    chance = random.Random(0)
    state = {"w": torch.arange(6.0).reshape(2, 3), "b": torch.zeros(3)}
    array = pickle.dumps({"w": np.arange(6.0), "b": np.zeros(3, "f4")}, 2)
    assert any(op.name == "BUILD" for op, _, _ in pickletools.genops(array))
    refused = 0
    for data in (saved(state), saved(state, legacy=True), array):
        for _, forged in zip(range(340), mutated(data, chance), strict=False):
            try:
                content = read_pickled(forged)
            except PickledError:
                refused += 1
                continue
            stack = [content]
            while stack:
                one = stack.pop()
                stack += [*one.values()] if isinstance(one, dict) else []
                assert not isinstance(one, (torch.Tensor, np.ndarray)) or np.asarray(one).size <= len(forged)
    assert refused > 300


def test_every_truncation_is_one_error() -> None:
    for whole in (saved({"w": torch.arange(6.0)}), saved({"w": torch.arange(6.0)}, legacy=True)):
        for length in range(0, len(whole), max(1, len(whole) // 40)):
            with pytest.raises(PickledError):
                read_pickled(whole[:length])


def test_a_file_is_read_in_another_process_by_which_nothing_can_be_written(tmp_path: Path) -> None:
    from smoothswap.plumbing import apart

    path = tmp_path / "bytes \udcff.pth"
    path.write_bytes(saved({"state_dict": {"w": torch.arange(6.0).reshape(2, 3).T}, "epoch": 3}))
    content = opened(apart.read_apart(path))
    assert torch.equal(content["state_dict"]["w"], torch.arange(6.0).reshape(2, 3).T)
    assert content["epoch"] == 3


def test_a_process_that_dies_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from smoothswap.plumbing import apart

    (tmp_path / "w.pth").write_bytes(b"")
    for program, said in [
        ("import os; os.kill(os.getpid(), 11)", "reading it ended by SIGSEGV"),
        ("import time; time.sleep(9)", "it is not read after 0 s"),
        ("raise MemoryError", "MemoryError"),
    ]:
        monkeypatch.setattr(apart, "_PROGRAM", program)
        monkeypatch.setattr(apart, "_SECONDS", 0 if "sleep" in program else 60)
        with pytest.raises(PickledError, match=said):
            apart.read_apart(tmp_path / "w.pth")
