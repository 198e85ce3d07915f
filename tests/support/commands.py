"""Commands as they stand on a page, parsed by their own parsers and not run."""

from __future__ import annotations

import argparse
import importlib.util
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.pages import ROOT, Fence

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SHELL = ("", "bash", "sh", "console")
_OURS = ("bench", "smoothswap", "metrics", "reports")
_FOREIGN = ("git", "cd", "pre-commit", "pytest", "ruff", "mypy", "lint-imports")
_ENDS = ("|", ">", ">>", "&&", ";", "2>")
_TARGETS = frozenset(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
_EXTRAS = frozenset(_PROJECT["optional-dependencies"])
SCRIPT = "smoothswap-bench"


class Parsed(Exception):
    """Raised in a command's stead when its parser has taken everything."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__("parsed")
        self.options = options


def commands(fence: Fence) -> Iterator[list[str]]:
    """The words of each command of a fence, comments and continued lines resolved; of YAML, those lines that run one."""
    text = fence.text.replace("\\\n", " ")
    for line in text.splitlines():
        if fence.language == "yaml":
            line = re.sub(r"^\s*(- )?(run: )?", "", line)
            if not line.startswith(("python ", "pip ")):
                continue
        words = shlex.split(line.removeprefix("$ "), comments=True)
        while words:
            end = next((i for i, word in enumerate(words) if word in _ENDS), len(words))
            yield words[:end]
            words = words[end + 1 :] if end < len(words) and words[end] in ("|", "&&", ";") else []


def check(words: Sequence[str], patch: pytest.MonkeyPatch) -> None:
    """Fail where the command does not exist or its parser refuses these words."""
    words = list(words)
    while "=" in words[0] or words[0] in ("env", "nice"):
        words.pop(0)
    if words[:2] == ["taskset", "-c"]:
        words = words[3:]
    program, *rest = Path(words[0]).name, *words[1:]
    if program in ("python", "torchrun"):
        if "-m" in rest:
            module, *rest = rest[rest.index("-m") + 1 :]
            parse(module, rest, patch)
        else:
            assert (ROOT / rest[0]).is_file(), f"no script {rest[0]}"
    elif program == SCRIPT:
        parse_subcommand(rest, patch)
    elif program == "make":
        asked = [word for word in rest if "=" not in word]
        assert asked, "make without a target"
        assert _TARGETS.issuperset(asked), f"make has no target {asked}"
    elif program in ("pipx", "uvx") and SCRIPT in rest:
        parse_subcommand(rest[rest.index(SCRIPT) + 1 :], patch)
    elif program in ("pip", "pipx"):
        extras = [extra for word in rest for extra in re.findall(r"\[(.*?)\]", word)]
        assert _EXTRAS.issuperset(extras), f"no extra {extras}"
        assert rest[0] == "install"
    else:
        assert program in _FOREIGN, f"a command that nothing checks: {program}"


def parse(module: str, words: Sequence[str], patch: pytest.MonkeyPatch) -> argparse.Namespace:
    """What `python -m module words` understands. What follows -- is for bench.ffpp."""
    if module.partition(".")[0] not in _OURS:
        assert importlib.util.find_spec(module), f"no module {module}"
        return argparse.Namespace()
    own = list(words)
    if "--" in own:
        parse("bench.ffpp", own[own.index("--") + 1 :], patch)
    options = parsed(main_of(module), own, patch)
    if module == "smoothswap.train" and options.command != "export":
        from smoothswap import config

        given = dict(item.split("=", 1) for item in options.set)
        config.override(config.load_preset(options.preset, options.command), given)
    return options


def main_of(module: str) -> Any:
    found = importlib.util.find_spec(module)
    assert found is not None, f"no module {module}"
    return importlib.import_module(f"{module}.__main__" if found.submodule_search_locations else module).main


def parsed(main: Any, words: list[str], patch: pytest.MonkeyPatch) -> argparse.Namespace:
    """Call `main` with a parser that stops it when the words are understood."""
    original = argparse.ArgumentParser.parse_known_args
    depth = 0

    def stop(self: argparse.ArgumentParser, *args: Any, **named: Any) -> Any:
        nonlocal depth
        depth += 1
        try:
            options, unknown = original(self, *args, **named)
        finally:
            depth -= 1
        if (
            depth or self.prog == SCRIPT
        ):  # a subcommand's parser, or the script's own, which hands on to a command's
            return options, unknown
        assert not unknown, f"unknown: {unknown}"
        raise Parsed(options)

    with patch.context() as context:
        context.setattr(argparse.ArgumentParser, "parse_known_args", stop)
        try:
            main(words)
        except Parsed as done:
            return done.options
    raise AssertionError(f"{main.__module__} parsed nothing")


def parse_subcommand(words: list[str], patch: pytest.MonkeyPatch) -> None:
    """What the console script understands: a subcommand and the words of its module."""
    module, _, function = _PROJECT["scripts"][SCRIPT].partition(":")
    parsed(getattr(importlib.import_module(module), function), words, patch)
