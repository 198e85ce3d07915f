"""The run: every pair of the protocol through every swapper and instrument, one row for every expected frame.

Pairs that share their people are worked on together, so that an original clip is decoded and read once and
only the frames of a few clips are in memory at any time. Swapping happens here; decoding, detection and
instruments in worker processes (bench/reading/pool.py). Where one of them hangs or dies, the group that it was at is lost
for every model alike: its rows say why.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from tqdm import tqdm

from bench.data.clips import FrameRule, Frames, is_picture
from bench.data.pairs import ClipKey, Dataset, Pair
from bench.errors import few
from bench.ffpp.cases import LOSSLESS, Cutter
from bench.ffpp.clip import Clip, missing, received, received_read
from bench.ffpp.context import Context
from bench.ffpp.cycle import CycleRun
from bench.ffpp.frame import Frame
from bench.ffpp.pair import PairRun
from bench.ffpp.plan import Plan
from bench.ffpp.protocol import Protocol
from bench.ffpp.sourceless import SourcelessRun, readable_without
from bench.ffpp.strangers import Strangers
from bench.ffpp.truth import OwnTruth, TrueClip, Truth
from bench.reading.outside import Outside
from bench.reading.pool import Readers, ReadingLost, lost
from bench.reading.reader import Reading
from bench.swappers import Swapper

# jobs handed out for each worker: enough to keep it busy, few enough to bound the memory
_IN_FLIGHT = 3


@dataclass
class Outcome:
    """What a run found.

    Args:
        frames: By model its frames, pair by pair in the protocol's order.
        originals: By original clip (frame number, reading) of each of its frames.
        has_truth: Whether the true swap, or the true answer of a cycle, is known.
        others: As `originals`, of clips that are neither source nor target of a pair, and so no part of the gallery.
    """

    frames: dict[str, list[Frame]]
    originals: dict[str, list[tuple[int, Reading]]]
    has_truth: bool
    others: dict[str, list[tuple[int, Reading]]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run over some pairs: call it to score them.

    Args:
        dataset: Where the clips lie.
        pairs: The swaps.
        swappers: The models, in the order of the tables.
        protocol: The rules.
        readers: Detection and instruments.
        outside: Compares swaps with their targets where the face is not.
        truth: Name of the manipulation that is the true swap, "" where there is none.
        batch_size: Crops that a model is handed at once.
        rule: The frames of each clip; None: the protocol's.
        pictures: Whether the pictures themselves are kept and looked at too (the report's cases, features for picture
            quality), or only what the instruments read.
        progress: Told the id of each pair that is done.
    """

    dataset: Dataset
    pairs: Sequence[Pair]
    swappers: Sequence[Swapper]
    protocol: Protocol
    readers: Readers
    outside: Outside = field(default_factory=Outside)
    truth: str = ""
    batch_size: int = 16
    rule: FrameRule | None = None
    pictures: bool = True
    progress: Callable[[str], None] = lambda pair: None

    def __call__(self) -> Outcome:
        """Score everything; failures of frames become rows.

        Returns:
            Every expected frame of every model, and every original.

        Raises:
            DataError: When no worker process can be started.
            InstrumentError: When an instrument cannot read what it is given.
        """
        scored: dict[tuple[str, str], list[Frame]] = {}
        originals: dict[str, list[tuple[int, Reading]]] = {}
        for group in self._groups():
            for pair, model, frames in group.score():
                scored[model, pair.id] = frames
                if model == self.swappers[-1].name:
                    self.progress(pair.id)
            for name, clip in group.originals.items():
                if not clip.failure:
                    originals[name] = list(zip(clip.frames.numbers, clip.readings, strict=True))
        order = dict.fromkeys(clip for pair in self.pairs for clip in (pair.target, pair.source))
        return Outcome(
            {
                swapper.name: [frame for pair in self.pairs for frame in scored[swapper.name, pair.id]]
                for swapper in self.swappers
            },
            {clip: originals[clip] for clip in order if clip in originals},
            bool(self.truth) or self.protocol.mode != "swap",
            {clip: read for clip, read in originals.items() if clip not in order},
        )

    def context(self, strangers: Strangers | None = None) -> Context:
        """What the pairs of one group share.

        Args:
            strangers: Third people, for the models that are shown one.
        """
        rule = self.rule or FrameRule(self.protocol.frames)
        return Context(
            protocol=self.protocol,
            compression=self.dataset.compression,
            readers=self.readers,
            rule=rule,
            batch_size=self.batch_size,
            pictures=self.pictures,
            cutter=Cutter(lossless=len(self.pairs) * rule.k <= LOSSLESS),
            strangers=strangers,
            outside=self.outside,
        )

    def _groups(self) -> Iterator[Group]:
        """Pairs by their two clips, the next ones being read while one is scored."""
        together: dict[tuple[str, ...], list[Pair]] = {}
        for pair in self.pairs:
            together.setdefault(tuple(sorted({pair.target, pair.source})), []).append(pair)
        shown = any(swapper.shows == "stranger" for swapper in self.swappers)
        strangers = Strangers(self.dataset, self.pairs, self.readers) if shown else None
        ahead: deque[Group] = deque()
        for pairs in together.values():
            group = Group(self.context(strangers), self.dataset, pairs, self.swappers, self.truth)
            group.open()
            ahead.append(group)
            if len(ahead) > self.readers.workers:
                yield ahead.popleft()
        yield from ahead


