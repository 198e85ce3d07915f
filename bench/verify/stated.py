"""The part of bench.verify for what results state beside their numbers: hashes of files, daggers, what is left out."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bench.errors import few
from bench.verify import meaning, recount
from bench.verify.checks import Checked
from reports.files import FRAMES, ORIGINALS, PAIRS, SLICES, TRUTH, VIDEO, VIDEO_ORIGINALS
from reports.pictures.store import PICTURES
from reports.results import Results

HASHED = (
    FRAMES,
    VIDEO,
    PICTURES,
    SLICES,
    *(f"../{name}" for name in (ORIGINALS, TRUTH, VIDEO_ORIGINALS, PAIRS)),
)
"""What a results.json names the hashes of, where it is there."""
_ALL_OR_NONE = ("missing", "missing_policy", "excluding_missing", "counting_missing")
"""What newer results say of every metric, and older ones of none."""


def check_files(found: Checked, folder: Path, results: Results) -> None:
    """Check the hashes of the files, and that each file has one.

    Args:
        found: Gets the violations and notes.
        folder: OUT/<model>.
        results: What is checked.
    """
    if not results.files and not results.models:
        found.notes.append(
            "no file hashes in results.json (made before they were stored): readings not pinned"
        )
        return
    here = [name for name in HASHED if (folder / name).is_file() and name not in results.files]
    found.expect(not here, f"hash: results.json holds hashes, and none of {few(here)}")
    for name, wanted in results.files.items():
        path = folder / name
        if not path.is_file():
            found.violations.append(f"hash: {name} is not there")
            continue
        have = hashlib.sha256(path.read_bytes()).hexdigest()
        found.expect(
            have == wanted, f"hash: {name} is {have[:12]}, results.json says {wanted[:12]}: changed since"
        )


def check_stated(found: Checked, results: Results) -> None:
    """Check what results state of their metrics beside the numbers.

    Args:
        found: Gets the violations.
        results: What is checked.
    """
    kind = results.run.model.model_dump().get("kind", "finished")
    found.expect(
        results.check is None or kind == "finished",
        f"check: of finished swaps alone, and the model is of kind {kind}",
    )
    for name in _ALL_OR_NONE:
        stated = {key for key, metric in results.metrics.items() if getattr(metric, name) is not None}
        lacking = sorted(set(results.metrics) - stated)
        found.expect(not stated or not lacking, f"metrics: {few(lacking)} lack {name}, which the others have")
    bare = {key: metric.model_copy(update={"dagger": None}) for key, metric in results.metrics.items()}
    follows = Results.model_validate(results.model_copy(update={"metrics": bare}).model_dump()).metrics
    for key, metric in results.metrics.items():
        wanted = follows[key].dagger
        found.expect(
            metric.dagger == wanted,
            f"metric {key}: its dagger says {metric.dagger!r}, by what the model was trained with {wanted!r}",
        )
        _instrument(found, key, metric.instrument, results)


def _instrument(found: Checked, key: str, named: str | None, results: Results) -> None:
    """Whether the instrument of a metric is one that reads what the metric is made of."""
    name = key.split("@")[0]
    if name not in meaning.MEANING or name in meaning.PIXELS:
        return
    reading = _reading(name)
    reads = [info.model_dump().get("reads") for info in results.run.instruments if info.name == named]
    stated = [list(one) for one in reads if one]
    if stated and not any(reading in one for one in stated):
        found.violations.append(f"metric {key}: instrument {named!r} reads no {reading}")


def check_readings(found: Checked, tables: recount.Tables, results: Results) -> None:
    """Check that what a metric is made of is stored with its values, where a table holds readings at all.

    Args:
        found: Gets the violations.
        tables: Of the protocol's frames.
        results: What is checked.
    """
    columns = {str(column) for column in tables.frames}
    if not any(column.startswith("swap/") for column in columns):
        return
    for key, metric in results.metrics.items():
        name = key.split("@")[0]
        of_frames = name in meaning.MEANING and name not in (*meaning.PIXELS, *meaning.VIDEO)
        if not of_frames or metric.value is None or f"metric/{key}" not in columns:
            continue
        column = f"{'back' if tables.mode == 'cycle' and name.startswith('truth_') else 'swap'}/{metric.instrument}"
        column = f"{column}/{_reading(name)}"
        found.expect(column in columns, f"metric {key}: the table lacks {column}, of which it is made")


def _reading(name: str) -> str:
    return "identity" if name in meaning.LOST else recount.reading_of(name)
