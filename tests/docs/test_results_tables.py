"""The tables of the pages say what the committed results say: read here from the raw JSON, apart from what makes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from tests.support.pages import PAGES, ROOT, name

RESULTS = ROOT / "results"
MARKED = re.compile(r"<!-- table: (\S+)(?: (?:columns|rows)=(\S+))? -->\n(.*?)<!-- end -->", re.DOTALL)
NUMBER = re.compile(r"(−?\d+\.\d+)")


def tables() -> Iterator[Any]:
    """(result, keys, rows of cells with the heading first) of every table that is made, named by page and place."""
    for page in PAGES:
        for i, found in enumerate(MARKED.finditer(page.read_text(encoding="utf-8"))):
            rows = [
                [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
                for line in found[3].splitlines()
                if line.startswith("|") and "---" not in line
            ]
            yield pytest.param(
                found[1], found[2].split(",") if found[2] else [], rows, id=f"{name(page)}-{i}-{found[1]}"
            )


def says(cell: str, figure: dict[str, Any] | None) -> bool:
    """Whether a cell shows this value and interval, in as many decimals as it gives."""
    if figure is None or figure["value"] is None:
        return cell in ("", "–")
    numbers = [figure["value"], *(figure["ci95"] or [])]
    shown = NUMBER.findall(cell.replace("\\", ""))
    return len(shown) == len(numbers) and all(
        text
        == f"{round(number, len(text.partition('.')[2])) + 0.0:.{len(text.partition('.')[2])}f}".replace(
            "-", "−"
        )
        for text, number in zip(shown, numbers, strict=True)
    )


def plain(cell: str) -> str:
    """The name in a row's first cell, without emphasis and the note behind it."""
    return cell.replace("\\", "").replace("*", "").partition(" (")[0]


def columns(rows: list[list[str]], figures: list[dict[str, Any]], keys: list[str]) -> dict[str, int]:
    """Which column shows which key: one whose cells all agree, so that no heading has to be known."""
    found = {}
    for key in keys:
        fitting = [
            i
            for i in range(1, len(rows[0]))
            if all(says(row[i], figure.get(key)) for row, figure in zip(rows, figures, strict=True))
        ]
        assert fitting, f"no column shows {key}"
        found[key] = fitting[0]
    return found


@pytest.mark.parametrize(("result", "keys", "rows"), [one for one in tables() if one.values[0] == "faults"])
def test_the_faults_are_the_campaigns(result: str, keys: list[str], rows: list[list[str]]) -> None:
    kinds = read(RESULTS / "faults.json")["kinds"]
    shown, family = {}, ""
    for what, kind, *cells in rows[1:-1]:
        family = plain(what) or family
        shown[family, kind] = [int(cell) for cell in cells[:2]]
    for kind in kinds:
        assert shown[kind["family"], kind["name"]] == [kind["tried"], kind["survived"]]
        assert kind["survived"] + sum(one["count"] for one in kind["left"].values()) == kind["tried"]
    sums = [sum(kind[key] for kind in kinds) for key in ("tried", "survived")]
    assert [int(cell) for cell in rows[-1][2:4]] == sums


