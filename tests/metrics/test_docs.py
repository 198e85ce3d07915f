"""The committed page of metrics is the one that the code declares, and says all of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from metrics.docs import main, page
from metrics.registry import ours
from tests.support import ROOT

PAGE = ROOT / "docs" / "metrics.md"


def test_the_committed_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m metrics.docs docs/metrics.md"


def test_every_metric_has_its_row_with_all_columns() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert len(ours()) > 40
    for metric in ours().values():
        own = [row for row in rows if row.startswith(f"| `{metric.key}` |")]
        row = own[0]  # others stand in the tables of headlines, of missing faces and of what is not ranked
        assert len(own) == 1 + bool(metric.headline) + bool(metric.missing) + bool(metric.unranked)
        cells = [cell.strip() for cell in row.replace("\\|", "¦").strip("|").split("|")]
        assert len(cells) == 8
        assert all(cells)
        assert cells[5] == ("↑" if metric.higher_is_better else "↓")
        assert f"- `{metric.key}`: " in page()


def test_the_command_writes_prints_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out == page()
    assert main([str(tmp_path / "m.md")]) == 0
    assert (tmp_path / "m.md").read_text(encoding="utf-8") == page()
    with pytest.raises(SystemExit):
        main([str(tmp_path / "no" / "m.md")])
    assert "a folder that exists" in capsys.readouterr().err
