"""Hostile JSON and TOML by kind, each made of a whole file: a reader ends in its content or in one error."""

from __future__ import annotations

import copy
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Random = np.random.Generator
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        7,
        2**31,
        2**53 + 1,
        2**63,
        -(2**63) - 1,
        10**30,
        10**400,
        0.5,
        -0.0,
        1e308,
        1e-320,
    ),
    *("", "x", "\u202e", "a\nb", "1", "nan", "2026-11-28", "x" * 5000, "../../x", "<script>", "\ud800"),
    *([], {}, [[]], [None], {"": {}}, [1, "a"], {"value": {"value": []}}, [{}] * 3),
)
"""What stands in the place of a value: each type of JSON at its edges."""
DEEP = (50, 300, 1500, 100_000)
"""Levels of nesting."""


@dataclass(frozen=True)
class TextFault:
    """One kind of damage.

    Args:
        name: Of the kind.
        make: The damaged bytes, by the numbers of a generator and the whole file's bytes.
    """

    name: str
    make: Callable[[Random, bytes], bytes]

    def forge(self, seed: int, whole: bytes) -> bytes:
        """A file of this kind.

        Args:
            seed: Of everything that is drawn.
            whole: A file that is read without an error.

        Returns:
            Its content.
        """
        return self.make(np.random.default_rng([seed, zlib.crc32(self.name.encode())]), whole)


# ---- any file ----
def _cut(random: Random, whole: bytes) -> bytes:
    return whole[: int(random.integers(len(whole)))]


def _flipped(random: Random, whole: bytes) -> bytes:
    data = bytearray(whole)
    for _ in range(int(random.integers(1, 9))):
        data[int(random.integers(len(data)))] = int(random.integers(256))
    return bytes(data)


def _noise(random: Random, _: bytes) -> bytes:
    return random.bytes(int(random.integers(0, 2048)))


def _doubled(random: Random, whole: bytes) -> bytes:
    at, length = int(random.integers(len(whole))), int(random.integers(1, 200))
    return whole[:at] + whole[at : at + length] + whole[at:]


def _encoded(random: Random, whole: bytes) -> bytes:
    """The same in an encoding of others, or with bytes of none."""
    text = whole.decode("latin-1")
    how = int(random.integers(4))
    if how == 3:
        at = int(random.integers(len(whole)))
        return whole[:at] + b"\xff\xfe\x80" + whole[at:]
    return text.encode(("utf-16", "utf-32", "utf-7")[how])


# ---- JSON ----
def _places(content: Any) -> list[tuple[Any, Any]]:
    """(container, key) of everything in it."""
    found, left = [], [content]
    while left:
        here = left.pop()
        named = list(here.items()) if isinstance(here, dict) else list(enumerate(here))
        for key, value in named:
            found.append((here, key))
            if isinstance(value, (dict, list)):
                left.append(value)
    return found


def _changed(change: Callable[[Random, Any, Any], None]) -> Callable[[Random, bytes], bytes]:
    """JSON with one to three of its values changed."""

    def make(random: Random, whole: bytes) -> bytes:
        content = copy.deepcopy(json.loads(whole))
        for _ in range(int(random.integers(1, 4))):
            places = _places(content)
            if places:
                change(random, *places[int(random.integers(len(places)))])
        return json.dumps(content).encode()

    return make


def _draw(random: Random) -> Any:
    return copy.deepcopy(VALUES[int(random.integers(len(VALUES)))])


def _another(random: Random, container: Any, key: Any) -> None:
    container[key] = _draw(random)


def _left_out(_: Random, container: Any, key: Any) -> None:
    del container[key]


def _emptied(_: Random, container: Any, key: Any) -> None:
    container[key] = {} if container[key] is None else type(container[key])()


def _added(random: Random, container: Any, key: Any) -> None:
    if isinstance(container, dict):
        container[str(_draw(random))[:300]] = _draw(random)
    else:
        container.insert(0, _draw(random))


def _renamed(random: Random, container: Any, key: Any) -> None:
    if isinstance(container, dict):
        container[f"{key}{random.choice(['@x', '_r', ' ', '/'])}"] = container.pop(key)


def _numbers(random: Random, container: Any, key: Any) -> None:
    """A number grown or turned, where one stands."""
    value = container[key]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        near = value if abs(value) < 1e15 else 7
        container[key] = [-near, near * 1e18, near + 0.5, str(near), [near], 1e308, 0][
            int(random.integers(7))
        ]
    else:
        _another(random, container, key)


