"""The readings of each frame, as frames.parquet holds them: joined by key, so that runs compare frame by frame."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from reports.files import VIDEO
from reports.parquet import column_names, read_frame
from reports.results import MetricValue, ResultsError

Floats = npt.NDArray[np.float64]
KEY = ["compression", "clip", "position", "frame"]
FAILED = "failed_frames"
"""A metric of the ledger: 100 for a posed frame that could not be scored, 0 for one that was; in %."""
# How the ledger says that an original, not the swap, was unusable (runs made before the column "posed").
_NOT_THE_SWAP = ("target frame:", "target clip:", "source clip")

_UNREAD = ("swap/", "truth/", "back/", "picture/")  # readings, of which nothing here is made


@dataclass(frozen=True)
class FrameTable:
    """One row a frame, indexed by KEY. posed: both originals have a face, so there was something to swap.

    Args:
        rows: The protocol's frames.
        video: The frames that follow each other, where the run read some: metrics of video have their values there.
    """

    rows: pd.DataFrame
    video: pd.DataFrame | None = None

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> FrameTable | None:
        """Read a frames.parquet without its embeddings, and the video.parquet beside it where there is one.

        Args:
            path: The first file.

        Returns:
            The table; None for one without the columns that join frames.

        Raises:
            ResultsError: For a damaged file, naming it.
        """
        rows = _rows(Path(path))
        video = Path(path).with_name(VIDEO)
        return None if rows is None else cls(rows, _rows(video) if video.is_file() else None)

    @property
    def metrics(self) -> list[str]:
        """Keys of the metrics that have a value of each of the protocol's frames."""
        return _metrics(self.rows)

    @property
    def every_metric(self) -> list[str]:
        """The same and, after them, those of video."""
        return [*self.metrics, *(key for key in _metrics(self.video) if key not in self.metrics)]

    def _of(self, key: str) -> pd.DataFrame:
        if self.video is None or key == FAILED or f"metric/{key}" in self.rows:
            return self.rows
        return self.video

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
        rows = self._of(key)
        values = rows[f"metric/{key}"].astype(np.float64)
        if metric is not None and metric.missing_policy == "count_as_wrong":
            column = f"missing/{key}"
            cost = rows[column].astype(np.float64) if column in rows else 0.0
            values = values.mask(values.isna() & rows["posed"].to_numpy(bool), cost)
        return values

    def clusters(self, key: str = FAILED) -> pd.Series:
        """The independent unit of each frame: the pair of people.

        Args:
            key: A metric, of whose frames.

        Returns:
            str [n], indexed by KEY.
        """
        return self._of(key)["cluster"].astype(str)


def _rows(path: Path) -> pd.DataFrame | None:
    names = column_names(path)
    if not {*KEY, "cluster", "status", "reason"} <= set(names):
        return None
    table = read_frame(path, [name for name in names if not name.startswith(_UNREAD) and name != "box"])
    if table.duplicated(KEY).any():
        raise ResultsError(f"{path} has two rows for one frame; score the model again")
    if "posed" not in table:
        reasons = table["reason"].fillna("").astype(str)
        table["posed"] = ~reasons.str.startswith(_NOT_THE_SWAP)
    return table.set_index(KEY)


def _metrics(rows: pd.DataFrame | None) -> list[str]:
    columns = [] if rows is None else map(str, rows.columns)
    return [column.removeprefix("metric/") for column in columns if column.startswith("metric/")]


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
    first, second, clusters = a.values(key, metrics[0]), b.values(key, metrics[1]), a.clusters(key)
    if not first.index.equals(second.index):
        shared = first.index.intersection(second.index)
        first, second, clusters = first.loc[shared], second.loc[shared], clusters.loc[shared]
    x, y = first.to_numpy(np.float64), second.to_numpy(np.float64)
    there = ~(np.isnan(x) | np.isnan(y))
    return x[there], y[there], clusters.to_numpy(str)[there]
