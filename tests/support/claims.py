"""Sentences of the documents that compare, their numbers, and the small language that ties each to a committed file.

An expression is read from left to right, without precedence: `100 * A / B - 100`. Or it is `min A B ...`, `max A B ...` or
`way A B C`, how far B lies on the way from A to C in per cent. A, B and C are numbers, or paths: folders, the JSON or TOML
file (without its ending; of a scored model `results.json` is meant), and keys in it. `key=value,key=value` takes the one
entry of a list that fits, `low` and `high` are the ends of `ci95`, a figure with a `value` is that value. A path with a
space in it stands in quotes.
"""

from __future__ import annotations

import json
import operator
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.pages import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

COMPARES = re.compile(
    r"\b(better|worse|nearer|farther|further|more than|less than|fewer|faster|slower|ahead|behind|higher|lower|larger"
    r"|smaller|smoother|twice|half|beats?|improv\w*|instead of|against|wins?|best|separated|than|as (?:good|much|near)"
    r"|% more)\b"
)
# pages that report results: there a share or a decimal is a claim whatever words stand beside it, and an order without one
REPORTS = ("README.md", "docs/results.md")
ORDERED = re.compile(
    r"\b(better|worse|nearer|farther|ahead|behind|higher|lower|larger|smaller|smoother|separated|as (?:good|near|much))\b"
)
_MADE = re.compile(r"```.*?```|<!-- [a-z]+(?:: [^>]*?)? -->\n.*?<!-- end -->", re.DOTALL)
_NOT_SHOWN = re.compile(r"`[^`]*`|\]\([^)]*\)|\b(?:Fig|Sec|Table|View)\.? \d[\d.]*")
_NUMBER = re.compile(r"(?<![\w.^−+-])[−+-]?\d+(?:,\d{3})*(?:\.\d+)?(?![\w^]|-[A-Za-z])")

BETWEEN: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
OVER: dict[str, Callable[..., float]] = {
    "min": min,
    "max": max,
    "way": lambda start, at, end: 100 * (at - start) / (end - start),
}


def sentences(text: str) -> Iterator[str]:
    """Every sentence of a page, on one line each; no headings, pictures, tables, code or parts that commands make."""
    lines = _MADE.sub("\n", text).splitlines()
    kept = "\n".join("" if line.lstrip().startswith(("|", "#", "![")) else line for line in lines)
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:-|\d+\.) )", kept):
        yield from filter(
            None, re.split(r"(?<=[.!?])\s+(?=[A-Z\[`*†(])|(?<=\*\*)\s+(?=[A-Z])", " ".join(paragraph.split()))
        )


def numbers(sentence: str) -> list[str]:
    """The numbers that a reader sees in a sentence: not those of code, links, figures and names (3DDFA_V2, 128-d)."""
    return _NUMBER.findall(_NOT_SHOWN.sub("]", sentence))


def compares(page: str, sentence: str) -> bool:
    """Whether a sentence compares numbers, or on a page of results gives a result."""
    shown, found = _NOT_SHOWN.sub("]", sentence), numbers(sentence)
    if page in REPORTS and (ORDERED.search(shown) or any("." in n or f"{n} %" in shown for n in found)):
        return True
    return bool(found and COMPARES.search(shown))


@cache
def _read(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else tomllib.loads(text)


def figure(path: str) -> float:
    """The number at a path from the project's root; a KeyError names the first step that leads nowhere."""
    place, found = ROOT, None
    for step in path.split("/"):
        if found is None:
            place /= step
            files = [
                place / "results.json",
                place.with_name(f"{step}.json"),
                place.with_name(f"{step}.toml"),
            ]
            found = next((_read(file) for file in files if file.is_file()), None)
            if found is None and not place.is_dir():
                raise KeyError(f"{step!r} of {path}: no such folder or file")
        elif isinstance(found, list):
            found = _entry(found, step, path)
        elif step in ("low", "high") and "ci95" in found:
            found = found["ci95"][step == "high"]
        elif step in found:
            found = found[step]
        else:
            raise KeyError(f"{step!r} of {path}: there is {', '.join(list(found)[:12])}")
    if isinstance(found, dict):
        found = found["value"]
    assert isinstance(found, bool | int | float), f"{path} is no number but {found!r}"
    return float(found)


def _entry(found: list[Any], step: str, path: str) -> Any:
    if step.isdecimal():
        return found[int(step)]
    wanted = dict(part.split("=", 1) for part in step.split(","))
    fitting = [one for one in found if all(str(one.get(key)) == value for key, value in wanted.items())]
    if len(fitting) != 1:
        raise KeyError(f"{step!r} of {path}: {len(fitting)} entries fit")
    return fitting[0]


def value(expression: str, root: str) -> float:
    """What an expression comes to; its paths begin at `root`, a folder or file of the project."""
    first, *rest = shlex.split(expression)
    if first in OVER:
        return OVER[first](*(_operand(token, root) for token in rest))
    total = _operand(first, root)
    for sign, token in zip(rest[::2], rest[1::2], strict=True):
        total = BETWEEN[sign](total, _operand(token, root))
    return total


def _operand(token: str, root: str) -> float:
    return float(token) if re.fullmatch(r"\d+(\.\d+)?", token) else figure(f"{root}/{token}")


def holds(order: str, root: str) -> bool:
    """Whether `A < B`, `A > B` or `A = B` is so; A and B are expressions."""
    left, sign, right = re.split(r" ([<>=]) ", order)
    return ORDERS[sign](value(left, root), value(right, root))


def written(number: float, like: str) -> str:
    """A number in as many decimals as `like` has, with its thousands, its typographic minus and its plus."""
    decimals = len(like.partition(".")[2])
    text = f"{round(number, decimals) + 0.0:{'+' if like[0] == '+' else ''},.{decimals}f}".replace("-", "−")
    return text if "," in like else text.replace(",", "")
