"""What docs/own-swaps.md says of aligned crops is what the committed measurement says."""

from __future__ import annotations

import json
import re

from tests.support import ROOT

PAGE = ROOT / "docs" / "own-swaps.md"
MEASURED = ROOT / "results" / "aligned-crops.json"
COLUMNS = {"id_retrieval": 1, "identity": 3, "shape": 2, "expression": 2, "pose": 3}


def test_the_table_and_the_sentences_hold_the_measured_numbers() -> None:
    page, measured = PAGE.read_text(encoding="utf-8"), json.loads(MEASURED.read_text(encoding="utf-8"))
    for crops, means in measured["means"].items():
        cells = " | ".join(f"{means[key]:.{places}f}" for key, places in COLUMNS.items())
        assert f"| {crops} | {cells} |" in page
    assert f"Measured on {measured['means']['ffhq 256']['frames']} frames of 384 pixels" in page
    moved = measured["moved"]["by crop"]["ffhq 256"]
    said = re.search(
        r"crops of `ffhq 256` move what is read by ([\d.]+) in identity, ([\d.]+) in shape, ([\d.]+) in expression and "
        r"([\d.]+) rad\s+in pose. Handed .*? they move it by ([\d.]+), ([\d.]+), ([\d.]+) and ([\d.]+), which",
        page,
    )
    assert said is not None
    for text, value in zip(said.groups(), [*moved["pasted"], *moved["handed over"]], strict=True):
        assert abs(float(text) - value) <= 0.5 * 10 ** -len(text.partition(".")[2]) + 1e-9


def test_pasting_moves_less_than_handing_over_and_a_hard_edge_less_than_a_soft_one() -> None:
    measured = json.loads(MEASURED.read_text(encoding="utf-8"))
    for ways in measured["moved"]["by crop"].values():
        for other in ways.keys() - {"pasted"}:
            assert all(a <= b for a, b in zip(ways["pasted"], ways[other], strict=True)), other
