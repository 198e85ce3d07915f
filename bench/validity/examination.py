"""What the examinations of one reading have in common: their options, and how their figures are given."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reports.results import write_atomic
from smoothswap.cli import Parser, at_least, check_file


def parser(module: str, description: str | None) -> Parser:
    """The command line: people, size, seed and out.

    Args:
        module: Of the command.
        description: Its docstring.

    Returns:
        A parser that may get more options.
    """
    made = Parser(f"python -m {module}", description=description)
    add = made.add_argument
    add("--people", type=at_least(3), default=30, metavar="N", help="rendered people a world (%(default)s)")
    add("--size", type=at_least(64), default=256, metavar="PX", help="side (%(default)s)")
    add("--seed", type=at_least(0), default=99, metavar="N", help="of the draws (%(default)s)")
    add("--out", type=Path, metavar="FILE", help="write the figures there too")
    return made


def parsed(made: Parser, argv: Sequence[str] | None) -> argparse.Namespace:
    """The options, once the file that they name is proved.

    Args:
        made: From `parser`.
        argv: The words after the command; None: sys.argv's.

    Raises:
        DataError: The file cannot be written.
    """
    options = made.parse_args(argv)
    if options.out:
        check_file(options.out)
    return options


def give(content: dict[str, Any], out: Path | None) -> None:
    """Print what was found, as JSON, and write it where it was asked for.

    Args:
        content: Plain values.
        out: The file; None: none.

    Raises:
        OutputError: It cannot be written.
    """
    text = json.dumps(content, indent=1)
    if out:
        write_atomic(out, f"{text}\n".encode())
    print(text)
