"""Pickled weights of others (.pth, .pt, .pkl, .tar) as safetensors, once, with a card that says where they come from.

    python -m smoothswap.convert deca_model.tar --out weights

Whatever a file of weights asks to be called or built, nothing is: it is read as data, in a process of its own
(smoothswap.plumbing.pickled). What stands in dictionaries within it gets their names with dots; what is neither tensor
nor array is left out and named. Every instrument that takes the old file takes the new one.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor

from smoothswap.checkpoint import write_atomic
from smoothswap.cli import Parser, check_folder, command
from smoothswap.errors import EXIT_OK, DataError, few, suggestion
from smoothswap.plumbing.apart import read_apart
from smoothswap.plumbing.packed import PickledError
from smoothswap.plumbing.tensors import opened
from smoothswap.plumbing.texts import read_json

EXAMPLES = """
examples:
  python -m smoothswap.convert hopenet_robust_alpha1.pkl       hopenet_robust_alpha1.safetensors and .json beside it
  python -m smoothswap.convert deca_model.tar --part E_flame --out weights
  python -m bench.ffpp --instruments dlib,hopenet:hopenet_robust_alpha1.safetensors

exit codes: 0 converted, or converted before; 2 a wrong option; 3 a file that holds no weights, or cannot be written
"""
ENTERED = ("state_dict", "model_state_dict")
"""Entries in which trainers keep the weights beside their own things."""


def parser() -> Parser:
    """The command line."""
    made = Parser("python -m smoothswap.convert", description=__doc__, epilog=EXAMPLES)
    made.add_argument("files", nargs="+", type=Path, metavar="FILE", help="pickled weights")
    made.add_argument("--out", type=Path, metavar="DIR", help="where to write (beside each file)")
    made.add_argument("--part", metavar="NAME", help="only this entry of the file's dictionary, as E_flame")
    return made


def converted(content: Any, part: str | None = None) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors of a file by dotted name.

    Args:
        content: As smoothswap.plumbing.tensors.opened gives it.
        part: The one entry that is wanted; None: all, and of a file with a "state_dict" or "model_state_dict" only that.

    Returns:
        Tensors, contiguous, each with memory of its own; the names of what is none.

    Raises:
        DataError: It holds no tensors by name, not this part, or one name twice.
    """
    content = _wanted(content, part)
    tensors: dict[str, Tensor] = {}
    left_out: list[str] = []
    waiting = [("", content)]
    while waiting:
        name, node = waiting.pop()
        if isinstance(node, Mapping):
            inside = [(f"{name}.{key}" if name else str(key), value) for key, value in node.items()]
            waiting += reversed(inside)
        elif isinstance(node, (Tensor, np.ndarray)):
            if name in tensors:
                raise DataError(f"two of its tensors would be called {name!r}")
            tensors[name] = torch.from_numpy(node) if isinstance(node, np.ndarray) else node
            tensors[name] = tensors[name].contiguous().clone()
        else:
            left_out.append(name)
    if not tensors:
        raise DataError("it holds no tensors by name")
    return tensors, left_out


def _wanted(content: Any, part: str | None) -> Mapping[Any, Any]:
    if not isinstance(content, Mapping):
        raise DataError(f"it holds {type(content).__name__}, no tensors by name")
    if part is not None:
        if part not in content:
            names = [str(key) for key in content]
            raise DataError(f"it has no entry {part!r}.{suggestion(part, names)} It has {few(names)}")
        content = {part: content[part]}
    else:
        for key in ENTERED:
            if isinstance(content.get(key), Mapping):
                content = content[key]
    return content


def convert(path: Path, folder: Path, part: str | None = None) -> str:
    """Write a file of weights as safetensors, and its card.

    Args:
        path: The pickled file.
        folder: Where NAME.safetensors and NAME.json are written, which exists.
        part: As `converted`.

    Returns:
        What was done, as a line.

    Raises:
        DataError: The file cannot be used, or another one has its place.
        DiskError: The new one cannot be written.
    """
    out = folder / f"{path.stem}.safetensors"
    if path.suffix == ".safetensors":
        raise DataError(f"{path} is safetensors by its name already")
    try:
        origin = {
            "file": path.name.encode("utf-8", "backslashreplace").decode(),
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        if _is_of(out, origin, part):
            return f"{out}: converted before"
        tensors, left_out = converted(opened(read_apart(path)), part)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except (PickledError, DataError) as error:
        raise DataError(f"{path} cannot be converted: {error}") from None
    data = save(tensors)
    again = load(data)
    wrong = [
        name
        for name, tensor in tensors.items()
        if not torch.equal(tensor.nan_to_num(), again[name].nan_to_num())
    ]
    if wrong or again.keys() != tensors.keys():
        raise DataError(f"{path} is not the same when it is read again ({few(wrong)}); keep to the old file")
    card = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "tensors": len(tensors),
        "converted_from": origin,
        "part": part,
        "left_out": left_out,
    }
    write_atomic(out, data)
    write_atomic(out.with_suffix(".json"), (json.dumps(card, indent=1) + "\n").encode())
    missing = f"; left out {few(left_out)}" if left_out else ""
    return f"{out}: {len(tensors)} tensors, {len(data) / 1e6:.1f} MB, sha256 {card['sha256']}{missing}"


def _is_of(out: Path, origin: Mapping[str, str], part: str | None) -> bool:
    """Whether `out` is there already, of the same file. Raises DataError where it is another."""
    beside = out.with_suffix(".json")
    try:
        card = read_json(beside)
        known = card["converted_from"]["sha256"] == origin["sha256"] and card["part"] == part
        if known and hashlib.sha256(out.read_bytes()).hexdigest() == card["sha256"]:
            return True
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if not known and (out.exists() or beside.exists()):
        taken = out if out.exists() else beside
        raise DataError(
            f"{taken} is there already, and not of this file; remove it, or name another folder with --out"
        )
    return False  # half of it, or damaged: written again


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    options = parser().parse_args(argv)
    if options.out is not None:
        check_folder(options.out)
    for path in options.files:
        print(convert(path, options.out or path.parent, options.part))
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
