"""Where committed weights depart from the paper (bench.swappers.departures), as notes under tables."""

from __future__ import annotations

from collections.abc import Sequence

from bench.swappers.departures import of_committed
from reports.markdown import departed
from reports.table import RunFiles


def notes(runs: Sequence[RunFiles]) -> str:
    """The lines under a table that say where its committed weights depart from the paper; "" where none are in it.

    Of results that say it themselves the table has the line already.
    """
    found = ""
    for run in runs:
        model = run.results.run.model
        said = of_committed(str(getattr(model, "weights", None) or ""), model.weights_sha256)
        if said and not model.departures:
            found += f"\n{departed(run.name, ', '.join(said))}\n"
    return found
