"""Inject faults by kind, count what survives them, and print the table.

    python -m bench.faults --short

Kills at any point of what replaces a run, full disks, damaged media, forged weights, hostile names, argument lists and
files of settings. Each is drawn by a seed, so that it can be had again: --kinds KIND --seed S --count 1.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.cli import command
from bench.errors import EXIT_OK, EXIT_REGRESSION, DataError, UsageError, suggestion
from bench.faults.campaign import SCHEMA, campaign, chosen, content, markdown
from reports.results import write_atomic
from smoothswap.cli import Parser, at_least, check_file
from smoothswap.plumbing.texts import TextError, read_json

EXAMPLES = """
examples:
  python -m bench.faults --short                          a few of each kind that takes no whole run, in a minute
  python -m bench.faults --out results/faults.json        the long campaign, thousands of faults, in an hour or two
  python -m bench.faults --kinds weights,kills            two families of kinds
  python -m bench.faults --kinds "arguments:odd numbers" --seed 17 --count 1        one fault again

exit codes: 0 all survived, 2 a wrong option, 3 a file that cannot be written, 4 something is left: the table says what
"""


def parser() -> Parser:
    """The command line."""
    made = Parser("python -m bench.faults", description=__doc__, epilog=EXAMPLES)
    add = made.add_argument
    add("--kinds", metavar="A,B", help="families of kinds, or FAMILY:KIND (all; --list names them)")
    add("--list", action="store_true", help="name the kinds, with how many of each a campaign injects")
    add("--seed", type=at_least(0), default=0, metavar="S", help="the first of each kind (%(default)s)")
    add("--count", type=at_least(1), metavar="N", help="so many of each kind (as --list says)")
    add("--short", action="store_true", help="few, of kinds that take no whole run")
    add(
        "--out",
        type=Path,
        metavar="FILE",
        help="write the counts there, JSON; kinds counted there before stay",
    )
    add("--json", action="store_true", help="print the counts as JSON instead of the table")
    return made


def _before(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        found = read_json(path)
        if found["schema_version"] != SCHEMA or not all(kind["family"] for kind in found["kinds"]):
            raise TextError("of another version")
    except (TextError, KeyError, TypeError) as error:
        raise DataError(f"{path} holds no counts of a campaign ({error}); name another file") from None
    return dict(found)


def _without_out(words: list[str]) -> list[str]:
    """The words of the command less where it writes, which is nobody else's."""
    at = next(i for i, word in enumerate(words) if word.partition("=")[0] == "--out")
    return words[:at] + words[at + (1 if "=" in words[at] else 2) :]


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    options = parser().parse_args(given)
    from bench.faults.kinds import KINDS

    names = [name.strip() for name in (options.kinds or "").split(",") if name.strip()]
    try:
        kinds = chosen(KINDS, names)
    except KeyError as error:
        known = [kind.family for kind in KINDS] + [f"{kind.family}:{kind.name}" for kind in KINDS]
        name = error.args[0]
        raise UsageError(
            f"no kind of faults {name!r}.{suggestion(name, known)} (--list names them)"
        ) from None
    if options.list:
        for kind in kinds:
            print(f"{kind.family}:{kind.name}  {kind.count}, short {kind.short}")
        return EXIT_OK
    before = None
    if options.out:
        check_file(options.out)
        before = _before(options.out)

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    if options.short:
        kinds = [kind for kind in kinds if kind.short]
    tallies = campaign(
        kinds, options.seed, lambda kind: options.count or (kind.short if options.short else kind.count), say
    )
    words = given if options.out is None else _without_out(given)
    found = content(tallies, options.seed, shlex.join(["python", "-m", "bench.faults", *words]), before)
    text = json.dumps(found, indent=1) + "\n"
    if options.out:
        write_atomic(options.out, text)
    print(text if options.json else markdown(found), end="" if options.json else "\n")
    return EXIT_OK if found["survived"] == found["tried"] else EXIT_REGRESSION


if __name__ == "__main__":
    sys.exit(main())
