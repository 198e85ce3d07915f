"""Every command on every page exists, and its parser takes the words that stand there."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import re
from pathlib import Path

import pytest

from tests.support import commands
from tests.support.pages import PAGES, ROOT, Fence, code_spans, fences, name

OF_PAGES = [
    pytest.param(words, id=f"{name(page)}:{fence.line} {' '.join(words[:4])}")
    for page in PAGES
    for fence in fences(page)
    if fence.language in (*commands.SHELL, "yaml")
    for words in commands.commands(fence)
]


@pytest.mark.parametrize("words", OF_PAGES)
def test_a_command_of_a_page_is_understood(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        commands.check(words, monkeypatch)
    except SystemExit:
        pytest.fail(f"refused: {' '.join(words)}")


@pytest.mark.parametrize(
    "wrong",
    [
        "python -m bench.ffpp --frame 8",
        "python -m bench.ffpp --gallery al",
        "python -m bench.nothing",
        "python -m bench.regress --baseline b.json --make 5 -- --limits 8",
        "python -m smoothswap.train embedder --preset lite-64 --set losss=arcface",
        "python -m smoothswap.train swapper --preset lite-6",
        "python tests/nothing.py",
        "make nothing",
        "pip install '.[nothing]'",
        "rm -rf out",
    ],
)
def test_a_wrong_command_is_noticed(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (words,) = commands.commands(Fence("", wrong, 1))
    with pytest.raises((AssertionError, SystemExit, ValueError)):
        commands.check(words, monkeypatch)


def test_continued_lines_comments_and_pipes_are_read() -> None:
    fence = Fence("", "make test   # all\nOMP=1 python -m a \\\n    --b 'c d' > out && make bench\n", 1)
    assert [*commands.commands(fence)] == [["make", "test"], ["OMP=1", "python", "-m", "a", "--b", "c d"]]


# what tells of the past may name what is no more
OF_TODAY = [page for page in PAGES if page.stem not in ("CHANGELOG", "history")]


@pytest.mark.parametrize("page", OF_TODAY, ids=name)
def test_modules_named_in_sentences_exist(page: Path) -> None:
    """`package.module`, `package.module.name`, `python -m package.module ...` and `make target` between backticks."""
    wrong = []
    for span in code_spans(page):
        if re.match(r"make [a-z]", span):
            if span.split()[1] not in commands._TARGETS:
                wrong.append(span)
            continue
        for dotted in re.findall(r"^(?:python -m )?((?:bench|smoothswap|metrics|reports)(?:\.\w+)+)", span):
            if not exists(dotted) and dotted not in GROUPS:
                wrong.append(span)
    assert not wrong


# entry point groups look like modules
GROUPS = (
    "smoothswap.models",
    "smoothswap.instruments",
    "smoothswap.metrics",
    "smoothswap.datasets",
    "smoothswap.injections",
)


def exists(dotted: str) -> bool:
    """Whether this is a module, or a name in one."""
    parts = dotted.split(".")
    for i in range(len(parts), 0, -1):
        with contextlib.suppress(ModuleNotFoundError):
            if importlib.util.find_spec(".".join(parts[:i])):
                module = importlib.import_module(".".join(parts[:i])) if i < len(parts) else None
                return i == len(parts) or hasattr(module, parts[i])
    return False


def test_python_on_the_pages_is_python() -> None:
    found = [fence for page in PAGES for fence in fences(page) if fence.language == "python"]
    assert found
    for fence in found:
        ast.parse(fence.text)


def test_the_example_of_a_model_is_one() -> None:
    from bench.swappers.base import CropSwapper

    (fence,) = [f for f in fences(ROOT / "docs" / "own-swaps.md") if f.language == "python"]
    names: dict[str, object] = {}
    exec(fence.text, names)
    assert isinstance(names["factory"](), CropSwapper)  # type: ignore[operator]
