"""Every kind of fault of a campaign, in the order of its table."""

from __future__ import annotations

from bench.faults import forgeries, runs, trials

KINDS = (*trials.KINDS, *runs.KINDS, *forgeries.KINDS)
