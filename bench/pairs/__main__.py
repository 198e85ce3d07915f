"""Score face-swap models on a list of pairs of pictures or videos: the machine of bench.ffpp, and slices besides.

    python -m bench.pairs --pairs pairs.csv --images photos --model smoothswap --model classical

Heavy imports wait until the options are known to be right.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from bench.cli import scoring
from bench.errors import UsageError
from bench.pairs.options import parser
from smoothswap.cli import foresee_folder

if TYPE_CHECKING:
    from bench.data.lists.pair_list import PairList
    from bench.data.pairs import Pair
    from bench.ffpp.plan import Plan

KIND = "pairs"
"""What results.json calls such data."""


@scoring
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = parser().parse_args(arguments)
    from bench.ffpp.__main__ import carry_out

    if not options.dry_run:
        foresee_folder(options.out)

    started = datetime.now(timezone.utc)
    return carry_out(
        prepare(options), options, shlex.join(["python", "-m", "bench.pairs", *arguments]), started
    )


def prepare(options: argparse.Namespace) -> Plan:
    """The plan of a run over a list.

    Args:
        options: What `parser` gave.

    Returns:
        The run. Where the list holds pictures alone, one frame is expected of each.

    Raises:
        UsageError: For a wrong option.
        DataError: For a list or folder that cannot be used.
    """
    from bench.data.lists.pair_list import SPLIT, PairList
    from bench.data.lists.table import read_table
    from bench.data.pairs import Dataset
    from bench.ffpp.plan import check_gallery, planned, protocol_of
    from bench.ffpp.protocol import Protocol

    columns = [name.strip() for name in options.columns.split(",")] if options.columns else ()
    dataset = PairList(read_table(options.pairs, columns), options.images, options.people, options.swaps)
    pairs = dataset.pairs(SPLIT, options.limit)
    if not options.skip_missing:
        dataset.require(pairs)
    if dataset.only_pictures(pairs):
        if options.video:
            raise UsageError("--video reads frames that follow each other, and the list holds pictures alone")
        options.frames = options.frames or 1
    if options.model is None and "swap" in dataset.table.columns:
        options.model = ["list"]

    def data() -> tuple[Protocol, Dataset, list[Pair]]:
        protocol = protocol_of(options, ("other", "as_is", SPLIT))
        check_gallery(protocol, pairs)
        return protocol, dataset, pairs

    plan = planned(options, KIND, data)
    _say(dataset, pairs)
    return plan


def _say(dataset: PairList, pairs: list[Pair]) -> None:
    """How the list was understood, on standard error."""
    from bench.data.pairs import in_several_pairs, people_in

    people, several = people_in(pairs), in_several_pairs(pairs)
    print(
        f"{dataset.table.file}: {len(pairs):,} pairs of {len(people):,} people ({dataset.rule.said}); sliced by "
        f"{', '.join(dataset.sliced_by) or 'no column'}",
        file=sys.stderr,
    )
    if several:
        print(
            f"warning: {len(several):,} of the {len(people):,} people are in more than one pair of people; intervals take "
            "pairs of people as independent, and are too narrow where much depends on a person",
            file=sys.stderr,
        )


if __name__ == "__main__":
    sys.exit(main())
