"""python -m reports STUDY.json: the pages of the committed studies, from their JSON alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reports.__main__ import main
from tests.support import ROOT

RESULTS = ROOT / "results"
COUNTS = {
    "aligned-crops",
    "crops-check",
    "detection",
    "false-words",
    "faults",
    "finished-check",
    "gaze",
    "openings",
}  # of what happened; they have a table in docs, and no page
STUDIES = sorted(path for path in RESULTS.glob("*.json") if path.stem not in COUNTS)


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_committed_study_has_its_page_and_its_table(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    assert main([str(path), "-o", str(page)]) == 0
    text = page.read_text()
    assert text.startswith("<!doctype html>")
    assert "data:image/webp" not in text  # faces of real people are not part of the JSON
    study = json.loads(path.read_text())
    for name in study.get("arms") or study.get("embedders") or study["instruments"]:
        assert name in text
    capsys.readouterr()
    assert main([str(path), "--format", "md"]) == 0
    assert len(capsys.readouterr().out.splitlines()) > 3


def test_the_studies_that_the_readme_quotes_are_there() -> None:
    assert {"ablation", "embedders-lfw", "validity"} <= {path.stem for path in STUDIES}


def test_other_files_and_mixtures_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for content, said in (("{", "cannot read"), ("[]", "no study's file"), ('{"a": 1}', "no study's file")):
        path = tmp_path / "other.json"
        path.write_text(content)
        assert main([str(path), "-o", str(tmp_path / "out.html")]) == 3
        assert said in capsys.readouterr().err
        assert not (tmp_path / "out.html").exists()
    assert main([str(STUDIES[0]), str(STUDIES[0])]) == 2
    assert "give it alone" in capsys.readouterr().err
    assert main([str(STUDIES[0]), "--format", "csv"]) == 2
    assert "as html or md" in capsys.readouterr().err
