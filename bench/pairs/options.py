"""The command line of bench.pairs: that of bench.ffpp, less what is FaceForensics++'s, and the list."""

from __future__ import annotations

from pathlib import Path

from bench.ffpp.options import filled
from smoothswap.cli import Parser

EXAMPLES = """
examples:
  python -m bench.pairs --pairs pairs.csv --images photos --model smoothswap --model classical
  python -m bench.pairs --pairs pairs.csv --images photos --model mine=list:swap    finished swaps by a column of the list
  python -m bench.pairs --pairs image_pairs_normal.txt --images faces --model 'mine=images:swaps?name={source}-{target}'
  python -m bench.make_pairs --from lfw/images_deepfunneled --out pairs.csv         a list of a folder of identities

exit codes: 0 scored, 2 a wrong option, model or instrument, 3 a list, data or output folder that cannot be used
"""
# Of bench.ffpp alone: a list says all of this by itself.
_WITHOUT = (
    "--data",
    "--protocol",
    "--sequences",
    "--compression",
    "--split",
    "--splits",
    "--identity-map",
    "--self",
    "--cycle",
)


def parser() -> Parser:
    """The command line; options of bench.ffpp that are left out have their default."""
    made = Parser(
        "python -m bench.pairs",
        description="Score face-swap models on a list of pairs of pictures or videos, and on slices of it.",
        epilog=EXAMPLES,
    )
    add = made.add_argument_group("the list").add_argument
    add(
        "--pairs", type=Path, required=True, metavar="FILE",
        help="CSV, TSV, text or JSON with the columns source and target; swap, source_person, target_person and id mean "
        "something as well, every other column is sliced by",
    )  # fmt: skip
    add("--images", type=Path, required=True, metavar="DIR", help="below which sources and targets lie")
    add(
        "--swaps", type=Path, metavar="DIR", help="below which the swaps lie that the list names (that of --images)"
    )  # fmt: skip
    add(
        "--columns", metavar="A,B", help="names of the columns of a list that does not name them (source,target)"
    )  # fmt: skip
    add(
        "--people", default="auto", metavar="RULE",
        help="who is in a picture, where no column says it: name (every picture somebody else), folder, or a regular "
        "expression whose first group is the person; auto knows the names of LFW and CASIA (%(default)s)",
    )  # fmt: skip
    filled(made, _WITHOUT)
    made.set_defaults(
        out=Path("runs/pairs"), data=None, protocol=None, sequences=None, compression=None, split=None, splits=None,
        identity_map=None, mode=None,
    )  # fmt: skip
    return made
