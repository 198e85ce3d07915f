"""Slices of a run over a pair list: by the columns of the list, and by how the originals' faces are shown.

A slice is a set of pairs, the same for every model. A column of texts is sliced by its values, a column of many numbers
and everything that is read from the pictures into thirds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bench.data.lists.pair_list import PairList
from bench.data.pairs import Pair
from bench.ffpp.outputs import numbers
from bench.ffpp.protocol import Protocol
from bench.ffpp.run import Outcome
from bench.ffpp.sides import Source
from bench.reading.reader import Reading
from metrics import METRICS
from metrics.evaluation import summary
from reports.results import MetricValue
from reports.slices import Axis, Slice, Slices

Floats = npt.NDArray[np.float64]
COLUMN, READ = "column/", "read/"
CATEGORIES = 24  # a column of more values is a name, no category
FEW_NUMBERS = 6  # so few different numbers are categories
LONGEST = 100  # signs of a category
TITLES = {
    "pose": ("Head turned, {}", "degrees"),
    "brightness": ("Brightness of the face, {}", "grey levels"),
    "size": ("Size of the face, {}", "pixels"),
}
SIDES = ("target", "source")


def pairs_table(
    dataset: PairList, pairs: Sequence[Pair], outcome: Outcome, instruments: Sequence[Source]
) -> pa.Table:
    """What the pairs of a run are sliced by.

    Args:
        dataset: The list.
        pairs: The run's.
        outcome: What was read of the originals.
        instruments: Who read; the first that reads poses says how far a head is turned.

    Returns:
        One row a pair: clip, target, source, cluster; column/NAME as the list says it; and of both sides the median over
        the clip's readable frames of read/SIDE_pose (the angle of the turn from straight ahead, degrees),
        read/SIDE_brightness (grey levels) and read/SIDE_size (pixels), null where nothing was read.
    """
    said = [dataset.attributes(pair) for pair in pairs]
    columns: dict[str, Any] = {
        "clip": [pair.id for pair in pairs],
        "target": [pair.target for pair in pairs],
        "source": [pair.source for pair in pairs],
        "cluster": [pair.cluster for pair in pairs],
    }
    columns |= {f"{COLUMN}{name}": [values[name] for values in said] for name in dataset.sliced_by}
    pose = next((one.name for one in instruments if "pose" in one.reads), None)
    read = {
        clip: _medians([reading for _, reading in readings if reading.status == "ok"], pose)
        for clip, readings in outcome.originals.items()
    }
    nothing = dict.fromkeys(TITLES, float("nan"))
    for what in TITLES if pose else [name for name in TITLES if name != "pose"]:
        for side in SIDES:
            values = [read.get(getattr(pair, side), nothing)[what] for pair in pairs]
            columns[f"{READ}{side}_{what}"] = numbers(np.array(values))
    return pa.table(columns)


def _medians(readings: Sequence[Reading], pose: str | None) -> dict[str, float]:
    found = {
        "pose": [_turn(reading.values.get(f"{pose}/pose")) for reading in readings],
        "brightness": [reading.shown.brightness for reading in readings],
        "size": [reading.shown.size for reading in readings],
    }
    known = {what: [value for value in values if np.isfinite(value)] for what, values in found.items()}
    return {what: float(np.median(values)) if values else float("nan") for what, values in known.items()}


def _turn(pose: npt.NDArray[np.float32] | None) -> float:
    """The angle of an axis-angle, degrees from 0 to 180; NaN for none."""
    if pose is None:
        return float("nan")
    angle = float(np.linalg.norm(pose.astype(np.float64))) % (2 * np.pi)
    return float(np.degrees(min(angle, 2 * np.pi - angle)))


def sliced(
    model: str, pairs: pa.Table, frames: pa.Table, metrics: Mapping[str, MetricValue], protocol: Protocol
) -> Slices:
    """One model's metrics over every slice.

    Args:
        model: Its name.
        pairs: What `pairs_table` gave.
        frames: The table of the model's frames.
        metrics: Its metrics over all frames: of those that have a value of each frame every slice gets its own.
        protocol: The rules.

    Returns:
        The slices, by the columns of the list first.
    """
    scored = _Scored(frames, metrics, protocol)
    axes = []
    for key in pairs.column_names:
        if key.startswith(COLUMN):
            axes.append(_of_column(key, pairs, scored))
        elif key.startswith(READ):
            values = np.array(pairs[key].to_numpy(zero_copy_only=False), np.float64)
            side, what = key.removeprefix(READ).split("_")
            title, unit = TITLES[what]
            axes.append(
                _thirds(
                    Axis(key=key, title=title.format(side), kind="number", unit=unit), values, pairs, scored
                )
            )
    return Slices.model_validate({"model": model, "axes": axes})


class _Scored:
    """The values of a model's frames, and the mean of any part of them."""

    def __init__(self, frames: pa.Table, metrics: Mapping[str, MetricValue], protocol: Protocol) -> None:
        self._clips = np.array(frames["clip"].to_pylist(), dtype=str)
        self._clusters = np.array(frames["cluster"].to_pylist(), dtype=str)
        self._posed = np.array(frames["posed"].to_pylist(), dtype=bool)
        self._ok = np.array(frames["status"].to_pylist(), dtype=str) == "ok"
        self._metrics = {key: one for key, one in metrics.items() if f"metric/{key}" in frames.column_names}
        self._seed = protocol.seed
        self._values: dict[str, Floats] = {}
        for key in self._metrics:
            own, lost = (_column(frames, f"{part}/{key}") for part in ("metric", "missing"))
            counts = metrics[key].missing_policy == "count_as_wrong"
            self._values[key] = np.where(np.isnan(own) & counts, lost, own)

    def slice(
        self, label: str, pairs: pa.Table, inside: npt.NDArray[np.bool_], values: Floats | None = None
    ) -> Slice:
        """The slice of the pairs `inside`, bool [pairs]; of numbers with their values."""
        clips = np.array(pairs["clip"].to_pylist(), dtype=str)[inside]
        rows = np.isin(self._clips, clips)
        posed = rows & self._posed
        return Slice.model_validate(
            {
                "label": label,
                "low": None if values is None else float(values[inside].min()),
                "high": None if values is None else float(values[inside].max()),
                "pairs": len(clips),
                "clusters": len(set(np.array(pairs["cluster"].to_pylist(), dtype=str)[inside])),
                "frames": int(rows.sum()),
                "used": int((rows & self._ok).sum()),
                "metrics": {key: self._mean(key, posed) for key in self._metrics},
            }
        )

    def _mean(self, key: str, rows: npt.NDArray[np.bool_]) -> dict[str, Any]:
        spec = METRICS[key.partition("@")[0]]
        return summary(spec, self._values[key][rows], self._clusters[rows], self._seed).as_dict()


