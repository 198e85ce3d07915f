"""The examination of gaze, on invented readings."""

from __future__ import annotations

import json

import numpy as np

from bench.validity.gaze import agreement, steadiness
from tests.support import ROOT


def test_a_reading_that_follows_its_truth_alone_is_told_from_one_that_does_not() -> None:
    rng = np.random.default_rng(0)
    people, truth = np.repeat(np.arange(20), 4), rng.uniform(-0.5, 0.5, (80, 3))
    found = agreement(people, truth, np.stack([0.3 * truth[:, 0], rng.uniform(-1, 1, 80)], 1))
    assert found["sideways"].value > 0.999
    assert found["sideways"].people == 20
    assert max(abs(found[name].value) for name in found if name != "sideways") < 0.2
    leaking = agreement(people, truth, np.stack([truth[:, 2], truth[:, 1]], 1))  # the head's turn
    assert leaking["sideways_by_turn"].value > 0.999
    assert abs(leaking["sideways"].value) < 0.2
    assert leaking["height"].value > 0.999


def test_a_mirror_must_read_the_opposite_and_small_changes_little() -> None:
    base = np.random.default_rng(1).normal(size=50)
    found = steadiness({"none": base, "mirror": -base, "jpeg": base + 0.01, "shift": np.roll(base, 1)})
    assert set(found) == {"mirror", "jpeg", "shift"}
    assert found["mirror"].value == 0
    assert 0 < found["jpeg"].value < 0.02
    assert found["shift"].value == 1
    assert steadiness({"none": base, "mirror": base})["mirror"].value > 0.5


def test_the_documents_table_is_what_is_committed() -> None:
    figures = json.loads((ROOT / "results" / "gaze.json").read_text(encoding="utf-8"))["figures"]
    text = (ROOT / "docs" / "instruments.md").read_text(encoding="utf-8")

    def cell(world: int, name: str) -> str:
        value, (low, high) = (figures[f"world_{world}"][name][key] for key in ("value", "ci95"))
        return f"{value:.2f} ({low:.2f} to {high:.2f})"

    rows = {
        "to the side": ("sideways", "sideways_by_height", "sideways_by_turn"),
        "up and down": ("height_by_side", "height"),
    }
    for label, names in rows.items():
        for world in (3, 4):
            cells = [*(cell(world, name) for name in names), *[""] * (3 - len(names))]
            assert f"| {label}, world {world} | {' | '.join(cells)} |".replace("  ", " ") in text
