"""The studies' JSON: closed schemas for what is written and read, and a message with the path of what does not fit."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metrics.registry import ours
from reports.results import ResultsError
from reports.studies.ablation import read_ablation, write_ablation
from reports.studies.embedders import grouped, read_embedders, write_embedders
from reports.studies.validity import read_validity, write_validity
from tests.support import ROOT

RESULTS = ROOT / "results"
Read, Write = Callable[[Path], dict[str, Any]], Callable[[Path, dict[str, Any]], Path]
KINDS: dict[str, tuple[Path, Read, Write]] = {
    "ablation": (RESULTS / "ablation.json", read_ablation, write_ablation),
    "embedders": (RESULTS / "embedders-lfw.json", read_embedders, write_embedders),
    "validity": (RESULTS / "validity.json", read_validity, write_validity),
}


def at(content: Any, path: str) -> tuple[Any, Any]:
    """The innermost container of a path as "a/b/0", and the last step."""
    *steps, last = [int(step) if step.isdecimal() else step for step in path.split("/")]
    for step in steps:
        content = content[step]
    return content, last


@pytest.mark.parametrize("kind", KINDS)
def test_a_committed_study_is_read_and_what_is_read_can_be_written_again(kind: str, tmp_path: Path) -> None:
    path, read, write = KINDS[kind]
    study = read(path)
    written = write(tmp_path, study)
    assert written == tmp_path / f"{kind}.json"
    assert read(written) == study == json.loads(written.read_text())


@pytest.mark.parametrize("path", sorted(RESULTS.glob("embedders*.json")), ids=lambda path: path.stem)
def test_figures_of_version_1_get_the_groups_that_the_metrics_declare(path: Path) -> None:
    assert json.loads(path.read_text())["schema_version"] == 1
    study = read_embedders(path)
    assert study["schema_version"] == 2
    groups = grouped(study)
    assert [name for name, _ in groups][:3] == ["Verification", "Smoothness", "Shape of the space"]
    assert sorted(key for _, keys in groups for key in keys) == sorted(study["definitions"])
    for name, keys in groups:
        assert {ours()[key.partition("@")[0]].group for key in keys} == {name}


WRONG: list[tuple[str, str, Any, str]] = [
    (
        "ablation",
        "arms/arc:4/steps_to/0.5/reached",
        "two",
        "arms.arc:4.steps_to.0.5.reached: Input should be",
    ),
    ("ablation", "arms/arc:4/lambda", 4, "arms.arc:4.lambda: Extra inputs are not permitted"),
    (
        "ablation",
        "comparisons/0/ci95",
        [2, 1],
        "comparisons.0.ci95: the low end 2.0 is above the high end 1.0",
    ),
    ("ablation", "comparisons/0/a", "gone", "comparisons.0 is of arms that are not in the file"),
    ("ablation", "arms/arc:4/embedder", "gone", "arms.arc:4.embedder gone is not among the embedders"),
    ("ablation", "schema_version", 2, "schema_version: Input should be 1"),
    ("embedders", "embedders/arcface/d_smooth/valeu", 1.0, "embedders.arcface.d_smooth.valeu: Extra inputs"),
    ("embedders", "embedders/arcface/glow", 1.0, "embedders.arcface.glow: Input should be"),
    (
        "embedders",
        "differences/d_smooth/contrastive - arcface/a",
        "x",
        "is of embedders that are not in the file",
    ),
    ("embedders", "data/test/photos", -1, "data.test.photos: Input should be greater than or equal to 0"),
    ("embedders", "schema_version", 3, "schema_version: Input should be 2"),
    (
        "validity",
        "instruments/dlib/identity_auc/value",
        "good",
        "instruments.dlib.identity_auc.value: Input should be",
    ),
    (
        "validity",
        "verdicts/dlib/identity/verdict",
        "fine",
        "verdicts.dlib.identity.verdict: Input should be 'good'",
    ),
    ("validity", "options/people", 1.5, "options.people: Input should be a valid integer"),
    ("validity", "remark", "", "remark: Extra inputs are not permitted"),
]


@pytest.mark.parametrize(("kind", "where", "value", "said"), WRONG, ids=[f"{k}-{w}" for k, w, _, _ in WRONG])
def test_a_wrong_field_is_named_in_reading_and_in_writing(
    kind: str, where: str, value: Any, said: str, tmp_path: Path
) -> None:
    path, read, write = KINDS[kind]
    study = copy.deepcopy(read(path))
    inner, last = at(study, where)
    inner[last] = value
    spoilt = tmp_path / "spoilt.json"
    spoilt.write_text(json.dumps(study))
    with pytest.raises(ResultsError) as caught:
        read(spoilt)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{spoilt} is no {kind}.json (")
    assert str(caught.value).endswith(f"make one with python -m bench.{kind}")
    with pytest.raises(ResultsError) as caught:
        write(tmp_path, study)
    assert said in str(caught.value)
    assert not (tmp_path / f"{kind}.json").exists()


def test_a_figure_without_a_definition_is_refused(tmp_path: Path) -> None:
    study = copy.deepcopy(read_embedders(KINDS["embedders"][0]))
    del study["definitions"]["uniformity"]
    with pytest.raises(ResultsError, match=r"embedders\.contrastive\.uniformity has no definition"):
        write_embedders(tmp_path, study)
