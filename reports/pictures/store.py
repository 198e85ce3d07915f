"""The pictures of a report: source, target, swap (and truth, where known) of named cases, kept beside the results.

A case is a frame that some metric calls best, median or worst; a frame of a whole clip that is shown over time; or one of
those that were drawn by lot for all models of a run. pictures.parquet holds a row a case; a picture that several cases
share is stored once.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from reports.parquet import Kind, read_parquet
from reports.results import ResultsError
from smoothswap.plumbing.texts import json_of

PICTURES = "pictures.parquet"  # beside results.json
PARTS = ("source", "target", "swap", "truth", "back")
Case = Literal["best", "median", "worst", "random"]
CASES: tuple[Case, ...] = ("best", "median", "worst", "random")
Scope = Literal["frame", "clip", "lot"]
_NEEDED = ("model", "clip", "frame", "case", "metric_text", "metric", "label", "scores", "source", "target")
_KINDS: dict[str, Kind] = {
    **dict.fromkeys((*_NEEDED, "scope"), "text"),
    "frame": "whole",
    **dict.fromkeys(PARTS, "bytes"),
}
_SHARED = 1 << 30  # bytes of different pictures a column may have before Parquet repeats equal ones


@dataclass(frozen=True)
class Picture:
    """One case of one model. Pictures are uint8 [h, w, 3] RGB, of any size, square for a tidy grid.

    Args:
        model: Its name.
        clip: The pair's id.
        frame: Number within the target's clip.
        case: Why it was chosen.
        metric_text: The number that made it the best, median or worst case, in words ("cosine 0.71").
        source: The face whose identity is wanted.
        target: The face that was changed.
        swap: What came out; None, which only a frame drawn by lot may be: nothing.
        truth: The true swap, where it is known.
        back: Of a cycle, what came back of the swap.
        metric: Key of the metric that chose it; empty for a random case and in older runs.
        label: Its title.
        scores: (title, number in words) of everything that was measured on this frame.
        scope: "frame"; "clip" for one frame of a whole clip that was chosen by its mean; "lot" for a frame that is shown of
            all models side by side.

    Raises:
        ValueError: For an unknown case, a picture of another shape or type, or no swap where one must be.
    """

    model: str
    clip: str
    frame: int
    case: Case
    metric_text: str
    source: np.ndarray
    target: np.ndarray
    swap: np.ndarray | None
    truth: np.ndarray | None = None
    metric: str = ""
    label: str = ""
    scores: tuple[tuple[str, str], ...] = ()
    scope: Scope = "frame"
    back: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.case not in CASES:
            raise ValueError(f"case {self.case!r} of {self.clip}: must be one of {', '.join(CASES)}")
        if self.swap is None and self.scope != "lot":
            raise ValueError(f"{self.clip} frame {self.frame} lacks its swap")
        for name, image in self.parts:
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
                raise ValueError(
                    f"the {name} picture of {self.model}, {self.clip} frame {self.frame} is "
                    f"{image.dtype} {list(image.shape)}; it must be uint8 [h, w, 3] RGB"
                )

    @property
    def parts(self) -> list[tuple[str, np.ndarray]]:
        """(name, picture) of those that there are."""
        named = [(name, getattr(self, name)) for name in PARTS]
        return [(name, image) for name, image in named if image is not None]


def pack(pictures: Sequence[Picture]) -> bytes:
    """The bytes of a pictures.parquet: one row a case, the images as lossless PNG, equal ones stored once.

    Args:
        pictures: The cases of one model.

    Returns:
        A Parquet file.
    """
    columns: dict[str, Any] = {
        name: [getattr(picture, name) for picture in pictures]
        for name in ("model", "clip", "frame", "case", "metric_text", "metric", "label", "scope")
    }
    columns["scores"] = [json.dumps(picture.scores) for picture in pictures]
    known: dict[bytes, bytes] = {}
    for part in PARTS:
        images = [getattr(picture, part) for picture in pictures]
        columns[part] = pa.array([None if i is None else _png(i, known) for i in images], pa.binary())
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, dictionary_pagesize_limit=_SHARED)
    return buffer.getvalue()


def digest(image: np.ndarray) -> bytes:
    """What tells pictures apart: 32 bytes of a uint8 [h, w, 3]."""
    return hashlib.sha256(repr(image.shape).encode() + np.ascontiguousarray(image).tobytes()).digest()


def read(path: str | os.PathLike[str], model: str | None = None) -> list[Picture]:
    """The cases of a pictures.parquet.

    Args:
        path: The file.
        model: A name to give them; None: the one in the file.

    Returns:
        The cases; none where the file is not there.

    Raises:
        ResultsError: For a damaged file, naming it.
    """
    if not Path(path).is_file():
        return []
    try:
        rows = read_parquet(Path(path), needed=_NEEDED, kinds=_KINDS).to_pylist()
        known: dict[bytes, np.ndarray] = {}
        return [_case(row, model, known) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, Image.DecompressionBombError) as error:
        raise ResultsError(
            f"cannot read the pictures in {path}: {error}; remove the file to go without"
        ) from error


def _case(row: dict[str, Any], model: str | None, known: dict[bytes, np.ndarray]) -> Picture:
    faces = (row.get(part) for part in PARTS)
    source, target, swap, truth, back = (None if face is None else _pixels(face, known) for face in faces)
    if source is None or target is None:
        raise ValueError(f"{row['clip']} frame {row['frame']} lacks its source or target")
    return Picture(
        row["model"] if model is None else model,
        row["clip"],
        row["frame"],
        row["case"],
        row["metric_text"],
        source,
        target,
        swap,
        truth,
        row["metric"],
        row["label"],
        tuple((str(a), str(b)) for a, b in json_of(row["scores"])),
        row.get("scope", "frame"),
        back,
    )


def _png(image: np.ndarray, known: dict[bytes, bytes]) -> bytes:
    key = digest(image)
    if key not in known:
        buffer = io.BytesIO()
        # Run lengths alone: of 128 px faces as small as zlib's default makes them, in a quarter of the time.
        Image.fromarray(np.ascontiguousarray(image)).save(
            buffer, "PNG", compress_level=1, compress_type=zlib.Z_RLE
        )
        known[key] = buffer.getvalue()
    return known[key]


def _pixels(png: bytes, known: dict[bytes, np.ndarray]) -> np.ndarray:
    if png not in known:
        known[png] = np.asarray(Image.open(io.BytesIO(png), formats=("PNG",)).convert("RGB"), np.uint8)
    return known[png]
