"""The rows of one model as arrays, side by side: what the metrics are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.pairs import Dataset
from bench.ffpp.frame import Frame
from bench.ffpp.protocol import Protocol
from bench.ffpp.run import Outcome
from bench.reading.reader import Reading
from metrics import Sides

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Gallery:
    """Every readable frame of every original clip of the run. at: (clip, position) -> row."""

    rows: list[Reading]
    ids: Array
    at: dict[tuple[str, int], int]

    @classmethod
    def of(cls, outcome: Outcome, dataset: Dataset) -> Gallery:
        """The gallery of a run: its original frames in their order, those that were read.

        Args:
            outcome: Of the run.
            dataset: Says whose face each clip shows.

        Returns:
            A row for each original frame with a usable face ("ok"), with its person.
        """
        rows: list[Reading] = []
        ids: list[str] = []
        at = {}
        for clip, readings in outcome.originals.items():
            for position, (_, reading) in enumerate(readings):
                if reading.status == "ok":
                    at[clip, position] = len(rows)
                    rows.append(reading)
                    ids.append(dataset.person(clip))
        return cls(rows, np.array(ids, dtype=str), at)

    def described(self, size: int | None) -> dict[str, int | None]:
        """What results.json says of it.

        Args:
            size: Protocol.gallery_size.

        Returns:
            The fields of reports.galleries.GalleryInfo.
        """
        clips = len({clip for clip, _ in self.at})
        return {"people": len(set(self.ids.tolist())), "clips": clips, "frames": len(self.rows), "size": size}


@dataclass(frozen=True)
class Source:
    """Where readings come from: an instrument's name, what it reads, and its family ("": its name up to a colon)."""

    name: str
    reads: tuple[str, ...]
    family: str = ""


def sides_of(
    frames: Sequence[Frame],
    gallery: Gallery,
    instrument: Source,
    protocol: Protocol,
    has_truth: bool,
    video: bool,
    back: bool = False,
) -> Sides | None:
    """One instrument's readings as arrays.

    Args:
        frames: Of one model.
        gallery: The originals that ID retrieval searches.
        instrument: Who read.
        protocol: The rules.
        has_truth: Whether the data knows the true swap.
        video: Whether the rows are frames that follow each other.
        back: Whether what came back from a cycle stands in the place of the swaps.

    Returns:
        Row i of each array is of frames[i]; None without frames, or where no original face of the run was read at all.
    """
    if not gallery.rows or not frames:
        return None
    widths = {name: len(gallery.rows[0].values[f"{instrument.name}/{name}"]) for name in instrument.reads}

    def side(readings: Sequence[Reading | None]) -> dict[str, Array]:
        return {
            name: _stack([r.values.get(f"{instrument.name}/{name}") if r else None for r in readings], width)
            for name, width in widths.items()
        }

    own, ways = protocol.mode != "swap", [frame.back for frame in frames]
    truth = None
    if has_truth and (back or protocol.mode != "cycle"):
        truth = side([frame.target if own else frame.truth for frame in frames])
        errors = (
            [way.pixel_error if way else np.nan for way in ways] if back else [f.pixel_error for f in frames]
        )
        truth["pixel_error"] = np.array(errors)
    measured = dict.fromkeys(key for frame in frames for key in frame.pixels)
    identity = "identity" in instrument.reads
    exclude = None
    if protocol.gallery == "without_source_frame" and identity:
        exclude = np.array(
            [gallery.at.get(frame.source_at, -1) if frame.source_at else -1 for frame in frames]
        )
    return Sides(
        swap=side([way.reading if way else None for way in ways] if back else [f.swap for f in frames]),
        source=side([frame.source for frame in frames]),
        target=side([frame.target for frame in frames]),
        wanted_id=np.array([frame.pair.source_person for frame in frames], dtype=str),
        target_id=np.array([frame.pair.target_person for frame in frames], dtype=str),
        clusters=np.array([frame.pair.cluster for frame in frames], dtype=str),
        gallery=side(gallery.rows)["identity"] if identity else None,
        gallery_ids=gallery.ids if identity else None,
        gallery_exclude=exclude,
        gallery_size=protocol.gallery_size,
        gallery_seed=protocol.seed,
        truth=truth,
        own_truth=own,
        pixels={key: np.array([f.pixels.get(key, np.nan) for f in frames]) for key in measured},
        clips=np.array([frame.row.clip for frame in frames], dtype=str) if video else None,
        frames=np.array([frame.row.frame for frame in frames], dtype=int) if video else None,
        instruments=dict.fromkeys(instrument.reads, instrument.name),
        families=dict.fromkeys(instrument.reads, instrument.family),
    )


def _stack(rows: Sequence[npt.NDArray[np.float32] | None], width: int) -> Array:
    blank = np.full(width, np.nan, np.float32)
    return np.stack([blank if row is None else row for row in rows])
