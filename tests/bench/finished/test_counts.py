"""The committed counts of the check of finished swaps, and their table."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from bench.data.templates import TEMPLATES
from bench.finished.counts import counted, table
from bench.finished.crop_variants import judged_crops
from bench.finished.crops import CropCheck, Held
from bench.finished.material import Film
from bench.finished.study import outcome
from tests.support import ROOT
from tests.support.ffpp_trees import clip_frames, swapped_frames

NAMES = ("finished-check", "crops-check")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_wrong_passes_in_silence_and_at_most_one_right_one_in_a_hundred_is_refused(name: str) -> None:
    study = json.loads((ROOT / "results" / f"{name}.json").read_text(encoding="utf-8"))
    totals = sum(counted(study).values(), Counter())
    right = sum(n for (group, _), n in totals.items() if group == "right")
    apart = sum(n for counts in study.get("alike", {}).values() for n in counts.values())
    assert totals.total() + apart == study["variants"] >= 300
    assert totals["wrong", "silent"] == 0
    assert totals["right", "refused"] <= 0.01 * right


def test_the_table_counts_by_material() -> None:
    study = {
        "right": {"pan: video": {"fits": 3}, "rendered: video": {"fits": 1, "refused": 1}},
        "wrong": {"pan: another clip": {"silent": 2}},
    }
    assert table(study).splitlines()[2:] == [
        "| rendered | 2 | 1 | 0 | 1 | 0 | 0 | 0 | 0 |",
        "| pan | 5 | 3 | 0 | 0 | 0 | 0 | 0 | 2 |",
        "| all | 7 | 4 | 0 | 1 | 0 | 0 | 0 | 2 |",
    ]


def test_crops_of_every_template_are_judged_under_every_statement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held against borders that are made up: those of the template by which the crops were cut, of nobody else."""
    films = {clip: Film(clip_frames(clip), []) for clip in ("000", "001")}
    landmarks = np.zeros((68, 2), np.float32)
    landmarks[36:42], landmarks[42:48] = (110, 110), (170, 110)
    landmarks[30], landmarks[48], landmarks[54] = (140, 145), (116, 180), (164, 180)
    face = [SimpleNamespace(landmarks=landmarks)]
    swaps = {name: swapped_frames(*name.split("_")) for name in ("000_001", "001_000")}

    def hold(check: CropCheck, pair: Any, path: Path, numbering: Any) -> Held:
        assert len(list(path.iterdir())) == 3
        alike = {template: 0.9 if template == path.parent.name else 0.1 for template in TEMPLATES}
        side = len(read(next(path.iterdir())))
        own, other = (
            (alike, {"ffhq": 0.1}) if path.name == f"{pair.target}_{pair.source}" else ({"ffhq": 0.1}, alike)
        )
        return Held((side, side), own, other)

    monkeypatch.setattr(CropCheck, "hold", hold)
    detector: Any = SimpleNamespace(detect=lambda frame: face)
    found = list(judged_crops(None, films, swaps, tmp_path, detector))  # type: ignore[arg-type]
    kinds = Counter(what.partition(": ")[2].partition(",")[0] for what, _, _ in found)
    assert kinds == {
        "as it is": 5,
        "another size": 5,
        "names source_target": 5,
        "another template": 16,
        "alike": 4,
    }
    assert Counter(outcome(verdict, mend) for _, mend, verdict in found) == {
        "fits": 5,
        "refused with its mend": 30,
    }


def read(path: Path) -> np.ndarray:
    return np.asarray(cv2.imread(str(path)))
