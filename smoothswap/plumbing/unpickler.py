"""The unpickler of weights: what a file may name, and what stands for it."""

from __future__ import annotations

import array
import collections
import io
import math
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smoothswap.plumbing.packed import SIZES, PickledError, Values

STORAGES = {
    "DoubleStorage": "F64",
    "FloatStorage": "F32",
    "HalfStorage": "F16",
    "BFloat16Storage": "BF16",
    "LongStorage": "I64",
    "IntStorage": "I32",
    "ShortStorage": "I16",
    "CharStorage": "I8",
    "ByteStorage": "U8",
    "BoolStorage": "BOOL",
}
"""The storage classes of torch that a file may name."""
DTYPES = {
    "b1": "BOOL",
    "i1": "I8",
    "u1": "U8",
    "i2": "I16",
    "u2": "U16",
    "i4": "I32",
    "u4": "U32",
    "i8": "I64",
    "u8": "U64",
    "f2": "F16",
    "f4": "F32",
    "f8": "F64",
}
"""The types of numpy that a file may name."""
_MOST_TIMES = 4  # the bytes of all tensors together, in those of the file: some share a storage
_SPARE = 1 << 20
_UNSIGNED = {2: "H", 4: "I", 8: "Q"}


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


class Array:
    """numpy.ndarray as it is pickled: empty first, then a state of shape, type, order and bytes."""

    def __init__(self, *_: Any) -> None:
        self.state: tuple[Any, ...] = ()
        self._values: Values | None = None

    def __setstate__(self, state: Any) -> None:
        self.state = tuple(state)

    def values(self) -> Values:
        """The array, its bytes as long as its shape says. Raises PickledError."""
        if self._values is None:
            self._values = self._read()
        return self._values

    def _read(self) -> Values:
        if len(self.state) != 5:
            raise PickledError("an array without content")
        _, shape, dtype, fortran, raw = self.state
        if isinstance(raw, str):
            raw = raw.encode("latin1")  # Python 2's bytes
        if not isinstance(dtype, _DType) or not isinstance(raw, bytes):
            raise PickledError("an array of objects")
        kind, sizes = DTYPES[dtype.name], _sizes(shape)
        if len(raw) != math.prod(sizes) * SIZES[kind]:
            raise PickledError("an array of another length than its shape")
        if dtype.order == ">" and SIZES[kind] > 1:
            turned = array.array(_UNSIGNED[SIZES[kind]], raw)
            turned.byteswap()
            raw = turned.tobytes()
        if fortran:
            steps = [math.prod(sizes[:i]) for i in range(len(sizes))]
            raw = _gathered(raw, SIZES[kind], sizes, tuple(steps), 0)
        return Values(kind, sizes, _true_or_false(kind, raw), array=True)


@dataclass(frozen=True)
class _Kind:
    """A class of torch's storages."""

    name: str


@dataclass(frozen=True)
class _Storage:
    kind: str
    key: str
    numel: int


def _gathered(raw: bytes, size: int, shape: tuple[int, ...], steps: tuple[int, ...], offset: int) -> bytes:
    """The numbers of a view in C's order; all of them are there, as the caller has made sure.

    Args:
        raw: The storage.
        size: Bytes of a number.
        shape: Of the view.
        steps: From one number to the next along each axis, in numbers.
        offset: The first number.
    """
    if 0 in shape:
        return b""
    contiguous = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
    if all(n == 1 or step == even for n, step, even in zip(shape, steps, contiguous, strict=True)):
        return raw[offset * size : (offset + math.prod(shape)) * size]
    numbers = memoryview(raw).cast({1: "B", **_UNSIGNED}[size])  # type: ignore[call-overload]
    rows: list[bytes] = []

    def walk(axis: int, at: int) -> None:
        n, step = shape[axis], steps[axis]
        if axis < len(shape) - 1:
            for i in range(n):
                walk(axis + 1, at + i * step)
        elif step == 0:
            rows.append(numbers[at : at + 1].tobytes() * n)
        else:
            rows.append(numbers[at : at + (n - 1) * step + 1 : step].tobytes())

    walk(0, offset)
    return b"".join(rows)


