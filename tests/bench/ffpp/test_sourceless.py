"""A partial download without one source: its swaps are read by what needs none, beside every number and in no other."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.data.clips import Frames
from bench.data.pairs import Pair
from bench.ffpp.__main__ import main
from bench.ffpp.clip import Clip
from bench.ffpp.frame import Frame, Sourceless
from bench.ffpp.ledger import Row
from bench.ffpp.protocol import Protocol
from bench.ffpp.scores import score
from bench.ffpp.sides import Gallery, Source
from bench.ffpp.sourceless import readable_without
from bench.reading.reader import Reading
from bench.rescore import main as rescore
from bench.swappers import Swapper
from bench.verify.__main__ import check
from metrics import METRICS
from reports.findings import findings
from reports.frames import FrameTable, join
from reports.html import render
from reports.markdown import csv_table, markdown_table
from reports.results import load
from reports.run_files import RunFiles
from reports.table import build
from tests.support import made_runs
from tests.support.ffpp_trees import (
    faceless,
    make_tree,
    manipulated,
    original,
    swapped_frames,
    video,
    write_swaps,
)

LOST = "003_002"  # the clip of swaps whose source is deleted
MODELS = ("Deepfakes", "copy-target")


@pytest.fixture(scope="module")
def runs(colours: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """whole: all is there; part: the same without the original 002. In one swap of the pair no face is found."""
    folder = tmp_path_factory.mktemp("sourceless")
    tree = make_tree(folder / "ffpp")
    write_swaps(tree, "Deepfakes")
    video(manipulated(tree, "Deepfakes", LOST), [*swapped_frames("003", "002")[:4], faceless()[0]])
    options = ["--data", str(tree), "--instruments", f"{colours},anny", "--frames", "2", "--video", "2"]
    options += ["--workers", "1", "--device", "cpu", "--no-references", "--model", "Deepfakes"]
    assert main([*options, "--out", str(folder / "whole")]) == 0
    original(tree, "002").unlink()
    assert main([*options, "--model", "copy-target", "--out", str(folder / "part"), "--skip-missing"]) == 0
    return folder


def table(run: Path, model: str, name: str = "frames") -> pd.DataFrame:
    return pd.read_parquet(run / model / f"{name}.parquet")


@pytest.mark.parametrize("name", ["frames", "video"])
def test_what_needs_no_source_is_what_it_is_in_the_complete_run(runs: Path, name: str) -> None:
    model = "Deepfakes"
    whole, part = (table(runs / run, model, name) for run in ("whole", "part"))
    read = (part["clip"] == LOST).to_numpy(bool)
    results = load(runs / "part" / model / "results.json")
    keys = [column.removeprefix("metric/") for column in part if str(column).startswith("metric/")]
    assert len(keys) == (4 if name == "video" else 16)
    for key in keys:
        metric = results.metrics[key]
        assert metric.needs_source == METRICS[key].needs_source
        assert part.loc[read, f"metric/{key}"].isna().all()
        if metric.needs_source:
            assert metric.without_source is None
            assert f"without_source/{key}" not in part
            continue
        before, here = whole[f"metric/{key}"], part[f"without_source/{key}"]
        assert np.array_equal(before[read], here[read], equal_nan=True)
        assert here[~read].isna().all()
        # Its mean by hand: over the other pair and this clip, a lost face as the target where it counts.
        asked = before[(whole["clip"].isin(["000_001", "001_000"])) | read]
        if name == "video":
            asked = asked.iloc[1::2]  # each clip's second frame
        counted = asked.fillna(1.0) if key == "target_identity" else asked.dropna()
        assert metric.without_source is not None
        assert metric.without_source.value == pytest.approx(counted.mean())
        assert (metric.without_source.n, metric.without_source.missing) == (len(counted), asked.isna().sum())
        assert metric.n == part[f"metric/{key}"].notna().sum() == (4 if name == "frames" else 2)
    if name == "frames":
        pictures = results.metrics["filter_bank_distance"]
        assert pictures.n == 4
        assert pictures.without_source is not None
        assert pictures.without_source.n == 5


def test_the_ledger_says_what_is_not_there_and_what_became_of_the_swap(runs: Path) -> None:
    frames = table(runs / "part", "Deepfakes").set_index("clip")
    assert set(frames.loc[["002_003", LOST], "status"]) == {"not_available"}
    assert set(frames.loc[LOST, "reason"]) == {"source clip: original/c23/002 is not on the disk"}
    assert list(frames.loc[LOST, "sourceless_status"]) == ["ok", "no_face"]
    assert frames.loc[["000_001", "001_000", "002_003"], "sourceless_status"].isna().all()
    assert not frames.loc[LOST, "posed"].any()
    results = {name: load(runs / "part" / name / "results.json") for name in MODELS}
    assert all(one.counts.failed == {"not_available": 4} and one.counts.used == 4 for one in results.values())
    finished, untouched = (results[name].sourceless for name in MODELS)
    assert finished is not None
    assert untouched is not None
    assert (finished.expected, finished.used, finished.failed) == (2, 1, {"no_face": 1})
    assert (untouched.expected, untouched.used, untouched.failed) == (2, 2, {})
    expression = results["copy-target"].metrics["expression"].without_source
    assert expression is not None
    assert (expression.value, expression.n) == (0.0, 6)
    # Nothing of it stands in a run to which nothing is lacking.
    whole = load(runs / "whole" / "Deepfakes" / "results.json")
    assert whole.sourceless is None
    assert not any(one.without_source for one in whole.metrics.values())


def test_scored_again_it_says_the_same(runs: Path, tmp_path: Path) -> None:
    again = shutil.copytree(runs / "part", tmp_path / "part")
    assert rescore([str(again)]) == 0
    assert rescore([str(again), "--out", str(tmp_path / "values"), "--keep", "values", "--no-pictures"]) == 0
    assert rescore([str(tmp_path / "values")]) == 0
    for model in MODELS:
        first, *others = (
            load(p / model / "results.json") for p in (runs / "part", again, tmp_path / "values")
        )
        for other in others:
            assert (other.metrics, other.sourceless) == (first.metrics, first.sourceless)
        assert table(again, model).equals(table(runs / "part", model))


def row(frames: pd.DataFrame, column: str, value: Any, i: int = -2) -> None:
    values = frames[column].tolist()
    values[i] = value
    frames[column] = values


def unmarked(frames: pd.DataFrame) -> None:
    """The second swap left out, as though there had been none to read."""
    for column in frames:
        if str(column).startswith(("sourceless", "without_source", "swap/")):
            row(frames, column, None, -1)


def source_there(frames: pd.DataFrame) -> None:
    frames["source"] = frames["source"].replace("002", "001")


def beside(key: str, **values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["metrics"][key]["without_source"].update(values)


TAMPERED: dict[str, tuple[Callable[[pd.DataFrame], Any] | None, Callable[[dict[str, Any]], Any] | None, str]] = {
    "a value of a frame": (lambda f: row(f, "without_source/expression", 0.0), None, "do not follow from the readings"),
    "the mean": (None, beside("expression", value=0.1), "expression, without source: value 0.1"),
    "its count": (None, beside("pose", n=6), "pose, without source: n 6"),
    "faces that are missing": (None, beside("pose", missing=0), "pose, without source: missing 0"),
    "the distance of sets": (None, beside("filter_bank_distance", value=0.0), "filter_bank_distance, without source"),
    "a lost face that costs nothing": (
        lambda f: row(f, "without_source_missing/target_identity", 0.0, -1), None, "what missing faces count as",
    ),
    "the hard frame left out": (unmarked, None, "frames are left out of clips that are read without"),
    "a source that is there": (source_there, None, "a source is said not to be there, whose clip was read"),
    "into the value": (lambda f: row(f, "metric/expression", 0.0), None, "values in frames without a face"),
    "the failure": (lambda f: row(f, "sourceless_status", "ok", -1), None, "is ok and has a reason"),
    "the counts": (None, lambda c: c.update(sourceless=None), "sourceless: results.json counts None"),
    "identity as needing none": (
        None, lambda c: c["metrics"]["identity"].update(needs_source=False), "metric identity: needs_source is False",
    ),
    "what was read taken out": (
        None, lambda c: c["metrics"]["pose"].update(without_source=None), "metric pose: lacks a value",
    ),
    "a model that is called": (
        None, lambda c: c["run"]["model"].update(kind="crop"), "has to be shown the source",
    ),
}  # fmt: skip


def test_the_verifier_recomputes_it(runs: Path) -> None:
    for model in MODELS:
        found = check(runs / "part" / model)
        assert found.violations == []
        assert found.recomputed >= 12


@pytest.mark.parametrize("kind", TAMPERED)
def test_the_verifier_names_what_was_changed(runs: Path, tmp_path: Path, kind: str) -> None:
    frames, results, said = TAMPERED[kind]
    folder = shutil.copytree(runs / "part", tmp_path / "part") / "Deepfakes"
    if frames is not None:
        changed = pd.read_parquet(folder / "frames.parquet")
        frames(changed)
        changed.to_parquet(folder / "frames.parquet", index=False)
        digest = hashlib.sha256((folder / "frames.parquet").read_bytes()).hexdigest()
        made_runs.edit_results(folder, lambda content: content["files"].update({"frames.parquet": digest}))
    if results is not None:
        made_runs.edit_results(folder, results)
    assert any(said in violation for violation in check(folder).violations), check(folder).violations


def test_page_and_tables_show_it_beside_and_nothing_rests_on_it(runs: Path) -> None:
    part = [RunFiles.read(runs / "part" / name) for name in MODELS]
    page, text = render(part), markdown_table(part)
    assert "2 without source" in page
    assert page.index('id="scores"') < page.index("Without their source") < page.index('id="ledger"')
    value = load(runs / "part" / "Deepfakes" / "results.json").metrics["expression"].without_source
    assert value is not None
    (line,) = [line for line in text.splitlines() if line.startswith("| Deepfakes |") and "1 of 2" in line]
    assert f"{value.value:.3f} of {value.n}" in line
    assert "needs_source,without_source,without_source_n" in csv_table(part)
    assert "Without their source" not in markdown_table([RunFiles.read(runs / "whole" / "Deepfakes")])
    # Comparisons and words know the frames that have both originals alone.
    a, b = (FrameTable.read(runs / "part" / name / "frames.parquet") for name in ("Deepfakes", "copy-target"))
    assert a is not None
    assert b is not None
    assert len(join(a, b, "expression")[0]) == 4
    assert not any("lost" in one.sentence for one in findings(build(part)))


@pytest.mark.parametrize(
    ("kind", "shows", "readable"),
    [
        ("finished", "source", True),
        ("frame", "nobody", True),
        ("frame", "stranger", True),
        ("crop", "source", False),
    ],
)
def test_a_model_that_is_called_has_to_be_shown_the_source(kind: Any, shows: Any, readable: bool) -> None:
    absent, there = (
        Clip(Frames(0, [], [], []), failure=said, absent=bool(said)) for said in ("not there", "")
    )
    swapper = Swapper("mine", "mine", kind, None, "mine", shows=shows)
    assert readable_without(swapper, absent, there) is readable
    assert not readable_without(swapper, there, there)
    assert not readable_without(swapper, absent, absent)


def frame(clip: str, i: int, swap: np.ndarray | None, target: np.ndarray, source: np.ndarray | None) -> Frame:
    """One frame read by `made`: of each side the same vector as identity and as expression."""

    def reading(vector: np.ndarray | None) -> Reading | None:
        values = {"made/identity": vector, "made/expression": vector}
        return None if vector is None else Reading(1, None, "ok", "", values)  # type: ignore[arg-type]

    first, second = clip.split("_")
    status, reason = ("ok", "") if source is not None else ("not_available", "source clip: not on the disk")
    row = Row("mine", "mine", "c23", clip, first, second, clip, i, i, 0, status, reason)  # type: ignore[arg-type]
    alone = Sourceless("ok") if source is None else None
    pair, posed = Pair(clip, first, second, first, second), source is not None
    return Frame(row, pair, posed, reading(swap), reading(source), reading(target), sourceless=alone)


def test_leaving_out_sources_earns_no_better_number() -> None:
    """Whoever does nothing where the source is left out is perfect there by expression, and gains by it nowhere above."""
    rng = np.random.default_rng(3)
    target, source = rng.normal(size=(2, 6, 8))
    swap = 0.5 * target + 0.5 * source
    honest = [frame("000_001", i, swap[i], target[i], source[i]) for i in range(6)]
    nothing = [frame("002_003", i, target[i], target[i], None) for i in range(6)]
    rows = [reading for one in honest for reading in (one.source, one.target) if reading is not None]
    gallery = Gallery(rows, np.array(["001", "000"] * 6), {})
    who = [Source("made", ("identity", "expression"))]

    def scored(frames: list[Frame]) -> dict[str, Any]:
        metrics = score(frames, gallery, who, Protocol(), has_truth=False).metrics
        return {key: json.loads(metric.model_dump_json()) for key, metric in metrics.items()}

    alone, more = scored(honest), scored(honest + nothing)
    far = np.linalg.norm(swap - target, axis=1)
    assert alone["expression"]["value"] == pytest.approx(far.mean())
    assert more["expression"]["without_source"]["value"] == pytest.approx(far.sum() / 12)
    assert (more["expression"]["without_source"]["n"], more["expression"]["n"]) == (12, 6)
    # Frames that are nobody's best stand in every number but those: the same to the last digit.
    assert {key: one | {"without_source": None} for key, one in more.items()} == alone


def test_where_no_source_is_there_at_all_what_needs_none_is_still_read() -> None:
    rng = np.random.default_rng(4)
    target, swap = rng.normal(size=(2, 4, 8))
    frames = [frame("002_003", i, swap[i] if i else None, target[i], None) for i in range(4)]
    frames[0] = replace(frames[0], sourceless=Sourceless("no_face", "no face"))
    gallery = Gallery([one.target for one in frames if one.target], np.array(["002"] * 4), {})
    scores = score(frames, gallery, [Source("made", ("identity", "expression"))], Protocol(), has_truth=False)
    assert set(scores.metrics) == {"target_identity", "expression"}
    expression = scores.metrics["expression"]
    assert (expression.value, expression.n) == (None, 0)
    assert expression.without_source is not None
    far = np.linalg.norm(swap - target, axis=1)[1:]
    assert expression.without_source.value == pytest.approx(far.mean(), abs=1e-6)
    assert (expression.without_source.n, expression.without_source.missing) == (3, 1)
    leaving = scores.metrics["target_identity"].without_source
    assert leaving is not None
    assert leaving.n == 4  # the lost face counts as the target
    assert np.isnan(scores.per_frame["expression"]).all()
