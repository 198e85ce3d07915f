"""Every sentence of README and docs that compares says what a committed file says, or how it was measured and by whom.

`tests/docs/claims/*.toml` hold an entry for each: `says`, words that one sentence of the `page` has; and one of

- `root`, a committed file or folder; `numbers`, for each number of the sentence in its order the expression that gives it
  (tests/support/claims.py); `holds`, the orders that the sentence states. A number may be "given", where it says what was
  set (a count of people, steps), or "measured";
- `measured`: how, where nothing is kept; the sentence, or the head of its page, must say "measured once";
- `not_ours`: whose number it is;
- `no_claim`: why it compares nothing that was measured.

docs/history.md tells what older versions said; its numbers are those of commits, not of committed files.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.claims import compares, holds, numbers, sentences, value, written
from tests.support.pages import ROOT, name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CLAIMS = Path(__file__).with_name("claims")
PAGES = [ROOT / "README.md", *(p for p in sorted((ROOT / "docs").rglob("*.md")) if p.name != "history.md")]
KINDS = {"root", "measured", "not_ours", "no_claim"}


def entries() -> list[dict[str, Any]]:
    found = []
    for file in sorted(CLAIMS.glob("*.toml")):
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        found += [{"page": table["page"], **claim} for claim in table["claim"]]
    return found


@cache
def prose(page: str) -> list[str]:
    return [*sentences((ROOT / page).read_text(encoding="utf-8"))]


def sentence(claim: dict[str, Any]) -> str:
    found = [text for text in prose(claim["page"]) if claim["says"] in text]
    assert len(found) == 1, f"{len(found)} sentences of {claim['page']} say: {claim['says']}"
    return found[0]


def differs(claim: dict[str, Any], text: str) -> list[str]:
    """What in a sentence is not as the committed files have it, one line each; [] where all is."""
    shown, sources = numbers(text), claim.get("numbers", [])
    if len(shown) != len(sources):
        return [f"the sentence has the numbers {', '.join(shown)}; the entry has {len(sources)}"]
    found = []
    for number, source in zip(shown, sources, strict=True):
        if source == "given":
            if "." in number or f"{number} %" in text:
                found.append(f"{number} is no number that is given")
        elif source != "measured":
            fresh = written(value(source, claim["root"]), number)
            if fresh != number:
                found.append(f"{number} is {fresh} by {source}")
    return found + [f"not so: {order}" for order in claim.get("holds", []) if not holds(order, claim["root"])]


@pytest.mark.parametrize("claim", entries(), ids=lambda claim: f"{claim['page']}: {claim['says'][:50]}")
def test_a_claim_is_what_the_committed_files_say(claim: dict[str, Any]) -> None:
    text = sentence(claim)
    assert claim.keys() <= {"page", "says", "numbers", "holds", *KINDS}
    assert claim.keys() & KINDS, "an entry says where its numbers come from"
    if "root" in claim:
        assert not differs(claim, text), f"{claim['page']}: {text}"
        assert claim.get("numbers") or claim.get("holds")
        assert ("measured" in claim.get("numbers", ())) == ("measured" in claim)
    if "measured" in claim:
        assert any("measured once" in said for said in (text, *prose(claim["page"])[:3])), text


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_comparison_has_an_entry(page: Path) -> None:
    said = [claim["says"] for claim in entries() if claim["page"] == name(page)]
    left = [
        text for text in prose(name(page)) if compares(name(page), text) and not any(s in text for s in said)
    ]
    assert not left, f"tests/docs/claims has no entry for: {left}"


def test_what_does_not_carry_over_stands_beside_what_the_committed_file_says() -> None:
    """The last column of the typed table in docs/instruments.md is `anny` on our own renders."""
    text = (ROOT / "docs" / "instruments.md").read_text(encoding="utf-8")
    table = text[text.index("## What does not carry over") : text.index("## The detector")]
    last = [line.split("|")[-2].strip() for line in table.splitlines() if line.startswith("| ")]
    keys = ("pose_rank_correlation", "shape_rank_correlation", "expression_rank_correlation", "shape_auc")
    fresh = [value(f"anny/{key}", "results/validity/instruments") for key in keys]
    assert [cell for cell in last if cell.startswith(("0.", "1."))] == [
        written(number, like) for number, like in zip(fresh, ("0.00", "0.00", "0.00", "0.000"), strict=True)
    ]


CLAIM = {"root": "results/embedders-lfw/embedders", "numbers": ["contrastive/d_smooth", "arcface/d_smooth"]}


@pytest.mark.parametrize(
    ("text", "also", "found"),
    [
        ("Smoother (0.510 against 0.684).", {}, []),
        ("Smoother (0.511 against 0.684).", {}, ["0.511 is 0.510 by contrastive/d_smooth"]),
        ("Smoother (0.51 against 0.684; 3 seeds).", {}, ["the sentence has the numbers 0.51, 0.684, 3"]),
        ("As smooth (0.51, 0.7).", {"numbers": ["given", "arcface/d_smooth"]}, ["0.51 is no number that is given"]),
        ("As smooth (51 %, 0.7).", {"numbers": ["given", "arcface/d_smooth"]}, ["51 is no number that is given"]),
        ("0.51, 0.68", {"holds": ["arcface/d_smooth < contrastive/d_smooth"]}, ["not so: arcface/d_smooth <"]),
    ],
)  # fmt: skip
def test_a_wrong_sentence_is_noticed(text: str, also: dict[str, Any], found: list[str]) -> None:
    said = differs(CLAIM | also, text)
    assert len(said) == len(found)
    assert all(line.startswith(start) for line, start in zip(said, found, strict=True))


def test_the_scan_finds_claims_and_passes_over_what_is_made() -> None:
    page = "# 1 better\n\nA is better\nthan B by 2. Then `x than 3`.\n\n| 4 | better |\n\n- C has 5.5 %.\n- D\n\n"
    page += "<!-- table: a -->\nE than 6.\n<!-- end -->\n\n```\nF than 7\n```\n"
    assert [*sentences(page)] == ["A is better than B by 2.", "Then `x than 3`.", "- C has 5.5 %.", "- D"]
    assert [compares("docs/swap.md", text) for text in sentences(page)] == [True, False, False, False]
    assert [compares("README.md", text) for text in sentences(page)] == [True, False, True, False]
    assert numbers("See Fig. 9 of 3DDFA_V2, 128-d: 1,801 of −0.5 to +2 (`9`, [a](b.md#7))") == [
        "1,801",
        "−0.5",
        "+2",
    ]


def test_expressions() -> None:
    root = "results/embedders-lfw"
    assert value("2 * 3 - 1 / 5", ".") == 1
    assert value("max 1 3 2", ".") == 3
    assert value("way 1 2 5", ".") == 25
    assert value("'differences/d_smooth/contrastive - arcface/separated'", root) == 1
    assert value("embedders/arcface/networks/seed=0/training/steps", root) == 1800
    assert written(1801.4, "1,800") == "1,801"
    assert written(-0.04, "0.0") == "0.0"
    assert written(-0.5, "−0.50") == "−0.50"
    assert written(0.5, "+0.3") == "+0.5"
    for path, message in (
        ("embedders/arcfac", "'arcfac' of .*: there is contrastive, arcface"),
        ("embedders/arcface/networks/seed=9/steps", "0 entries fit"),
    ):
        with pytest.raises(KeyError, match=message):
            value(path, root)
    with pytest.raises(KeyError, match="no such folder or file"):
        value("results/ffpp-defualt/smoothswap", ".")
