"""Pickled weights as data: torch.save's files, old and new, and pickled numpy arrays, without pickle's objects.

Nothing that a file names is imported, and neither torch nor numpy builds anything from a state that a file gives. What
stands for dtypes, arrays, storages and tensors is small and our own: dtypes are known by name, and every length is held
against the bytes that are there. Other objects (a trainer keeps its callbacks beside the weights) become holes, of which
nothing can be asked. Pure Python's unpickler, since C's allots memory by numbers that a file gives.
"""

from __future__ import annotations

import collections
import io
import math
import pickle
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metrics.instruments.base import InstrumentError

STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
"""The storage classes of torch that a file may name."""
DTYPES = frozenset({"b1", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"})
"""The types of numpy that a file may name."""
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


class PickledError(InstrumentError):
    """A file is no pickled weights; the message says why, the caller which file and what was expected."""


def read_pickled(data: bytes) -> Any:
    """What a file of pickled weights holds.

    Args:
        data: Its bytes.

    Returns:
        Plain containers, numbers and texts; Tensor for torch's tensors, ndarray for numpy's. Both share memory with what
        was read and must not be changed.

    Raises:
        PickledError: For another file, a damaged or a forged one, and one that names what is neither tensor nor array
            where weights should be.
    """
    try:
        if zipfile.is_zipfile(io.BytesIO(data)):
            return _checked(*_zipped(data))
        return _checked(*(_legacy(data) if _is_legacy(data) else _arrays(data)))
    except PickledError:
        raise
    # Whatever else a forged file makes an unpickler stumble over.
    except (Exception, RecursionError) as error:
        raise PickledError((str(error).splitlines() or [""])[0][:160] or type(error).__name__) from error


def _checked(content: Any, reader: _Reader) -> Any:
    """The content, arrays filled in, if what the file names beside tensors stands beside the weights and not for them."""
    content = _filled(content)
    # Trainers keep their own objects beside "state_dict"; a file without it is not theirs.
    theirs = reader.torch and isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping)
    if reader.strangers and not theirs:
        what = "tensor" if reader.torch else "array"
        raise PickledError(f"it names {reader.strangers[0]}, which is no {what}")
    return content


def _filled(content: Any) -> Any:
    """The content, arrays in the place of what stood for them, dictionaries as plain ones."""
    if isinstance(content, _Array):
        return content.array()
    return {key: _filled(value) for key, value in content.items()} if isinstance(content, dict) else content


# ---- the three forms of a file ----
def _zipped(data: bytes) -> tuple[Any, _Reader]:
    """torch.save's since 1.6: an archive with data.pkl and a file for each storage."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = {name.partition("/")[2]: name for name in archive.namelist()}
        if "data.pkl" not in names:
            raise PickledError("an archive without data.pkl")
        if "byteorder" in names and archive.read(names["byteorder"]) != b"little":
            raise PickledError("written on a machine of another byte order")
        left = len(data)

        def record(key: str) -> bytes:
            nonlocal left
            name = names.get(f"data/{key}")
            if name is None:
                raise PickledError(f"the storage {key!r} is not in the archive")
            about = archive.getinfo(name)
            left -= about.file_size
            # torch.save packs nothing, so that all parts together are no longer than the file.
            if about.compress_type != zipfile.ZIP_STORED or left < 0:
                raise PickledError(f"the storage {key!r} is packed, or longer than the archive")
            return archive.read(name)

        about = archive.getinfo(names["data.pkl"])
        if about.file_size > len(data):
            raise PickledError("data.pkl is longer than the archive")
        reader = _Reader(archive.read(about), record)
        return reader.load(), reader


def _is_legacy(data: bytes) -> bool:
    try:
        return bool(_Reader(data[:64]).load() == _LEGACY_MAGIC)
    except Exception:  # noqa: BLE001  # a pickle of something else, or none
        return False


def _legacy(data: bytes) -> tuple[Any, _Reader]:
    """torch.save's before 1.6: five pickles, then the storages one after another."""
    file = io.BytesIO(data)
    _, protocol, system = (_Reader(file).load() for _ in range(3))
    if protocol != 1001 or not isinstance(system, dict) or not system.get("little_endian", True):
        raise PickledError("of another protocol, or written on a machine of another byte order")
    # Where the storages lie is known only behind what names them: read twice, the first time with none.
    start = file.tell()
    first = _Reader(file, None)
    first.load()
    keys = _Reader(file).load()
    if not isinstance(keys, list):
        raise PickledError("no list of storages")
    parts: dict[str, bytes] = {}
    for key in keys:
        kind, numel = first.storages.get(str(key), (None, 0))
        (said,) = struct.unpack("<q", file.read(8))
        if kind is None or said != numel:
            raise PickledError(f"the storage {str(key)[:20]!r} has another length than its tensors say")
        parts[str(key)] = file.read(numel * kind.itemsize)
    file.seek(start)
    reader = _Reader(file, parts.__getitem__)
    return reader.load(), reader


def _arrays(data: bytes) -> tuple[Any, _Reader]:
    """A pickled dictionary of numpy arrays, as VGGFace2's converted models are."""
    reader = _Reader(data)
    content = reader.load()
    if not isinstance(content, Mapping):
        raise PickledError(f"it holds {type(content).__name__}, no arrays by name")
    return content, reader


# ---- what stands for the objects of a file ----
class _Hole:
    """Stands for an object whose class is not wanted: it can be made, filled and named, and does nothing."""

    def __new__(cls, *_: Any, **__: Any) -> _Hole:
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __call__(self, *_: Any, **__: Any) -> _Hole:
        return self

    def _ignore(self, *_: Any) -> None:
        pass

    __setstate__ = __setitem__ = append = extend = add = _ignore


class _DType:
    """numpy.dtype of a known name; its state may say the byte order and nothing else."""

    def __init__(self, name: Any, *_: Any) -> None:
        self.name = name.decode("ascii") if isinstance(name, bytes) else name
        if self.name not in DTYPES:
            raise PickledError(f"arrays of the type {str(self.name)[:20]!r}")
        self.order: Any = "|"

    def __setstate__(self, state: Any) -> None:
        _, order, *rest = state
        order = order.decode("ascii") if isinstance(order, bytes) else order
        if order not in ("<", ">", "|", "=") or rest not in (
            [None, None, None, -1, -1, 0],
            [None, None, None, -1, -1],
        ):
            raise PickledError("arrays of a type made of others")
        self.order = order


class _Array:
    """numpy.ndarray as it is pickled: empty first, then a state of shape, type, order and bytes."""

    def __init__(self, *_: Any) -> None:
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: Any) -> None:
        self.state = tuple(state)

    def array(self) -> np.ndarray:
        """The array, its bytes as long as its shape says. Raises PickledError."""
        if len(self.state) != 5:
            raise PickledError("an array without content")
        _, shape, kind, fortran, raw = self.state
        if isinstance(raw, str):
            raw = raw.encode("latin1")  # Python 2's bytes
        if not isinstance(kind, _DType) or not isinstance(raw, bytes):
            raise PickledError("an array of objects")
        dtype = np.dtype(kind.name).newbyteorder(kind.order)
        if len(raw) != math.prod(_sizes(shape)) * dtype.itemsize:
            raise PickledError("an array of another length than its shape")
        found = np.frombuffer(raw, dtype).reshape(shape, order="F" if fortran else "C")
        return found.astype(dtype.newbyteorder("="), copy=False)


