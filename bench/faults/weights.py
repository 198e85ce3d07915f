"""Damaged and forged files of weights by kind, none of which may execute, end a process by a signal, or take its memory."""

from __future__ import annotations

import collections
import io
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

Random = np.random.Generator
Outcome = Literal["refused", "either"]


@dataclass(frozen=True)
class WeightsFault:
    """One kind of file.

    Args:
        name: Of the kind.
        make: Its bytes, by the numbers of a generator and a path that code in it would make.
        outcome: What reading must come to: "refused", one error; "either", it may also be read.
        suffix: Of the file's name.
    """

    name: str
    make: Callable[[Random, str], bytes]
    outcome: Outcome = "refused"
    suffix: str = ".pth"

    def forge(self, seed: int, marker: str) -> bytes:
        """A file of this kind.

        Args:
            seed: Of everything that is drawn.
            marker: A path that is not there, and is there afterwards where something was executed.

        Returns:
            Its content.
        """
        return self.make(np.random.default_rng([seed, zlib.crc32(self.name.encode())]), marker)


# ---- whole files, and what becomes of them ----
def _saved(legacy: bool = False) -> bytes:
    buffer = io.BytesIO()
    state = {"w": torch.arange(6.0).reshape(2, 3), "b": torch.zeros(3), "n": torch.tensor(7)}
    torch.save(state, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


def _arrays() -> bytes:
    return pickle.dumps({"w": np.arange(6.0), "b": np.zeros(3, "f4")}, 2)


def _whole(random: Random) -> bytes:
    return [_saved, lambda: _saved(True), _arrays][int(random.integers(3))]()


def _flipped(random: Random, _: str) -> bytes:
    data = bytearray(_whole(random))
    for _i in range(int(random.integers(1, 9))):
        data[int(random.integers(len(data)))] = int(random.integers(256))
    return bytes(data)


def _extreme(random: Random, _: str) -> bytes:
    data = bytearray(_whole(random))
    at = int(random.integers(len(data)))
    data[at : at + 4] = random.choice([b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\xff\xff\xff\xff"])
    return bytes(data)


def _cut(random: Random, _: str) -> bytes:
    data = _whole(random)
    return data[: int(random.integers(len(data)))]


def _doubled(random: Random, _: str) -> bytes:
    data = _whole(random)
    at, length = int(random.integers(len(data))), int(random.integers(1, 64))
    return data[:at] + data[at : at + length] + data[at:]


def _noise(random: Random, _: str) -> bytes:
    return random.bytes(int(random.integers(0, 4096)))


# ---- code ----
_CALLS = (
    ("os", "mkdir", None),
    ("posix", "system", "mkdir {}"),
    ("subprocess", "check_call", ["mkdir", "{}"]),
    ("builtins", "eval", "__import__('os').mkdir({!r})"),
    ("builtins", "exec", "import os; os.mkdir({!r})"),
    ("numpy.testing._private.utils", "runstring", "import os; os.mkdir({!r})"),
    ("torch.hub", "load", "{}"),
    ("runpy", "run_path", "{}"),
)


def _called(random: Random, marker: str) -> bytes:
    """A pickle that names a function and calls it, in one of the forms in which weights come."""
    module, name, argument = _CALLS[int(random.integers(len(_CALLS)))]
    if argument is None:
        said: Any = marker
    elif isinstance(argument, list):
        said = [part.format(marker) for part in argument]
    else:
        said = argument.format(marker)
    call = f"c{module}\n{name}\n".encode() + pickle.dumps((said,), 0)[:-1] + b"R"
    data = b"}X\x01\x00\x00\x00a" + call + b"s."
    form = int(random.integers(3))
    if form == 0:
        return b"\x80\x02" + data
    if form == 1:
        return _archive(b"\x80\x02" + data, {})
    return _saved(legacy=True)[:20] + data


# ---- numbers that lie ----
class _Array:
    """An array's pickle, each part of it as one likes."""

    def __init__(self, shape: object, dtype: object, raw: object) -> None:
        self.state = (1, shape, dtype, False, raw)

    def __reduce__(self) -> Any:
        make = np._core.multiarray._reconstruct  # type: ignore[attr-defined]
        return make, (np.ndarray, (0,), b"b"), self.state


class _Type:
    def __init__(self, name: str, state: tuple[Any, ...]) -> None:
        self.made, self.state = (name, False, True), state

    def __reduce__(self) -> Any:
        return np.dtype, self.made, self.state


class _Tensor:
    def __init__(self, *said: object) -> None:
        self.said = said

    def __reduce__(self) -> Any:
        return torch._utils._rebuild_tensor_v2, (*self.said, False, collections.OrderedDict())


class _Storage:
    def __init__(self, *said: object) -> None:
        self.said = said


class _Pickler(pickle.Pickler):
    def persistent_id(self, one: object) -> object:
        return one.said if isinstance(one, _Storage) else None


def _archive(pickled: bytes, parts: dict[str, bytes], packed: bool = False) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as file:
        file.writestr("a/data.pkl", pickled)
        for key, part in parts.items():
            file.writestr(f"a/data/{key}", part)
    return buffer.getvalue()


def _dtype(random: Random, _: str) -> bytes:
    """A dtype that says objects, fields, subarrays or sizes of its own: what corrupted memory."""
    sizes = [0, 1, 8, 1 << 20, (1 << 31) - 1, -1]
    fields = {"x": (np.dtype("O"), int(random.integers(0, 64)))}
    states = [
        (3, "<", None, None, None, int(random.choice(sizes)), int(random.choice(sizes)), 63),
        (3, "|", None, ("x",), fields, 8, 1, 27),
        (3, "<", (np.dtype("f4"), (1 << 40,)), None, None, -1, -1, 0),
        (3, "O", None, None, None, -1, -1, 0),
    ]
    name = str(random.choice(["f8", "O8", "V8", "S8", "U2", "M8", "f4"]))
    array = _Array((1,), _Type(name, states[int(random.integers(len(states)))]), b"8" * 8)
    return pickle.dumps({"a": array}, 2)


def _shape(random: Random, _: str) -> bytes:
    shapes = [(1 << 40,), (-1, -4), ("x",), (1.5,), (2, 1 << 62), None]
    kind = _Type("f4", (3, "<", None, None, None, -1, -1, 0))
    return pickle.dumps({"a": _Array(shapes[int(random.integers(len(shapes)))], kind, b"8" * 16)}, 2)


def _tensor(random: Random, _: str) -> bytes:
    """A tensor that lies beside its storage, or a storage of another length than is there."""
    huge = 1 << int(random.integers(20, 62))
    storages = [4, huge, 2, -4]
    numel = storages[int(random.integers(len(storages)))]
    places = [
        (0, (huge,), (1,)),
        (1, (4,), (1,)),
        (0, (2, 2), (huge, 1)),
        (3, (4,), (-1,)),
        (0, (huge,), (0,)),
    ]
    place = places[int(random.integers(len(places)))]
    pickled = io.BytesIO()
    storage = _Storage("storage", torch.FloatStorage, "0", "cpu", numel)
    _Pickler(pickled, protocol=2).dump({"a": _Tensor(storage, *place)})
    return _archive(pickled.getvalue(), {"0": b"8" * 16}, packed=bool(random.integers(2)))


def _bomb(random: Random, _: str) -> bytes:
    """Few bytes that stand for very many."""
    kind = int(random.integers(4))
    huge = 1 << int(random.integers(33, 60))
    if kind == 0:
        return b"\x80\x02}X\x01\x00\x00\x00a]q\x00" + b"(h\x00h\x00h\x00h\x00tq\x00" * 30 + b"s."
    if kind == 1:
        return b"\x80\x04\x8d" + struct.pack("<Q", huge) + b"x."
    if kind == 2:
        return b"\x80\x02" + b"(" * 200_000 + b"."
    return _archive(b"\x80\x02" + b"K\x00" * (1 << 20) + b".", {}, packed=True)


FAULTS = (
    WeightsFault("flipped bytes", _flipped, "either"),
    WeightsFault("extreme numbers", _extreme, "either"),
    WeightsFault("cut off", _cut, "either"),
    WeightsFault("a part twice", _doubled, "either"),
    WeightsFault("noise", _noise),
    WeightsFault("a call", _called),
    WeightsFault("a forged dtype", _dtype, "either", ".pkl"),
    WeightsFault("a forged shape", _shape, suffix=".pkl"),
    WeightsFault("a tensor beside its storage", _tensor),
    WeightsFault("few bytes for many", _bomb),
)
"""Every kind."""