class Group:
    """The pairs of two clips (000_003 and 003_000), with those clips' frames in memory once `open` was called."""

    def __init__(
        self,
        context: Context,
        dataset: Dataset,
        pairs: Sequence[Pair],
        swappers: Sequence[Swapper],
        truth: str,
    ) -> None:
        self.context, self.dataset, self.pairs = context, dataset, pairs
        self.swappers, self.truth = swappers, truth
        self.originals: dict[str, Clip] = {}
        self._reading: dict[str, Future[tuple[Frames, list[Reading]]]] = {}

    def open(self) -> None:
        """Hand the original clips out to be decoded and read."""
        for name in dict.fromkeys(clip for pair in self.pairs for clip in pair.clips):
            key = self.dataset.original(name)
            if (path := self.dataset.path(key)) is None:
                self.originals[name] = missing(str(key))
            else:
                context = self.context
                self._reading[name] = context.readers.clip(path, context.rule, context.pictures)
        if self.context.strangers:
            for pair in self.pairs:
                self.context.strangers.begin(pair)

    def score(self) -> Iterator[tuple[Pair, str, list[Frame]]]:
        """(pair, model, its frames) for every pair and every swapper, in that order; all of them scored, or all lost."""
        for name, future in self._reading.items():
            key = self.dataset.original(name)
            path = self.dataset.path(key)
            clip = received_read(future, str(key))
            self.originals[name] = replace(clip, single=path is not None and is_picture(path))
        try:
            scored = list(self._scored())
        except ReadingLost as error:
            reason = lost(" and ".join(pair.id for pair in self.pairs), error)
            self.originals = {
                name: clip if clip.failure else replace(clip, readings=[], failure=reason)
                for name, clip in self.originals.items()
            }
            scored = list(self._scored())
        yield from scored

    def _scored(self) -> Iterator[tuple[Pair, str, list[Frame]]]:
        waiting: deque[PairRun] = deque()
        for pair in self.pairs:
            truth = self._read_truth(pair)
            for swapper in self.swappers:
                waiting.append(self._pair_run(pair, swapper, truth).swap())
                while len(waiting) > _IN_FLIGHT * self.context.readers.workers:
                    yield self._finish(waiting.popleft())
        while waiting:
            yield self._finish(waiting.popleft())

    def _pair_run(self, pair: Pair, swapper: Swapper, truth: Truth | None) -> PairRun:
        source, target = self.originals[pair.source], self.originals[pair.target]
        if pair.again:
            return CycleRun(self.context, pair, swapper, source, target, self.originals[pair.again])
        path = self.dataset.path(self.dataset.original(pair.target))
        plain = self.context.protocol.mode == "swap"
        kind = SourcelessRun if plain and readable_without(swapper, source, target) else PairRun
        return kind(self.context, pair, swapper, source, target, truth, path)

    @staticmethod
    def _finish(run: PairRun) -> tuple[Pair, str, list[Frame]]:
        return run.pair, run.swapper.name, run.frames()

    def _read_truth(self, pair: Pair) -> Truth | None:
        target = self.originals[pair.target]
        if target.failure or self.context.protocol.mode == "cycle":
            return None
        if self.context.protocol.mode == "self":
            return OwnTruth(target)
        if not self.truth:
            return None
        key = ClipKey(self.truth, self.context.compression, pair.id)
        if (path := self.dataset.path(key)) is None:
            clip = missing(str(key))
        else:
            readers, rule = self.context.readers, self.context.rule
            clip = received(readers.frames(path, rule, target.frames.count), str(key))
        truth = TrueClip(target, clip)
        truth.read(self.context.readers, self.context.pictures)
        return truth


def run_plan(plan: Plan) -> tuple[Outcome, Outcome | None]:
    """The run over the protocol's frames and, where the protocol asks, the one over frames that follow each other.

    Args:
        plan: The run, checked.

    Returns:
        Both outcomes; None for the second where the protocol reads no video.

    Raises:
        DataError: When a worker process was killed.
    """
    torch = sys.modules.get("torch")
    if torch is not None and plan.workers > 1:
        # the worker processes use the cores
        torch.set_num_threads(1)
    clips = len(plan.pairs) * (2 if plan.protocol.video else 1)
    with (
        Readers(
            plan.specs,
            plan.protocol.faces_rule,
            plan.workers,
            plan.inception,
            plan.detector,
            plan.clip_seconds,
        ) as readers,
        tqdm(total=clips, unit="clip", file=sys.stderr, desc="scoring") as bar,
    ):

        def run(truth: str, rule: FrameRule, pictures: bool) -> Outcome:
            return Run(
                dataset=plan.dataset,
                pairs=plan.pairs,
                swappers=plan.swappers,
                protocol=plan.protocol,
                readers=readers,
                outside=plan.outside,
                truth=truth,
                batch_size=plan.batch_size,
                rule=rule,
                pictures=pictures,
                progress=lambda pair: bar.update(),
            )()

        outcome = run(plan.dataset.truth, FrameRule(plan.protocol.frames), True)
        rule = FrameRule(plan.protocol.video, consecutive=True)
        video = run("", rule, False) if plan.protocol.video else None
    if readers.passed_over:
        print(f"passed over, for they are no pictures: {few(readers.passed_over)}", file=sys.stderr)
    return outcome, video
