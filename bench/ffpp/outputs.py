"""What a run leaves: tables of readings, then of each model its frames and, last, its results.

OUT/originals.parquet and, where the true swap is known, OUT/truth.parquet come first, then OUT/<model>/frames.parquet and
OUT/<model>/results.json. A run with --video leaves the same two tables of the frames that follow each other:
OUT/video_originals.parquet and OUT/<model>/video.parquet.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from bench.data.pairs import Dataset
from bench.ffpp.frame import Frame
from bench.ffpp.ledger import Ledger
from bench.ffpp.run import Outcome
from bench.ffpp.scores import Scores
from bench.reading.reader import Reading
from reports.files import RESULTS, SLICES
from reports.pictures.store import PICTURES
from reports.results import Results, write_atomic
from reports.slices import Slices
from smoothswap.plumbing.names import printable

SCORES = ("metric/", "missing/", "rank/", "without_source/", "without_source_missing/")
"""What the columns of a table of frames begin with that hold a number of each frame."""


def write_model(
    folder: Path,
    results: Results,
    tables: Mapping[str, pa.Table],
    pictures: bytes | None = None,
    shared: Mapping[str, str] | None = None,
    slices: Slices | None = None,
) -> None:
    """Write one model's files into a new folder, results.json last.

    The hash of every file stands in results.json, so that bench.verify can tell an exchanged one.

    Args:
        folder: OUT/<model>.
        results: Without `files`.
        tables: File name -> frames_table.
        pictures: The chosen cases, as reports.pictures.store.pack made them; None: no file.
        shared: Files of the whole run, name -> sha256.
        slices: Of a pair list; None: no file.

    Raises:
        OutputError: When a file cannot be written; whatever happens, none is left half-written.
    """
    written = {name: _parquet(content) for name, content in tables.items()}
    if pictures is not None:
        written[PICTURES] = pictures
    if slices is not None:
        written[SLICES] = slices.to_json().encode()
    hashes = {f"../{name}": sha256 for name, sha256 in (shared or {}).items()}
    for name, data in written.items():
        write_atomic(folder / name, data)
        hashes[name] = sha256(data)
    write_atomic(folder / RESULTS, results.model_copy(update={"files": hashes}))


def frames_table(ledger: Ledger, frames: Sequence[Frame], scores: Scores) -> pa.Table:
    """One row a frame: the ledger's columns, faces found, box and the detector's score, metrics, readings as float lists.

    Args:
        ledger: The model's.
        frames: Its rows, in the ledger's order.
        scores: Their values.

    Returns:
        The table. metric/KEY: the metric of the frame; missing/KEY: what the frame counts as where it has none and missing
        faces count; rank/KEY: where the person looked for stands in the whole gallery; swap/INSTRUMENT/READING, and
        back/INSTRUMENT/READING of the way back of a cycle. Where the source's clip of some frames is not there,
        sourceless_status and sourceless_reason, what became of their swaps, and without_source/KEY and
        without_source_missing/KEY, which are of these frames what metric/KEY and missing/KEY are of the others.
    """
    columns: dict[str, Any] = {
        name: [getattr(row, name) for row in ledger.rows]
        for name in (
            "model",
            "manipulation",
            "compression",
            "clip",
            "target",
            "source",
            "cluster",
            "position",
            "frame",
            "source_frame",
            "status",
            "reason",
            "there",
            "view",
        )
    }
    columns |= {
        "target_person": [frame.pair.target_person for frame in frames],
        "source_person": [frame.pair.source_person for frame in frames],
        "faces": [frame.swap.found if frame.swap else None for frame in frames],
        "box": _boxes(frames),
        "score": _scores([frame.swap for frame in frames]),
        "posed": [frame.posed for frame in frames],
    }
    columns |= _sourceless(frames) | score_columns(scores)
    columns |= _readings("swap", [frame.swap for frame in frames])
    columns |= _looks([frame.look for frame in frames])
    return table(columns | _ways_back(frames))


def score_columns(scores: Scores) -> dict[str, pa.Array]:
    """The columns of a table of frames that hold numbers of each frame.

    Args:
        scores: Of the model.

    Returns:
        Their names begin with one of SCORES.
    """
    kinds = (scores.per_frame, scores.missing, scores.ranks, scores.without, scores.without_missing)
    return {
        f"{start}{key}": numbers(values)
        for start, arrays in zip(SCORES, kinds, strict=True)
        for key, values in arrays.items()
    }


def _sourceless(frames: Sequence[Frame]) -> dict[str, Any]:
    """What became of the swaps whose source's clip is not there; {} where there are none."""
    found = [frame.sourceless for frame in frames]
    if not any(found):
        return {}
    return {
        "sourceless_status": pa.array([one.status if one else None for one in found], pa.string()),
        "sourceless_reason": pa.array([one.reason if one else None for one in found], pa.string()),
    }


def _ways_back(frames: Sequence[Frame]) -> dict[str, Any]:
    """The way back of each frame of a cycle: with which photo, what became of it, its readings; {} of any other run."""
    ways = [frame.back for frame in frames]
    if not any(frame.pair.again for frame in frames):
        return {}
    columns: dict[str, Any] = {
        "again": [frame.pair.again for frame in frames],
        "again_frame": pa.array([way.frame if way else None for way in ways], pa.int64()),
        "back_status": pa.array([way.status if way else None for way in ways], pa.string()),
        "back_reason": pa.array([way.reason if way else None for way in ways], pa.string()),
    }
    return columns | _readings("back", [way.reading if way else None for way in ways])


