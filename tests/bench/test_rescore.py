"""bench.rescore: a run scored again from its tables says what it said, or what a changed statistic makes of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import pandas as pd
import pyarrow.parquet as pq
import pytest

import metrics.evaluation
from bench.ffpp.__main__ import main as ffpp
from bench.rescore import main
from bench.verify.__main__ import main as verify
from reports.results import REFERENCES, load
from tests.support import ROOT, made_runs
from tests.support.ffpp_trees import make_tree, swapped_frames, write_swaps


@pytest.fixture(scope="module")
def scored(colours: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models beside the references and the true swap, with frames in a row; one of them has two frames a clip."""
    folder = tmp_path_factory.mktemp("scored")
    tree = make_tree(folder / "ffpp")
    write_swaps(tree, "oracle")
    for pair in ("000_001", "001_000", "002_003", "003_002"):
        (folder / "few" / pair).mkdir(parents=True)
        for number in (1, 3):
            image = swapped_frames(*pair.split("_"))[number]
            cv2.imwrite(str(folder / "few" / pair / f"{number:04d}.png"), image[..., ::-1])
    out = folder / "out"
    options = ["--data", str(tree), "--out", str(out), "--workers", "1", "--instruments", colours + ",anny"]
    models = ["--model", "classical", "--model", f"few=images:{folder / 'few'}", "--no-references"]
    models += [
        "--model=copy-target",
        "--model=copy-source",
        "--model=oracle",
    ]  # the others cost as much again
    assert ffpp([*options, *models, "--frames", "3", "--video", "3"]) == 0
    return out


@pytest.fixture
def run(scored: Path, tmp_path: Path) -> Path:
    """A copy of that run, to be changed."""
    return shutil.copytree(scored, tmp_path / "out")


def numbers(folder: Path) -> dict[str, Any]:
    return {key: value.model_dump() for key, value in load(folder / "results.json").metrics.items()}


def models(run: Path) -> list[Path]:
    return sorted(path.parent for path in run.glob("*/results.json"))


