"""From the parts that the workers wrote to a data set: faces.npy or tar shards, ledger, names, split, meta.json.

Each file is written beside its place and moved there whole, meta.json last; the same parts give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from smoothswap.data.crop import STATUSES, Cutter, read_part, shown
from smoothswap.data.sources import Listing
from smoothswap.data.store import AGAIN, sha256_of
from smoothswap.errors import DataError
from smoothswap.media.files import replacing

NAMED = 20  # of the entries that were passed over, and of the photos that are there twice: so many are named in meta.json
COLUMNS = ("photo", "person", "status", "reason", "faces", "square")


def assemble(
    out: Path,
    parts: list[Path],
    listing: Listing,
    order: np.ndarray,
    cutter: Cutter,
    shard: int,
    about: dict[str, Any],
) -> dict[str, Any]:
    """Write the data set into `out` and return its meta.json, which begins with `about`.

    Args:
        out: The folder, which exists; files of an earlier run that was killed here are removed.
        parts: Part files (data.crop.cut_part), which hold listing.photos[order[0]],
            listing.photos[order[1]], ...
        listing: Every photo that is expected, and who is for validation.
        order: int [photos], a permutation: in which order the photos were cut, and are stored.
        cutter: How they were cut; its `size` and `form` are those of the crops in the parts.
        shard: Photos a tar; 0: one faces.npy with people.npy.
        about: What meta.json says first: source, command, seed and plan.

    Returns:
        meta.json: `about`, then counts of photos, people and statuses, and the sha256 of what was written.

    Raises:
        DataError: A part is damaged or missing, or no photo was good (the ledger is there all the same).
        OutputError: A file cannot be written.
    """
    import pandas as pd  # not at the top: every worker imports this module, and none needs it

    for left in out.glob(".*.part.*"):  # of a run that was killed at this point
        left.unlink()
    rows: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    same: dict[str, list[str]] = {}
    for part in parts:
        for row in _read(part, crops=False)[0]:
            for name in COLUMNS:
                rows[name].append(row[name])
            if pixels := row.get("pixels"):
                same.setdefault(pixels, []).append(row["photo"])
    identical = sorted(sorted(photos) for photos in same.values() if len(photos) > 1)
    if len(rows["status"]) != len(listing.photos):
        raise DataError(
            f"the parts in {parts[0].parent} hold {len(rows['status'])} of {len(listing.photos)} photos: "
            f"remove that folder and {AGAIN}"
        )
    ledger = pd.DataFrame(rows).iloc[np.argsort(order)].reset_index(drop=True)
    kept = (ledger["status"] == "ok").to_numpy()
    people, names = _number([listing.photos[i].person for i in np.flatnonzero(kept)])
    numbers = np.full(len(kept), -1)
    numbers[order[kept[order]]] = np.arange(kept.sum())  # in the order of cutting, which is that of storing
    ledger["row"] = numbers
    with replacing(out / "ledger.parquet") as part, part.open("wb") as file:
        ledger.to_parquet(file, index=False)
    counts = Counter(ledger["status"])
    meta = about | {
        "expected": len(kept),
        "photos": int(kept.sum()),
        "people": len(names),
        "people_without_a_crop": len({photo.person for photo in listing.photos}) - len(names),
        "counts": {status: counts[status] for status in STATUSES},
        "ignored_entries": len(listing.passed_over),
        "ignored": [shown(name) for name in listing.passed_over[:NAMED]],
        "identical": identical[:NAMED],
        "ledger_sha256": sha256_of(out / "ledger.parquet"),
    }
    if not kept.any():
        raise DataError(
            f"none of the {len(kept)} photos gave a crop; {out / 'ledger.parquet'} has each one's reason"
        )
    write_json(out / "names.json", names)
    if listing.validation is not None:
        held = {shown(name) for name in listing.validation}
        write_json(out / "split.json", {"validation": [name for name in names if name in held]})
    crops = (crop for part in parts for crop in _read(part)[1] if crop)
    if shard:
        from smoothswap.data.shards import Sample, write_shards  # imports torch

        person_of = np.full(len(kept), -1)
        person_of[kept] = people
        samples = (
            Sample(i, crop, int(person_of[place]), names[person_of[place]], str(ledger["photo"].iat[place]))
            for i, (place, crop) in enumerate(zip(order[kept[order]], crops, strict=True))
        )
        meta["shards"] = write_shards(out, samples, shard, cutter.form)
    else:
        meta["people_sha256"] = _array(
            out / "people.npy", people.shape, np.dtype(np.int32), [people.tobytes()]
        )
        shape = (len(people), cutter.size, cutter.size, 3)
        meta["faces_sha256"] = _array(out / "faces.npy", shape, np.dtype(np.uint8), crops)
    write_json(out / "meta.json", meta)
    return meta


def _read(part: Path, crops: bool = True) -> tuple[list[dict[str, Any]], list[bytes]]:
    try:
        return read_part(part, crops)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{part} is damaged ({error}): remove it and {AGAIN}") from None


def _number(persons: list[str]) -> tuple[np.ndarray, list[str]]:
    """Number people in order: ["b", "b", "c"] -> (int32 [0, 0, 1], ["b", "c"])."""
    numbers = {person: i for i, person in enumerate(dict.fromkeys(persons))}
    return np.array([numbers[person] for person in persons], np.int32), [shown(person) for person in numbers]


def _array(path: Path, shape: tuple[int, ...], kind: np.dtype[Any], blocks: Iterable[bytes]) -> str:
    """A .npy file from blocks of bytes, streamed; returns the sha256 of the file."""
    with replacing(path) as part, part.open("wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            file.write(block)
        expected = int(np.prod(shape)) * kind.itemsize
        if file.tell() < expected:
            raise DataError(f"{path} lacks {expected - file.tell()} bytes: a part is damaged")
    return sha256_of(path)


def write_json(path: Path, content: object) -> None:
    """Write JSON in UTF-8, whole or not at all.

    Args:
        path: The file, in a folder that exists; one that is there is replaced.
        content: What json.dumps takes; letters outside ASCII are written as they are.

    Raises:
        OutputError: The file cannot be written.
    """
    with replacing(path) as part:
        part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def photos_sha256(listing: Listing) -> str:
    """Hash of what is expected: every photo's path, person and size in bytes, and who is for validation."""
    digest = hashlib.sha256()
    for line in _lines(listing):
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _lines(listing: Listing) -> Iterator[str]:
    yield from (f"{photo.path}\0{photo.person}\0{photo.bytes}\n" for photo in listing.photos)
    yield from (f"{person}\n" for person in sorted(listing.validation or ()))
