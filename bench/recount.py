"""The arithmetic of bench.verify: every metric again from the stored readings, with this module's own small code.

Written apart from the metrics package and importing nothing of it, so that one mistake is not made twice.
The formulas are those that results.json describes in words; the interval is the BCa bootstrap over clusters,
widened for few clusters (Hesterberg 2015), with random numbers of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

TIE = 1e-6  # cosines closer than this are a tie, which counts as wrong
_VAGUE = 2e-6  # a hit whose margin is smaller than this may fall either way by rounding
RESAMPLES = 4000

# key: (unit, higher is better); a run that says otherwise has been changed.
MEANING: dict[str, tuple[str, bool]] = {
    "id_retrieval": ("%", True), "id_retrieval_top5": ("%", True), "identity": ("cosine similarity", True),
    "identity_r": ("ratio", False), "shape": ("L2 of shape parameters", False), "shape_r": ("ratio", False),
    "expression": ("L2 of expression parameters", False), "expression_r": ("ratio", False),
    "pose": ("rad", False), "pose_r": ("ratio", False), "truth_pixel": ("grey levels", False),
    "truth_identity": ("cosine distance", False), "truth_shape": ("L2 of shape parameters", False),
    "truth_expression": ("L2 of expression parameters", False), "truth_pose": ("rad", False),
}  # fmt: skip
READS = ("identity", "shape", "expression", "pose")
VERSION = 1  # of the metrics that are recomputed here


@dataclass
class Tables:
    """The files of one model. frames, originals, truth: as they are stored (truth: the oracle's frames).

    `posed` bool [n]: both originals have a usable face, worked out here from originals.parquet.
    `unknown` bool [n]: the target's frame is not in originals.parquet, so nothing can be worked out.
    """

    frames: pd.DataFrame
    originals: pd.DataFrame
    truth: pd.DataFrame | None
    protocol: Mapping[str, Any]
    posed: np.ndarray = field(init=False)
    unknown: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        read = self.originals["status"] == "ok"
        known = {
            (c, int(f)): i
            for i, (c, f) in enumerate(zip(self.originals["clip"], self.originals["frame"], strict=True))
        }
        usable = set(self.originals.loc[read, "clip"])
        clips = set(self.originals["clip"])
        ok = read.to_numpy(bool)
        target = self._at("target", "frame", known)
        self._target = target
        self._source = self._at("source", "source_frame", known)
        self.posed = (target >= 0) & ok[target] & self.frames["source"].isin(usable).to_numpy(bool)
        self.unknown = (target < 0) & self.frames["target"].isin(clips).to_numpy(bool)

    def _at(self, clip: str, frame: str, known: Mapping[tuple[str, int], int]) -> np.ndarray:
        pairs = zip(self.frames[clip], self.frames[frame], strict=True)
        return np.array([known.get((c, int(f)), -1) for c, f in pairs], dtype=int)

    def side(self, side: str, instrument: str, reading: str) -> np.ndarray | None:
        """Readings float64 [n, d] of "swap", "source", "target" or "truth"; None where they are not stored."""
        if side == "swap":
            return _rows(self.frames, f"swap/{instrument}/{reading}")
        if side == "truth":
            if self.truth is None:
                return None
            rows = _rows(self.truth, f"swap/{instrument}/{reading}")
            keys = {k: i for i, k in enumerate(zip(self.truth["clip"], self.truth["frame"], strict=True))}
            at = [keys.get(k, -1) for k in zip(self.frames["clip"], self.frames["frame"], strict=True)]
            return None if rows is None else _take(rows, np.array(at, dtype=int))
        rows = _rows(self.originals, f"original/{instrument}/{reading}")
        return None if rows is None else _take(rows, self._target if side == "target" else self._source)


def person(protocol: Mapping[str, Any], clip: str) -> str:
    """Whose face a clip shows, by the protocol's identity map; DeepFakeDetection clips name their actor."""
    name = clip.split("__")[0] if protocol.get("sequences") == "actors" else clip
    return str((protocol.get("identity_map") or {}).get(name, name))


def per_frame(tables: Tables, key: str, instrument: str | None) -> list[np.ndarray] | None:
    """The metric of every frame, float64 [n], NaN without a value; None when it cannot be had from readings.

    Two arrays where rounding may decide a hit: the stored value may be either.
    """
    name = key.split("@")[0]
    if name not in MEANING or instrument is None or name == "truth_pixel":
        return None
    if name.startswith("id_retrieval"):
        return _hits(tables, instrument, 5 if name.endswith("top5") else 1)
    reading = name.removeprefix("truth_").removesuffix("_r")
    away: Callable[[np.ndarray, np.ndarray], np.ndarray] = _angle if reading == "identity" else _euclid
    sides = {s: tables.side(s, instrument, reading) for s in ("swap", "source", "target")}
    swap, source, target = sides["swap"], sides["source"], sides["target"]
    if swap is None or source is None or target is None:
        return None
    if name.startswith("truth_"):
        truth = tables.side("truth", instrument, reading)
        return None if truth is None else [away(swap, truth)]
    if name == "identity":
        return [1.0 - _angle(swap, source)]
    wanted, other = (source, target) if reading in ("identity", "shape") else (target, source)
    if name.endswith("_r"):
        near, far = away(swap, wanted), away(swap, other)
        with np.errstate(invalid="ignore", divide="ignore"):
            return [near / (near + far)]
    return [away(swap, wanted)]


def _hits(tables: Tables, instrument: str, k: int) -> list[np.ndarray] | None:
    """100 for a frame whose source person is among the k nearest people of the gallery, else 0."""
    probes = tables.side("swap", instrument, "identity")
    stored = _rows(tables.originals, f"original/{instrument}/identity")
    if probes is None or stored is None:
        return None
    usable = (tables.originals["status"] == "ok").to_numpy(bool) & np.isfinite(stored).all(axis=1)
    people = np.array([person(tables.protocol, clip) for clip in tables.originals["clip"]])
    names, index = np.unique(people, return_inverse=True)
    wanted = [person(tables.protocol, clip) for clip in tables.frames["source"]]
    gallery = _lengths_to_one(stored)
    shown = tables._source if tables.protocol.get("gallery") == "without_source_frame" else None
    strict = np.full(len(probes), np.nan)
    loose = np.full(len(probes), np.nan)
    for i, probe in enumerate(_lengths_to_one(probes)):
        if not np.isfinite(probe).all():
            continue
        rows = usable if shown is None else usable & (np.arange(len(usable)) != shown[i])
        best = np.full(len(names), -np.inf)
        np.maximum.at(best, index[rows], (gallery @ probe)[rows])
        own = best[names == wanted[i]]
        if own.size == 0 or not np.isfinite(own[0]):
            continue
        for hits, slack in ((strict, TIE + _VAGUE), (loose, TIE - _VAGUE)):
            hits[i] = 100.0 * (int((best >= own[0] - slack).sum()) <= k)
    return [strict, loose]


def mean(values: np.ndarray, clusters: np.ndarray) -> tuple[float, int, int]:
    """(mean, number, clusters among them) of the values that are no NaN; the mean of nothing is NaN."""
    there = np.isfinite(values)
    n = int(there.sum())
    return (math.fsum(values[there]) / n if n else math.nan), n, len(set(clusters[there]))


def interval(values: np.ndarray, clusters: np.ndarray, bounds: tuple[float, float] | None) -> Any:
    """95 % interval of the mean over clusters (low, high); None where one cluster or none has values."""
    there = np.isfinite(values)
    names, index = np.unique(clusters[there], return_inverse=True)
    k = len(names)
    if k == 0:
        return None
    sums, counts = np.zeros(k), np.zeros(k)
    np.add.at(sums, index, values[there])
    np.add.at(counts, index, 1.0)
    value = sums.sum() / counts.sum()
    means = sums / counts
    if means.max() - means.min() <= 1e-12 * max(1.0, abs(value)):
        if bounds is not None:
            q = 1 - 0.025 ** (1 / k)
            return value - q * (value - bounds[0]), value + q * (bounds[1] - value)
        return None if k == 1 else (value, value)
    drawn = np.random.default_rng(20220607).multinomial(k, np.full(k, 1 / k), RESAMPLES)
    ratios = np.sort((drawn @ sums) / (drawn @ counts))
    left_out = (sums.sum() - sums) / (counts.sum() - counts)
    d = left_out.mean() - left_out
    acceleration = (d**3).sum() / (6 * max((d**2).sum(), 1e-300) ** 1.5)
    normal = NormalDist()
    below = (np.mean(ratios < value) + np.mean(ratios <= value)) / 2
    z0 = normal.inv_cdf(min(max(float(below), 1e-4), 1 - 1e-4))
    wide = student(0.975, k - 1) * math.sqrt(k / (k - 1))
    ends = []
    for z in (-wide, wide):
        p = normal.cdf(z0 + (z0 + z) / (1 - acceleration * (z0 + z)))
        ends.append(float(np.quantile(ratios, p)))
    return ends[0], ends[1]


def student(p: float, degrees: int) -> float:
    """Quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, p))


def _rows(table: pd.DataFrame, column: str) -> np.ndarray | None:
    """A column of number lists as float64 [n, d]; a missing list is a row of NaN. None: no such column."""
    if column not in table:
        return None
    lists = [None if x is None or isinstance(x, float) else np.asarray(x, np.float64) for x in table[column]]
    width = max((len(x) for x in lists if x is not None), default=1)
    blank = np.full(width, np.nan)
    return np.stack([blank if x is None or len(x) != width else x for x in lists]) if lists else None


def _take(rows: np.ndarray, at: np.ndarray) -> np.ndarray:
    return np.where((at >= 0)[:, None], rows[at], np.nan)


def _lengths_to_one(rows: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _angle(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """1 - cosine, as half the squared chord."""
    return ((_lengths_to_one(a) - _lengths_to_one(b)) ** 2).sum(axis=1) / 2


def _euclid(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a - b, axis=1)
