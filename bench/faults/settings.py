"""What commands read beside pictures and weights, spoiled by kind: presets, recipes, baselines, results, cards, lists.

Each is given to a command that reads it, with a good one's text spoiled in one place.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Random = np.random.Generator
PACKAGE = Path(__file__).resolve().parents[2]
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**63, 10**400, 0.5, math.nan, math.inf, -math.inf, "", "x", "../x", "\ud800", "0", [],
    [[]], [None], {}, {"": None}, {"x": {"y": []}}, "a" * 100_000, list(range(1000)), 1e308, -0.0, "nan", "<script>",
)  # fmt: skip
TOML_ODD = (
    "", "true", "-1", "0", "nan", "inf", "-inf", "9" * 30, '""', '"x"', "[]", "[[]]", "{}", "{x = 1}", "1979-05-27",
    "1e400", '"\\u0000"', "[1, 'x']", "'''x", "0x", "1_", "[" * 5000 + "]" * 5000, '"' + "a" * 100_000 + '"',
)  # fmt: skip


OTHERS = (
    b"", b"\0" * 100, b"\xff\xfe{\0}\0", b"\xef\xbb\xbf", b"null", b"[]", b"{}", b"0", b'"x"', b"x", b"\x89PNG\r\n\x1a\n",
)  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """A file that commands read.

    Args:
        name: Of its sort.
        path: Where it lies in a trial's folder.
        good: Where a good one lies, in the project or, beginning with "in/", in the folder itself.
        commands: Which read it: modules with their arguments.
    """

    name: str
    path: str
    good: str
    commands: tuple[str, ...]


SETTINGS = (
    Setting(
        "presets", "in/x.toml", "smoothswap/presets/lite-64.toml",
        (
            "smoothswap.train swapper --preset in/x.toml --dry-run --time-steps 0",
            "smoothswap.train embedder --preset in/x.toml --dry-run --time-steps 0",
            "bench.ablation --preset in/x.toml --data in/faces --embedder a=smoothswap-rendered-64 --out out --dry-run",
        ),
    ),
    Setting(
        "recipes", "in/x.toml", "smoothswap/weights/recipe.toml",
        ("smoothswap.recipe --recipe in/x.toml --list", "smoothswap.recipe --recipe in/x.toml --dry-run"),
    ),
    Setting(
        "baselines", "in/x.json", "bench/baselines/smoothswap-rendered.json",
        ("bench.regress --baseline in/x.json --run in/run/smoothswap --out out",),
    ),
    Setting(
        "results", "in/run/smoothswap/results.json", "in/run/smoothswap/results.json",
        (
            "bench.compare in/run/smoothswap in/run/copy-source", "bench.verify in/run", "bench.rescore in/run --out out",
            "reports in/run -o out.html", "reports in/run --format md", "bench.false_words in/run", "reports --index in",
        ),
    ),
    Setting(
        "cards of weights", "in/w.json", "smoothswap/weights/smoothswap-rendered-64.json",
        (
            "smoothswap.swap in/picture.png in/picture.png --model in/w.safetensors --out out.png",
            "bench.embedders --embedder a=in/w.safetensors --data in/faces --out out",
            "bench.ffpp --data in/tree --model smoothswap:in/w.safetensors --no-references --out out --dry-run",
        ),
    ),
    Setting(
        "identity maps", "in/x.json", "in/map.json",
        ("bench.ffpp --data in/tree --model copy-source --identity-map in/x.json --out out --dry-run",),
    ),
    Setting(
        "splits", "in/tree/splits/test.json", "in/tree/splits/test.json",
        ("bench.ffpp --data in/tree --model copy-source --out out --dry-run",),
    ),
    Setting(
        "pair lists, JSON", "in/x.json", "in/pairs.json",
        ("bench.pairs --pairs in/x.json --images in/people --model copy-source --out out --dry-run",),
    ),
    Setting(
        "pair lists, CSV", "in/x.csv", "in/pairs.csv",
        ("bench.pairs --pairs in/x.csv --images in/people --model copy-source --out out --dry-run",),
    ),
    Setting(
        "lists of people", "in/x.txt", "in/people.txt",
        (
            "bench.make_ffpp --from in/people --people in/x.txt --out out --min-photos 1",
            "bench.make_pairs --from in/people --listed in/x.txt --out out.csv",
        ),
    ),
    Setting(
        "prepared faces", "in/faces/names.json", "in/faces/names.json",
        ("bench.ablation --data in/faces --embedder a=smoothswap-rendered-64 --preset lite-64 --out out --dry-run",),
    ),
)  # fmt: skip
"""Every sort."""


@dataclass(frozen=True)
class SettingFault:
    """One way to spoil such a file.

    Args:
        name: Of the kind.
        spoil: The bytes, of a good one's text.
    """

    name: str
    spoil: Callable[[str, Random], bytes]

    def inject(self, place: Path, seed: int) -> tuple[str, list[str]]:
        """Spoil one.

        Args:
            place: The trial's folder, laid out.
            seed: Chooses the sort and the command in turn, and draws the rest.

        Returns:
            The module that reads it, and its arguments.
        """
        own = zlib.crc32(self.name.encode())
        setting = SETTINGS[(seed + own) % len(SETTINGS)]
        random = np.random.default_rng([seed, own])
        good = place / setting.good if setting.good.startswith("in/") else PACKAGE / setting.good
        spoiled = self.spoil(good.read_text(encoding="utf-8"), random)
        (place / setting.path).write_bytes(spoiled)
        module, *words = setting.commands[int(random.integers(len(setting.commands)))].split()
        return module, words


# ---- any text ----
def _cut(text: str, random: Random) -> bytes:
    data = text.encode()
    return data[: int(random.integers(0, len(data)))]


def _bytes(text: str, random: Random) -> bytes:
    data = bytearray(text.encode())
    for place in random.integers(0, len(data), int(random.integers(1, 20))):
        data[place] = int(random.integers(256))
    return bytes(data)


def _other(text: str, random: Random) -> bytes:
    """Not the file that it should be."""
    return OTHERS[int(random.integers(len(OTHERS)))]


def _deep(text: str, random: Random) -> bytes:
    """Nested deeper than a parser recurses."""
    depth = int(random.choice([900, 1_100, 5_000, 100_000]))
    opened, shut = (("[", "]"), ('{"a":', "}"))[int(random.integers(2))]
    nested = opened * depth + "1" + shut * depth
    if _is_toml(text):
        return ("x = " + nested.replace('"a":', "a=") + "\n" + text).encode()
    return (
        re.sub(r":\s*[^,{\[\n]+", lambda _: ":" + nested, text, count=1).encode()
        if ":" in text
        else nested.encode()
    )


# ---- one place of it ----
def _wrong(text: str, random: Random) -> bytes:
    """A value of another kind than belongs there."""
    if (tree := _tree(text)) is None:
        return _line(text, random, lambda key, _: f"{key} = {TOML_ODD[int(random.integers(len(TOML_ODD)))]}")
    where, key = _place(tree, random)
    if where is None:
        return _json(ODD[int(random.integers(len(ODD)))])
    where[key] = ODD[int(random.integers(len(ODD)))]
    return _json(tree)


def _gone(text: str, random: Random) -> bytes:
    if (tree := _tree(text)) is None:
        return _line(text, random, lambda *_: "")
    where, key = _place(tree, random)
    if where is not None:
        del where[key]
    return _json(tree)


def _renamed(text: str, random: Random) -> bytes:
    """A key that nobody knows, and one that nobody finds."""
    if (tree := _tree(text)) is None:
        return _line(text, random, lambda key, value: f"{key}x = {value}")
    where, key = _place(tree, random)
    if isinstance(where, dict):
        where[str(random.choice(["", "x", "__class__", "\u202e", f"{key}x"]))] = where.pop(key)
    return _json(tree)


def _twice(text: str, random: Random) -> bytes:
    lines = text.splitlines()
    if len(lines) < 2:
        return (text * 2).encode()
    chosen = int(random.integers(len(lines)))
    return "\n".join([*lines[: chosen + 1], *lines[chosen:]]).encode()


def _is_toml(text: str) -> bool:
    return bool(re.search(r"^\[?\[?[a-z_.]+\]?\]?\s*(=.*)?$", text, re.M)) and text.lstrip()[:1] != "{"


def _tree(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _json(tree: Any) -> bytes:
    return json.dumps(tree).encode()


def _place(tree: Any, random: Random) -> tuple[Any, Any]:
    """A place somewhere in it: a container, and a key of it; None where there is none."""
    at, key = None, None
    while isinstance(tree, (dict, list)) and tree and (at is None or random.uniform() < 0.75):
        keys = list(tree) if isinstance(tree, dict) else range(len(tree))
        at, key = tree, keys[int(random.integers(len(keys)))]
        tree = tree[key]
    return at, key


def _line(text: str, random: Random, change: Callable[[str, str], str]) -> bytes:
    lines = text.splitlines()
    chosen = int(random.integers(len(lines)))
    key, equals, value = lines[chosen].partition("=")
    lines[chosen] = change(key.strip(), value) if equals else change(lines[chosen], "").partition(" =")[0]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


FAULTS = (
    SettingFault("cut off", _cut),
    SettingFault("other bytes", _bytes),
    SettingFault("another file", _other),
    SettingFault("nested deeply", _deep),
    SettingFault("a wrong kind of value", _wrong),
    SettingFault("a part is gone", _gone),
    SettingFault("a name is another", _renamed),
    SettingFault("a line twice", _twice),
)
"""Every kind."""
