"""Training curves from the log that smoothswap.train writes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from reports import training
from reports.__main__ import main
from reports.html import render
from reports.plots import STEPS
from reports.results import ResultsError
from reports.table import RunFiles
from smoothswap.training.log import Log


def write(folder: Path, rows: int = 300) -> Path:
    """A log as a training run leaves it: a loss every step, a check every hundredth, a NaN, a line cut off."""
    folder.mkdir(parents=True)
    log = Log(folder, ["step", "seconds", "loss", "auc"])
    log.cut(0)
    for step in range(1, rows + 1):
        values = {"loss": 100 / step + (step % 2)} | (
            {"auc": 1 - 50 / (100 + step)} if step % 100 == 0 else {}
        )
        log.row(step, 0.5 * step, values if step != 7 else {"loss": float("nan")})
    with log.path.open("a") as file:
        file.write(f"{rows + 1},15")
    (folder / "config.json").write_text(json.dumps({"part": "embedder"}))
    return folder


def test_a_log_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = training.read(write(tmp_path / "run <b>"))
    assert (found.name, found.part, found.seconds, found.last) == ("run <b>", "embedder", 150.0, 300)
    assert list(found.curves) == ["loss", "auc"]
    loss = found.curves["loss"]
    assert loss.steps.tolist() == [*range(1, 7), *range(8, 301)]  # without the NaN and the line cut off
    np.testing.assert_allclose(loss.values, 100 / loss.steps + loss.steps % 2, rtol=1e-5)
    np.testing.assert_allclose(found.curves["auc"].values, [0.75, 5 / 6, 0.875], rtol=1e-5)


def test_long_curves_are_thinned_and_keep_their_extremes(tmp_path: Path) -> None:
    curve = training.read(write(tmp_path / "run", 1000)).curves["loss"]
    steps, mean, low, high = training._stretches(curve)
    assert len(steps) == len(mean) == STEPS
    assert (low.min(), high.max()) == (curve.values.min(), curve.values.max())
    assert ((low <= mean) & (mean <= high)).all()
    sizes = [len(part) for part in np.array_split(curve.values, STEPS)]
    assert np.average(mean, weights=sizes) == pytest.approx(curve.values.mean())


def test_curves_alone_make_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [write(tmp_path / name, rows) for name, rows in (("first <b>", 300), ("second", 900))]
    out = tmp_path / "curves.html"
    assert main([*map(str, runs), "-o", str(out)]) == 0
    assert capsys.readouterr().out == f"report: {out}\n"
    text = out.read_text()
    assert text.count("<svg") == 2
    assert "Loss of the embedder" in text
    assert "AUC, held out" in text
    assert "first <b>" not in text
    assert "first &lt;b&gt;" in text
    assert "900 steps, 7 min 30 s" in text
    assert not re.search(r"<script|https?:", text)
    assert main([*map(str, runs), "-o", str(out)]) == 0
    assert out.read_text() == text
    assert main([str(runs[0]), "--format", "csv"]) == 2
    assert "has curves and no table" in capsys.readouterr().err


def test_curves_stand_in_a_report_with_results(tmp_path: Path, runs: list[RunFiles]) -> None:
    found = training.read(write(tmp_path / "run"))
    assert 'id="training"' not in render(runs)
    text = render(runs, trainings=[found])
    assert text.index('id="scores"') < text.index('id="training"') < text.index('id="provenance"')
    ids = [name for name in re.findall(r' id="([^"]*)"', text) if not re.fullmatch(r"m[0-9a-f]{10}", name)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", "\x00\xff"])
def test_another_file_is_one_error(tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "metrics.csv").write_bytes(content.encode("latin-1"))
    with pytest.raises(ResultsError, match=r"training log.*metrics\.csv|metrics\.csv is no training log"):
        training.read(tmp_path)
    assert main([str(tmp_path), "-o", str(tmp_path / "x.html")]) == 3
    assert capsys.readouterr().err.count("\n") == 1