def write_originals(path: Path, outcome: Outcome, dataset: Dataset) -> str:
    """What was read from the original clips: the source and target sides of every model, and the gallery.

    Rows of the gallery come first; then target frames of other numbers, beside which a finished swap lay, those that were
    cut as the aligned crops beside them (`view`, as in the ledger), and clips that swapped swaps back in a cycle.

    Args:
        path: The Parquet file, written whole or not at all.
        outcome: Of the run.
        dataset: Says whose face each clip shows, and the compression.

    Returns:
        The sha256 (hex) of the file.

    Raises:
        OutputError: When the file cannot be written.
    """
    rows = [
        (clip, number, "", reading) for clip, read in outcome.originals.items() for number, reading in read
    ]
    gallery = len(rows)
    known = {row[:3] for row in rows}
    for frame in (frame for frames in outcome.frames.values() for frame in frames):
        place = (frame.row.target, frame.row.frame, frame.row.view)
        if frame.target is not None and place not in known:
            known.add(place)
            rows.append((*place, frame.target))
    rows += [(clip, number, "", reading) for clip, read in outcome.others.items() for number, reading in read]
    columns: dict[str, Any] = {
        "clip": [clip for clip, _, _, _ in rows],
        "compression": [dataset.compression] * len(rows),
        "person": [dataset.person(clip) for clip, _, _, _ in rows],
        "gallery": [i < gallery for i in range(len(rows))],
        "frame": [number for _, number, _, _ in rows],
        "view": [view for _, _, view, _ in rows],
        "status": [reading.status for *_, reading in rows],
        "reason": [reading.reason for *_, reading in rows],
        "faces": [reading.found for *_, reading in rows],
        "score": _scores([reading for *_, reading in rows]),
        "face_size": numbers(np.array([reading.shown.size for *_, reading in rows])),
        "face_brightness": numbers(np.array([reading.shown.brightness for *_, reading in rows])),
    }
    columns |= _readings("original", [reading for *_, reading in rows])
    return write_table(path, table(columns | _looks([reading.look for *_, reading in rows])))


def write_truth(path: Path, outcome: Outcome) -> str:
    """What was read from the true swaps, one row a frame of a pair that has one.

    Args:
        path: The Parquet file, written whole or not at all.
        outcome: Of the run.

    Returns:
        The sha256 (hex) of the file.

    Raises:
        OutputError: When the file cannot be written.
    """
    frames = {
        (frame.row.clip, frame.row.frame): frame.truth
        for frames in outcome.frames.values()
        for frame in frames
        if frame.truth is not None
    }
    columns: dict[str, Any] = {
        "clip": [clip for clip, _ in frames],
        "frame": [number for _, number in frames],
    }
    return write_table(path, table(columns | _readings("truth", list(frames.values()))))


def table(columns: Mapping[str, Any]) -> pa.Table:
    """A table of columns, in which names that are no UTF-8 are written so that they can be."""
    return pa.table(
        {
            name: [printable(one) if isinstance(one, str) else one for one in column]
            if isinstance(column, list) and any(isinstance(one, str) for one in column)
            else column
            for name, column in columns.items()
        }
    )


def sha256(data: bytes) -> str:
    """Its hash, hex, as results.json keeps it."""
    return hashlib.sha256(data).hexdigest()


def write_table(path: Path, content: pa.Table) -> str:
    """Write a table of the whole run.

    Args:
        path: The Parquet file, written whole or not at all.
        content: Its rows.

    Returns:
        The sha256 (hex) of the file.

    Raises:
        OutputError: When the file cannot be written.
    """
    data = _parquet(content)
    write_atomic(path, data)
    return sha256(data)


def _readings(side: str, readings: Sequence[Reading | None]) -> dict[str, Any]:
    names = dict.fromkeys(name for reading in readings if reading for name in reading.values)
    return {
        f"{side}/{name}": pa.array(
            [reading.values.get(name) if reading else None for reading in readings], pa.list_(pa.float32())
        )
        for name in names
    }


def _looks(looks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Features of the pictures themselves, one column a network; none where none were asked for."""
    names = dict.fromkeys(name for look in looks for name in look)
    return {
        f"picture/{name}": pa.array([look.get(name) for look in looks], pa.list_(pa.float32()))
        for name in names
    }


def _boxes(frames: Sequence[Frame]) -> Any:
    boxes = [frame.swap.face.box if frame.swap and frame.swap.face else None for frame in frames]
    return pa.array(boxes, pa.list_(pa.float32()))


def _scores(readings: Sequence[Reading | None]) -> Any:
    """The detector's score of each face that was read."""
    return pa.array([one.face.score if one and one.face else None for one in readings], pa.float64())


def _parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def numbers(values: npt.NDArray[np.float64]) -> pa.Array:
    """A column of numbers, null for NaN."""
    return pa.array([float(x) if math.isfinite(x) else None for x in values], pa.float64())
