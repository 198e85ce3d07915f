"""The kit of bench's commands: smoothswap.cli's, with the errors of instruments, metrics and results."""

from __future__ import annotations

from bench.errors import EXIT_DATA, EXIT_USAGE
from metrics.instruments import InstrumentError
from metrics.registry import RegistryError
from reports.results import OutputError, ResultsError
from smoothswap.cli import command_with

CODES = {
    InstrumentError: EXIT_USAGE,
    RegistryError: EXIT_USAGE,
    OutputError: EXIT_DATA,
    ResultsError: EXIT_DATA,
}
command = command_with(CODES)
"""The decorator of a `main`."""
scoring = command_with(CODES, stopped="stopped; results are written at the end, so none of this run were")
"""That of a run."""
