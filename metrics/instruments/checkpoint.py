"""Other people's weights: read as data, never executed, and matched to a network key by key.

.safetensors; and what smoothswap.plumbing.pickled reads, in a process of its own: anything that torch.save wrote, in its
old form or its new one, and pickled dictionaries of numpy arrays, as VGGFace2's converted models are.
`python -m smoothswap.convert` makes safetensors of these once.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor, nn

from metrics.instruments.base import InstrumentError
from smoothswap.plumbing.apart import read_apart
from smoothswap.plumbing.packed import PickledError
from smoothswap.plumbing.tensors import opened
from smoothswap.plumbing.texts import read_json

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
    if part and path.suffix == ".safetensors":
        inside = {key: value for key, value in content.items() if key.startswith(f"{part}.")}
        content = {part: {key.removeprefix(f"{part}."): value for key, value in inside.items()}}
    for key in [part] if part else ["state_dict", "model_state_dict"]:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
        elif part:
            raise InstrumentError(f"{path} has no entry {part!r}; expected {expected}")
    if not isinstance(content, Mapping) or not content:
        raise InstrumentError(f"{path} holds no weights by name; expected {expected}")
    return content


def _refuse_altered(path: Path, data: bytes) -> None:
    """Raise InstrumentError for converted weights that are no longer what their card says."""
    try:
        card = read_json(path.with_suffix(".json"))
        wanted = card["sha256"] if "converted_from" in card else None
    except (OSError, ValueError, KeyError, TypeError):
        return  # no card, or one of others
    if wanted is not None and hashlib.sha256(data).hexdigest() != wanted:
        raise InstrumentError(
            f"{path} is not what its card {path.with_suffix('.json').name} says: damaged or altered; remove both and "
            "convert the weights again"
        )


def _parse(path: Path, data: bytes, expected: str) -> Any:
    if path.suffix == ".safetensors":
        _refuse_altered(path, data)
        try:
            return load_safetensors(data)
        except (SafetensorError, ValueError) as error:
            raise InstrumentError(f"{path} is no safetensors file ({error}); expected {expected}") from None
    try:
        return opened(read_apart(path))
    except (PickledError, OSError) as error:
        raise InstrumentError(f"{path} cannot be read as weights ({error}); expected {expected}") from None
