"""The parser of every command: an error is one line with a suggestion, and help keeps the lines of its texts."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from smoothswap.plumbing.errors import EXIT_USAGE, suggestion


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line with a suggestion; its help keeps the lines of its texts.

    Options are not abbreviated, so that a new one never changes what an old script means.
    """

    def __init__(self, prog: str | None = None, **options: Any) -> None:
        options.setdefault("allow_abbrev", False)
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(prog, **options)

    def error(self, message: str) -> NoReturn:
        """Print one line and leave with code 2."""
        print(f"error: {message} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(EXIT_USAGE)

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> argparse.Namespace:  # type: ignore[override]
        """Parse; an unknown option is an error that names the nearest known one.

        Args:
            args: The words after the command; None: sys.argv's.
            namespace: An object that takes the options as attributes; None: a new one.

        Returns:
            The options.

        Raises:
            SystemExit: With code 2, after a line on standard error, for bad words; with 0 after --help.
        """
        options: argparse.Namespace
        options, unknown = self.parse_known_args(args, namespace)
        if unknown:
            name = unknown[0].partition("=")[0]
            self.error(f"unknown option {unknown[0]!r}.{suggestion(name, _options_of(self))}")
        return options


def _options_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The long options of a parser and of its subcommands."""
    for action in parser._actions:
        yield from (name for name in action.option_strings if name.startswith("--"))
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from _options_of(sub)
