"""Processes forked from a server that has torch loaded: a start costs no import, and inherits no state of a test.

Of one worker's tests there is one server, started by the first that needs it.
"""

from __future__ import annotations

import multiprocessing

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["smoothswap.train", "torch._dynamo"])
