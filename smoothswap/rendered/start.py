"""Warp, started without words that a machine without a GPU has no use for."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import warp as wp

from smoothswap.plumbing.first import later

NO_DRIVER = b"Could not find or load the NVIDIA CUDA driver"


def start_warp() -> None:
    """Initialise warp: no greeting on standard output, which belongs to results, and no warning of a missing driver."""
    if hasattr(wp.config, "log_level"):
        wp.config.log_level = 40  # errors
    else:  # older releases
        wp.config.quiet = True  # type: ignore[attr-defined]
    with without_lines(NO_DRIVER):
        wp.init()


@contextmanager
def without_lines(unwanted: bytes) -> Iterator[None]:
    """Standard error without the lines that hold `unwanted`; all others come out at the end.

    Warp's native library prints that the driver is missing straight to the file descriptor, before it knows of any log
    level, so the descriptor itself is turned aside for the moment.
    """
    try:
        kept = os.dup(2)
    except OSError:  # a daemon may have closed it
        yield
        return
    with tempfile.TemporaryFile() as aside, later():
        os.dup2(aside.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            aside.seek(0)
            lines = [line for line in aside.read().splitlines(keepends=True) if unwanted not in line]
            if lines:
                os.write(2, b"".join(lines))
