"""The committed counts of the check of finished swaps, and their table."""

from __future__ import annotations

import json
from collections import Counter

from bench.finished.counts import counted, table
from tests.support import ROOT

STUDY = json.loads((ROOT / "results" / "finished-check.json").read_text(encoding="utf-8"))


def test_nothing_wrong_passes_in_silence_and_at_most_one_right_one_in_a_hundred_is_refused() -> None:
    totals = sum(counted(STUDY).values(), Counter())
    right = sum(n for (group, _), n in totals.items() if group == "right")
    assert totals.total() == STUDY["variants"] >= 300
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
