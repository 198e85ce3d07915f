"""How good is each instrument? On rendered faces with known truth and, where it is given, on Labeled Faces in the Wild.

--lfw is a folder with images_deepfunneled/Name/Name_0001.jpg and meta/pairs.txt, meta/pairsDevTest.txt.
Writes OUT/validity.json and OUT/validity.html; prints a Markdown table, or with --json the JSON.
"""

from __future__ import annotations

import argparse
import json
import math
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.cli import command
from bench.errors import EXIT_OK, UsageError
from bench.reading.instruments import available, create
from bench.validity.measures import examine, figures
from metrics.statistics.agreement import Estimate
from reports.studies.schema_validity import VERSION
from reports.studies.validity import markdown, write_page, write_validity
from smoothswap.cli import Parser, at_least, check_folder
from smoothswap.media.patience import patient

EXAMPLES = """
examples:
  python -m bench.validity --out runs/validity                            rendered faces, the default instruments
  python -m bench.validity --lfw /data/lfw --instruments dlib,anny        and the photographs of LFW
"""
# The verdict's thresholds are ours: what a figure must reach to be "good", and under what it is "bad".
GOOD = {
    "shape_rank_correlation": 0.8,
    "expression_rank_correlation": 0.85,
    "pose_rank_correlation": 0.9,
    "identity_auc": 0.98,
    "lfw_identity_accuracy": 98.5,
    "lfw_shape_auc": 0.65,
}
BAD = {
    "shape_rank_correlation": 0.5,
    "expression_rank_correlation": 0.5,
    "pose_rank_correlation": 0.6,
    "identity_auc": 0.9,
    "lfw_identity_accuracy": 90.0,
    "lfw_shape_auc": 0.55,
}
LEAK_GOOD, LEAK_BAD = 0.5, 0.8  # of the largest selectivity, blur and compression aside
RULE = (
    "good: every figure reaches its mark and nothing else moves the reading more than half as far as what it is meant for; "
    "bad: a figure is below its floor, or something else moves it at least 0.8 as far; fair: between. The marks are ours: "
    + ", ".join(f"{key} {BAD[key]:g} and {GOOD[key]:g}" for key in GOOD)
    + ". An instrument that is bad at one reading may be good at another."
)


def parser() -> Parser:
    """The options of `python -m bench.validity`."""
    made = Parser("python -m bench.validity", description=__doc__, epilog=EXAMPLES)
    add = made.add_argument
    add("--instruments", action="append", metavar="A,B", help="what is examined (those that need nothing)")
    add("--people", type=at_least(3), default=60, metavar="N", help="rendered people (%(default)s)")
    add(
        "--size",
        type=at_least(64),
        default=256,
        metavar="PX",
        help="side of a rendered picture (%(default)s)",
    )
    add("--lfw", type=Path, metavar="DIR", help="folder of Labeled Faces in the Wild")
    add("--seed", type=at_least(0), default=99, metavar="N", help="of the people and the draws (%(default)s)")
    add(
        "--out",
        type=Path,
        default=Path("runs/validity"),
        metavar="DIR",
        help="results and page (%(default)s)",
    )
    add("--json", action="store_true", help="print validity.json on standard output")
    return made


