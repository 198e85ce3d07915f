"""The run: every pair of the protocol through every swapper and instrument, one row for every expected frame.

Pairs that share their people are worked on together, so that an original clip is decoded and read once and
only the frames of a few clips are in memory at any time. Decoding and swapping happen here; detection and
instruments in worker processes (bench/reading/reader.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from bench.data.clips import FrameRule, read_numbers
from bench.data.ffpp import ClipKey, Dataset, Pair
from bench.ffpp.cases import LOSSLESS, Cutter
from bench.ffpp.pair import Clip, Frame, Scoring, Truth, open_clip, readable, with_gaps
from bench.ffpp.protocol import Protocol
from bench.reading.reader import Readers, Reading
from bench.swappers import Swapper

_IN_FLIGHT = 3  # jobs handed out for each worker: enough to keep it busy, few enough to bound the memory


@dataclass
class Outcome:
    """What a run found. frames: by model; originals: (frame number, reading) of every original clip."""

    frames: dict[str, list[Frame]]
    originals: dict[str, list[tuple[int, Reading]]]
    has_truth: bool


class Run:
    """One run over `pairs`. truth: name of the manipulation that is the true swap, "" where there is none.

    rule: the frames of each clip (the protocol's by default). pictures: whether the pictures themselves are kept and
    looked at too (the report's cases, features for picture quality), or only what the instruments read.
    """

    def __init__(
        self,
        dataset: Dataset,
        pairs: Sequence[Pair],
        swappers: Sequence[Swapper],
        protocol: Protocol,
        readers: Readers,
        truth: str = "",
        batch_size: int = 16,
        progress: Callable[[str], None] = lambda pair: None,
        rule: FrameRule | None = None,
        pictures: bool = True,
    ) -> None:
        self.dataset, self.pairs, self.swappers, self.protocol = dataset, pairs, swappers, protocol
        self.readers, self.truth, self.batch_size, self.progress = readers, truth, batch_size, progress
        self.rule, self.pictures = rule or FrameRule(protocol.frames), pictures
        self.lossless_pictures = len(pairs) * self.rule.k <= LOSSLESS

    def __call__(self) -> Outcome:
        """Score everything. Only an instrument or the machine can stop it; failures of frames become rows."""
        found: dict[tuple[str, str], list[Frame]] = {}
        originals: dict[str, list[tuple[int, Reading]]] = {}
        for unit in self._units():
            for pair, model, frames in unit.score():
                found[model, pair.id] = frames
                if model == self.swappers[-1].name:
                    self.progress(pair.id)
            for name, clip in unit.originals.items():
                if not clip.failure:
                    originals[name] = list(zip(clip.frames.numbers, clip.readings, strict=True))
        order = dict.fromkeys(clip for pair in self.pairs for clip in (pair.target, pair.source))
        return Outcome(
            {
                s.name: [frame for pair in self.pairs for frame in found[s.name, pair.id]]
                for s in self.swappers
            },
            {clip: originals[clip] for clip in order if clip in originals},
            bool(self.truth),
        )

    def _units(self) -> Iterator[Unit]:
        """Pairs by their two clips, the next ones being read while one is scored."""
        together: dict[tuple[str, ...], list[Pair]] = {}
        for pair in self.pairs:
            together.setdefault(tuple(sorted((pair.target, pair.source))), []).append(pair)
        ahead: deque[Unit] = deque()
        for pairs in together.values():
            ahead.append(Unit(self, pairs))
            if len(ahead) > self.readers.workers:
                yield ahead.popleft()
        yield from ahead


class Unit:
    """The pairs of two clips (000_003 and 003_000), with those clips' frames in memory."""

    def __init__(self, run: Run, pairs: Sequence[Pair]) -> None:
        self.run, self.pairs = run, pairs
        self.originals: dict[str, Clip] = {}
        self.cutter = Cutter(run.lossless_pictures)
        self._reading: dict[str, Future[list[Reading]]] = {}
        for name in dict.fromkeys(clip for pair in pairs for clip in (pair.target, pair.source)):
            self.originals[name] = clip = self._open(run.dataset.original(name))
            if not clip.failure:
                self._reading[name] = run.readers.originals(readable(clip.frames), run.pictures)

    def score(self) -> Iterator[tuple[Pair, str, list[Frame]]]:
        """(pair, model, its frames) for every pair and every swapper, in that order."""
        for name, future in self._reading.items():
            clip = self.originals[name]
            clip.readings = with_gaps(clip.frames, Readers.result(future))
        waiting: deque[tuple[Pair, str, Scoring]] = deque()
        for pair in self.pairs:
            truth = self._truth(pair)
            for swapper in self.run.swappers:
                waiting.append((pair, swapper.name, Scoring(self, pair, swapper, truth)))
                while len(waiting) > _IN_FLIGHT * self.run.readers.workers:
                    yield self._finish(waiting.popleft())
        while waiting:
            yield self._finish(waiting.popleft())

    @staticmethod
    def _finish(scored: tuple[Pair, str, Scoring]) -> tuple[Pair, str, list[Frame]]:
        pair, model, scoring = scored
        return pair, model, scoring.frames()

    def _open(self, key: ClipKey) -> Clip:
        return open_clip(self.run.dataset.path(key), str(key), self.run.rule)

    def _truth(self, pair: Pair) -> Truth | None:
        if not self.run.truth or self.originals[pair.target].failure:
            return None
        target = self.originals[pair.target]
        key = ClipKey(self.run.truth, self.run.dataset.compression, pair.id)
        clip = open_clip(self.run.dataset.path(key), str(key), self.run.rule, target.frames.count)
        return Truth(self.run.readers, target, clip, self.run.pictures)

    def target_at(self, pair: Pair, numbers: list[int]) -> Clip:
        """The target's frames of these numbers: others than usual where a swap's clip is shorter."""
        target = self.originals[pair.target]
        if numbers == target.frames.numbers:
            return target
        path = self.run.dataset.path(self.run.dataset.original(pair.target))
        assert path is not None
        frames = read_numbers(path, numbers)
        read = self.run.readers.originals(readable(frames), self.run.pictures)
        return Clip(frames, with_gaps(frames, Readers.result(read)))