def _put(literal: Callable[[Random], str]) -> Callable[[Random, bytes], bytes]:
    """JSON with a text in the place of one value, which json.dumps would not write."""

    def make(random: Random, whole: bytes) -> bytes:
        content = json.loads(whole)
        container, key = (places := _places(content))[int(random.integers(len(places)))]
        container[key] = "@HERE@"
        return json.dumps(content).replace('"@HERE@"', literal(random)).encode()

    return make


def _unlike(random: Random) -> str:
    says = (
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "-1e999",
        "9" * 5000,
        "1" + "0" * 320,
        '"\\ud800"',
        '"\\u0000"',
        "undefined",
    )
    return says[int(random.integers(len(says)))]


def _deep(random: Random) -> str:
    levels = DEEP[int(random.integers(len(DEEP)))]
    opening, closing = (("[", "]"), ('{"a":', "}"))[int(random.integers(2))]
    return opening * levels + "1" + closing * levels


def _other_root(random: Random, whole: bytes) -> bytes:
    """JSON of another kind: a plain value, a list of the whole, or one of its parts alone."""
    content = json.loads(whole)
    kind = int(random.integers(3))
    if kind == 0:
        return json.dumps(_draw(random)).encode()
    if kind == 1:
        return json.dumps([content]).encode()
    container, key = (places := _places(content))[int(random.integers(len(places)))]
    return json.dumps(container[key]).encode()


ANY = (
    TextFault("cut off", _cut),
    TextFault("flipped bytes", _flipped),
    TextFault("noise", _noise),
    TextFault("a part twice", _doubled),
)
"""Kinds for files of every form."""
JSON = (
    *ANY,
    TextFault("another encoding", _encoded),
    TextFault("another value", _changed(_another)),
    TextFault("a value left out", _changed(_left_out)),
    TextFault("a value emptied", _changed(_emptied)),
    TextFault("a value added", _changed(_added)),
    TextFault("a key renamed", _changed(_renamed)),
    TextFault("another number", _changed(_numbers)),
    TextFault("what JSON has not", _put(_unlike)),
    TextFault("nested deeply", _put(_deep)),
    TextFault("another root", _other_root),
)
"""Kinds for JSON."""


# ---- TOML ----
_LITERALS = (
    *(
        "nan",
        "inf",
        "-inf",
        "1e999",
        "9" * 5000,
        "2026-11-28",
        "2026-11-28T10:00:00Z",
        "10:00:00",
        '""',
        "[]",
        "{}",
    ),
    *("true", '"x"', "0x7fffffffffffffffff", "[[1], [2]]", "{a = {b = 1}}", "-1", "0", "1.5", '"\\u202e"'),
)


def _toml_value(random: Random, whole: bytes) -> bytes:
    lines = whole.decode().splitlines()
    at = [i for i, line in enumerate(lines) if "=" in line and not line.lstrip().startswith("#")]
    if at:
        i = at[int(random.integers(len(at)))]
        said = _LITERALS[int(random.integers(len(_LITERALS)))]
        lines[i] = f"{lines[i].partition('=')[0]}= {said}"
    return "\n".join(lines).encode()


def _toml_deep(random: Random, whole: bytes) -> bytes:
    levels = DEEP[int(random.integers(len(DEEP)))]
    said = (
        "deep = " + "[" * levels + "]" * levels,
        "deep = " + "{a = " * levels + "1" + "}" * levels,
        "[" + ".".join(["a"] * levels) + "]",
        ".".join(["a"] * levels) + " = 1",
    )[int(random.integers(4))]
    return said.encode() + b"\n" + whole if random.integers(2) else whole + b"\n" + said.encode()


def _toml_table(random: Random, whole: bytes) -> bytes:
    said = (
        "[x]\ny = 1",
        "[[stage]]",
        "base = 3",
        'base = "../../x"',
        "base = []",
        "[embedder]\n[embedder.network]\n",
        "[swapper]",
    )
    return (said[int(random.integers(len(said)))]).encode() + b"\n" + whole


TOML = (
    *ANY,
    TextFault("another encoding", _encoded),
    TextFault("another value", _toml_value),
    TextFault("nested deeply", _toml_deep),
    TextFault("another table", _toml_table),
)
"""Kinds for TOML."""
