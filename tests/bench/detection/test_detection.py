"""The study of detectors: its material's truth, and its counting on made-up faces."""

from __future__ import annotations

import numpy as np
import pytest

from bench.detection import material, measures
from bench.detection.table import table
from smoothswap.faces.face import Face


@pytest.fixture(scope="module")
def cases() -> dict[str, material.Case]:
    return {f"{case.kind} {case.value}": case for case in material.cases(0, 17)}


def test_the_truth_lies_where_the_head_does(cases: dict[str, material.Case]) -> None:
    assert list(cases) == [f"{kind} {value}" for kind, value, _ in material.poses()]
    facing = cases["yaw 0"]
    eyes = facing.landmarks[36:42].mean(0) - facing.landmarks[42:48].mean(0)
    assert np.hypot(*eyes) == pytest.approx(facing.eyes, rel=0.05)
    turned = cases["yaw 60"].landmarks
    assert abs(turned[36:42, 0].mean() - turned[42:48, 0].mean()) < 0.7 * facing.eyes
    for height in material.PIXELS:
        small = cases[f"pixels {height}"]
        assert small.image.shape == (*material.FRAME, 3)
        assert np.ptp(small.landmarks[:, 1]) == pytest.approx(height, rel=0.1)
        assert (small.landmarks >= 0).all()
        assert (small.landmarks < material.FRAME[::-1]).all()
    covered = cases["cover upper half"]
    x, y = covered.landmarks[36:48].mean(0).astype(int)
    assert tuple(covered.image[y, x]) == (70, 60, 120)


def test_errors_are_counted_in_distances_of_the_eyes(cases: dict[str, material.Case]) -> None:
    case = cases["yaw 0"]
    low, high = case.landmarks.min(0), case.landmarks.max(0)

    def face(shift: float, doubt: str = "") -> Face:
        box = (low[0] + shift, low[1], high[0] + shift, high[1])
        return Face(box, (case.landmarks + np.array([shift, 0])).astype(np.float32), 1.0, doubt)

    assert measures.errors(case, []) == {"state": "missed"}
    assert measures.errors(case, [face(3 * case.eyes)]) == {"state": "missed"}
    assert measures.errors(case, [face(0, "why")]) == {"state": "doubted"}
    near = measures.errors(case, [face(3 * case.eyes), face(0.1 * case.eyes)])
    assert near == {
        "state": "ok",
        "points": pytest.approx(0.1, abs=1e-4),
        "square": pytest.approx(0.1, abs=1e-4),
    }
    far = measures.errors(case, [face(case.eyes)])
    row = measures.summary([near, far, {"state": "missed"}, {"state": "doubted"}])
    assert {key: row[key] for key in ("pictures", "missed", "doubted", "wrong")} == {
        "pictures": 4, "missed": 1, "doubted": 1, "wrong": 1,
    }  # fmt: skip
    assert row["points"] == pytest.approx(0.55, abs=1e-3)
    nothing = measures.summary([{"state": "missed"}])
    assert nothing["points"] is None
    lines = table({"rendered": {"yunet": {"yaw 0": row, "yaw 75": nothing}}}).splitlines()
    assert lines[2].startswith("| yaw 0 | 0.550 (")
    assert lines[3] == "| yaw 75 | - | 1 of 1 | 0 |"
