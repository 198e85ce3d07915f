"""The slices part of bench.verify: who is in each slice, and its metrics, from pairs.parquet and the frames."""

from __future__ import annotations

import hashlib
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import few
from bench.verify import recount
from bench.verify.checks import BOUNDS, Checked
from bench.verify.intervals import agree, interval, within
from reports.files import PAIRS, SLICES
from reports.parquet import read_frame
from reports.results import MetricValue, Results, ResultsError
from reports.slices import Axis, Slice, SliceValue, read_slices

CLOSE = 1e-6
_OF_PAIRS = ("clip", "target", "source", "cluster")
TEXTS, CATEGORIES, LONGEST = 6, 24, 100  # see docs/pairs.md
_READINGS = {"pose": None, "brightness": "face_brightness", "size": "face_size"}


def check_slices(found: Checked, folder: Path, tables: recount.Tables, results: Results) -> None:
    """Check slices.json of a model, where there is one.

    Args:
        found: Gets the violations.
        folder: OUT/<model>.
        tables: Of the protocol's frames.
        results: Says which metrics there are, and the hash of slices.json.
    """
    listed = (folder.parent / PAIRS).is_file()
    found.expect(
        (SLICES in results.files) == listed,
        f"slices: a hash of {SLICES} in results.json and the file {PAIRS}: there is one without the other",
    )
    try:
        slices = read_slices(folder / SLICES)
        pairs = read_frame(folder.parent / PAIRS, needed=_OF_PAIRS) if listed else None
    except ResultsError as error:
        found.violations.append(f"slices: {error}")
        return
    if slices is None or pairs is None:
        return
    found.expect(slices.model == found.name, f"slices: of the model {slices.model}")
    frames = tables.frames
    rows = frames[list(_OF_PAIRS)].drop_duplicates().reset_index(drop=True)
    if not rows.equals(pairs[list(_OF_PAIRS)].astype(str).reset_index(drop=True)):
        found.violations.append(f"slices: {PAIRS} and the frames hold different pairs")
        return
    _check_list(found, frames, results)
    _check_read(found, pairs, tables, results)
    keys = [column for column in pairs.columns if column.startswith(("column/", "read/"))]
    have = [axis.key for axis in slices.axes]
    found.expect(have == keys, f"slices: by {few(have)}, the pairs can be sliced by {few(keys)}")
    for axis in slices.axes:
        if axis.key in pairs:
            _axis(found, axis, pairs, tables, results)


def _check_list(found: Checked, frames: pd.DataFrame, results: Results) -> None:
    """The hash over the list that the run says it scored."""
    names = ["clip", "target", "source", "target_person", "source_person"]
    said = results.run.data.model_dump().get("list_sha256")
    if said is not None and set(names) <= set(frames):
        lines = frames[names].drop_duplicates().astype(str).agg("\t".join, axis=1)
        have = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        found.expect(have == said, f"hash: the list of pairs is {have[:12]}, results.json says {said[:12]}")


def _check_read(found: Checked, pairs: pd.DataFrame, tables: recount.Tables, results: Results) -> None:
    """What pairs.parquet says of the originals' faces, from originals.parquet."""
    originals = tables.originals[((tables.originals["status"] == "ok") & tables.gallery).to_numpy(bool)]
    pose = next(
        (info.name for info in results.run.instruments if "pose" in (info.model_dump().get("reads") or ())),
        None,
    )
    for key in [column for column in pairs.columns if column.startswith("read/")]:
        side, what = key.removeprefix("read/").split("_")
        column = f"original/{pose}/pose" if what == "pose" else _READINGS[what]
        if column not in originals:
            found.notes.append(f"{key}: taken as it is stored, for originals.parquet has no {column}")
            continue
        values = originals[column].map(_turn) if what == "pose" else originals[column].astype(np.float64)
        medians = values.groupby(originals["clip"]).median()
        again = pairs[side].map(medians).to_numpy(np.float64)
        same = np.isclose(pairs[key].to_numpy(np.float64), again, rtol=CLOSE, atol=CLOSE, equal_nan=True)
        found.expect(
            bool(same.all()),
            f"slices: {int((~same).sum())} pairs' {key} do not follow from their originals",
        )


def _turn(pose: Any) -> float:
    """The angle of an axis-angle in degrees, by the trace of its rotation; NaN for none."""
    if pose is None or isinstance(pose, float) or not np.isfinite(pose).all():
        return math.nan
    x, y, z = map(float, pose)
    return math.degrees(math.acos(math.cos(math.sqrt(x * x + y * y + z * z))))


def _axis(found: Checked, axis: Axis, pairs: pd.DataFrame, tables: recount.Tables, results: Results) -> None:
    parts, without = _parts(axis.key, pairs[axis.key])
    where = f"slices by {axis.key}"
    found.expect(
        axis.without == without, f"{where}: {axis.without} pairs without a value, recomputed {without}"
    )
    if len(parts) != len(axis.slices):
        found.violations.append(f"{where}: {len(axis.slices)} slices, recomputed {len(parts)}")
        return
    frames = tables.frames
    for said, (label, low, high, inside) in zip(axis.slices, parts, strict=True):
        what = f"{where}, {said.label}"
        found.expect(label in ("", said.label), f"{what}: the category is {label}")
        ends = [math.nan if end is None else end for end in (said.low, said.high)]
        found.expect(
            bool(np.allclose(ends, [low, high], rtol=CLOSE, equal_nan=True)),
            f"{what}: is {low:g} to {high:g}",
        )
        rows = frames["clip"].isin(pairs.loc[inside, "clip"]).to_numpy(bool)
        counted = (
            int(inside.sum()),
            pairs.loc[inside, "cluster"].nunique(),
            int(rows.sum()),
            int((frames.loc[rows, "status"] == "ok").sum()),
        )
        stated = (said.pairs, said.clusters, said.frames, said.used)
        found.expect(
            stated == counted, f"{what}: pairs, clusters, frames, used are {stated}, recomputed {counted}"
        )
        _metrics(found, what, said, rows & tables.posed, tables, results)


