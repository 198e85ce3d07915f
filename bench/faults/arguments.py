"""Argument lists by kind, for every command and every option.

They are made from the parsers themselves, so that a new option comes along by itself. Each is drawn by a seed, which
chooses the command too.
"""

from __future__ import annotations

import argparse
import functools
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.console import COMMANDS
from bench.faults.children import main_of

Random = np.random.Generator

APART = (
    "bench.pages", "bench.finished.study", "bench.validity.gaze", "bench.validity.openings",
    "bench.make_anny.basis", "bench.make_anny.regressor",
    "bench.detection", "smoothswap.faces.convert_landmarks", "smoothswap.rendered.answers", "smoothswap.rendered.dataset",
    "smoothswap.rendered.extract",
    "smoothswap.rendered.landmarks", "smoothswap.rendered.world4.phenotypes", "smoothswap.rendered.world4.probes",
    "metrics.docs",
)  # fmt: skip
"""Commands that are no subcommand of smoothswap-bench."""
BASES: dict[str, str] = {
    "bench.ffpp": "--data in/tree --model copy-source --no-references --out out --workers 1",
    "bench.pairs": "--pairs in/pairs.csv --images in/people --model copy-source --no-references --out out --workers 1",
    "bench.compare": "in/run/smoothswap in/run/copy-source",
    "bench.regress": "--baseline in/baseline.json --run in/run/smoothswap --out out",
    "bench.verify": "in/run",
    "bench.rescore": "in/run/smoothswap --out out",
    "bench.false_words": "in/run",
    "reports": "in/run/smoothswap -o out.html",
    "bench.embedders": "--embedder a=smoothswap-rendered-64 --data in/faces --out out",
    "bench.ablation": "--data in/faces --out out --embedder a=in/folder",
    "bench.lfw": "--photos in/people --pairs in/pairs.txt",
    "bench.make_ffpp": "--from in/people --out out --min-photos 1",
    "bench.make_pairs": "--from in/people --out out.csv",
    "bench.rendered": "--out out --identities 2 --frames 1 --size 64",
    "bench.pages": "--root in",
    "smoothswap.swap": "in/picture.png in/film.mp4 --out out.mp4",
    "smoothswap.prepare": "in/people --kind folder --out out",
    "smoothswap.train embedder": "--preset lite-64 --data in/faces --out out",
    "smoothswap.train swapper": "--preset lite-64 --data in/faces --out out --embedder smoothswap-rendered-64",
    "smoothswap.train export": "--run in/folder --name mine --to out",
    "smoothswap.export_onnx": "smoothswap-rendered-64 --out out",
    "smoothswap.convert": "in/net.pth --out out",
    "smoothswap.recipe": "--list",
}
"""Words with which a command gets past its parser; ones that a parser does not know are found out by a test."""
NUMBERS = (
    "-1", "0", "1", "nan", "inf", "-inf", "1e400", "1e-400", "9" * 19, "9" * 30, "9" * 5000, "2147483648", "4294967296",
    "9223372036854775808", "0x10", "1_000", "٣", "1e3", "0.5", "-0.0", " 3 ", "½", "+5", "1,5", "",
)  # fmt: skip
PATHS = (
    "nothing/there", "in/folder", "in/empty", "in/noise.bin", "in/text.txt", "in/text.txt/below", "/dev/null", "/dev/zero",
    "/dev/full", "in/pipe", "in/nowhere", "in/loop", "in/\udcff\udcfe", "in/line\nbreak", "x" * 300, "", ".", "..", "/",
    "/proc/self/mem", "/proc/nothing", "~", "~nobody/x", "in/deep.json", "in/wrong.json", "in/wrong.toml", "in/people",
    "in/tree", "in/run", "in/run/smoothswap", "in/run/smoothswap/results.json", "in/run/smoothswap/frames.parquet",
    "in/picture.png", "in/film.mp4", "in/net.pth", "in/net.safetensors", "in/pairs.csv", "in/faces", "-",
    "in//../in/people",
)  # fmt: skip
TEXTS = (
    "", " ", "=", "x=", "=x", "a=b=c", "?", ":", ",", "/", "..", "*", "%s", "%(default)s", "{}", "{x}", "\udcff",
    "\x1b[31m", "<script>", "\u202e", "a" * 10_000, "a\nb", "None", "[]", "0", "-1", "nan", "images:", "images:?x=y",
    "images:in/folder", "images:in/people?order=", "images:in/tree?numbers=nan", "crops:in/folder?template=",
    "crops:in/people?template=ffhq", "smoothswap:", "smoothswap:nobody", "smoothswap:../x", "list:", "list:column",
    "builtins:exec", "no.such:thing", "os:", "..=copy-source", "=copy-source", "report.html=copy-source",
    "x=copy-source", "copy-source", "oracle", "dlib,", "dlib,dlib", "dlib:in/noise.bin", "hopenet:in/noise.bin",
    "hopenet:in/net.pth", "arcface:in/text.txt", "arcface:", "anny:in/folder", "rendered:", "rendered:people=",
    "rendered:people=0,views=0", "rendered:people=1e9", "rendered:people=2,people=3", "rendered:x=1", "people:",
    "people:in/people", "people:/dev/zero", "none", "a=in/net.safetensors", "a=in/noise.bin", "in/net.safetensors",
    "in/net.pth", "in/folder", "cuda:99", "cuda", "meta", "mps", "cpu:1", "lite-64", "in/wrong.toml", "steps=nan",
    "steps=-1", "network.width=0", "network.size=1e9", "network=1", "=1", "steps=", "network.window=[1,2]",
    "augment.tint=inf", "learning_rate=-1", "batch=9999999999999999999999",
)  # fmt: skip
ODD = (
    "--", "-", "-x", "--x", "--=", "---", "@in/text.txt", "--help=1", "-h1", "--no-such=1", "--\udcff", "-o", "--out=", "",
)  # fmt: skip


