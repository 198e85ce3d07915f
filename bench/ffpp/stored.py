"""A finished run read back from its tables: the rows, the readings and the gallery, as they were before scoring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bench.data.ffpp import person_of
from bench.data.pairs import Pair
from bench.errors import DataError
from bench.ffpp.frame import Back, Frame, Sourceless
from bench.ffpp.ledger import Row
from bench.ffpp.protocol import Protocol
from bench.ffpp.sides import Gallery, Source
from bench.reading.reader import Reading
from metrics.registry import METRICS
from metrics.sides import READINGS
from reports.files import FRAMES, ORIGINALS, TRUTH
from reports.parquet import read_parquet
from reports.results import Results, ResultsError
from reports.rules import FOLLOWS

Values = dict[str, npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Originals:
    """Readings of the original clips by (clip, frame number), and the gallery that they make.

    places: (clip, frame number) -> its place among the clip's frames, for those of the gallery.
    """

    readings: Mapping[tuple[str, int, str], Reading]
    places: Mapping[tuple[str, int], int]
    people: Mapping[str, str]
    gallery: Gallery


class Shared:
    """The tables that all models of a run share, each read once.

    Args:
        run: The run's folder.
    """

    def __init__(self, run: Path) -> None:
        self.run = run
        self._originals: dict[tuple[str, str], Originals] = {}

    def originals(self, protocol: Protocol, name: str = ORIGINALS) -> Originals:
        """The original clips, read from their table once and then kept.

        Args:
            protocol: The run's. It says whose face a clip shows where an older table does not.
            name: The table's file: ORIGINALS, or VIDEO_ORIGINALS for frames that follow each other.

        Returns:
            Their readings, and the gallery.

        Raises:
            DataError: When the table is missing or damaged.
        """
        key = (protocol.hash, name)
        if key not in self._originals:
            self._originals[key] = read_originals(self.run, protocol, name)
        return self._originals[key]

    @cached_property
    def truth(self) -> Mapping[tuple[str, int], Reading]:
        """Readings of the true swaps by (clip, frame number). Raises DataError."""
        return read_truth(self.run)


def instruments_of(results: Results) -> list[Source]:
    """The instruments whose readings the metrics come from, in the run's order."""
    described = [info.model_dump() for info in results.run.instruments]
    sources = [
        Source(info["name"], tuple(info.get("reads") or ()), info.get("family") or "") for info in described
    ]
    return [
        instrument for instrument in sources if instrument.reads and set(instrument.reads) <= set(READINGS)
    ]


def protocol_of(results: Results) -> Protocol:
    """The protocol of a run.

    Raises:
        DataError: Its rules are not those of today's protocol, or do not give the hash that stands beside them.
    """
    stated = results.run.protocol.model_dump(mode="json")
    digest = stated["hash"]
    rules = {name: value for name, value in stated.items() if name not in FOLLOWS}
    try:
        protocol = Protocol.model_validate(rules)
    except ValueError as error:
        raise DataError(
            f"the run's protocol is not one of today's: {error}; score the model again"
        ) from error
    if protocol.hash != digest:
        raise DataError(f"the run's protocol does not have the hash {digest[:12]} that stands beside it")
    return protocol


def read_table(path: Path) -> pa.Table:
    """One of the run's tables.

    Raises:
        DataError: It is missing or damaged.
    """
    if not path.is_file():
        raise DataError(f"{path} is missing: a run is scored again from its tables; score the model anew")
    try:
        return read_parquet(path)
    except ResultsError as error:
        raise DataError(f"{error}; score the model anew") from error


def has_readings(table: pa.Table) -> bool:
    """Whether a table of frames holds what the instruments read, and not only the value of each frame."""
    return any(name.startswith("swap/") for name in table.column_names)


def read_originals(run: Path, protocol: Protocol, name: str = ORIGINALS) -> Originals:
    """The original clips of a run.

    Args:
        run: OUT.
        protocol: The run's.
        name: The table's file.

    Returns:
        Their readings, and the gallery.

    Raises:
        DataError: When the table is missing or damaged.
    """
    table = read_table(run / name)
    rows = _rows(table, "original/", run / name)
    readings: dict[tuple[str, int, str], Reading] = {}
    people: dict[str, str] = {}
    gallery: list[Reading] = []
    ids: list[str] = []
    at: dict[tuple[str, int], int] = {}
    places: dict[tuple[str, int], int] = {}
    counts: Counter[str] = Counter()
    for row, values, look in rows:
        clip = row["clip"]
        reading = _reading(row["status"], row["reason"], row["faces"] or 0, values, look)
        readings[clip, row["frame"], row.get("view") or ""] = reading
        people[clip] = row.get("person") or person_of(clip, protocol.sequences, protocol.identity_map)
        if not row.get("gallery", True):
            continue
        places[clip, row["frame"]] = counts[clip]
        if reading.status == "ok":
            at[clip, counts[clip]] = len(gallery)
            gallery.append(reading)
            ids.append(people[clip])
        counts[clip] += 1
    return Originals(readings, places, people, Gallery(gallery, np.array(ids, dtype=str), at))


