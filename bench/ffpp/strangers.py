"""Whose face stands in for the source's in the row `stranger`: a third person's, of the same run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import chain, islice

from bench.data.pairs import Dataset, Pair
from bench.reading.pool import UNREADABLE, Readers, ReadingLost
from bench.reading.reader import Image, Reading
from smoothswap.faces.face import Face


def third_people(dataset: Dataset, pairs: Sequence[Pair]) -> bool:
    """Whether every pair of a run has a third person in it.

    Args:
        dataset: Says who is in each clip.
        pairs: The run's.

    Returns:
        True where the stranger's row can be scored.
    """
    return len({dataset.person(clip) for pair in pairs for clip in (pair.target, pair.source)}) > 2


@dataclass
class Strangers:
    """Finds the stranger of each pair, by the rule of bench.swappers.references, reading the first frame of a few clips.

    Args:
        dataset: Where the clips lie, and who is in them.
        pairs: The run's, in its order.
        readers: Detection.
    """

    dataset: Dataset
    pairs: Sequence[Pair]
    readers: Readers
    _clips: list[str] = field(init=False, default_factory=list)
    _places: dict[str, int] = field(init=False, default_factory=dict)
    _seen: dict[str, Future[tuple[Image, Reading]] | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._clips = list(dict.fromkeys(clip for pair in self.pairs for clip in (pair.target, pair.source)))
        self._places = {clip: place for place, clip in enumerate(self._clips)}

    def candidates(self, pair: Pair) -> Iterator[str]:
        """The clips of third people, in the order in which they are tried.

        Args:
            pair: The swap.

        Yields:
            Their ids; none where the run has none.
        """
        after = self._places[pair.target] + 1
        people = (pair.target_person, pair.source_person)
        # A long list is not gone through for each of its pairs: the first few are enough.
        for place in chain(range(after, len(self._clips)), range(after)):
            if self.dataset.person(self._clips[place]) not in people:
                yield self._clips[place]

    def begin(self, pair: Pair) -> None:
        """Hand the first candidate's frame out to be read, so that `find` need not wait for it.

        Args:
            pair: The swap, soon to be made.
        """
        for clip in islice(self.candidates(pair), 1):
            self._first(clip)

    def find(self, pair: Pair) -> tuple[Image, Face] | None:
        """The stranger's frame and face.

        Args:
            pair: The swap.

        Returns:
            uint8 [h, w, 3] RGB and the face in it; None where no third person has one.

        Raises:
            ReadingLost: When a worker process hung or died.
        """
        for clip in self.candidates(pair):
            if (first := self._first(clip)) is None:
                continue
            try:
                image, reading = Readers.result(first)
            except (*UNREADABLE, ReadingLost):
                continue  # the clip's own rows say it
            if reading.face is not None:
                return image, reading.face
        return None

    def _first(self, clip: str) -> Future[tuple[Image, Reading]] | None:
        if clip not in self._seen:
            while len(self._seen) > self.readers.workers + 2:  # about those of the pairs that are read ahead
                del self._seen[next(iter(self._seen))]
            path = self.dataset.path(self.dataset.original(clip))
            self._seen[clip] = None if path is None else self.readers.first(path)
        return self._seen[clip]
