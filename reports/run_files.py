"""One model as every output takes it: its results, its failed frames and the readings of each frame."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reports.files import FRAMES, RESULTS, SLICES
from reports.frames import FrameTable
from reports.parquet import read_frame
from reports.results import Results, load
from reports.slices import Slices, read_slices

_LEDGER = ("clip", "frame", "status", "reason")


@dataclass(frozen=True)
class Failure:
    """One frame of the ledger that is not ok; frame is its number in the clip, -1 where there is none."""

    clip: str
    frame: int
    status: str
    reason: str


@dataclass(frozen=True)
class RunFiles:
    """One model of a run: its results, the failed frames of its ledger, the readings of each frame.

    Args:
        results: Its results.json.
        failures: Its frames that are not ok.
        folder: Where results.json and frames.parquet lie, relative to the report, which links to them: the folder's
            name, or the parts of a longer path; None: no link.
        label: Another name to show, where two runs share one.
        table: Its frames, for comparisons frame by frame; None: without.
        slices: Its slices.json, of a run over a pair list; None: there is none.
        sha256: Of its results.json, which a page names; None: of results that were not read from a file.
    """

    results: Results
    failures: Sequence[Failure] = ()
    folder: str | tuple[str, ...] | None = None
    label: str | None = None
    table: FrameTable | None = field(default=None, compare=False)
    slices: Slices | None = field(default=None, compare=False)
    sha256: str | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """The name that the tables show."""
        return self.label or self.results.run.model.name

    @classmethod
    def read(cls, folder: str | Path) -> RunFiles:
        """Read OUT/<model>/ as bench wrote it: results.json and, where it lies beside, frames.parquet.

        The Parquet's columns clip, frame, status and reason are the ledger; with the columns that name a frame the
        models are compared frame by frame.

        Args:
            folder: OUT/<model>.

        Returns:
            The model.

        Raises:
            ResultsError: For a file that is missing or damaged, naming it.
        """
        folder = Path(folder)
        results, slices = load(folder / RESULTS), read_slices(folder / SLICES)
        sha256 = hashlib.sha256((folder / RESULTS).read_bytes()).hexdigest()
        parquet = folder / FRAMES
        if not parquet.exists():
            return cls(results, (), folder.name, slices=slices, sha256=sha256)
        ledger = read_frame(parquet, _LEDGER, _LEDGER)
        failed = ledger[ledger["status"] != "ok"]
        rows = [
            Failure(str(clip), int(frame), str(status), str(reason))
            for clip, frame, status, reason in failed.to_numpy().tolist()
        ]
        return cls(results, rows, folder.name, table=FrameTable.read(parquet), slices=slices, sha256=sha256)
