"""How every command ends: one clear line on standard error and an exit code, instead of a traceback."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence

from bench.errors import EXIT_DATA, EXIT_USAGE, DataError, EndedEarly, UsageError
from metrics.instruments import InstrumentError
from reports.results import OutputError, ResultsError
from smoothswap.data import store

Main = Callable[[Sequence[str] | None], int]


def refused(error: object, code: int) -> int:
    """Say `error` on standard error; returns `code`."""
    print(f"error: {error}", file=sys.stderr)
    return code


def command(main: Main) -> Callable[..., int]:
    """`main` with its refusals as exit codes: 2 a wrong option or instrument, 3 data or output folder that cannot be used,
    what an EndedEarly carries, 130 for Ctrl-C."""

    @functools.wraps(main)
    def guarded(argv: Sequence[str] | None = None) -> int:
        try:
            return main(argv)
        except (UsageError, InstrumentError) as error:
            return refused(error, EXIT_USAGE)
        except (DataError, store.DataError, OutputError, ResultsError) as error:
            return refused(error, EXIT_DATA)
        except EndedEarly as error:
            return refused(error, error.code)
        except KeyboardInterrupt:
            return refused("stopped", 130)

    return guarded
