"""The frames that a report shows of all models side by side: drawn by lot, the same ones for every model.

Each frame has a place in one order by the SHA-256 of seed, clip and number (metrics.frames.draws), which no result can move
and which runs over other models share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.ffpp.cases import decoded
from bench.ffpp.frame import Frame
from metrics.frames.draws import places
from reports.pictures.store import Picture

ROWS = 4
Key = tuple[str, int]


@dataclass(frozen=True)
class Lot:
    """Frames that were drawn, as (clip, number), and how they were, in words."""

    frames: tuple[Key, ...]
    rule: str


def draw(frames: Mapping[str, Sequence[Frame]], seed: int, rows: int = ROWS) -> Lot:
    """Draw frames for all models of a run: one of each pair of people, as long as there are pairs.

    Drawn from the frames that every model was asked for and in which, for some model, both originals show a face. What a
    model makes of them plays no part. Where the models have no frame in common, from those of any.

    Args:
        frames: By model its rows.
        seed: Of the order.
        rows: How many are drawn.

    Returns:
        The frames, in the order in which they were drawn.
    """
    posed = {_key(frame): frame.pair.cluster for asked in frames.values() for frame in asked if frame.posed}
    shared = set(posed).intersection(*(map(_key, asked) for asked in frames.values())) or set(posed)
    known = sorted(shared)
    order = places([f"{clip} {number}" for clip, number in known], seed).argsort()
    drawn = [known[i] for i in order]
    first: dict[str, Key] = {}
    for key in drawn:
        first.setdefault(posed[key], key)
    chosen = [*first.values(), *(key for key in drawn if key not in first.values())][:rows]
    return Lot(
        tuple(chosen),
        f"drawn by lot with seed {seed}, one of each pair of people first, from the {len(drawn):,} frames that every row "
        "was asked for and whose source and target show a face",
    )


def pictures(model: str, frames: Sequence[Frame], lot: Lot) -> list[Picture]:
    """What a model made of the frames that were drawn.

    Args:
        model: Its name.
        frames: Its rows.
        lot: The frames.

    Returns:
        One for each in which it was asked for a swap, without the swap's picture where it made none.
    """
    kept = {_key(frame): frame.case for frame in frames if frame.case is not None}
    return [
        Picture(
            model,
            *key,
            "random",
            lot.rule,
            decoded(case.source),
            decoded(case.target),
            None if case.swap is None else decoded(case.swap),
            None if case.truth is None else decoded(case.truth),
            scope="lot",
            back=None if case.back is None else decoded(case.back),
        )
        for key in lot.frames
        if (case := kept.get(key)) is not None
    ]


def _key(frame: Frame) -> Key:
    return frame.row.clip, frame.row.frame
