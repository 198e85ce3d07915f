"""What there is: models, instruments, metrics and protocols, each with what it still needs.

python -m bench.list
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bench import data
from bench.cli import command
from bench.data.ffpp import FFPP_METHODS
from bench.ffpp.protocol import Protocol
from bench.reading.instruments import available
from bench.swappers import BUILT_IN, GROUP, entry_points
from metrics import METRICS
from metrics.pictures.distances import FILTER_BANK
from metrics.registry import PICTURES
from metrics.spec import Declared
from smoothswap.cli import Parser

Line = tuple[str, str, str]  # name, one line, what it needs ("" for nothing)


def models() -> list[Line]:
    """What --model takes."""
    from smoothswap import pretrained

    needs = {"oracle": "data with the true swap", "smoothswap": ""}
    try:
        pretrained.locate(pretrained.CHOSEN)
    except ValueError as error:
        needs["smoothswap"] = str(error)
    lines = [(name, line, needs.get(name, "")) for name, line in BUILT_IN.items()]
    lines += [(f"smoothswap:{name}", line, "") for name, line in pretrained.swappers()]
    lines += [
        (name, "finished swaps of FaceForensics++", f"manipulated_sequences/{name}") for name in FFPP_METHODS
    ]
    lines.append(("images:DIR", "finished swaps of anybody, named target_source", "the folder"))
    lines.append(
        ("list:COLUMN", "finished swaps that a column of a pair list names (bench.pairs)", "the list")
    )
    lines.append(
        ("package.module:factory", "your model: .size and .swap(source, target) on crops", "the package")
    )
    lines += [(entry.name, f"entry point {entry.value}", "") for entry in entry_points()]
    return lines


def datasets() -> list[Line]:
    """The kinds of data, with the file or package that brings them."""
    return [(name, f"entry point {entry.value}", "") for name, entry in data.entry_points().items()]


def protocols() -> list[Line]:
    """Every rule of the protocol with its default, as results.json stores them."""
    defaults = Protocol()
    return [
        (name, (field.description or "fixed") + f" (default: {getattr(defaults, name)})", "")
        for name, field in Protocol.model_fields.items()
    ]


def metrics() -> list[Line]:
    """Every metric with its group, unit and direction."""
    lines = []
    for metric in METRICS.values():
        needs = [f"an instrument that reads {name}" for name in metric.reads]
        needs = [f"the instrument {metric.only}"] if metric.only else needs
        needs += ["data with the true swap"] if metric.needs_truth else []
        needs += ["--lpips FILE"] if metric.key == "lpips_outside" else []
        needs += ["--video N"] if metric.needs_clips else []
        lines.append(_metric_line(metric, needs))
    lines += [
        _metric_line(metric, [] if metric.network == FILTER_BANK else ["--inception FILE"])
        for metric in PICTURES.values()
    ]
    return lines


def _metric_line(metric: Declared, needs: Sequence[str]) -> Line:
    way = "up" if metric.higher_is_better else "down"
    return (
        metric.key,
        f"{metric.label}, {metric.group.lower()}, {metric.unit}, better {way}",
        ", ".join(needs),
    )


@command
def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    Parser("python -m bench.list", description=__doc__, allow_abbrev=False).parse_args(argv)
    instruments = [
        (e.name, f"reads {', '.join(e.reads)}: {e.description}", e.needs or "") for e in available()
    ]
    sections = {
        f"models (--model; more come from entry points of the group {GROUP})": models(),
        "instruments (--instruments)": instruments,
        f"data sets (--data KIND:ROOT; more come from entry points of the group {data.GROUP})": datasets(),
        "metrics": metrics(),
        "protocol: FaceForensics++ (python -m bench.ffpp), rules": protocols(),
    }
    for title, lines in sections.items():
        print(f"{title}")
        for name, line, needs in lines:
            print(f"  {name:23} {line}" + (f" [needs {needs}]" if needs else ""))
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