@pytest.mark.parametrize(("result", "keys", "rows"), [one for one in tables() if one.values[0] != "faults"])
def test_the_cells_are_the_results(result: str, keys: list[str], rows: list[list[str]]) -> None:
    heading, *body = rows
    if (RESULTS / result).is_dir():
        raw = [read(RESULTS / result / plain(row[0]) / "results.json") for row in body]
        assert len({*columns(body, [one["metrics"] for one in raw], keys).values()}) == len(heading) - 2
        assert [row[-1] for row in body] == [
            f"{r['counts']['used']} of {r['counts']['expected']}" for r in raw
        ]
        assert {plain(row[0]) for row in body} == {
            path.parent.name for path in RESULTS.glob(f"{result}/*/results.json")
        }
        return
    study = read(RESULTS / f"{result}.json")
    if result == "false-words":
        found = study["comparisons"]
        assert [row[0] for row in body[:-1]] == [f"{one['a']} and {one['b']} ({one['run']})" for one in found]
        for cell, key in ((3, "corrected"), (4, "alone")):
            shares = [100 * one[key] / study["runs"] for one in found]
            assert [row[cell] for row in body] == [f"{share:.1f} %" for share in (*shares, mean(shares))]
    elif result == "detection":
        detectors_are_the_studys(study, body)
    elif result in ("finished-check", "crops-check"):
        counts_are_the_studys(study, body)
    elif result == "ablation":
        arms = study["arms"]
        assert [row[0] for row in body] == list(arms)
        assert (
            len({*columns(body, [arm["at_common_step"] for arm in arms.values()], keys).values()})
            == len(heading) - 1
        )
    elif result.startswith("embedders"):
        assert heading[1:] == list(study["embedders"])
        for key, row in zip(keys, body, strict=True):
            assert all(
                says(cell, study["embedders"][group].get(key))
                for group, cell in zip(heading[1:], row[1:], strict=True)
            ), key
    else:
        instruments = study["instruments"]
        assert heading[1:-1] == list(instruments)
        keys = {key for figures in instruments.values() for key, one in figures.items() if "value" in one}
        for row in body:
            cells = dict(zip(heading[1:-1], row[1:-1], strict=True))
            assert any(
                all(says(cell, instruments[i].get(key)) for i, cell in cells.items()) for key in keys
            ), row


def detectors_are_the_studys(study: dict[str, Any], body: list[list[str]]) -> None:
    cases = list(study["rendered"]["yunet"])
    assert [row[0] for row in body] == cases
    for row, case in zip(body, cases, strict=True):
        for i, detector in enumerate(study["rendered"]):
            of, (far, lost, wrong) = study["rendered"][detector][case], row[1 + 3 * i : 4 + 3 * i]
            assert far == "-" if of["points"] is None else far.startswith(f"{of['points']:.3f} (")
            assert lost == f"{of['missed'] + of['doubted']} of {of['pictures']}"
            assert wrong == str(of["wrong"])


def counts_are_the_studys(study: dict[str, Any], body: list[list[str]]) -> None:
    """Each row counts the variants of its material, and ends with those that went wrong in silence."""
    for row in body:
        made = "" if row[0] == "all" else f"{row[0]}: "
        whole, *numbers = [int(cell.replace(",", "")) for cell in row[1:]]
        assert whole == sum(numbers)
        for group, shown, last in (("right", numbers[:3], "refused"), ("wrong", numbers[3:], "silent")):
            counts = [found for variant, found in study[group].items() if variant.startswith(made)]
            assert sum(shown) == sum(n for found in counts for n in found.values())
            assert shown[-1] == sum(found.get(last, 0) for found in counts)
    apart = sum(n for found in study.get("alike", {}).values() for n in found.values())
    assert body[-1][1] == f"{study['variants'] - apart:,}"


def test_a_wrong_cell_is_noticed() -> None:
    figure = {"value": 0.3791, "ci95": [0.358, 0.4001]}
    assert says("**0.379** (0.358 to 0.400)", figure)
    assert says("0.379† (0.358 to 0.400)", figure)
    assert not says("0.378 (0.358 to 0.400)", figure)
    assert not says("0.379 (0.358 to 0.401)", figure)
    assert not says("0.379", figure)
    assert says("−0.0", {"value": -0.04, "ci95": None}) is False
    assert says("0.0", {"value": -0.04, "ci95": None})


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_the_sizes_of_galleries_are_the_results() -> None:
    """The table of docs/protocol.md: retrieval of the default run among fewer people."""
    text = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    sizes, ours, nothing = (
        [cell.strip() for cell in line.strip("| ").split("|")]
        for line in re.findall(r"^\| (?:people|smoothswap on|nothing swapped).*$", text, re.MULTILINE)
    )
    for row, model in ((ours, "smoothswap"), (nothing, "copy-target")):
        curve = read(RESULTS / "ffpp-default" / model / "results.json")["metrics"]["id_retrieval"]["curve"]
        assert sizes[1:] == [str(point["people"]) for point in curve]
        assert row[1:] == [f"{point['value']:.1f}" for point in curve]
