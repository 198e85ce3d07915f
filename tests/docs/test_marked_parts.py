"""The parts of pages that are made (bench.pages) are what the command makes today; and how it fails."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from bench.errors import UsageError
from bench.ffpp.protocol import Protocol
from bench.pages import lists
from bench.pages.__main__ import main
from bench.pages.fill import filled
from bench.reading.instruments import available
from tests.support.pages import PAGES, README, ROOT, name

RESULTS = ROOT / "results"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_marked_parts_are_current(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text == filled(text, RESULTS), "run: python -m bench.pages"


def test_no_table_of_models_is_typed() -> None:
    """A row of a reference belongs to a table that is made."""
    for page in PAGES:
        typed = re.sub(r"<!-- table: .*?<!-- end -->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(r"^\| \*?copy-(target|source)", typed, re.MULTILINE), name(page)


def test_a_stale_cell_is_made_right_and_all_else_kept() -> None:
    text = README.read_text(encoding="utf-8")
    stale = re.sub(r"\| (\d+\.\d) \(", "| 99.9 (", text, count=1)
    assert stale != text
    assert filled(stale, RESULTS) == text


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        ("table: ffpp-defualt", "no results called 'ffpp-defualt' in .*Did you mean 'ffpp-default'"),
        ("table: ffpp-default columns=id_retrieval,shap", "no metric 'shap'. Did you mean 'shape'"),
        ("table: ffpp-default column=shape", "unknown option 'column'"),
        ("protocl", "nothing is made for 'protocl'. Did you mean 'protocol'"),
    ],
)
def test_a_wrong_mark_is_named(mark: str, message: str) -> None:
    with pytest.raises(UsageError, match=f"<!-- {mark} -->: .*{message}"):
        filled(f"<!-- {mark} -->\n<!-- end -->\n", RESULTS)


def test_every_rule_and_instrument_has_its_row() -> None:
    rules, instruments = lists.protocol().splitlines()[2:], lists.instruments().splitlines()[2:]
    assert [row.split("`")[1] for row in rules] == list(Protocol.model_fields)
    listed = [entry.name for entry in available()]
    named = [row.split("`")[1] for row in instruments]
    assert named == [name for name in listed if name in named]
    assert {"dlib", "anny", "arcface", "embedder"} <= {*named}
    assert [row.split("`")[1] for row in lists.licences().splitlines()[2:]] == named
    for row in rules:
        assert all(cell.strip() for cell in row.strip("|").split(" | ")), (
            f"a rule without a description: {row}"
        )


def test_the_command_checks_and_fills(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "results").mkdir()
    shutil.copytree(RESULTS / "ffpp-default", tmp_path / "results" / "ffpp-default")
    page = tmp_path / "README.md"
    page.write_text("before\n<!-- table: ffpp-default columns=shape -->\n<!-- end -->\nafter\n")
    (tmp_path / "docs" / "own.md").write_text("nothing to fill\n")
    asked = ["--root", str(tmp_path)]
    assert main([*asked, "--check"]) == 4
    assert "README.md is stale" in capsys.readouterr().out
    assert page.read_text().count("|") == 0
    assert main(asked) == 0
    assert "| *oracle* (the true swap) | 1.69 (1.56 to 1.82) | 400 of 400 |" in page.read_text()
    assert main([*asked, "--check"]) == 0
    assert main(["--root", str(tmp_path / "docs")]) == 3