def verdict(reading: str, found: dict[str, Any]) -> dict[str, Any]:
    """How good an instrument is at one reading, by the marks of GOOD and BAD and what else moves it.

    Args:
        reading: "identity", "shape", "expression" or "pose".
        found: The instrument's figures, as `plain` gives them.

    Returns:
        "verdict": good, fair, bad, or unknown where no figure of the reading has a value and nothing else
        moves it far; "reasons": a line each.
    """
    own = {k: e for k, e in found.items() if k in GOOD and reading in k and e["value"] is not None}
    reasons, worst = [], "good" if own else "unknown"
    order = ["good", "fair", "bad"]

    def at_most(level: str, why: str) -> None:
        nonlocal worst
        worst = level if worst == "unknown" else order[max(order.index(worst), order.index(level))]
        reasons.append(why)

    for key, e in own.items():
        if e["value"] < BAD[key]:
            at_most("bad", f"{key} {e['value']:.2f} is below {BAD[key]:g}")
        elif e["value"] < GOOD[key]:
            at_most("fair", f"{key} {e['value']:.2f} is below {GOOD[key]:g}")
    for factor, e in found.get("selectivity", {}).get(reading, {}).items():
        if factor in ("blur", "compression") or e["value"] is None:
            continue
        if e["value"] >= LEAK_BAD:
            at_most("bad", f"{factor} alone moves it {e['value']:.2f} times as far as what it is meant for")
        elif e["value"] > LEAK_GOOD:
            at_most("fair", f"{factor} alone moves it {e['value']:.2f} times as far as what it is meant for")
    return {"verdict": worst, "reasons": reasons}


def plain(found: Any) -> Any:
    """Estimates as {"value", "ci95", "n", "people"}, NaN as null, all the way down."""
    if isinstance(found, dict):
        return {key: plain(value) for key, value in found.items()}
    if not isinstance(found, Estimate):
        return found
    low, high = (None if math.isnan(x) else x for x in found.ci95)
    value = None if math.isnan(found.value) else found.value
    interval = None if low is None or high is None else [low, high]
    return {"value": value, "ci95": interval, "n": found.n, "people": found.people}


def run(options: argparse.Namespace, argv: Sequence[str]) -> dict[str, Any]:
    """Examine and return what validity.json holds.

    Args:
        options: What `parser` gave.
        argv: The arguments, for the command line that validity.json names.

    Returns:
        Content of validity.json.

    Raises:
        UsageError: For no instrument, or two of one name.
        DataError: For an output folder or LFW's that cannot be used.
        InstrumentError: For an instrument that cannot be had.
    """
    names = [entry.name for entry in available() if entry.default and entry.needs is None]
    specs = [
        s.strip() for text in options.instruments or [",".join(names)] for s in text.split(",") if s.strip()
    ]
    if not specs:
        raise UsageError(f"--instruments is empty; choose among {', '.join(e.name for e in available())}")
    instruments = {one.name: one for one in (create(spec, single=True) for spec in specs)}
    if len(instruments) < len(specs):
        raise UsageError("two of the instruments have one name; give one of them")
    if options.lfw is not None:
        from bench.validity.lfw import examine_lfw, open_lfw

        open_lfw(options.lfw)  # so that it is refused before the renders
    started = time.monotonic()
    check_folder(options.out)
    examined = examine(specs, options.people, options.size, options.seed)
    found = {n: plain(figures(examined, n, one.reads, options.seed)) for n, one in instruments.items()}
    if options.lfw is not None:
        with patient():
            of_photos = examine_lfw(options.lfw, list(instruments.values()))
        for name, one in of_photos.items():
            found[name] |= plain(one)
    about = {
        name: {
            "description": one.description,
            "licence": one.licence,
            "weights_sha256": one.weights_sha256,
            "crop": f"{one.crop.template} {one.crop.size}",
            "parameters": one.parameters,
        }
        for name, one in instruments.items()
    }
    return {
        "schema_version": VERSION,
        "command": shlex.join(["python", "-m", "bench.validity", *argv]),
        "options": {
            "people": options.people,
            "size": options.size,
            "seed": options.seed,
            "lfw": options.lfw is not None,
            "rule": RULE,
        },
        "instruments": found,
        "verdicts": {n: {r: verdict(r, found[n]) for r in one.reads} for n, one in instruments.items()},
        "missed": examined.missed(),
        "about": about,
        "seconds": round(time.monotonic() - started, 1),
    }


@command
def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    options = parser().parse_args(given)
    validity = run(options, given)
    write_validity(options.out, validity)
    page = write_page(options.out, validity)
    print(json.dumps(validity, indent=1) if options.json else markdown(validity))
    print(f"page: {page.resolve()}", file=sys.stderr)
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
