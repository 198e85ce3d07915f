"""The arithmetic of bench.verify: every metric again from the stored readings, with this module's own small code.

Written apart from the metrics package and importing nothing of it, so that one mistake is not made twice.
The formulas are those that results.json describes in words, their units and bounds bench/verify/meaning.py's.
Intervals: bench/verify/intervals.py; sets of pictures: bench/verify/pictures.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from bench.verify import photos, retrieval
from bench.verify.distances import angle, apart, euclid, matrices, turned
from bench.verify.meaning import LOST, MEANING, PIXELS, VIDEO


@dataclass
class Tables:
    """The files of one model.

    frames, originals, truth: as they are stored (truth: truth.parquet, in older runs the oracle's frames).
    `posed` bool [n]: both originals have a usable face, worked out here from originals.parquet.
    `unknown` bool [n]: the target's frame is not in originals.parquet, so nothing can be worked out.
    `faces` bool [n]: the target's frame has a usable face.
    `sourceless` bool [n]: rows that say that nothing but the source's clip is not there (bench/verify/sourceless.py).
    """

    frames: pd.DataFrame
    originals: pd.DataFrame
    truth: pd.DataFrame | None
    protocol: Mapping[str, Any]
    posed: np.ndarray = field(init=False)
    unknown: np.ndarray = field(init=False)
    faces: np.ndarray = field(init=False)
    sourceless: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        read = self.originals["status"] == "ok"
        known = {key: i for i, key in enumerate(_keys(self.originals, "clip", "frame", True))}
        usable = set(self.originals.loc[read & self.gallery, "clip"])
        clips = set(self.originals["clip"])
        ok = read.to_numpy(bool)
        target = self._at("target", "frame", known, True)
        self._target = target
        self._source = self._at("source", "source_frame", known)
        self.faces = (target >= 0) & ok[target]
        self.posed = self.faces & self.frames["source"].isin(usable).to_numpy(bool)
        # Files that were never there are nobody's failure.
        absent = (self.frames["status"] == "not_available").to_numpy(bool)
        self.posed &= ~absent
        self.sourceless = np.zeros(len(self.frames), dtype=bool)
        if "sourceless_status" in self.frames:
            self.sourceless = absent & self.frames["sourceless_status"].notna().to_numpy(bool)
        self.posed &= photos.has_photo(self.mode, self.frames, self.originals)
        self.unknown = (target < 0) & self.frames["target"].isin(clips).to_numpy(bool)
        self.unknown &= (self.frames["frame"] >= 0).to_numpy(
            bool
        )  # a frame that a short clip lacks is known not to be

    @property
    def mode(self) -> str:
        """What the run was of: "swap", "self" or "cycle"."""
        return str(self.protocol.get("mode") or "swap")

    @cached_property
    def gallery(self) -> np.ndarray:
        """bool [rows of originals]: frames by the protocol's rule; the others are targets beside finished swaps."""
        if "gallery" not in self.originals:
            return np.ones(len(self.originals), dtype=bool)
        return self.originals["gallery"].to_numpy(bool)

    @cached_property
    def people(self) -> Mapping[str, str]:
        """Clip -> whose face it shows: as the run stored it, else by the protocol."""
        clips = self.originals["clip"]
        if "person" in self.originals:
            return dict(zip(clips, self.originals["person"].astype(str), strict=True))
        return {clip: person(self.protocol, clip) for clip in clips}

    @cached_property
    def before(self) -> np.ndarray:
        """int [n]: the row of the frame before, -1 where it is not there, or was not to be swapped."""
        pairs = list(zip(self.frames["clip"], self.frames["frame"].astype(int), strict=True))
        asked = self.posed | self.sourceless
        rows = {pair: i for i, pair in reversed(list(enumerate(pairs))) if asked[i]}
        return np.array([rows.get((clip, frame - 1), -1) for clip, frame in pairs], dtype=int)

    def _at(
        self, clip: str, frame: str, known: Mapping[tuple[str, int, str], int], view: bool = False
    ) -> np.ndarray:
        return np.array([known.get(key, -1) for key in _keys(self.frames, clip, frame, view)], dtype=int)

    def side(self, side: str, instrument: str, reading: str) -> np.ndarray | None:
        """What an instrument read of one side of every frame.

        Args:
            side: "swap", "source", "target", "truth", or "back" for what came back in a cycle.
            instrument: Its name.
            reading: "identity", "shape", "expression" or "pose".

        Returns:
            float64 [n, d], NaN for a frame without a reading; None where the column is not stored.
        """
        if side in ("swap", "back"):
            return _rows(self.frames, f"{side}/{instrument}/{reading}")
        if side == "truth" and self.mode == "swap":
            if self.truth is None:
                return None
            of = "truth" if f"truth/{instrument}/{reading}" in self.truth else "swap"
            rows = _rows(self.truth, f"{of}/{instrument}/{reading}")
            keys = {k: i for i, k in enumerate(zip(self.truth["clip"], self.truth["frame"], strict=True))}
            at = [keys.get(k, -1) for k in zip(self.frames["clip"], self.frames["frame"], strict=True)]
            return None if rows is None else _take(rows, np.array(at, dtype=int))
        rows = _rows(self.originals, f"original/{instrument}/{reading}")
        # Without a true swap of its own the truth is the target.
        return None if rows is None else _take(rows, self._source if side == "source" else self._target)

    def pictures(self, column: str) -> tuple[np.ndarray | None, np.ndarray | None]:
        """(swaps, targets) float64 [n, d]: features of each frame's picture and of its target's."""
        target = _rows(self.originals, column)
        return _rows(self.frames, column), None if target is None else _take(target, self._target)


def person(protocol: Mapping[str, Any], clip: str) -> str:
    """Whose face a clip shows, by the protocol's identity map; DeepFakeDetection clips name their actor.

    Args:
        protocol: As results.json holds it.
        clip: The id of an original clip.

    Returns:
        The person's name.
    """
    name = clip.split("__")[0] if protocol.get("sequences") == "actors" else clip
    return str((protocol.get("identity_map") or {}).get(name, name))


def per_frame(
    tables: Tables, key: str, instrument: str | None, version: Any = None
) -> list[np.ndarray] | None:
    """The metric of every frame, worked out from the readings.

    Args:
        tables: Of one model.
        key: The metric's in results.json, perhaps with @INSTRUMENT.
        instrument: Who read it; None for a metric of pixels.
        version: Of the metric; None: the newest.

    Returns:
        float64 [n], NaN without a value; of ID retrieval two such, since where rounding decides a hit the
        stored value may be either. None when it cannot be had from readings.
    """
    name = key.split("@")[0]
    if name not in MEANING or instrument is None or name in PIXELS:
        return None
    if name.startswith("id_retrieval"):
        return _hits(tables, instrument, 5 if name.endswith("top5") else 1)
    if name == "target_retrieval":
        return _hits(tables, instrument, 1, "target")
    back = tables.mode == "cycle" and name.startswith("truth_")
    swap = tables.side("back" if back else "swap", instrument, reading_of(name))
    return None if swap is None else _valued(tables, name, instrument, swap, version)


def if_lost(tables: Tables, key: str, instrument: str | None, version: Any = None) -> np.ndarray | None:
    """What every frame would count as, were no face found in its swap.

    Args:
        tables: Of one model.
        key: The metric's in results.json.
        instrument: Who read it; None for a metric of pixels.
        version: Of the metric; None: the newest.

    Returns:
        float64 [n], in the metric's unit, NaN where it cannot be counted; None where that is so of all.
    """
    name = key.split("@")[0]
    if name in LOST:
        return np.full(len(tables.frames), LOST[name])
    if name in PIXELS:
        return np.where((tables.before >= 0) | (name not in VIDEO), PIXELS[name], np.nan)
    if name not in MEANING or instrument is None:
        return None
    reading = reading_of(name)
    if name in VIDEO:  # the wanted face jumps to the other one
        source, target = (tables.side(s, instrument, reading) for s in ("source", "target"))
        if source is None or target is None:
            return None
        if reading == "identity":
            cost = np.abs(angle(source, target) - angle(target, target[tables.before]))
        else:
            cost = apart(reading)(source, target)
        return np.where(tables.before >= 0, cost, np.nan)
    wrong = "target" if reading in ("identity", "shape") else "source"
    if name.startswith("truth_") and tables.mode != "swap":
        wrong = "source"
    other = tables.side(wrong, instrument, reading)
    found = None if other is None else _valued(tables, name, instrument, other, version)
    return None if found is None else found[0]


def reading_of(name: str) -> str:
    """Which reading a metric is of."""
    network = {"vgg": "identity", "arc": "identity", "pose_hn": "pose"}
    plain = name.removeprefix("truth_").removeprefix("target_").removesuffix("_r").split("_")[0]
    return "pose" if name == "pose_hn" else network.get(plain, plain)


def _valued(
    tables: Tables, name: str, instrument: str, face: np.ndarray, version: Any
) -> list[np.ndarray] | None:
    """The metric `name` of any faces float64 [n, d] in the place of the swaps."""
    reading = reading_of(name)
    source, target = (tables.side(s, instrument, reading) for s in ("source", "target"))
    if source is None or target is None:
        return None
    if name in VIDEO:
        return [_moved(tables, reading, face, target)]
    away = euclid if name.startswith("vgg") else apart(reading, version)
    if name.startswith("truth_"):
        truth = tables.side("truth", instrument, reading)
        return None if truth is None else [away(face, truth)]
    if name in ("identity", "arc", "target_identity"):
        return [1.0 - angle(face, target if name == "target_identity" else source)]
    if name == "pose_hn":
        return [np.degrees(away(face, target))]
    wanted, other = (source, target) if reading in ("identity", "shape") else (target, source)
    if not name.endswith("_r"):
        return [away(face, wanted)]
    near, far = away(face, wanted), away(face, other)
    if name == "arc_r":
        near, far = np.maximum(1.0 - near, 0.0), np.maximum(1.0 - far, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return [near / (near + far)]


def _moved(tables: Tables, reading: str, face: np.ndarray, target: np.ndarray) -> np.ndarray:
    """What a frame and the one before it say of steadiness; NaN without such a frame."""
    before = tables.before
    if reading == "identity":
        moved = np.abs(angle(face, face[before]) - angle(target, target[before]))
    elif reading == "expression":
        moved = euclid(face - face[before], target - target[before])
    else:
        turns = [m @ m[before].transpose(0, 2, 1) for m in (matrices(face), matrices(target))]
        moved = turned(*turns)
    return np.where(before >= 0, moved, np.nan)


def ranks(
    tables: Tables, instrument: str, side: str, draw: tuple[int, int] | None
) -> list[np.ndarray] | None:
    """Where the person of one side stands in the gallery, for every frame.

    Args:
        tables: Of one model.
        instrument: Who read the identities.
        side: "source" or "target": whose person is looked for. Ties count against the first and for the second.
        draw: (size, seed) of a smaller gallery; None: everybody.

    Returns:
        What bench.verify.retrieval.ranks gives; None where the readings are not stored.
    """
    probes, gallery = tables.side("swap", instrument, "identity"), _gallery(tables, instrument)
    if probes is None or gallery is None:
        return None
    people = [tables.people[clip] for clip in tables.originals["clip"]]
    wanted = [tables.people.get(clip, person(tables.protocol, clip)) for clip in tables.frames[side]]
    shown = tables._source if tables.protocol.get("gallery") == "without_source_frame" else None
    return retrieval.ranks(probes, gallery, people, wanted, shown, side == "target", draw)


def gallery_people(tables: Tables, instrument: str) -> int | None:
    """How many people an instrument could read in the gallery.

    Args:
        tables: Of one model.
        instrument: Who read the identities.

    Returns:
        Their number; None where the readings are not stored.
    """
    gallery = _gallery(tables, instrument)
    if gallery is None:
        return None
    return len({tables.people[clip] for clip in tables.originals["clip"][np.isfinite(gallery).all(axis=1)]})


def _gallery(tables: Tables, instrument: str) -> np.ndarray | None:
    """Readings of the originals float64 [rows, d], NaN in those that cannot be found."""
    stored = _rows(tables.originals, f"original/{instrument}/identity")
    read = (tables.originals["status"] == "ok").to_numpy(bool) & tables.gallery
    return None if stored is None else np.where(read[:, None], stored, np.nan)


def _hits(tables: Tables, instrument: str, k: int, side: str = "source") -> list[np.ndarray] | None:
    """100 for a frame whose person is among the k nearest people of the gallery, else 0."""
    size = tables.protocol.get("gallery_size")
    found = ranks(tables, instrument, side, None if size is None else (size, tables.protocol.get("seed", 0)))
    return None if found is None else [np.where(np.isnan(r), np.nan, 100.0 * (r <= k)) for r in found]


def mean(values: np.ndarray, clusters: np.ndarray) -> tuple[float, int, int]:
    """The mean of the values that are no NaN.

    Args:
        values: float64 [n].
        clusters: [n], the independent unit of each.

    Returns:
        (mean, how many values, how many clusters have one); the mean of nothing is NaN.
    """
    there = np.isfinite(values)
    n = int(there.sum())
    return (math.fsum(values[there]) / n if n else math.nan), n, len(set(clusters[there]))


def _keys(table: pd.DataFrame, clip: str, frame: str, view: bool) -> list[tuple[str, int, str]]:
    """Which frame each row speaks of, and how it was cut before it was read: "" for a whole one, as all once were."""
    views = table["view"].fillna("") if view and "view" in table else [""] * len(table)
    return [(c, int(f), str(v)) for c, f, v in zip(table[clip], table[frame], views, strict=True)]


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
