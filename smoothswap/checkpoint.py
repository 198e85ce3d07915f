"""Checkpoints without pickle: one safetensors file, tensors as they are, scalars as JSON in its header; atomic writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim import Optimizer

from smoothswap.errors import DataError
from smoothswap.plumbing.files import write_whole
from smoothswap.plumbing.texts import TextError, json_of


class CheckpointError(DataError):
    """A checkpoint or weight file that is missing, truncated or foreign."""


class DiskError(CheckpointError):
    """A file that could not be written, on a full disk or a read-only one; what was there before is whole."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"cannot write {path} ({error.strerror or error}); free some space or choose another --out"
        )


def write_atomic(path: Path, content: bytes) -> None:
    """Write beside, flush to the disk, then os.replace: readers see the old file or the new one, whole.

    Args:
        path: The file; its folder is made where it is missing.
        content: All of it.

    Raises:
        DiskError: It cannot be written; what was at `path` before is whole.
    """
    try:
        write_whole(path, content)
    except OSError as error:
        raise DiskError(path, error) from error


def write_tensors(path: Path, tensors: dict[str, Tensor], scalars: dict[str, Any]) -> None:
    """Tensors and JSON scalars into one safetensors file, atomically.

    Args:
        path: The file; its folder is made where it is missing.
        tensors: By name, of any device and memory format; stored contiguous, in their own types.
        scalars: What json.dumps takes; it goes into the header.

    Raises:
        DiskError: It cannot be written.
    """
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    write_atomic(path, save(plain, metadata={"scalars": json.dumps(scalars, sort_keys=True)}))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What write_tensors wrote. Raises CheckpointError for a missing, truncated or foreign file."""
    if not path.is_file():
        raise CheckpointError(f"no such file: {path}")
    try:
        with safe_open(path, framework="pt") as file:
            scalars = json_of((file.metadata() or {})["scalars"], wide=True)
            return {name: file.get_tensor(name) for name in file.keys()}, scalars  # noqa: SIM118
    except (SafetensorError, KeyError, TextError) as error:
        raise CheckpointError(f"{path} is truncated or not a file of this project ({error})") from None


def not_finite(tensors: Mapping[str, Tensor]) -> list[str]:
    """The names of those tensors that hold a NaN or an infinity."""
    return [
        name
        for name, tensor in tensors.items()
        if tensor.is_floating_point() and not bool(tensor.isfinite().all())
    ]


def load_module(module: nn.Module, tensors: dict[str, Tensor], prefix: str, path: Path) -> None:
    """Copy `tensors` under `prefix` into a module, all keys and shapes checked.

    Args:
        module: Takes the values in place, in its own types and on its own device.
        tensors: By name, as read_tensors gives them.
        prefix: Of the module's names, such as "generator."; "" for all of `tensors`.
        path: Where they come from, for the error.

    Raises:
        CheckpointError: A name is missing or too many, a shape differs, or a number is not finite.
    """
    own = {k: v for k, v in module.state_dict().items()}
    given = {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}
    wrong = sorted(own.keys() ^ given.keys()) or sorted(k for k in own if own[k].shape != given[k].shape)
    if wrong:
        raise CheckpointError(
            f"{path}: {len(wrong)} tensors of {prefix.rstrip('.')} do not fit its configuration, first {wrong[0]!r}; "
            "the file belongs to another model"
        )
    if broken := not_finite(given):
        raise CheckpointError(
            f"{path}: {len(broken)} tensors of {prefix.rstrip('.')} hold numbers that are not finite, first {broken[0]!r}: "
            "the training that wrote it had diverged; go back to a checkpoint before that"
        )
    module.load_state_dict(given)


def optimiser_tensors(name: str, optimiser: Optimizer) -> dict[str, Tensor]:
    """The optimiser's state as named tensors; learning rates are functions of the step and are not kept.

    Args:
        name: What tells it from other optimisers in the same file.
        optimiser: Whose state; before its first step there is none.

    Returns:
        Tensors by optimiser.NAME.PARAMETER.FIELD, parameters counted from 0: optimiser.generator.0.exp_avg.
    """
    state = optimiser.state_dict()["state"]
    return {
        f"optimiser.{name}.{i}.{key}": torch.as_tensor(v) for i, s in state.items() for key, v in s.items()
    }


def load_optimiser(name: str, optimiser: Optimizer, tensors: dict[str, Tensor]) -> None:
    """The inverse of optimiser_tensors.

    Args:
        name: As it was given there.
        optimiser: Takes the state; its learning rates and other settings stay as they are.
        tensors: The whole file's. With none of this name the optimiser has no state, as before a first step.
    """
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith(f"optimiser.{name}."):
            index, field = key.split(".")[-2:]
            state.setdefault(int(index), {})[field] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