def read_truth(run: Path) -> dict[tuple[str, int], Reading]:
    """Readings of the true swaps by (clip, frame number); empty where there is no truth. Raises DataError."""
    side, path = "truth/", run / TRUTH
    if not path.is_file():
        # Older runs kept them in the row of the oracle alone.
        side, path = "swap/", run / "oracle" / FRAMES
        if not path.is_file():
            return {}
    return {
        (row["clip"], row["frame"]): _reading("ok", "", 1, values, {})
        for row, values, _ in _rows(read_table(path), side, path)
        if values
    }


def frames_of(
    table: pa.Table, originals: Originals, truths: Mapping[tuple[str, int], Reading], path: Path
) -> list[Frame]:
    """The rows of one model as they were scored.

    Args:
        table: Its frames.
        originals: Of the run.
        truths: What `read_truth` gave.
        path: Of the table, for messages.

    Returns:
        A frame for each row.

    Raises:
        DataError: When the table is damaged.
    """
    rows = _rows(table, "swap/", path)
    frames = [_frame(row, values, look, originals, truths) for row, values, look in rows]
    if "back_status" not in table.column_names:
        return frames
    ways = [_back(row, values) for row, values, _ in _rows(table, "back/", path)]
    return [replace(frame, back=way) for frame, way in zip(frames, ways, strict=True)]


def _back(row: Mapping[str, Any], values: Values) -> Back | None:
    """The way back of a frame of a cycle; the error of its pixels is the frame's metric, as it was stored."""
    if row["back_status"] is None:
        return None
    error = row.get("metric/truth_pixel")
    reading = _reading("ok", "", 1, values, {}) if row["back_status"] == "ok" else None
    return Back(
        row["again_frame"],
        row["back_status"],
        row["back_reason"] or "",
        reading,
        float("nan") if error is None else error,
    )


def _frame(
    row: Mapping[str, Any],
    values: Values,
    look: Values,
    originals: Originals,
    truths: Mapping[tuple[str, int], Reading],
) -> Frame:
    names = [name for name in Row.__dataclass_fields__ if row.get(name) is not None]
    ledger = Row(**{name: row[name] for name in names} | {"reason": row["reason"] or ""})
    pair = Pair(
        ledger.clip,
        ledger.target,
        ledger.source,
        row.get("target_person") or originals.people[ledger.target],
        row.get("source_person") or originals.people[ledger.source],
        row.get("again") or "",
    )
    status = row.get("sourceless_status")
    sourceless = None if status is None else Sourceless(status, row["sourceless_reason"] or "")
    if not (row["posed"] or sourceless):
        return Frame(ledger, pair, posed=False)
    shown = (ledger.source, ledger.source_frame)
    ok = (sourceless or ledger).status == "ok"
    of = "without_source" if sourceless else "metric"
    error = row.get(f"{of}/truth_pixel")
    measured = {key: row.get(f"{of}/{key}") for key, metric in METRICS.items() if metric.pixels}
    return Frame(
        ledger,
        pair,
        posed=row["posed"],
        swap=_reading("ok", "", row["faces"] or 1, values, {}) if ok else None,
        source=originals.readings.get((*shown, "")),
        target=originals.readings.get((ledger.target, ledger.frame, ledger.view)),
        truth=truths.get((ledger.clip, ledger.frame)),
        source_at=(ledger.source, originals.places[shown]) if ok and shown in originals.places else None,
        pixel_error=float("nan") if error is None else error,
        pixels={key: value for key, value in measured.items() if value is not None},
        look=look,
        sourceless=sourceless,
    )


def _reading(status: Any, reason: str | None, faces: int, values: Values, look: Values) -> Reading:
    return Reading(faces, None, status, reason or "", values, look)


def _rows(table: pa.Table, side: str, path: Path) -> Sequence[tuple[dict[str, Any], Values, Values]]:
    """Each row's plain columns, its readings ("<instrument>/<reading>") and its pictures' features by network."""
    values = ("metric/", "without_source/")
    plain = [name for name in table.column_names if "/" not in name or name.startswith(values)]
    if missing := sorted({"clip", "frame"} - set(plain)):
        raise DataError(f"{path} lacks the columns {', '.join(missing)}; score the model anew")
    readings = _lists(table, side)
    looks = _lists(table, "picture/")

    def at(i: int, lists: dict[str, list[Any]]) -> Values:
        return {name: rows[i] for name, rows in lists.items() if rows[i] is not None}

    return [(row, at(i, readings), at(i, looks)) for i, row in enumerate(table.select(plain).to_pylist())]


def _lists(table: pa.Table, prefix: str) -> dict[str, list[Any]]:
    return {
        name.removeprefix(prefix): [
            None if row is None else np.array(row, np.float32) for row in table[name].to_pylist()
        ]
        for name in table.column_names
        if name.startswith(prefix)
    }
