"""The Markdown of the project as its tests read it: pages, fences, links and headings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from myst_parser.mdit_to_docutils.base import default_slugify

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
_PARSER = MarkdownIt("commonmark").enable("table")


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Fence:
    """A block of code: its language ("" where none is given), its text, and the line it begins on."""

    language: str
    text: str
    line: int


def tokens(page: Path) -> list[Token]:
    """Every token of a page, those inside a paragraph included, in order."""
    found = []
    for token in _PARSER.parse(page.read_text(encoding="utf-8")):
        found += [token, *(token.children or [])]
    return found


def fences(page: Path) -> list[Fence]:
    return [
        Fence(token.info.strip(), token.content, (token.map or [0])[0] + 2)
        for token in tokens(page)
        if token.type == "fence"
    ]


def code_spans(page: Path) -> list[str]:
    """What stands between single backticks."""
    return [token.content for token in tokens(page) if token.type == "code_inline"]


def links(page: Path) -> list[str]:
    """Targets of links and pictures, HTML's img included."""
    found = []
    for token in tokens(page):
        target = {"link_open": "href", "image": "src"}.get(token.type)
        if target:
            found.append(str(token.attrGet(target)))
    return found


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the site and code hosts make them."""
    found: set[str] = set()
    every = tokens(page)
    for i, token in enumerate(every):
        if token.type == "heading_open":
            heading = "".join(child.content for child in every[i + 1].children or [])
            slug = default_slugify(heading)
            number = 1
            while (anchor := slug if number == 1 else f"{slug}-{number - 1}") in found:
                number += 1
            found.add(anchor)
    return found