def _parts(key: str, values: pd.Series) -> tuple[list[tuple[str, float, float, np.ndarray]], int]:
    """(label, least, greatest, pairs bool [n]) of each slice, the label "" for numbers; and the pairs in none."""
    if key.startswith("read/"):
        return _thirds(values.to_numpy(np.float64))
    texts = values.astype(str)
    named = (texts != "").to_numpy(bool)
    different = sorted(set(texts[named]))
    as_numbers = {text: _number(text) for text in different}
    if all(map(math.isfinite, as_numbers.values())) and len(different) > TEXTS:
        return _thirds(texts.map(_number).to_numpy(np.float64))
    single = len(different) > 2 and len(different) == int(named.sum())
    if (
        single
        or len(different) > CATEGORIES
        or any(len(t) > LONGEST or not t.isprintable() for t in different)
    ):
        return [], int((~named).sum())
    different.sort(key=lambda text: as_numbers[text] if math.isfinite(as_numbers[text]) else 0.0)
    parts = [(text, math.nan, math.nan, (texts == text).to_numpy(bool)) for text in different]
    return parts, int((~named).sum())


def _thirds(values: np.ndarray) -> tuple[list[tuple[str, float, float, np.ndarray]], int]:
    there = np.isfinite(values)
    n = int(there.sum())
    parts = []
    if n:
        ordered = np.sort(values[there])
        edges = [-math.inf, *(_quantile(ordered, share) for share in (1 / 3, 2 / 3)), math.inf]
        for above, upto in pairwise(edges):
            inside = there & (values > above) & (values <= upto)
            if inside.any():
                parts.append(("", float(values[inside].min()), float(values[inside].max()), inside))
    return parts, len(values) - n


def _quantile(ordered: np.ndarray, share: float) -> float:
    """By straight lines between neighbours; a hair above it, so that rounding parts no equal values."""
    place = share * (len(ordered) - 1)
    low = math.floor(place + 1e-9)
    high = min(low + 1, len(ordered) - 1)
    between = max(place - low, 0.0)
    edge = float(ordered[low] + between * (ordered[high] - ordered[low]))
    return edge + 1e-12 * max(1.0, abs(edge))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _metrics(
    found: Checked, what: str, said: Slice, rows: np.ndarray, tables: recount.Tables, results: Results
) -> None:
    """The metrics of one slice, from the values of its posed frames."""
    frames = tables.frames
    wanted = {key for key in results.metrics if f"metric/{key}" in frames}
    found.expect(
        set(said.metrics) == wanted, f"{what}: metrics differ in {few(sorted(set(said.metrics) ^ wanted))}"
    )
    clusters = frames["cluster"].to_numpy(str)[rows]
    off = []
    for key in sorted(wanted & set(said.metrics)):
        values = _counted(frames, key, results.metrics[key])[rows]
        off += _differs(key, said.metrics[key], results.metrics[key], values, clusters)
    found.expect(not off, f"{what}: {few(off, most=2)}")


def _differs(
    key: str, said: SliceValue, whole: MetricValue, values: np.ndarray, clusters: np.ndarray
) -> list[str]:
    """What of a metric does not follow from the values of a slice's frames, in words."""
    value, n, groups = recount.mean(values, clusters)
    told = math.nan if said.value is None else said.value
    same = bool(np.isclose(told, value, rtol=CLOSE, atol=CLOSE, equal_nan=True))
    if not same or (said.n, said.clusters) != (n, groups):
        return [
            f"{key} {told:.6g} of {said.n} frames in {said.clusters} clusters, recomputed {value:.6g} of {n} in {groups}"
        ]
    ends = interval(values, clusters, BOUNDS.get(key.split("@")[0]))
    if ends is not None:
        low, high = whole.range
        ends = within(ends, (-math.inf if low is None else low, math.inf if high is None else high))
    width = 0.0 if ends is None else ends[1][1] - ends[0][0]
    slack = 0.02 * width + CLOSE * max(1.0, abs(value) if math.isfinite(value) else 0.0)
    return (
        []
        if agree(said.ci95, ends, slack)
        else [f"{key} has the interval {said.ci95}, which does not follow"]
    )


def _counted(frames: pd.DataFrame, key: str, whole: MetricValue) -> np.ndarray:
    """The value of each frame, lost faces as the metric's policy says; both are checked against the readings elsewhere."""
    values = frames[f"metric/{key}"].to_numpy(np.float64)
    column = f"missing/{key}"
    if whole.missing_policy == "count_as_wrong" and column in frames:
        return np.where(np.isnan(values), frames[column].to_numpy(np.float64), values)
    return values