def verified(run: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What bench.verify says of a run, which recomputes its metrics from the readings."""
    capsys.readouterr()
    verify([str(run), "--json"])
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert said["recomputed"] >= 20 * len(models(run))
    return said


@pytest.mark.page
def test_a_run_scored_again_says_the_same_to_the_last_digit(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {folder.name: numbers(folder) for folder in models(run)}
    tables = {path: pq.read_table(path) for path in run.glob("**/*.parquet")}
    pages = (run / "report.html").read_text()
    assert set(before) == {"classical", "few", "copy-source", "copy-target", "oracle"}
    assert "truth_identity" in before["classical"]
    assert "pose_flicker" in before["classical"]
    said = verified(run, capsys)
    assert main([str(run)]) == 0
    printed = capsys.readouterr()
    assert "kept as they were" not in printed.err
    assert "left out" not in printed.err
    for folder in models(run):
        assert numbers(folder) == before[folder.name]
        assert load(folder / "results.json").run.rescored is not None
    assert all(pq.read_table(path).equals(table) for path, table in tables.items())
    assert (run / "report.html").read_text().count("<img") == pages.count("<img")
    assert verified(run, capsys) == said


def test_values_alone_give_the_same_at_a_part_of_the_size(run: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    assert main([str(run), "--out", str(small), "--keep", "values", "--no-pictures"]) == 0
    assert not list(small.glob("*/pictures.parquet"))
    assert main([str(small)]) == 0
    for folder in models(run):
        assert numbers(small / folder.name) == numbers(folder)
        assert pq.read_table(small / folder.name / "frames.parquet").column_names == [
            name
            for name in pq.read_table(folder / "frames.parquet").column_names
            if not name.startswith(("swap/", "picture/"))
        ]
    sizes = [sum(path.stat().st_size for path in root.glob("**/*.parquet")) for root in (small, run)]
    assert sizes[0] < sizes[1] / 3


@pytest.mark.parametrize("keep", ["readings", "values"])
@pytest.mark.page
def test_a_changed_statistic_reaches_results_and_page(
    run: Path, tmp_path: Path, keep: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy"
    assert main([str(run), "--out", str(copy), "--keep", keep]) == 0
    monkeypatch.setattr(metrics.evaluation, "cluster_interval", lambda *a, **k: (-0.125, 0.875))
    assert main([str(copy)]) == 0
    assert load(copy / "classical" / "results.json").metrics["identity"].ci95 == (-0.125, 0.875)
    assert 'data-value="-0.125"' in (copy / "report.html").read_text()


def test_values_of_another_version_of_a_metric_are_refused(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = tmp_path / "small"
    assert main([str(run), "--out", str(small), "--keep", "values"]) == 0
    made_runs.edit_results(small / "few", lambda content: content["metrics"]["pose"].update(version=0))
    capsys.readouterr()
    assert main([str(small)]) == 3
    said = capsys.readouterr().err
    assert "pose is version 2 now, the values of few are of 0" in said
    assert "score the model anew" in said
    # from the readings the same is no trouble
    made_runs.edit_results(run / "few", lambda content: content["metrics"]["pose"].update(version=0))
    assert main([str(run)]) == 0
    assert load(run / "few" / "results.json").metrics["pose"].version == 2


def test_what_cannot_be_made_again_is_kept_and_said(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def glow(content: dict[str, Any]) -> None:
        content["metrics"]["glow"] = content["metrics"]["pose"] | {"label": "Glow"}

    made_runs.edit_results(run / "few", glow)
    capsys.readouterr()
    assert main([str(run)]) == 0
    assert "few: kept as they were, since what they need is not stored: glow" in capsys.readouterr().err
    assert load(run / "few" / "results.json").metrics["glow"].label == "Glow"


def test_a_run_that_cannot_be_scored_again_is_left_as_it_is(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(folder: Path, code: int, *more: str) -> str:
        before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
        assert main([str(folder), *more]) == code
        assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
        return capsys.readouterr().err

    capsys.readouterr()
    assert "no results in" in refused(tmp_path / "nothing", 2)
    assert "give the run's" in refused(run / "few", 2)
    assert "name a copy with --out" in refused(run, 2, "--keep", "values")
    (run / "originals.parquet").rename(tmp_path / "kept.parquet")
    assert "originals.parquet is missing" in refused(run, 3)
    pd.DataFrame({"clip": ["000"]}).to_parquet(run / "originals.parquet")
    assert f"{run / 'originals.parquet'} is not the file that" in refused(run, 3)
    shutil.move(tmp_path / "kept.parquet", run / "originals.parquet")
    content = json.loads((run / "few" / "results.json").read_text())
    content["run"]["protocol"]["frames"] = 7
    (run / "few" / "results.json").write_text(json.dumps(content))
    assert "does not have the hash" in refused(run, 3)


def test_the_committed_default_run_is_scored_again_from_what_is_committed(tmp_path: Path) -> None:
    committed = ROOT / "results" / "ffpp-default"
    out = tmp_path / "out"
    assert main([str(committed), "--out", str(out)]) == 0
    assert [folder.name for folder in models(out)] == sorted([*REFERENCES, "smoothswap"])
    for folder in models(out):
        before = numbers(committed / folder.name)
        for key, value in numbers(folder).items():
            # The last digits are the processor's.
            assert value["value"] == pytest.approx(before[key]["value"], rel=1e-6, abs=1e-9), key
            assert value["ci95"] == pytest.approx(before[key]["ci95"], rel=1e-3, abs=1e-6), key
    size = sum(path.stat().st_size for path in (ROOT / "results").rglob("*") if path.is_file())
    assert size < 10e6


@pytest.mark.parametrize("missing", ["count_as_wrong", "count_everywhere"])
def test_without_the_source_frame_in_the_gallery_too(
    tree: Path, colours: str, tmp_path: Path, missing: str
) -> None:
    out = tmp_path / "out"
    options = [
        "--data",
        str(tree),
        "--out",
        str(out),
        "--workers",
        "1",
        "--instruments",
        colours,
        "--frames",
        "3",
    ]
    rules = ["--gallery", "without_source_frame", "--source-rule", "matched", "--missing", missing]
    ends = ["--no-references", "--model", "copy-source", "--model", "copy-target"]
    assert ffpp([*options, *rules, *ends]) == 0
    before = {folder.name: numbers(folder) for folder in models(out)}
    assert main([str(out)]) == 0
    assert {folder.name: numbers(folder) for folder in models(out)} == before
    assert verify([str(out)]) == 0
