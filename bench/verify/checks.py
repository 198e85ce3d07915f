"""The metrics part of bench.verify: every number against the readings, its value in each frame, and its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.errors import few
from bench.verify import meaning, pictures, recount
from bench.verify.intervals import Ends, Ranges, agree, exactly, interval, jackknife, within
from reports.files import FRAMES, VIDEO
from reports.results import MetricValue, Results

CLOSE = 1e-6  # relative; readings are float32, numbers are computed in float64
EXACT = 1e-9  # of the largest value of a frame; means are of values that are stored in float64
LEAST = 1e-10  # in any unit: what rounding leaves of values that are all alike
NEAR = 0.02  # of the interval's width, beside the range in which a bootstrap's end may lie
LOOSE, ROOT = (
    1e-5,
    1e-6,
)  # of a distance between sets, and of what the pictures of a set differ: two ways to a root
BOUNDS = dict.fromkeys(("id_retrieval", "id_retrieval_top5", "target_retrieval"), (0.0, 100.0))
COUNTED = (*BOUNDS, "target_identity")
"""Metrics in whose headline a lost face counts under the policy "count_as_wrong"."""


@dataclass
class Checked:
    """What was found in one model's folder."""

    name: str
    violations: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rows: int = 0
    recomputed: int = 0  # metrics worked out again from readings
    aggregated: int = 0  # metrics whose mean was worked out again from the stored value of each frame

    def expect(self, holds: bool, said: str) -> None:
        """Note a violation unless something holds.

        Args:
            holds: What must be true.
            said: The violation in words, with what is stored and what it should be.
        """
        if not holds:
            self.violations.append(said)


@dataclass(frozen=True)
class Again:
    """A metric worked out again: its value over n frames in `clusters` clusters, and where its interval may end."""

    value: float
    n: int
    clusters: int
    ends: Ranges | None


def check_metrics(
    found: Checked, tables: recount.Tables, video: recount.Tables | None, results: Results
) -> None:
    """Check every metric of results.json against the stored readings and the value of each frame.

    Args:
        found: Gets the violations, the notes and how many metrics were worked out again.
        tables: Of the protocol's frames.
        video: Of frames in a row; None for a run without them.
        results: What is checked.
    """
    columns = {FRAMES: tables} | ({} if video is None else {VIDEO: video})
    told: set[str] = set()
    for file, part in columns.items():
        keys = {c.removeprefix("metric/") for c in part.frames.columns if c.startswith("metric/")}
        told |= keys
        for key in [key for key in results.metrics if key in keys]:
            _metric(found, part, key, results.metrics[key], results)
        taught = {key for key in keys if key.split("@")[0] in meaning.MEANING}
        strange = {key for key in taught if (key.split("@")[0] in recount.VIDEO) != (part is video)}
        found.expect(
            not strange, f"metrics: {file} holds {few(sorted(strange))}, which belong to the other table"
        )
    sets = [key for key in results.metrics if key in pictures.SETS]
    for key in sets:
        _pictures(found, tables, key, results.metrics[key], results)
    differ = sorted(told ^ (set(results.metrics) - set(sets)))
    found.expect(not differ, f"metrics: results.json and the tables of frames disagree on {few(differ)}")


def _metric(found: Checked, tables: recount.Tables, key: str, said: MetricValue, results: Results) -> None:
    name, column = key.split("@")[0], f"metric/{key}"
    taught = name in meaning.MEANING
    known = meaning.VERSIONS.get(name, (1,))
    if taught:
        newest = isinstance(said.version, int) and 1 <= said.version <= known[-1]
        found.expect(newest, f"metric {key}: version {said.version!r}, this verifier knows up to {known[-1]}")
    if taught and said.version in known:
        _meaning(found, key, said, *meaning.MEANING[name])
        named = {info.name for info in results.run.instruments} | (
            {None} if name in meaning.PIXELS else set()
        )
        found.expect(
            said.instrument in named, f"metric {key}: instrument {said.instrument!r} is none of the run's"
        )
        unranked = not name.endswith("_r") or said.unranked
        found.expect(bool(unranked), f"metric {key}: a share of two distances that is stated to rank models")
    stored = tables.frames[column].to_numpy(np.float64)
    outside = int((np.isfinite(stored) & ~tables.posed).sum())
    found.expect(not outside, f"metric {key}: {outside} values in frames without a face in an original")
    again = None
    if said.version in known:
        again = recount.per_frame(tables, key, said.instrument, said.version)
    if again is None:
        found.aggregated += 1
        unknown_here = "" if taught else "; this verifier does not know what it measures"
        found.notes.append(
            f"{key}: mean and interval checked, from the stored value of each frame{unknown_here}"
        )
    else:
        found.recomputed += 1
        unknown = tables.unknown
        if name in recount.VIDEO:
            unknown = unknown | (tables.unknown[tables.before] & (tables.before >= 0))
        again = [np.where(unknown, stored, np.where(tables.posed, a, np.nan)) for a in again]
        stored = follows(found, f"metric {key}", tables, stored, again)
    clusters = tables.frames["cluster"].to_numpy(str)
    excluding, counting = stored, _counting(found, tables, key, said, stored)
    limits, bounds = limits_of(found, key, said)
    for what, part, values in (
        ("excluding", said.excluding_missing, excluding),
        ("counting", said.counting_missing, counting),
    ):
        check_summary(found, f"metric {key}, {what} missing", part, values, clusters, bounds, limits)
    if taught:
        asked = tables.posed & (tables.before >= 0) if name in recount.VIDEO else tables.posed
        lost = int((asked & ~np.isfinite(stored)).sum())
        found.expect(
            said.missing is None or said.missing == lost,
            f"metric {key}: missing {said.missing}, recomputed {lost}",
        )
        _policy(found, key, said, results, counted=name in COUNTED)
    applied = said.missing_policy == "count_as_wrong"
    check_summary(found, f"metric {key}", said, counting if applied else excluding, clusters, bounds, limits)


