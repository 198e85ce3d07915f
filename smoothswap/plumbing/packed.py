"""Tensors and what stands around them, as bytes that are safe to read: safetensors, and JSON that says where each stands.

Needs the standard library alone.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SIZES = {
    "F64": 8,
    "F32": 4,
    "F16": 2,
    "BF16": 2,
    "I64": 8,
    "I32": 4,
    "I16": 2,
    "I8": 1,
    "U64": 8,
    "U32": 4,
    "U16": 2,
    "U8": 1,
    "BOOL": 1,
}
"""Bytes of a number, by the names that safetensors has for their kinds."""
_PLAIN = (str, int, float, bool, type(None))
MOST_NODES = 200_000  # containers and values; DECA's file has some thousand


class PickledError(ValueError):
    """A file is no pickled weights; the message says why, the caller which file and what was expected."""


@dataclass(frozen=True)
class Values:
    """A tensor, or an array of numpy: one of SIZES, a shape, and its numbers in C's order, the lowest byte first."""

    kind: str
    shape: tuple[int, ...]
    data: bytes
    array: bool = False


def packed(content: Any) -> bytes:
    """What read_pickled gave, as a file of safetensors: Values by number, and around them JSON that says where they stand.

    Args:
        content: It.

    Returns:
        The file's bytes; smoothswap.plumbing.tensors opens it.

    Raises:
        PickledError: The content has no end, or more parts than weights have.
    """
    values: dict[int, tuple[int, Values]] = {}
    nodes = 0

    def tree(node: Any) -> Any:
        nonlocal nodes
        nodes += 1
        if nodes > MOST_NODES:
            raise PickledError("more parts than weights have")
        if isinstance(node, Values):
            return {"values": values.setdefault(id(node), (len(values), node))[0], "array": node.array}
        if isinstance(node, Mapping):
            plain = [(key, value) for key, value in node.items() if isinstance(key, _PLAIN)]
            return {"mapping": [[key, tree(value)] for key, value in plain]}
        if isinstance(node, (list, tuple)):
            return {"list" if isinstance(node, list) else "tuple": [tree(value) for value in node]}
        if isinstance(node, _PLAIN):
            return {"plain": node}
        return {"hole": type(node).__name__}

    try:
        said = json.dumps(tree(content))
    except (RecursionError, ValueError) as error:
        raise PickledError(str(error) or "it holds itself") from error
    header: dict[str, Any] = {"__metadata__": {"content": said}}
    start = 0
    for number, one in values.values():
        end = start + len(one.data)
        header[str(number)] = {"dtype": one.kind, "shape": one.shape, "data_offsets": [start, end]}
        start = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([struct.pack("<Q", len(text)), text, *(one.data for _, one in values.values())])
