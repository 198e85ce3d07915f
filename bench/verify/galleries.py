"""The gallery part of bench.verify: who was searched, every frame's rank, and the curve over the gallery's size."""

from __future__ import annotations

import hashlib
import json
import math

import numpy as np

from bench.errors import few
from bench.verify import recount, retrieval
from bench.verify.checks import Checked
from bench.verify.intervals import agree, interval
from reports.results import MetricValue, Results
from reports.rules import FOLLOWS

SEARCHING = {
    "id_retrieval": ("source", 1),
    "id_retrieval_top5": ("source", 5),
    "target_retrieval": ("target", 1),
}
"""Metrics that search the gallery: for whose person, and how many nearest people count."""


def check_protocol(found: Checked, results: Results) -> None:
    """Check what stands beside the protocol's rules and follows from them.

    Args:
        found: Gets the violations.
        results: What is checked.
    """
    stated = results.run.protocol.model_dump(mode="json")
    rules = {name: value for name, value in stated.items() if name not in FOLLOWS}
    found.expect(
        stated["hash"] == (real := _sha256(rules)),
        f"hash: the protocol's fields give {real[:12]}, its hash says {stated['hash'][:12]}",
    )
    said, people = stated.get("identity_map_sha256"), rules.get("identity_map") or {}
    if said is not None:
        real = _sha256(people)
        found.expect(said == real, f"hash: the identity map gives {real[:12]}, its hash says {said[:12]}")
    if name := stated.get("name"):
        clips = results.run.data.model_dump().get("clips")
        for differs in retrieval.rules_that_differ(name, rules, clips):
            found.violations.append(f"protocol: called {name}, but {differs}")


def _sha256(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def check_galleries(found: Checked, tables: recount.Tables, results: Results) -> None:
    """Check who was searched, each frame's rank and the curves. Results that say nothing of it pass.

    Args:
        found: Gets the violations.
        tables: Of the protocol's frames.
        results: What is checked.
    """
    read = (tables.originals["status"] == "ok").to_numpy(bool) & tables.gallery
    clips = tables.originals.loc[read, "clip"]
    size = results.run.protocol.model_dump().get("gallery_size")
    said = results.run.gallery
    if said is not None:
        real = (len({tables.people[clip] for clip in clips}), len(set(clips)), int(read.sum()), size)
        stated = (said.people, said.clips, said.frames, said.size)
        found.expect(
            stated == real,
            f"gallery: people, clips, frames and size are {stated}, by originals.parquet and the protocol {real}",
        )
    for key, metric in results.metrics.items():
        if key.split("@")[0] in SEARCHING and (metric.curve or metric.gallery is not None):
            _metric(found, tables, key, metric, size)


def _metric(found: Checked, tables: recount.Tables, key: str, said: MetricValue, size: int | None) -> None:
    side, k = SEARCHING[key.split("@")[0]]
    people = recount.gallery_people(tables, said.instrument or "")
    if people is None:
        people = said.curve[-1].people if said.curve else said.gallery or 0
    wanted = people if size is None else min(size, people)
    found.expect(said.gallery == wanted, f"metric {key}: gallery {said.gallery}, recomputed {wanted}")
    column = f"rank/{key}"
    if column not in tables.frames:
        found.violations.append(f"metric {key}: frames.parquet lacks the ranks {column} of its curve")
        return
    stored = tables.frames[column].to_numpy(np.float64)
    again = recount.ranks(tables, said.instrument or "", side, None)
    if again is not None:
        low, high = (np.where(tables.posed, edge(*again), np.nan) for edge in (np.fmin, np.fmax))
        same = ((stored >= low) & (stored <= high)) | (np.isnan(stored) & np.isnan(low)) | tables.unknown
        found.expect(
            bool(same.all()), f"metric {key}: {int((~same).sum())} ranks do not follow from the readings"
        )
    if size is None:
        values = tables.frames[f"metric/{key}"].to_numpy(np.float64)
        hits = np.where(np.isnan(stored), np.nan, 100.0 * (stored <= k))
        off = int((~np.isclose(hits, values, equal_nan=True)).sum())
        found.expect(not off, f"metric {key}: {off} hits are not those of the ranks")
    _curve(found, tables, key, said, stored, people, k)


def _curve(
    found: Checked,
    tables: recount.Tables,
    key: str,
    said: MetricValue,
    rank: np.ndarray,
    people: int,
    k: int,
) -> None:
    """Every point of a curve, from the ranks."""
    sizes = [point.people for point in said.curve]
    if not sizes or sizes != sorted(set(sizes)) or sizes[-1] != people:
        found.violations.append(
            f"metric {key}: its curve over {few(map(str, sizes))} does not rise to {people} people"
        )
        return
    lost = recount.if_lost(tables, key, said.instrument)
    clusters = tables.frames["cluster"].to_numpy(str)
    for point in said.curve:
        values = np.array(
            [np.nan if np.isnan(r) else retrieval.among_fewer(r, people, point.people, k) for r in rank]
        )
        if said.missing_policy == "count_as_wrong" and lost is not None:
            values = np.where(tables.posed & np.isnan(values), lost, values)
        value, _, _ = recount.mean(values, clusters)
        told = np.nan if point.value is None else point.value
        found.expect(
            bool(np.isclose(told, value, rtol=1e-6, atol=1e-6, equal_nan=True)),
            f"metric {key}: among {point.people} people {told:.6g}, recomputed {value:.6g}",
        )
        ends = interval(values, clusters, (0.0, 100.0))
        width = 0.0 if ends is None else ends[1][1] - ends[0][0]
        found.expect(
            agree(point.ci95, ends, 0.02 * width + 1e-6),
            f"metric {key}: among {point.people} people interval {point.ci95}, recomputed {ends}",
        )
    if said.curve[-1].people == said.gallery:
        found.expect(
            math.isclose(said.value or 0.0, said.curve[-1].value or 0.0, abs_tol=1e-6),
            f"metric {key}: value {said.value}, its curve ends at {said.curve[-1].value}",
        )