def limits_of(found: Checked, key: str, said: MetricValue) -> tuple[Ends, Ends | None]:
    """What no interval goes beyond, and the bounds of a single value where it is a hit.

    A metric, or a version of one, that was not taught here has those that its results state.

    Args:
        found: Gets the violation where the results state another range.
        key: The metric's.
        said: What the results say of it.

    Returns:
        Both.
    """
    name = key.split("@")[0]
    low, high = said.range
    limits = (-math.inf if low is None else low, math.inf if high is None else high)
    if name not in meaning.MEANING or said.version != meaning.VERSIONS.get(name, (1,))[-1]:
        return limits, limits if said.unit == "%" else None
    taught = meaning.RANGES.get(said.unit, (0.0, math.inf))
    found.expect(limits == taught, f"metric {key}: range {said.range}, it is {taught[0]:g} to {taught[1]:g}")
    return taught, BOUNDS.get(name)


def _meaning(found: Checked, key: str, said: MetricValue, unit: str, up: bool) -> None:
    found.expect(said.unit == unit, f"metric {key}: unit {said.unit!r}, it is {unit!r}")
    found.expect(said.higher_is_better is up, f"metric {key}: higher_is_better is {said.higher_is_better}")


def follows(
    found: Checked, what: str, tables: recount.Tables, stored: np.ndarray, again: Sequence[np.ndarray]
) -> np.ndarray:
    """Whether stored values are those that follow from the readings.

    Args:
        found: Gets the violation.
        what: The metric, for the message.
        tables: Whose frames they are.
        stored: float64 [n], NaN without a value.
        again: float64 [n] each, worked out anew; either is right.

    Returns:
        The stored values where they follow; else what does.
    """
    same = np.zeros(len(stored), bool)
    for values in again:
        same |= np.isclose(values, stored, rtol=CLOSE, atol=CLOSE, equal_nan=True)
    worst = int(np.argmax(~same))
    found.expect(
        bool(same.all()),
        f"{what}: {int((~same).sum())} of {len(same)} frames do not follow from the readings; first "
        f"{tables.frames['clip'].iloc[worst]} frame {tables.frames['frame'].iloc[worst]}: stored "
        f"{stored[worst]:.6g}, recomputed {again[0][worst]:.6g}",
    )
    return np.where(same, stored, again[0])


def _counting(
    found: Checked, tables: recount.Tables, key: str, said: MetricValue, stored: np.ndarray
) -> np.ndarray | None:
    """The values with what each lost face counts as; None where neither readings nor the table tell."""
    lost = tables.posed & ~np.isfinite(stored)
    costs = None
    if said.version in meaning.VERSIONS.get(key.split("@")[0], (1,)):
        costs = recount.if_lost(tables, key, said.instrument, said.version)
    column = f"missing/{key}"
    told = tables.frames[column].to_numpy(np.float64) if column in tables.frames else None
    if costs is None or (tables.unknown & lost).any():
        costs = told
    elif told is not None:
        wanted = np.where(lost, costs, np.nan)
        found.expect(
            bool(np.isclose(told, wanted, rtol=CLOSE, atol=CLOSE, equal_nan=True).all()),
            f"metric {key}: what its missing faces count as does not follow from the readings",
        )
    return None if costs is None else np.where(lost, costs, stored)


def _policy(found: Checked, key: str, said: MetricValue, results: Results, counted: bool) -> bool:
    """Whether missing faces count in the headline, by the protocol; older results do not say it there."""
    rule = results.run.protocol.model_dump().get("missing", said.missing_policy)
    counts = rule == "count_everywhere" or (rule == "count_as_wrong" and counted)
    wanted = "count_as_wrong" if counts else "exclude"
    found.expect(
        said.missing_policy in (wanted, None),
        f"metric {key}: policy {said.missing_policy}, by the protocol {wanted}",
    )
    return said.missing_policy == "count_as_wrong"


