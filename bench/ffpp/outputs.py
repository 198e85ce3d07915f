"""What a run leaves: OUT/originals.parquet, OUT/<model>/frames.parquet and, last, OUT/<model>/results.json.

A run with --video leaves the same two tables of the frames that follow each other: OUT/video_originals.parquet and
OUT/<model>/video.parquet.
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

from bench.ffpp.frame import Frame
from bench.ffpp.ledger import Ledger
from bench.ffpp.scores import Scores
from bench.reading.reader import Reading
from reports.files import RESULTS, VIDEO
from reports.pictures.store import PICTURES
from reports.results import Results, write_atomic


def write_model(
    folder: Path,
    results: Results,
    tables: Mapping[str, pa.Table],
    pictures: bytes | None = None,
    shared: Mapping[str, str] | None = None,
) -> None:
    """Write one model's files. An older results.json goes first, so that it never stands beside newer frames.

    tables: file name -> frames_table. pictures: the chosen cases, as reports.pictures.store.pack made them. shared: files
    of the whole run, name -> sha256. The hash of every file stands in results.json, so that bench.verify can tell an
    exchanged one. Raises reports.results.OutputError; whatever happens, no file is left half-written.
    """
    for name in (RESULTS, PICTURES, VIDEO):
        (folder / name).unlink(missing_ok=True)
    written = {name: _parquet(table) for name, table in tables.items()}
    if pictures is not None:
        written[PICTURES] = pictures
    hashes = {f"../{name}": sha256 for name, sha256 in (shared or {}).items()}
    for name, data in written.items():
        write_atomic(folder / name, data)
        hashes[name] = hashlib.sha256(data).hexdigest()
    write_atomic(folder / RESULTS, results.model_copy(update={"files": hashes}))


def frames_table(ledger: Ledger, frames: Sequence[Frame], scores: Scores) -> pa.Table:
    """One row a frame: the ledger's columns, faces found, box, metric values, readings as float lists.

    metric/KEY: the metric of the frame; missing/KEY: what the frame counts as where it has none and missing faces count.
    """
    columns: dict[str, Any] = {
        name: [getattr(row, name) for row in ledger.rows]
        for name in (
            "model", "manipulation", "compression", "clip", "target", "source", "cluster",
            "position", "frame", "source_frame", "status", "reason",
        )
    }  # fmt: skip
    columns |= {
        "faces": [frame.swap.found if frame.swap else None for frame in frames],
        "box": _boxes(frames),
        "posed": [frame.posed for frame in frames],
    }
    columns |= {f"metric/{key}": _numbers(array) for key, array in scores.per_frame.items()}
    columns |= {f"missing/{key}": _numbers(array) for key, array in scores.missing.items()}
    columns |= _readings("swap", [frame.swap for frame in frames])
    columns |= _looks([frame.look for frame in frames])
    return pa.table(columns)


def write_originals(
    path: Path, originals: Mapping[str, Sequence[tuple[int, Reading]]], compression: str
) -> str:
    """What was read from the original clips: the source and target sides of every model, and the gallery.

    Returns the sha256 (hex) of the file.
    """
    rows = [(clip, *row) for clip, readings in originals.items() for row in readings]
    columns: dict[str, Any] = {
        "clip": [clip for clip, _, _ in rows],
        "compression": [compression] * len(rows),
        "frame": [number for _, number, _ in rows],
        "status": [reading.status for _, _, reading in rows],
        "reason": [reading.reason for _, _, reading in rows],
        "faces": [reading.found for _, _, reading in rows],
    }
    columns |= _readings("original", [reading for _, _, reading in rows])
    data = _parquet(pa.table(columns | _looks([reading.look for _, _, reading in rows])))
    write_atomic(path, data)
    return hashlib.sha256(data).hexdigest()


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


def _parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _numbers(values: npt.NDArray[np.float64]) -> Any:
    return pa.array([float(x) if math.isfinite(x) else None for x in values], pa.float64())
