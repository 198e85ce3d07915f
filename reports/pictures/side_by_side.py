"""One picture of all models on the same frames, as papers print it: source, target, each model, the truth where known.

The frames were drawn by lot when the run was scored, and are the same for all of its models (reports.pictures.store, scope
"lot").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports.pictures.encoding import ENCODINGS, Shown, encode
from reports.pictures.store import PARTS, Picture
from reports.table import Row, Table

Key = tuple[str, int]  # clip and frame
BUDGET = 300_000  # bytes of all data: URIs
MOST_ROWS = 6
MOST_ABREAST = 15
"""Columns that stand beside each other on a screen; of more each frame is a block of tiles that wraps."""


@dataclass(frozen=True)
class Tile:
    """One face. said: why there is none, or what became of it; "" where nothing is to be said."""

    image: Shown | None
    said: str = ""


@dataclass(frozen=True)
class Strip:
    """One frame: the source's face, then a tile for each further column."""

    clip: str
    frame: int
    source: Shown
    tiles: list[Tile]


@dataclass(frozen=True)
class SideBySide:
    """The picture. names: its columns. rules: how the frames were drawn. storage: how they are kept, in words."""

    names: list[str]
    strips: list[Strip]
    rules: list[str]
    storage: str

    @property
    def wraps(self) -> bool:
        """Whether the columns are too many for one line."""
        return len(self.names) > MOST_ABREAST


def side_by_side(pictures: Sequence[Picture], table: Table, budget: int = BUDGET) -> SideBySide | None:
    """The frames that were drawn by lot, of every model that competes, or of the references where none does.

    A model that failed a frame keeps its tile, with the reason from its ledger.

    Args:
        pictures: Chosen frames of all rows; those of scope "lot" are shown.
        table: The rows.
        budget: Bytes that the pictures may take.

    Returns:
        The picture; None where no frame was drawn, as in runs without pictures and older ones.
    """
    found = {(p.model, (p.clip, p.frame)): p for p in pictures if p.scope == "lot"}
    if not found:
        return None
    models = [row for row in table.rows if not row.end] or table.rows
    frames: dict[Key, Picture] = {}
    for (_, key), picture in found.items():
        if key not in frames or frames[key].truth is None:
            frames[key] = picture
    # Of several runs the frames that most models share come first.
    shared = {key: sum((row.run.name, key) in found for row in models) for key in frames}
    order = sorted(frames, key=lambda key: -shared[key])[:MOST_ROWS]
    truth = any(frames[key].truth is not None for key in order)
    swaps = {
        (row.run.name, key): made.swap
        for key in order
        for row in models
        if (made := found.get((row.run.name, key))) is not None and made.swap is not None
    }
    images = [image for key in order for name, image in frames[key].parts if name not in ("swap", "back")]
    images += swaps.values()
    encoded = encode(images, [], budget, ENCODINGS[1:]) or encode(images, [], 1 << 40, ENCODINGS[-1:])
    assert encoded is not None  # the second has room for any

    def tile(image: np.ndarray | None, said: str) -> Tile:
        return Tile(None if image is None else encoded.add(image), said)

    strips = []
    for key in order:
        shown = frames[key]
        tiles = [tile(shown.target, "")]
        for row in models:
            swap = swaps.get((row.run.name, key))
            tiles.append(tile(swap, _said(row, key, swap)))
        tiles += [tile(shown.truth, "not known" if shown.truth is None else "")] if truth else []
        strips.append(Strip(shown.clip, shown.frame, encoded.add(shown.source), tiles))
    names = [f"{row.run.name} (model)" if row.run.name in PARTS else row.run.name for row in models]
    return SideBySide(
        ["source", "target", *names, *(["truth"] if truth else [])],
        strips,
        list(dict.fromkeys(frames[key].metric_text for key in order)),
        str(encoded.encoding),
    )


def _said(row: Row, key: Key, swap: np.ndarray | None) -> str:
    """What the ledger says of a frame that failed; else why there is no picture, "" where there is one."""
    for failure in row.run.failures:
        if (failure.clip, failure.frame) == key:
            return failure.status.replace("_", " ")
    return "no picture" if swap is None else ""