def _pictures(found: Checked, tables: recount.Tables, key: str, said: MetricValue, results: Results) -> None:
    """A distance between all swaps and all targets, from the features of each picture."""
    _meaning(found, key, said, pictures.UNIT, False)
    column = pictures.SETS[key].get(said.version, f"of version {said.version}")
    swap, target = tables.pictures(column)
    if swap is None or target is None:
        found.violations.append(f"metric {key}: the tables lack the features {column} that it is made of")
        return
    if (tables.unknown & tables.posed).any():
        found.notes.append(
            f"{key}: not checked, for the features of a shorter clip's targets are nowhere in the files"
        )
        return
    found.recomputed += 1
    there = tables.posed & np.isfinite(swap).all(axis=1) & np.isfinite(target).all(axis=1)
    seen = there & pictures.found(tables.frames)
    clusters = tables.frames["cluster"].to_numpy(str)
    counts = _policy(found, key, said, results, counted=False)
    lost = int((there & ~seen).sum())
    found.expect(said.missing in (None, lost), f"metric {key}: missing {said.missing}, recomputed {lost}")
    for what, part, kept in (
        (f"metric {key}", said, there if counts else seen),
        (f"metric {key}, excluding missing", said.excluding_missing, seen),
        (f"metric {key}, counting missing", said.counting_missing, there),
    ):
        if part is not None:
            check_distance(found, what, part, key, (swap[kept], target[kept]), clusters[kept])


def check_distance(
    found: Checked, what: str, part: Any, key: str, sets: tuple[np.ndarray, np.ndarray], clusters: np.ndarray
) -> None:
    """Compare a distance between sets, and its interval, with what the features say.

    Args:
        found: Gets the violations.
        what: The metric, for messages.
        part: What is said of it: value, ci95, n, clusters.
        key: Of pictures.SETS.
        sets: Features float64 [n, d] of the swaps and of their targets.
        clusters: [n], the independent unit.
    """
    swap, target = sets
    if len(swap) < 2:
        found.expect(part.value is None, f"{what}: value {part.value} of {len(swap)} pictures")
        return

    def distance(chosen: np.ndarray) -> float:
        return math.nan if len(chosen) < 2 else pictures.distance(key, swap[chosen], target[chosen])

    value = distance(np.arange(len(swap)))
    ends = jackknife(distance, value, clusters)
    if ends is not None and not key.startswith("kid"):
        ends = max(0.0, ends[0]), ends[1]
    ranges = None if ends is None else exactly(*ends)
    spread = sum(float(np.var(side, axis=0).sum()) for side in sets)
    slack = LOOSE * abs(value) + ROOT * spread + LEAST
    _compare(found, what, part, Again(value, len(swap), len(set(clusters)), ranges), 1e-3, slack)


def check_summary(
    found: Checked,
    what: str,
    said: Any,
    values: np.ndarray | None,
    clusters: np.ndarray,
    bounds: Ends | None,
    limits: Ends,
) -> None:
    """Compare value, n, clusters and interval with those worked out again.

    Args:
        found: Gets the violations.
        what: The metric, for messages.
        said: What is said of it; None: nothing.
        values: float64 [n], NaN for a frame that does not count; None: nothing is known.
        clusters: [n], the independent unit.
        bounds: Least and greatest value of a frame where it is a hit.
        limits: What no interval goes beyond.
    """
    if said is None or values is None:
        return
    value, n, groups = recount.mean(values, clusters)
    ends = interval(values, clusters, bounds)
    ends = None if ends is None else within(ends, limits)
    largest = float(np.max(np.abs(values[np.isfinite(values)]), initial=0.0))
    _compare(found, what, said, Again(value, n, groups, ends), NEAR, EXACT * largest + LEAST)


def _compare(found: Checked, what: str, said: Any, again: Again, near: float, slack: float) -> None:
    """Compare what is said with what was worked out again.

    slack: how far off the value may be, and each end of the interval, in units of the value; near: the ends besides, as a
    share of the interval's width.
    """
    told = math.nan if said.value is None else said.value
    found.expect(
        abs(told - again.value) <= slack or (math.isnan(told) and math.isnan(again.value)),
        f"{what}: value {told:.9g}, recomputed {again.value:.9g}",
    )
    found.expect(said.n is None or said.n == again.n, f"{what}: n {said.n}, recomputed {again.n}")
    found.expect(
        said.clusters is None or said.clusters == again.clusters,
        f"{what}: clusters {said.clusters}, recomputed {again.clusters}",
    )
    width = 0.0 if again.ends is None else again.ends[1][1] - again.ends[0][0]
    found.expect(
        agree(said.ci95, again.ends, near * width + slack),
        f"{what}: interval {_ends(said.ci95)}, recomputed {_ranges(again.ends)}",
    )


def _ends(ends: Any) -> str:
    return "none" if ends is None else f"{ends[0]:.6g} to {ends[1]:.6g}"


def _ranges(ranges: Ranges | None) -> str:
    return _ends(None if ranges is None else [(low + high) / 2 for low, high in ranges])
