"""Every link of every page leads to a file of the project and, where it names one, to a heading in it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.support.pages import PAGES, ROOT, anchors, links, name


def broken(page: Path, link: str) -> str:
    """Why a link leads nowhere, "" where it is right. Of addresses outside only the form is looked at."""
    parts = urlsplit(link)
    if parts.scheme:
        return "" if parts.scheme == "https" and "." in parts.netloc else "not an https address"
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.exists():
        return "no such file"
    if not target.is_relative_to(ROOT):
        return "leads out of the project"
    if parts.fragment and parts.fragment not in anchors(target):
        return f"no heading #{parts.fragment}; there are {', '.join(sorted(anchors(target)))}"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    wrong = {link: why for link in links(page) if (why := broken(page, link))}
    assert not wrong


def test_a_broken_link_is_noticed(tmp_path: Path) -> None:
    page = ROOT / "docs" / "made_up.md"
    assert broken(page, "nowhere.md") == "no such file"
    assert "no heading #nothing" in broken(page, "results.md#nothing")
    assert broken(page, "results.md#the-default-run") == ""
    assert broken(page, "ftp://example.org") == "not an https address"
    assert broken(page, "../../elsewhere") == "no such file"


def test_every_page_of_the_site_can_be_reached() -> None:
    """The front page's contents name every page of docs/."""
    docs = ROOT / "docs"
    pages = [page for page in PAGES if page.is_relative_to(docs) and page != docs / "index.md"]
    # A page is named in the contents of the index of its own folder; that index, in those of the front page.
    missing = [
        page
        for page in pages
        for folder in [docs if page.stem == "index" else page.parent]
        if page.relative_to(folder).with_suffix("").as_posix()
        not in (folder / "index.md").read_text(encoding="utf-8").splitlines()
    ]
    assert not missing
