"""The committed baseline holds every speed test that is not marked as new."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.support.speed_peers import BASELINE, NEW

HERE = Path(__file__).parent


def test_the_committed_baseline_is_whole() -> None:
    made = json.loads(BASELINE.read_text())
    texts = [path.read_text() for path in HERE.glob("test_speed*.py")]
    tests = {name for text in texts for name in re.findall(r"^def test_(\w+)\(against", text, re.MULTILINE)}
    assert len(tests) >= 15
    assert not NEW & set(made["paths"])
    assert NEW | set(made["paths"]) == tests
    assert all(path["limit"] >= path["ratio"] > 0 for path in made["paths"].values())
