"""The ledger: one row for every frame that the protocol expects, with what became of it.

expected = ok + failed, always: a frame that cannot be read, swapped or measured keeps its row and its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.reading.reader import STATUSES, Status


@dataclass(frozen=True)
class Row:
    """One expected frame of one model.

    `manipulation`, `compression` and `clip` are the key of the clip, so that the four 000_003 of four manipulations never
    mix.

    Args:
        model: The swapper's name.
        manipulation: Its first part of the key.
        compression: Of its clip, as raw, c23 or c40.
        clip: The pair's id, target_source.
        target: The target's clip.
        source: The source's clip.
        cluster: The unordered pair of people, the independent unit of the statistics.
        position: 0 to frames - 1 within the clip.
        frame: Number within the target's clip, -1 where the clip could not be read.
        source_frame: Number within the source's clip, -1 likewise.
        status: "ok", or what went wrong.
        reason: Why, in words; empty for "ok" alone.
        there: How many frames the clip had to choose from (Frames.there); 0: not known.
        view: How the target's frame was cut before it was read, for a swap that is an aligned crop; "": it was read whole.

    Raises:
        ValueError: For an unknown status, a failure without a reason, or a reason without a failure.
    """

    model: str
    manipulation: str
    compression: str
    clip: str
    target: str
    source: str
    cluster: str
    position: int
    frame: int
    source_frame: int
    status: Status
    reason: str = ""
    there: int = 0
    view: str = ""

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"unknown ledger status {self.status!r}; known are {', '.join(STATUSES)}")
        if (self.status == "ok") == bool(self.reason):
            raise ValueError(f"a failed row needs a reason and an ok row has none: {self}")


class Ledger:
    """The rows of one model, each key at most once.

    Args:
        rows: Some to begin with.

    Raises:
        ValueError: For two rows of one frame.
    """

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._rows: list[Row] = []
        self._keys: set[tuple[str, str, str, str, int]] = set()
        for row in rows:
            self.add(row)

    def add(self, row: Row) -> None:
        """Add a row.

        Args:
            row: Of a frame that has none yet.

        Raises:
            ValueError: For a second row of the same frame.
        """
        key = (row.model, row.manipulation, row.compression, row.clip, row.position)
        if key in self._keys:
            raise ValueError(f"two ledger rows for the same frame: {key}")
        self._keys.add(key)
        self._rows.append(row)

    @property
    def rows(self) -> Sequence[Row]:
        """The rows, in the order in which they were added."""
        return self._rows

    @property
    def expected(self) -> int:
        """How many frames the protocol expects."""
        return len(self._rows)

    @property
    def ok(self) -> int:
        """How many of them were scored."""
        return sum(row.status == "ok" for row in self._rows)

    @property
    def failed(self) -> dict[str, int]:
        """Failures by status, only those that occurred."""
        counts = Counter(row.status for row in self._rows if row.status != "ok")
        return {status: counts[status] for status in STATUSES if counts[status]}  # type: ignore[index]
