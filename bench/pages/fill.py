"""Marked parts of a Markdown page, and what belongs between the marks.

    <!-- table: ffpp-default columns=id_retrieval,shape -->     a table of results/ffpp-default
    <!-- table: embedders-lfw rows=verification_auc,d_smooth -->
    <!-- protocol -->   <!-- instruments -->   <!-- licences -->   <!-- presets -->    what the code declares

Everything up to `<!-- end -->` is made.
"""

from __future__ import annotations

import re
from pathlib import Path

from bench.errors import UsageError, suggestion
from bench.pages import lists
from bench.pages.tables import table

_MARKED = re.compile(
    r"(?P<mark><!-- (?P<kind>[a-z]+)(?:: (?P<what>[^>]*?))? -->\n).*?(?P<end><!-- end -->)", re.S
)
DECLARED = {
    "protocol": lists.protocol,
    "instruments": lists.instruments,
    "licences": lists.licences,
    "presets": lists.presets,
}


def filled(text: str, results: Path) -> str:
    """The page with every marked part made anew; equal to `text` where nothing is stale.

    Args:
        text: The page, Markdown.
        results: The folder of committed results, from which tables are made.

    Returns:
        The page; what stands outside of the marks is unchanged.

    Raises:
        UsageError: For a mark that nothing can be made from, naming the mark.
    """

    def made(match: re.Match[str]) -> str:
        try:
            body = _made(match["kind"], match["what"] or "", results)
        except UsageError as error:
            raise UsageError(f"{match['mark'].strip()}: {error}") from None
        return f"{match['mark']}{body}{match['end']}"

    return _MARKED.sub(made, text)


def _made(kind: str, what: str, results: Path) -> str:
    if kind in DECLARED:
        return DECLARED[kind]()
    if kind != "table":
        raise UsageError(f"nothing is made for {kind!r}.{suggestion(kind, ['table', *DECLARED])}")
    name, _, option = what.partition(" ")
    key, _, value = option.partition("=")
    if key not in ("", "columns", "rows"):
        raise UsageError(f"unknown option {key!r}; a table takes columns=A,B or, of embedders, rows=A,B")
    return table(results, name, value.split(",") if value else [])
