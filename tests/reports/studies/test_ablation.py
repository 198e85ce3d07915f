"""The page of an ablation study from its JSON, and the sentences that it may and may not say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reports.paper import figure_7
from reports.results import ResultsError
from reports.studies.ablation import encoded, read_ablation, render, write_page
from reports.studies.ablation_words import conclusions, verdict


def estimate(value: float) -> dict[str, Any]:
    return {"value": value, "ci95": [value * 0.9, value * 1.1], "n": 96}


def reached(*steps: float | None) -> dict[str, Any]:
    known = [s for s in steps if s is not None]
    whole = len(known) == len(steps)
    ends = (
        {"mean": np.mean(known), "low": min(known), "high": max(known)}
        if whole
        else dict.fromkeys(("mean", "low", "high"))
    )
    return {"seeds": {str(i): s for i, s in enumerate(steps)}, "reached": len(known), **ends}


def arm(embedder: str, lambda_id: float, level: float, *steps: float | None) -> dict[str, Any]:
    curve = {"mean": [1, level], "low": [1, level - 0.01], "high": [1, level + 0.01]}
    names = ("val_id", "val_chg", "judge_id", "judge_share")
    steady = {
        "steps": 9,
        "spikes_per_1000": 2.0,
        "grad_p50": 1.0,
        "grad_p95": 2.0,
        "grad_p99": 3.0,
        "ratio": 3.0,
        "clipped": 0.5,
    }
    return {
        "lambda_id": lambda_id,
        "embedder": embedder,
        "seeds": [0, 1],
        "spread": "",
        "runs": {s: {"state": "done", "steps": 100} for s in "01"},
        "curve": {"step": [50, 100], **dict.fromkeys(names, curve)},
        "steps_to": {"0.5": reached(*steps)},
        "steps_to_judge_share": {"0.5": reached(None, None)},
        "stability": {"0": steady, "1": None},
        "at_common_step": {n: estimate(level) for n in names},
    }


def compared(metric: str, difference: float, by_seed: tuple[float, float], separated: bool) -> dict[str, Any]:
    ends = [difference - 0.01, difference + 0.01]
    return {
        "a": "smooth:4",
        "b": "arc:4",
        "metric": metric,
        "difference": difference,
        "ci95": ends,
        "n": 96,
        "clusters": 90,
        "p": 1e-4,
        "p_holm": 2e-4,
        "by_seed": dict(zip("01", by_seed, strict=True)),
        "agreed": by_seed[0] * by_seed[1] > 0,
        "separated": separated,
    }


@pytest.fixture
def study() -> dict[str, Any]:
    embedder = {"dim": 8, "fingerprint": "f" * 64, "training": {"steps": 5}}
    found: dict[str, Any] = {
        "schema_version": 1,
        "kind": "ablation",
        "command": "python -m bench.ablation",
        "made": "now",
        "steps": 100,
        "validate_every": 50,
        "budget": {"steps": 100},
        "preset": "lite-64",
        "device": "cpu",
        "torch": "2",
        "config": {"generator.size": 64, "clip": 1.0},
        "change_unit": "MSE",
        "data": {"people": 40, "photos": 400, "sha256": "a" * 64},
        "planned": [{"arm": "arc:4", "seed": 1, "state": "diverged", "steps": 60}],
        "embedders": {"smooth": {"loss": "contrastive", **embedder}, "arc": {"loss": "arcface", **embedder}},
        "judge": {"name": "dlib", "description": "d", "weights_sha256": "b" * 64, "licence": "l"},
        "common": {"step": 100, "seeds": [0, 1], "pairs": 96, "clusters": 90},
        "references": {
            k: {"untouched": estimate(1), "same_person": estimate(0.3), "unread": 2} for k in ("judge",)
        },
        "arms": {"smooth:4": arm("smooth", 4, 0.3, 40, 60), "arc:4": arm("arc", 4, 0.7, None, None)},
        "comparisons": [
            compared("judge_id", 0.4, (0.3, 0.5), True),
            compared("val_chg", -0.1, (-0.3, 0.1), True),
        ],
    }
    found["references"]["own"] = {name: found["references"]["judge"] for name in ("smooth", "arc")}
    found["quoted"] = figure_7.as_json()
    found["conclusions"] = conclusions(found)
    return found


def test_the_sentences_say_what_the_numbers_do(study: dict[str, Any]) -> None:
    said = study["conclusions"]
    assert any(
        "by dlib with lambda_id 4, arc:4 less smooth:4: 0.4" in s and "smooth:4 is lower" in s for s in said
    )
    change = next(s for s in said if s.startswith("Change loss with lambda_id 4"))
    assert "not separated" in change  # the seeds disagree, whatever the interval
    assert "Ours4 0.0092 and Arc4 0.018" in change
    steps = next(s for s in said if "own embedder is 0.5" in s)
    assert "smooth:4 50 (40 to 60) [paper: by 20k]" in steps
    assert "arc:4 never [paper: 300k to 400k]" in steps
    assert any(s.startswith("Diverged") and "arc:4 seed 1 (60 saved steps)" in s for s in said)
    assert verdict(study["comparisons"][0]) == "higher"
    assert verdict(study["comparisons"][1]) == "not separated"
    assert verdict({**study["comparisons"][0], "separated": False}) == "not separated"


def test_the_page_is_whole_small_and_escaped(study: dict[str, Any], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    grids = [(name, [50, 100], rng.integers(0, 256, (6, 7, 64, 64, 3), np.uint8)) for name in study["arms"]]
    page = write_page(tmp_path, study, grids)
    text = page.read_text()
    assert page.stat().st_size < 1_000_000  # noise is the hardest to pack
    assert "<script" not in text
    assert text.count("data:image/webp;base64,") == 2
    assert "Quoted from the paper" in text
    assert "do not compare" in text
    assert (tmp_path / "pictures" / "smooth-4.webp").read_bytes()[:4] == b"RIFF"
    hostile = json.loads(json.dumps(study).replace("smooth:4", "<script>alert(1)</script>"))
    assert "<script" not in render(hostile)
    assert render({**study, "judge": None, "comparisons": []})  # without a judge


def test_grids_keep_within_their_budget() -> None:
    rng = np.random.default_rng(0)
    noise = [(str(i), [1], rng.integers(0, 256, (6, 7, 64, 64, 3), np.uint8)) for i in range(6)]
    few, many = encoded(noise[:1]), encoded(noise)
    assert len(many[0][2]) < len(few[0][2])  # more arms, a lower quality


def test_a_foreign_file_is_refused(study: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "ablation.json"
    for content in ("{", "[]", '{"kind": "validity", "arms": {}}'):
        path.write_text(content)
        with pytest.raises(ResultsError, match=r"make one with python -m bench\.ablation"):
            read_ablation(path)
    path.write_text(json.dumps(study, default=float))
    assert read_ablation(path)["arms"].keys() == study["arms"].keys()


def test_the_digitised_curves_are_those_of_the_facts() -> None:
    assert len(figure_7.CURVES) == 6
    assert all(len(c.identity) == len(c.change) == len(figure_7.STEPS) for c in figure_7.CURVES)
    ours = figure_7.quoted("contrastive", 4)
    assert ours is not None
    assert figure_7.steps_to(ours, 0.39) == (0, 20_000)
    assert figure_7.steps_to(ours, 0.1) == (100_000, 200_000)
    assert figure_7.steps_to(ours, 0.01) is None
    assert figure_7.quoted("arcface", 2) is None