@dataclass(frozen=True)
class Option:
    """An option or a place of a parser.

    Args:
        name: "--out"; "" for a word without a name.
        sort: What its values are.
        values: How many it takes: 0, 1, or more as "*".
        choices: All values, where they are few.
        required: Whether the parser asks for it.
    """

    name: str
    sort: str
    values: int | str
    choices: tuple[str, ...]
    required: bool


@dataclass(frozen=True)
class Surface:
    """A command, or a subcommand of one.

    Args:
        command: Its name with the subcommand, as "smoothswap.train export".
        options: What its parser takes.
    """

    command: str
    options: tuple[Option, ...]

    @property
    def module(self) -> str:
        """What `python -m` is given."""
        return self.command.partition(" ")[0]

    @property
    def first(self) -> list[str]:
        """The subcommand, where there is one."""
        return self.command.split(" ")[1:]


class _Seen(BaseException):
    def __init__(self, parser: argparse.ArgumentParser) -> None:
        super().__init__("seen")
        self.parser = parser


def parser_of(module: str) -> argparse.ArgumentParser:
    """The parser of a command, caught when it is asked to parse.

    Args:
        module: Of the command, as "bench.ffpp".

    Raises:
        LookupError: The command parses nothing.
    """
    original = argparse.ArgumentParser.parse_known_args

    def stop(self: argparse.ArgumentParser, *_: Any, **__: Any) -> Any:
        raise _Seen(self)

    argparse.ArgumentParser.parse_known_args = stop  # type: ignore[method-assign]
    try:
        main_of(module)([])
    except _Seen as seen:
        return seen.parser
    finally:
        argparse.ArgumentParser.parse_known_args = original  # type: ignore[method-assign]
    raise LookupError(f"{module} parses nothing")


@functools.cache
def surfaces() -> tuple[Surface, ...]:
    """Every command and subcommand."""
    found = []
    for module in (*(name.removesuffix(".__main__") for name, _ in COMMANDS.values()), *APART):
        parser = parser_of(module)
        subs = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        found += [
            Surface(f"{module} {name}", _options(sub)) for one in subs for name, sub in one.choices.items()
        ]
        if not subs:
            found.append(Surface(module, _options(parser)))
    return tuple(found)


def _options(parser: argparse.ArgumentParser) -> tuple[Option, ...]:
    found = []
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        name = next(
            (n for n in action.option_strings if n.startswith("--")), (action.option_strings or [""])[0]
        )
        values: int | str = action.nargs if isinstance(action.nargs, int) else 1
        if action.nargs in ("*", "+"):
            values = "*"
        sort = "path" if action.type is Path else "text" if action.type is None else "number"
        if action.choices is not None:
            sort = "choice"
        found.append(Option(name, sort, values, tuple(map(str, action.choices or ())), bool(action.required)))
    return tuple(found)


# ---- the kinds ----
def _one_of(random: Random, among: Sequence[Any]) -> Any:
    return among[int(random.integers(len(among)))]


def _value(option: Option, random: Random) -> str:
    """A value of the sort that the option takes, good or odd."""
    if option.choices:
        return str(_one_of(random, option.choices))
    return str(_one_of(random, {"path": PATHS, "number": NUMBERS, "text": TEXTS}[option.sort]))


def _given(option: Option, value: str, random: Random) -> list[str]:
    if not option.name:
        return [value]
    if option.values == 0:
        return [option.name]
    return [f"{option.name}={value}"] if random.uniform() < 0.3 else [option.name, value]


