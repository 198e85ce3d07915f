"""The readings of each frame, as frames.parquet holds them: joined by key, so that runs compare frame by frame."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

from reports.results import MetricValue, ResultsError

Floats = npt.NDArray[np.float64]
KEY = ["compression", "clip", "position", "frame"]
FAILED = "failed_frames"
"""A metric of the ledger: 100 for a posed frame that could not be scored, 0 for one that was; in %."""
# How the ledger says that an original, not the swap, was unusable (runs made before the column "posed").
_NOT_THE_SWAP = ("target frame:", "target clip:", "source clip")


@dataclass(frozen=True)
class FrameTable:
    """One row a frame, indexed by KEY. posed: both originals have a face, so there was something to swap."""

    rows: pd.DataFrame

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> FrameTable | None:
        """Read a frames.parquet without its embeddings.

        Args:
            path: The file.

        Returns:
            The table; None for one without the columns that join frames.

        Raises:
            ResultsError: For a damaged file, naming it.
        """
        try:
            names = pq.read_schema(path).names
            if not {*KEY, "cluster", "status", "reason"} <= set(names):
                return None
            wanted = [n for n in names if not n.startswith(("swap/", "truth/", "picture/")) and n != "box"]
            table = pd.read_parquet(path, columns=wanted)
        except (OSError, ValueError, KeyError) as error:
            raise ResultsError(f"cannot read the readings in {Path(path)}: {error}") from error
        if table.duplicated(KEY).any():
            raise ResultsError(f"{Path(path)} has two rows for one frame; score the model again")
        if "posed" not in table:
            reasons = table["reason"].fillna("").astype(str)
            table["posed"] = ~reasons.str.startswith(_NOT_THE_SWAP)
        return cls(table.set_index(KEY))

    @property
    def metrics(self) -> list[str]:
        """Keys of the metrics that have a value of each frame."""
        return [str(c).removeprefix("metric/") for c in self.rows.columns if str(c).startswith("metric/")]

    def values(self, key: str, metric: MetricValue | None = None) -> pd.Series:
        """The metric of every frame.

        Where `metric` says that missing frames count, a posed frame without a value is what it counts as: as the
        column missing/KEY says, or 0 (so for ID retrieval, the one metric of older tables that counts them).

        Args:
            key: A metric, or FAILED.
            metric: What results.json says of it; None: missing frames do not count.

        Returns:
            float64 [n], NaN without a value, indexed by KEY.
        """
        if key == FAILED:
            failed = pd.Series(100.0 * (self.rows["status"] != "ok").to_numpy(bool), self.rows.index)
            return failed.where(self.rows["posed"].to_numpy(bool))
        values = self.rows[f"metric/{key}"].astype(np.float64)
        if metric is not None and metric.missing_policy == "count_as_wrong":
            column = f"missing/{key}"
            cost = self.rows[column].astype(np.float64) if column in self.rows else 0.0
            values = values.mask(values.isna() & self.rows["posed"].to_numpy(bool), cost)
        return values

    def clusters(self) -> pd.Series:
        """The independent unit of each frame, str [n]: the pair of people."""
        return self.rows["cluster"].astype(str)


def join(
    a: FrameTable, b: FrameTable, key: str, metrics: Sequence[MetricValue | None] = (None, None)
) -> tuple[Floats, Floats, npt.NDArray[np.str_]]:
    """The frames that two models both have a value for.

    Args:
        a: The first model's frames.
        b: The second's.
        key: A metric, or FAILED.
        metrics: The metric of either, whose policy decides what missing frames count as.

    Returns:
        (a, b, clusters): float64 [n], float64 [n], str [n].
    """
    both = pd.concat(
        [a.values(key, metrics[0]), b.values(key, metrics[1]), a.clusters()],
        axis=1,
        join="inner",
        keys=["a", "b", "cluster"],
    ).dropna()
    return both["a"].to_numpy(np.float64), both["b"].to_numpy(np.float64), both["cluster"].to_numpy(str)