@dataclass(frozen=True)
class _Storage:
    dtype: torch.dtype
    key: str
    numel: int


def _no_bytes() -> bytes:
    """How old protocols write an empty array's bytes."""
    return b""


# Whatever else a file may name, and what stands for it.
_PLAIN: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _DType,
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch", "Size"): tuple,
    ("builtins", "bytes"): _no_bytes,
    ("__builtin__", "bytes"): _no_bytes,
}


class _Reader(pickle._Unpickler):
    """An unpickler for arrays and tensors in plain containers; `strangers` are the other names that a file has.

    storages: what a file says of each storage. record: the bytes of a storage; None: tensors become holes.
    """

    def __init__(self, data: bytes | io.BytesIO, record: Callable[[str], bytes] | None = None) -> None:
        super().__init__(io.BytesIO(data) if isinstance(data, bytes) else data, encoding="latin1")
        self.strangers: list[str] = []
        self.storages: dict[str, tuple[torch.dtype, int]] = {}
        self.torch = False
        self._record = record
        self._read: dict[str, Tensor] = {}
        self._spelt = 0

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        if module == "torch._utils" and name in (
            "_rebuild_tensor_v2",
            "_rebuild_tensor",
            "_rebuild_parameter",
        ):
            self.torch = True
            return _parameter if name == "_rebuild_parameter" else self._tensor
        if (module, name) == ("_codecs", "encode"):
            return self._latin1
        if known := _PLAIN.get((module, name)):
            return known
        if module != "torch":  # whose devices and types may stand beside weights
            self.strangers.append(f"{module}.{name}"[:80])
        return _Hole

    def persistent_load(self, said: Any) -> Any:
        kind, dtype, key, _, numel = said[:5]
        if kind != "storage" or not isinstance(dtype, torch.dtype) or _sizes((numel,)) != (numel,):
            raise PickledError("a storage of another kind")
        storage = _Storage(dtype, str(key), numel)
        if self.storages.setdefault(storage.key, (dtype, numel)) != (dtype, numel):
            raise PickledError(f"the storage {storage.key[:20]!r} has two lengths")
        return storage

    def _latin1(self, text: Any, encoding: Any = "latin1") -> bytes:
        """How Python 3 writes an array's bytes in old protocols."""
        if encoding != "latin1" or not isinstance(text, str):
            raise PickledError("bytes in another encoding")
        self._spelt += len(text)
        if self._spelt > 1 << 31:
            raise PickledError("more bytes than a file of weights has")
        return text.encode("latin1")

    def _tensor(self, storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Any:
        if self._record is None:
            return _Hole()
        if not isinstance(storage, _Storage):
            raise PickledError("a tensor without a storage")
        size, stride, (offset,) = _sizes(size), _sizes(stride), _sizes((offset,))
        held = self._held(storage)
        last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        count = math.prod(size)
        if count and (last >= len(held) or count > len(held)):
            raise PickledError("a tensor beyond the end of its storage")
        return held.as_strided(size, stride, offset) if count else held.new_empty(size)

    def _held(self, storage: _Storage) -> Tensor:
        if storage.key not in self._read:
            assert self._record is not None
            raw = self._record(storage.key)
            if len(raw) != storage.numel * storage.dtype.itemsize:
                raise PickledError(f"the storage {storage.key[:20]!r} has another length than is said")
            # A bytearray: torch warns of memory that must not be written.
            self._read[storage.key] = (
                torch.frombuffer(bytearray(raw), dtype=storage.dtype)
                if raw
                else torch.empty(0, dtype=storage.dtype)
            )
        return self._read[storage.key]


def _parameter(data: Any, *_: Any) -> Any:
    return data


def _sizes(said: Any) -> tuple[int, ...]:
    """Whole numbers that may be sizes. Raises PickledError."""
    sizes = tuple(said)
    if len(sizes) > 16 or any(type(n) is not int or not 0 <= n < 1 << 40 for n in sizes):
        raise PickledError("sizes that are none")
    return sizes
