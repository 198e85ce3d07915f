"""Other people's weights: read as data, never executed, and matched to a network key by key.

.safetensors; anything that torch.save wrote, in its old form or its new one (read with weights_only=True); and pickled
dictionaries of numpy arrays, as VGGFace2's converted models are, through an unpickler that knows arrays and nothing else.
"""

from __future__ import annotations

import collections
import io
import os
import pickle
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor, nn

from metrics.instruments.base import InstrumentError

MAX_BYTES = 2 << 30  # the largest file here, deca_model.tar, has 434 MB
_FEW = 3  # keys that an error names


def read_tensors(path: str | os.PathLike[str], expected: str, part: str | None = None) -> dict[str, Tensor]:
    """The tensors of a file by key, on the CPU.

    A prefix "module." of all keys (DataParallel) is taken off.

    Args:
        path: A safetensors file, torch.save's, or a pickle of numpy arrays; nothing in it is executed.
        expected: Which file it should be and where its authors publish it, for messages.
        part: The entry of the file's dictionary that holds them, as "E_flame". Without it a "state_dict" or
            "model_state_dict" entry is entered.

    Returns:
        Key -> tensor.

    Raises:
        InstrumentError: One line, for whatever is wrong.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InstrumentError(f"{path} is larger than {MAX_BYTES >> 30} GB: not {expected}")
        data = path.read_bytes()
    except OSError as error:
        raise InstrumentError(f"cannot read {path} ({error.strerror}); expected {expected}") from None
    tensors = {}
    for key, value in _entry(path, _parse(path, data, expected), part, expected).items():
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiu":
            value = torch.from_numpy(np.array(value))
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise InstrumentError(
                f"{path}: the entry {str(key)[:60]!r} is no tensor but {type(value).__name__}; expected {expected}"
            )
        tensors[key] = value.detach()
    if all(key.startswith("module.") for key in tensors):
        tensors = {key.removeprefix("module."): value for key, value in tensors.items()}
    return tensors


def fill(
    network: nn.Module, tensors: Mapping[str, Tensor], path: Any, expected: str, unused: Sequence[str] = ()
) -> None:
    """Put tensors into a network, every key of the one into one key of the other, in float32 and eval mode.

    BatchNorm's num_batches_tracked, which older files lack and no forward pass reads, may be missing.

    Args:
        network: It is changed.
        tensors: What read_tensors gave.
        path: Where they come from, for messages.
        expected: Which file it should be, for messages.
        unused: Prefixes of keys that the file may hold and the network does not need (a classifier's last layer).

    Raises:
        InstrumentError: For keys that are missing or unknown, other shapes, and numbers that are not finite.
    """
    wanted = network.state_dict()
    given = {
        key: value for key, value in tensors.items() if key in wanted or not key.startswith(tuple(unused))
    }
    missing = [key for key in wanted if key not in given and not key.endswith("num_batches_tracked")]
    extra = [key for key in given if key not in wanted]
    shapes = [key for key in given if key in wanted and given[key].shape != wanted[key].shape]
    wrong = []
    if missing:
        wrong.append(f"{len(missing)} keys are missing ({_few(missing)})")
    if extra:
        wrong.append(f"{len(extra)} keys are unknown ({_few(extra)})")
    if shapes:
        first = shapes[0]
        wrong.append(
            f"{len(shapes)} shapes differ ({first}: {list(given[first].shape)}, not {list(wanted[first].shape)})"
        )
    if wrong:
        raise InstrumentError(f"{path} does not fit: {'; '.join(wrong)}; expected {expected}")
    broken = [
        key for key, value in given.items() if value.is_floating_point() and not bool(value.isfinite().all())
    ]
    if broken:
        raise InstrumentError(f"{path} holds numbers that are not finite ({_few(broken)}); fetch it again")
    network.load_state_dict({key: value.to(wanted[key].dtype) for key, value in given.items()}, strict=False)
    network.eval().requires_grad_(False)


def _few(keys: Sequence[str]) -> str:
    return ", ".join(keys[:_FEW]) + (", ..." if len(keys) > _FEW else "")


def _entry(path: Path, content: Any, part: str | None, expected: str) -> Mapping[Any, Any]:
    """The dictionary of weights within what a file holds."""
    for key in [part] if part else ["state_dict", "model_state_dict"]:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
        elif part:
            raise InstrumentError(f"{path} has no entry {part!r}; expected {expected}")
    if not isinstance(content, Mapping) or not content:
        raise InstrumentError(f"{path} holds no weights by name; expected {expected}")
    return content


def _parse(path: Path, data: bytes, expected: str) -> Any:
    if path.suffix == ".safetensors":
        try:
            return load_safetensors(data)
        except (SafetensorError, ValueError) as error:
            raise InstrumentError(f"{path} is no safetensors file ({error}); expected {expected}") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of storage classes that old files name
            return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as first:  # noqa: BLE001  # torch documents no type for a damaged file
        why: Exception = first
        if (content := _without_objects(data)) is not None:
            return content
        try:
            content = _Arrays(io.BytesIO(data), encoding="latin1").load()
            if isinstance(content, Mapping):
                return content
        except Exception as second:  # noqa: BLE001  # nor does pickle
            why = second if isinstance(second, pickle.UnpicklingError) else first
        text = (str(why).splitlines() or [type(why).__name__])[0][:160]
        raise InstrumentError(f"{path} cannot be read as weights ({text}); expected {expected}") from None


def _without_objects(data: bytes) -> Mapping[Any, Any] | None:
    """What torch.save wrote beside objects of other packages, as trainers do (Lightning's callbacks): they become holes.

    None where it cannot be had that way either.
    """
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return None
    reading = SimpleNamespace(__name__="tensors", Unpickler=_Tensors, load=None)
    try:
        content = torch.load(io.BytesIO(data), map_location="cpu", pickle_module=reading, weights_only=False)
    except Exception:  # noqa: BLE001  # as above; the first error is the one that is told
        return None
    # A file whose weights themselves are objects is not what is asked for.
    return (
        content if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping) else None
    )


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


class _Tensors(pickle.Unpickler):
    """An unpickler for tensors in plain containers: no other name is imported, and so none is called."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return torch._utils._rebuild_tensor_v2
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return torch._utils._rebuild_parameter
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        return _Hole


class _Arrays(pickle.Unpickler):
    """An unpickler for numpy arrays in plain containers: whatever else a file names is refused, and so not called."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return np._core.multiarray._reconstruct  # type: ignore[attr-defined]
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        if (module, name) == ("_codecs", "encode"):
            return _latin1  # how Python 3 writes an array's bytes in old protocols
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        raise pickle.UnpicklingError(f"it names {module}.{name}, which is no array")


def _latin1(text: str, encoding: str = "latin1") -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError("bytes in another encoding")
    return text.encode("latin1")