def _of_sort(surface: Surface, random: Random, *sorts: str) -> Option | None:
    fit = [o for o in surface.options if o.values != 0 and (not sorts or o.sort in sorts)]
    return _one_of(random, fit) if fit else None


def _without_value(surface: Surface, random: Random) -> list[str]:
    option = _of_sort(surface, random)
    return [option.name] if option and option.name else []


def _with(*sorts: str, among: Sequence[str] | None = None) -> Callable[[Surface, Random], list[str]]:
    def make(surface: Surface, random: Random) -> list[str]:
        option = _of_sort(surface, random, *sorts) or _of_sort(surface, random)
        if option is None:
            return [str(_one_of(random, among or ODD))]
        return _given(option, str(_one_of(random, among)) if among else _value(option, random), random)

    return make


def _unknown(surface: Surface, random: Random) -> list[str]:
    names = [o.name for o in surface.options if o.name]
    if names and random.uniform() < 0.5:  # nearly one that there is
        name = str(_one_of(random, names))
        return [name[:-1] if random.uniform() < 0.5 else name + "s", "1"]
    return [str(_one_of(random, ODD))]


def _twice(surface: Surface, random: Random) -> list[str]:
    option = _one_of(random, surface.options) if surface.options else None
    if option is None:
        return ["x", "x"]
    return [
        word
        for _ in range(int(random.integers(2, 5)))
        for word in _given(option, _value(option, random), random)
    ]


def _many(surface: Surface, random: Random) -> list[str]:
    """Half of all options at once, whatever they say of each other."""
    return [
        word
        for o in surface.options
        if random.uniform() < 0.5
        for word in _given(o, _value(o, random), random)
    ]


def _of_another(surface: Surface, random: Random) -> list[str]:
    """The value of one option as that of another, or an option of another command."""
    other = _one_of(random, [s for s in surfaces() if s.options])
    theirs = _one_of(random, other.options)
    own = _of_sort(surface, random)
    if own is None or random.uniform() < 0.5:
        return _given(theirs, _value(theirs, random), random)
    return _given(
        own, theirs.name if random.uniform() < 0.3 and theirs.name else _value(theirs, random), random
    )


def _words(surface: Surface, random: Random) -> list[str]:
    return [str(_one_of(random, (*TEXTS, *PATHS, *ODD))) for _ in range(int(random.integers(1, 6)))]


def _no_letters(surface: Surface, random: Random) -> list[str]:
    raw = bytes(random.integers(1, 256, int(random.integers(1, 12)), np.uint8)).decode(
        "utf-8", "surrogateescape"
    )
    option = _of_sort(surface, random)
    return _given(option, raw, random) if option else [raw]


def _misspelt(surface: Surface, random: Random) -> list[str]:
    option = _of_sort(surface, random, "choice")
    if option is None:
        return _unknown(surface, random)
    return _given(
        option,
        str(_one_of(random, ["", "x", f"{option.choices[0]}s", option.choices[0].upper() + " "])),
        random,
    )


def _nothing(surface: Surface, random: Random) -> list[str]:
    return []


@dataclass(frozen=True)
class ArgumentFault:
    """One kind of argument list.

    Args:
        name: Of the kind.
        make: The words that are wrong.
        base: How often they come after words that the command would take.
    """

    name: str
    make: Callable[[Surface, Random], list[str]]
    base: float = 0.8

    def draw(self, seed: int) -> tuple[str, list[str]]:
        """An argument list.

        Args:
            seed: Chooses the command in turn, and draws the rest.

        Returns:
            The module, and its arguments.
        """
        own = zlib.crc32(self.name.encode())
        random = np.random.default_rng([seed, own])
        surface = surfaces()[(seed + own) % len(surfaces())]
        wrong = self.make(surface, random)
        words = BASES.get(surface.command, "").split() if random.uniform() < self.base else []
        return surface.module, [*surface.first, *(wrong + words if random.uniform() < 0.2 else words + wrong)]


FAULTS = (
    ArgumentFault("nothing at all", _nothing, 0.5),
    ArgumentFault("a value is missing", _without_value),
    ArgumentFault("odd numbers", _with("number")),
    ArgumentFault("a word for a number", _with("number", among=TEXTS)),
    ArgumentFault("odd paths", _with("path")),
    ArgumentFault("odd texts", _with("text")),
    ArgumentFault("empty texts", _with(among=("", " ", "\t", "\n"))),
    ArgumentFault("no letters", _no_letters),
    ArgumentFault("misspelt choices", _misspelt),
    ArgumentFault("unknown options", _unknown),
    ArgumentFault("an option again and again", _twice),
    ArgumentFault("many options at once", _many),
    ArgumentFault("what is another's", _of_another),
    ArgumentFault("only words", _words, 0.3),
)
"""Every kind."""