def _true_or_false(kind: str, raw: bytes) -> bytes:
    if kind == "BOOL" and raw.translate(None, b"\0\1"):
        raise PickledError("truth values that are neither")
    return raw


def _no_bytes() -> bytes:
    """How old protocols write an empty array's bytes."""
    return b""


# Whatever else a file may name, and what stands for it.
_PLAIN: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): Array,
    ("numpy._core.multiarray", "_reconstruct"): Array,
    ("numpy", "ndarray"): Array,
    ("numpy", "dtype"): _DType,
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch", "Size"): tuple,
    ("builtins", "bytes"): _no_bytes,
    ("__builtin__", "bytes"): _no_bytes,
}


class Reader(pickle._Unpickler):
    """An unpickler for arrays and tensors in plain containers; `strangers` are the other names that a file has.

    storages: what a file says of each storage. torch: whether it has tensors.

    Args:
        data: The pickle, or the file that stands at its begin.
        record: Gives the bytes of a storage by its key; None: tensors become holes.
        length: Of the whole file, in bytes: its tensors have not many times as many.
    """

    def __init__(
        self, data: bytes | io.BytesIO, record: Callable[[str], bytes] | None = None, length: int = 0
    ) -> None:
        super().__init__(io.BytesIO(data) if isinstance(data, bytes) else data, encoding="latin1")
        self.strangers: list[str] = []
        self.storages: dict[str, tuple[str, int]] = {}
        self.torch = False
        self._record = record
        self._read: dict[str, bytes] = {}
        self._spelt = 0
        self._left = _MOST_TIMES * length + _SPARE

    def find_class(self, module: str, name: str) -> Any:
        """What stands for a name; nothing is imported.

        Args:
            module: As the file says it.
            name: Likewise.

        Returns:
            A function or class that pickle may call.
        """
        if module == "torch" and name in STORAGES:
            return _Kind(STORAGES[name])
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
        """A storage, whose numbers lie outside of the pickle. Raises PickledError."""
        what, kind, key, _, numel = said[:5]
        if what != "storage" or not isinstance(kind, _Kind) or _sizes((numel,)) != (numel,):
            raise PickledError("a storage of another kind")
        storage = _Storage(kind.name, str(key), numel)
        if self.storages.setdefault(storage.key, (kind.name, numel)) != (kind.name, numel):
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
        shape, steps, (start,) = _sizes(size), _sizes(stride), _sizes((offset,))
        raw = self._held(storage)
        last = start + sum((n - 1) * step for n, step in zip(shape, steps, strict=True))
        count = math.prod(shape)
        if count and (last >= storage.numel or count > storage.numel):
            raise PickledError("a tensor beyond the end of its storage")
        self._left -= count * SIZES[storage.kind]
        if self._left < 0:
            raise PickledError("tensors of more bytes than the file has")
        taken = _gathered(raw, SIZES[storage.kind], shape, steps, start)
        return Values(storage.kind, shape, _true_or_false(storage.kind, taken))

    def _held(self, storage: _Storage) -> bytes:
        if storage.key not in self._read:
            assert self._record is not None
            raw = self._record(storage.key)
            if len(raw) != storage.numel * SIZES[storage.kind]:
                raise PickledError(f"the storage {storage.key[:20]!r} has another length than is said")
            self._read[storage.key] = raw
        return self._read[storage.key]


def _parameter(data: Any, *_: Any) -> Any:
    return data


def _sizes(said: Any) -> tuple[int, ...]:
    """Whole numbers that may be sizes. Raises PickledError."""
    sizes = tuple(said)
    if len(sizes) > 16 or any(type(n) is not int or not 0 <= n < 1 << 40 for n in sizes):
        raise PickledError("sizes that are none")
    return sizes
