"""What smoothswap.plumbing.packed has packed, opened as torch's tensors and numpy's arrays."""

from __future__ import annotations

import json
import struct
from typing import Any

from safetensors.torch import load
from torch import Tensor

from smoothswap.plumbing.packed import PickledError


class Hole:
    """Stands for an object that is neither weights nor plain; `kind` is what is known of it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


def opened(data: bytes) -> Any:
    """The content of a packed file.

    Args:
        data: As packed() gave it.

    Returns:
        Plain containers, numbers and texts; Tensor for torch's tensors, ndarray for numpy's, and Hole. Of dictionaries
        those entries whose key is a number or a text.

    Raises:
        PickledError: It nests too deeply.
    """
    (length,) = struct.unpack("<Q", data[:8])
    try:
        content = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["content"])
        return _grown(content, load(data))
    except RecursionError:
        raise PickledError("it nests too deeply") from None


def _grown(tree: dict[str, Any], values: dict[str, Tensor]) -> Any:
    ((kind, inside), *rest) = tree.items()
    if kind == "values":
        tensor = values[str(inside)]
        return tensor.numpy() if dict(rest)["array"] else tensor
    if kind == "mapping":
        return {key: _grown(value, values) for key, value in inside}
    if kind in ("list", "tuple"):
        grown = [_grown(value, values) for value in inside]
        return grown if kind == "list" else tuple(grown)
    return inside if kind == "plain" else Hole(inside)
