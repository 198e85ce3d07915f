"""python -m reports: reports, tables and the index, from results alone."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reports.__main__ import main
from reports.folders import gather
from reports.html import render
from reports.paper.table_1 import COLUMNS, ROWS
from reports.pictures import store
from reports.results import Results, ResultsError, write_atomic
from reports.scale import scales
from reports.table import RunFiles, build
from tests.support import ROOT
from tests.support.report_builders import MODELS, content, picture


@pytest.fixture
def run(tmp_path: Path) -> Path:
    for model in MODELS:
        write_atomic(
            tmp_path / "runs" / "one" / model / "results.json", Results.model_validate(content(model))
        )
    shown = [
        picture("smoothswap", "best", 1, metric="identity", label="Identity"),
        picture("smoothswap", "random", 2),
    ]
    write_atomic(tmp_path / "runs" / "one" / "smoothswap" / "pictures.parquet", store.pack(shown))
    return tmp_path / "runs" / "one"


def test_a_report_is_rebuilt_to_the_byte(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep" / "er" / "report.html"
    assert main([str(run), "-o", str(out)]) == 0
    assert capsys.readouterr().out == f"report: {out}\n"
    first = out.read_bytes()
    assert main([str(run), "-o", str(out)]) == 0
    assert out.read_bytes() == first
    text = first.decode()
    assert text.count("data:image/png;base64") == 8
    assert 'href="./../../runs/one/smoothswap/results.json"' in text
    assert (out.parent / "../../runs/one/smoothswap/results.json").exists()


def test_every_format_holds_the_same_numbers(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(run), "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 75
    for name, said in (("t.md", "| smoothswap | **46.3** (42.4 to 50.6)"), ("t.tex", r"\textbf{46.3}")):
        assert main([str(run), "-o", str(tmp_path / name)]) == 0
        assert said in (tmp_path / name).read_text()
    assert (tmp_path / "t.tex").read_text().count("\\\\") >= 2 * len(MODELS)


def test_runs_are_combined_and_named_apart(run: Path, tmp_path: Path) -> None:
    two = run.parent / "two"
    for model in ("smoothswap", "oracle", "copy-source"):
        given = content(model)
        if model == "copy-source":
            given["metrics"]["pose"]["value"] += 0.001
        write_atomic(two / model / "results.json", Results.model_validate(given))
    runs, cases = gather([run, two], tmp_path)
    assert [one.name for one in runs] == [
        "classical",
        "copy-source (one)",
        "copy-target",
        "oracle",
        "smoothswap (one)",
        "copy-source (two)",
        "smoothswap (two)",
    ]
    assert {case.model for case in cases} == {"smoothswap (one)"}
    assert [row.end for row in build(runs).rows] == ["low", "", "", "", "high", "high", "high"]
    page = render(runs, cases)
    assert 'href="./runs/two/smoothswap/frames.parquet"' in page
    assert len(gather([run / "smoothswap"])[0]) == 1


def test_the_index_is_written(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--index", str(run.parent)]) == 0
    text = (run.parent / "index.html").read_text()
    assert text.count("<tr") == len(MODELS) + 1
    assert "46.3" in text
    assert main(["--index", str(run)]) == 3
    assert "no runs in" in capsys.readouterr().err


def test_pictures_come_back_to_the_pixel(tmp_path: Path) -> None:
    shown = replace(picture("m", "random", 3, truth=False), scores=(("Identity", "0.7"),))
    (tmp_path / "p.parquet").write_bytes(store.pack([shown]))
    [back] = store.read(tmp_path / "p.parquet", "renamed")
    assert (back.model, back.case, back.scores, back.truth) == ("renamed", "random", shown.scores, None)
    for (_, one), (_, two) in zip(shown.parts, back.parts, strict=True):
        np.testing.assert_array_equal(one, two)
    assert store.read(tmp_path / "none") == []
    (tmp_path / "p.parquet").write_bytes(b"PAR1")
    with pytest.raises(ResultsError, match="cannot read the pictures"):
        store.read(tmp_path / "p.parquet")


def test_wrong_use_is_one_line(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, code, said in (
        ([], 2, "give either runs"),
        ([str(run), "--index", str(run)], 2, "give either runs"),
        (["--index", str(run), "-o", "x"], 2, "leave --out"),
        ([str(tmp_path / "nothing")], 3, "no results in"),
        ([str(run), "-o", str(run / "smoothswap" / "results.json" / "x.html")], 3, "cannot write"),
    ):
        assert main(arguments) == code
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
    done = subprocess.run(
        [sys.executable, "-m", "reports", "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert "python -m reports runs/ffpp -o report.html" in done.stdout


def test_the_scale_runs_from_the_worse_copy_to_the_oracle() -> None:
    table = build([RunFiles(Results.model_validate(content(m))) for m in MODELS])
    places = {s.column.key: s for s in scales(table)}
    assert set(places) == {c.key for c in table.columns if not c.key.endswith("_r")}
    one = places["id_retrieval"]
    assert (one.bad.run.name, one.good.run.name) == ("copy-target", "oracle")
    assert one.places[0].value == pytest.approx(100 * (46.3 - 1.5) / (98.5 - 1.5))
    pose = places["pose"]
    assert pose.bad.run.name == "copy-source"
    assert pose.places[0].value == pytest.approx(100 * (0.287 - 0.064) / (0.287 - 0.021))
    assert pose.places[0].low is not None
    assert pose.places[0].low < pose.places[0].value < pose.places[0].high
    assert [(mark.row.run.name, mark.value) for mark in one.marks] == [("copy-target", 0.0)]
    nothing = pose.marks[0].value
    assert nothing == pytest.approx(
        100 * (0.287 - 0.012) / (0.287 - 0.021)
    )  # beyond the oracle: nothing moved
    assert (
        scales(build([RunFiles(Results.model_validate(content(m))) for m in ("smoothswap", "oracle")])) == []
    )


def test_the_quoted_table_is_the_papers() -> None:
    assert {len(row.cells) for row in ROWS} == {len(COLUMNS)} == {11}
    ours = next(row for row in ROWS if row.name == "Smooth-Swap")
    assert [ours.text(i) for i in range(11)] == (
        ["101.678", "0.435", "0.464", "0.611", "0.565", "0.403", "0.722", "0.477", "0.186", "0.395", "4.498"]
    )
    assert [i for i in range(11) if ours.bold(i)] == [0, 1, 2, 3, 4, 5]
    for i in range(11):  # two bold a column, ties share
        assert sum(row.bold(i) for row in ROWS) in (2, 3)
    assert sum(row.text(2) == "†" for row in ROWS) == 5
