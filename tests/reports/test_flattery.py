"""Swaps that never saw the source, and one that did: each stands where it belongs in every headline of a report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.compare.__main__ import compare
from metrics.frames.table_1 import R_UNRANKED
from metrics.spec import KEEPING
from reports.files import FRAMES
from reports.findings import findings
from reports.frames import FrameTable
from reports.html import _headline, render
from reports.latex import latex_table
from reports.markdown import markdown_table
from reports.recognition import GROUPS
from reports.run_files import RunFiles
from reports.scale import scales
from reports.table import Table, build
from tests.support import made_runs

Faces = np.ndarray
PAIR = 2 * made_runs.FRAMES  # rows of one pair of people


def put_in(face: Faces, target: Faces) -> Faces:
    """The target with another upper half, which is all that the made instruments read an identity from."""
    return np.concatenate([face[:, :4], target[:, 4:]], axis=1)


def blurred(_: Faces, target: Faces) -> Faces:
    return put_in(np.broadcast_to(target[:, :4].mean(axis=(1, 2), keepdims=True), target.shape), target)


def noisy(_: Faces, target: Faces) -> Faces:
    return put_in(np.random.default_rng(5).uniform(0, 255, target.shape), target)


def somebody(source: Faces, target: Faces) -> Faces:
    return put_in(np.roll(source, PAIR, axis=0), target)


def between_all(source: Faces, target: Faces) -> Faces:
    return put_in(np.broadcast_to(source.mean(axis=0), target.shape), target)


def untouched(_: Faces, target: Faces) -> Faces:
    return target


CHEATS = {
    "blurred": blurred,
    "noisy": noisy,
    "somebody": somebody,
    "mean": between_all,
    "untouched": untouched,
}
REFERENCES = {
    "copy-target": untouched,
    "blur": blurred,
    "stranger": lambda source, target: put_in(np.roll(source, 2 * PAIR, axis=0), target),
    "copy-source": lambda source, _: source,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("flattery")
    for name, model in (CHEATS | {"true": put_in}).items():
        made_runs.write(out, name, model)
    for name, model in REFERENCES.items():
        made_runs.write(out, name, model, reference=True)
    return out


@pytest.fixture(scope="module")
def table(run: Path) -> Table:
    return build([RunFiles.read(run / name) for name in (*CHEATS, "true", *REFERENCES)])


def test_by_the_papers_share_all_of_them_come_halfway(table: Table) -> None:
    """What made the columns of direction no headline: they are better for all but doing nothing."""
    values = {row.run.name: row.run.results.metrics["identity_r"].value for row in table.rows}
    for name in ("blurred", "noisy", "somebody", "mean"):
        assert values[name] < 0.62 < values["untouched"]
        assert values["true"] < values[name]


def test_the_headline_calls_only_the_true_swap_better(table: Table) -> None:
    said = {row.run.name: (metric.value, against) for row, metric, against in _headline(table)["models"]}
    assert said.pop("true") == (100.0, "better than copy-target, blur and stranger (paired by frame)")
    assert set(said) == set(CHEATS)
    for value, against in said.values():
        assert value < 15
        assert "better than" not in against


def test_no_sentence_says_that_they_came_nearer(table: Table) -> None:
    sentences = [finding.sentence for finding in findings(table)]
    nearer = [sentence for sentence in sentences if "nearer to the goal" in sentence]
    assert len(nearer) == 1
    assert nearer[0].startswith("true is nearer to the goal than anything that never saw the source in ")
    unseen = [
        sentence.split(" is not recognised as the source")[0]
        for sentence in sentences
        if "recognised" in sentence
    ]
    assert sorted(unseen) == sorted(CHEATS)
    versus = [s for s in sentences if s.startswith("true ") or " true " in s]
    assert any("true is better than" in s for s in versus)


def test_what_never_saw_the_source_is_bold_in_no_column_of_identity(table: Table) -> None:
    groups = {column.key: column.group for column in table.columns}
    assert {name for name, key in table.bold if groups[key] in GROUPS} == {"true"}
    assert not [key for _, key in table.bold if key.endswith("_r")]


def test_what_was_never_there_is_not_called_lost(run: Path) -> None:
    one = RunFiles.read(run / "true")
    for status, said in (("not_available", []), ("no_face", ["true lost 10 of 10 frames (10 no_face)."])):
        counts = one.results.counts.model_copy(update={"expected": 10, "used": 0, "failed": {status: 10}})
        shown = replace(one, results=one.results.model_copy(update={"counts": counts}))
        assert [f.sentence for f in findings(build([shown])) if " lost " in f.sentence] == said


def test_the_scale_places_them_at_its_foot_and_shows_where_doing_nothing_lies(table: Table) -> None:
    places = {scale.column.key: scale for scale in scales(table)}
    assert not [key for key in places if key.endswith("_r")]
    found = places["id_retrieval"]
    at = {place.row.run.name: place.value for place in found.places}
    assert at.pop("true") == pytest.approx(100)
    assert max(at.values()) < 15
    assert [mark.row.run.name for mark in found.marks] == ["copy-target", "blur", "stranger"]
    assert found.marks[0].value == 0
    kept = next(scale for scale in places.values() if scale.column.group == KEEPING)
    assert kept.marks[0].value == pytest.approx(100)  # doing nothing keeps everything


def test_leaving_the_target_is_told_apart_from_reaching_the_source(table: Table) -> None:
    rows = {row.run.name: row.run.results.metrics for row in table.rows}
    for name in ("blurred", "noisy", "somebody", "mean", "true"):
        assert rows[name]["target_retrieval"].value < 40
        assert rows[name]["target_identity"].value < 0.8
    for name in ("untouched", "copy-target"):
        assert (rows[name]["target_retrieval"].value, rows[name]["target_identity"].value) == (
            100,
            pytest.approx(1),
        )


def test_two_models_are_compared_without_the_shares(run: Path) -> None:
    models = [RunFiles.read(run / name) for name in ("noisy", "true")]
    found = {
        c.metric: c for c in compare(*((m.results, FrameTable.read(run / m.name / FRAMES)) for m in models))
    }
    assert found["id_retrieval"].verdict == "better"
    for key in ("identity_r", "shape_r", "expression_r", "pose_r"):
        assert (found[key].verdict, found[key].note) == ("not ranked", R_UNRANKED)


def test_every_output_marks_the_shares_and_says_why(table: Table) -> None:
    runs = [row.run for row in table.rows if row.run.name in ("noisy", "true", "copy-target", "copy-source")]
    page, text, latex = render(runs), markdown_table(runs), latex_table(runs)
    assert page.count(f"{R_UNRANKED}; shown, but not ranked") == 1
    assert "Identity-R‡ ↓" in text
    assert f"‡ {R_UNRANKED}; shown, but not ranked\n" in text
    assert "‡" not in markdown_table(runs, ["identity"])
    assert r"Identity-R$^{\ddagger}$" in latex
    assert "Hollow marks are rows that never saw the source" in page
