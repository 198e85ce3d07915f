"""The picture grid: source, target, swap (and truth, where known) of named cases, as data: URIs.

The cases of a run are kept beside its results (pictures.parquet), so that a report can be built again from them.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from reports.results import ResultsError

PICTURES = "pictures.parquet"  # beside results.json
Case = Literal["best", "median", "worst", "random"]
CASES: tuple[Case, ...] = ("best", "median", "worst", "random")
SHOWN = 128  # CSS pixels of one picture at full width
BUDGET = 2 * 2**20  # bytes of all data: URIs; keeps the page under 3 MB
MOST = 120  # cases on one page


@dataclass(frozen=True)
class Picture:
    """One case of one model. Pictures are np.uint8 [h, w, 3] RGB, of any size, square for a tidy grid.

    metric_text: the number that made it the best, median or worst case, in words ("cosine 0.71").
    metric, label: key and title of the metric that chose it; empty for a random case and in older runs.
    scores: (title, number in words) of everything that was measured on this frame.
    """

    model: str
    clip: str
    frame: int
    case: Case
    metric_text: str
    source: np.ndarray
    target: np.ndarray
    swap: np.ndarray
    truth: np.ndarray | None = None
    metric: str = ""
    label: str = ""
    scores: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.case not in CASES:
            raise ValueError(f"case {self.case!r} of {self.clip}: must be one of {', '.join(CASES)}")
        for name, image in self.parts:
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
                raise ValueError(
                    f"the {name} picture of {self.model}, {self.clip} frame {self.frame} is "
                    f"{image.dtype} {list(image.shape)}; it must be uint8 [h, w, 3] RGB"
                )

    @property
    def parts(self) -> list[tuple[str, np.ndarray]]:
        named = [("source", self.source), ("target", self.target), ("swap", self.swap)]
        return named if self.truth is None else [*named, ("truth", self.truth)]


@dataclass(frozen=True)
class Embedded:
    """A picture's case with its parts encoded: (name, data: URI, width, height in CSS pixels, pixelated)."""

    picture: Picture
    parts: list[tuple[str, str, int, int, bool]]


@dataclass(frozen=True)
class Encoding:
    """How pictures are stored: at most `size` pixels a side, PNG when `quality` is None, else JPEG."""

    size: int
    quality: int | None

    def __str__(self) -> str:
        if self.quality is None:
            return "lossless PNG, pixel for pixel"
        return f"JPEG (quality {self.quality}), at most {self.size} pixels a side"

    def __call__(self, image: np.ndarray) -> str:
        picture = Image.fromarray(np.ascontiguousarray(image))
        if max(picture.size) > self.size:
            picture.thumbnail((self.size, self.size), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        if self.quality is None:
            picture.save(buffer, "PNG")
        else:
            # Without optimize: Pillow cannot optimise noisy pictures within its own buffer.
            picture.save(buffer, "JPEG", quality=self.quality, subsampling=0)
        kind = "png" if self.quality is None else "jpeg"
        return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


# From the best to the smallest; the first that fits the budget serves for all, so that rows stay comparable.
ENCODINGS = (Encoding(4096, None), Encoding(256, 92), Encoding(192, 88), Encoding(128, 85), Encoding(96, 75))


def embed(pictures: Sequence[Picture], budget: int = BUDGET) -> tuple[list[Embedded], str]:
    """Encode the pictures within `budget` bytes; returns them, and in words how they are stored."""
    shown = list(pictures)[:MOST]
    for encoding in ENCODINGS:
        uris = _encode(shown, encoding, budget if encoding is not ENCODINGS[-1] else None)
        if uris is not None:
            break
    assert uris is not None  # the last encoding has no limit
    left_out = f"; {len(pictures) - MOST} further cases are left out" if len(pictures) > MOST else ""
    embedded = [
        Embedded(
            picture,
            [(name, uri, *_css_size(image)) for (name, image), uri in zip(picture.parts, row, strict=True)],
        )
        for picture, row in zip(shown, uris, strict=True)
    ]
    return embedded, f"{encoding}{left_out}"


def _encode(
    pictures: list[Picture], encode: Callable[[np.ndarray], str], budget: int | None
) -> list[list[str]] | None:
    """All data: URIs, or None as soon as they outgrow the budget. What is shown twice is encoded once."""
    total, rows = 0, []
    known: dict[bytes, str] = {}
    for picture in pictures:
        rows.append([_once(known, image, encode) for _, image in picture.parts])
        total += sum(map(len, rows[-1]))
        if budget is not None and total > budget:
            return None
    return rows


def _once(known: dict[bytes, str], image: np.ndarray, encode: Callable[[np.ndarray], str]) -> str:
    key = hashlib.sha256(repr(image.shape).encode() + np.ascontiguousarray(image).tobytes()).digest()
    if key not in known:
        known[key] = encode(image)
    return known[key]


def pack(pictures: Sequence[Picture]) -> bytes:
    """The bytes of a pictures.parquet: one row a case, the images as lossless PNG."""
    columns: dict[str, Any] = {
        name: [getattr(picture, name) for picture in pictures]
        for name in ("model", "clip", "frame", "case", "metric_text", "metric", "label")
    }
    columns["scores"] = [json.dumps(picture.scores) for picture in pictures]
    for part in ("source", "target", "swap", "truth"):
        images = [getattr(picture, part) for picture in pictures]
        columns[part] = pa.array([None if i is None else _png(i) for i in images], pa.binary())
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def read(path: str | os.PathLike[str], model: str | None = None) -> list[Picture]:
    """The cases of a pictures.parquet, none where the file is not there; `model` renames them.

    Raises ResultsError naming the file when it is damaged.
    """
    if not Path(path).is_file():
        return []
    try:
        return [_case(row, model) for row in pq.read_table(path).to_pylist()]
    except (OSError, ValueError, KeyError, TypeError, Image.DecompressionBombError) as error:
        raise ResultsError(
            f"cannot read the pictures in {path}: {error}; remove the file to go without"
        ) from error


def _case(row: dict[str, Any], model: str | None) -> Picture:
    return Picture(
        row["model"] if model is None else model,
        row["clip"], row["frame"], row["case"], row["metric_text"],
        _pixels(row["source"]), _pixels(row["target"]), _pixels(row["swap"]),
        None if row["truth"] is None else _pixels(row["truth"]),
        row["metric"], row["label"], tuple((str(a), str(b)) for a, b in json.loads(row["scores"])),
    )  # fmt: skip


def _png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "PNG")
    return buffer.getvalue()


def _pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png), formats=("PNG",)).convert("RGB"), np.uint8)


def _css_size(image: np.ndarray) -> tuple[int, int, bool]:
    """Small crops are enlarged by a whole factor, with their pixels left square; large ones are reduced."""
    height, width = image.shape[:2]
    side = max(height, width)
    if side > SHOWN:
        return max(1, width * SHOWN // side), max(1, height * SHOWN // side), False
    factor = SHOWN // side
    return width * factor, height * factor, factor > 1