def _of_column(key: str, pairs: pa.Table, scored: _Scored) -> Axis:
    title = key.removeprefix(COLUMN)
    texts = np.array(pairs[key].to_pylist(), dtype=str)
    values = np.array([_number(text) for text in texts])
    given = texts != ""
    axis = Axis(key=key, title=title, kind="category", without=int((~given).sum()))
    different = Counter(texts[given].tolist())
    if np.isfinite(values[given]).all() and len(different) > FEW_NUMBERS:
        return _thirds(axis.model_copy(update={"kind": "number"}), values, pairs, scored)
    names_all = len(different) == given.sum() > 2  # every pair has another value
    unfit = any(len(text) > LONGEST or not text.isprintable() for text in different)
    if len(different) > CATEGORIES or names_all or unfit:
        return axis.model_copy(
            update={"note": f"not sliced: {len(different):,} different values, no categories"}
        )
    names = sorted(different, key=lambda text: (_number(text) if np.isfinite(_number(text)) else 0.0, text))
    return axis.model_copy(
        update={"slices": tuple(scored.slice(name, pairs, texts == name) for name in names)}
    )


def _thirds(axis: Axis, values: Floats, pairs: pa.Table, scored: _Scored) -> Axis:
    """The axis with its pairs in thirds; equal values stay together, so that there may be fewer slices."""
    known = np.isfinite(values)
    slices = [
        scored.slice(_range(values[inside]), pairs, inside, values)
        for inside in _parted(values)
        if inside.any()
    ]
    return axis.model_copy(update={"without": int((~known).sum()), "slices": tuple(slices)})


def _parted(values: Floats) -> Iterator[npt.NDArray[np.bool_]]:
    known = np.isfinite(values)
    if known.any():
        lower, upper = np.quantile(values[known], [1 / 3, 2 / 3])
        yield known & (values <= lower)
        yield known & (values > lower) & (values <= upper)
        yield known & (values > upper)


def _range(values: Floats) -> str:
    low, high = (f"{end:.4g}" for end in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _column(table: pa.Table, name: str) -> Floats:
    if name not in table.column_names:
        return np.full(len(table), np.nan)
    return np.array([np.nan if x is None else x for x in table[name].to_pylist()], dtype=np.float64)


__all__ = ["pairs_table", "sliced"]
