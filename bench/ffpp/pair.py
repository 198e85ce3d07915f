"""One pair through one swapper: `swap` makes the swapped frames and hands them out, `frames` collects the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.data.clips import is_picture
from bench.data.numbering import AS_NAMED
from bench.data.pairs import Pair
from bench.ffpp.aligned import into_frames
from bench.ffpp.cases import Case
from bench.ffpp.clip import Clip, missing, received, received_read, sized
from bench.ffpp.context import Context
from bench.ffpp.frame import Frame, pixel_error
from bench.ffpp.ledger import Row
from bench.ffpp.pixels import measure, measure_video
from bench.ffpp.shown import no_frame, source_frame
from bench.ffpp.truth import Truth, usable
from bench.reading.pool import Readers
from bench.reading.reader import Image, Reading, Status
from bench.swappers import Swapper, Task
from bench.swappers.apply import Failed, Swapped, swap
from smoothswap.faces.face import Face


class PairRun:
    """One swapper on one pair. Nothing happens before `swap`; `frames` waits for what it handed out.

    Args:
        context: What the pair needs of the run.
        pair: The two clips.
        swapper: The model.
        source: The source's clip, read.
        target: The target's clip, read.
        truth: The true swap, where the data has one.
        target_path: The target's file, read again where a finished swap has other frames than the protocol's.
    """

    def __init__(
        self,
        context: Context,
        pair: Pair,
        swapper: Swapper,
        source: Clip,
        target: Clip,
        truth: Truth | None = None,
        target_path: Path | None = None,
    ) -> None:
        self.context, self.pair, self.swapper = context, pair, swapper
        self.source, self.target, self.truth = source, target, truth
        self._target_path = target_path
        self._failure = ""
        self._single = target.single
        self._there = target.frames.there
        self._absent = False
        self._view = ""
        self._shown: list[int | None] = []
        self._problems: list[tuple[Status, str] | None] = []
        self._swapped: list[Swapped] = []
        self._posed: list[bool] = []
        self._same_as_target: list[int] = []
        self._same_as_truth: list[int] = []
        self._fresh: list[int] = []
        self._future: Future[list[Reading]] | None = None

    def swap(self) -> PairRun:
        """Make the swapped frames and hand out those that nobody has read yet.

        What goes wrong with a frame becomes its status and reason.

        Returns:
            Itself.
        """
        self._failure = self._clip_failure()
        if not self._failure:
            self._pose()
            if self.swapper.kind == "finished":
                self._open_finished()
            else:
                self._swapped = self._generate()
        if not self._failure:
            self._submit()
        return self

    def frames(self) -> list[Frame]:
        """The pair's rows; waits for the readings.

        Returns:
            A frame for each that the protocol expects, also for those that failed.

        Raises:
            ReadingLost: When a worker process hung or died.
        """
        frames = self._read_frames()
        return frames + self._lacking(range(len(frames), 1 if self._single else self.context.rule.k))

    def _read_frames(self) -> list[Frame]:
        # an unreadable clip fails in full
        numbers = self.target.frames.numbers or [-1] * (1 if self._single else self.context.rule.k)
        truth: Mapping[int, Reading] = self.truth.readings() if self.truth else {}
        if self._failure:
            return [
                self._failed(
                    i, number, "not_available" if self._absent else "decode_error", self._failure, truth
                )
                for i, number in enumerate(numbers)
            ]
        came = Readers.result(self._future) if self._future else []
        read = dict(zip(self._fresh, came, strict=True))
        read |= {i: self.target.readings[i] for i in self._same_as_target}
        read |= {i: truth[self.target.frames.numbers[i]] for i in self._same_as_truth}
        return [self._scored(i, number, read.get(i), truth) for i, number in enumerate(numbers)]

    def _lacking(self, places: Sequence[int]) -> list[Frame]:
        """The frames that the protocol expects of the clip beyond those that it has."""
        read, asked = len(self.target.frames.numbers), self.context.rule.k
        reason = f"the clip has {read} of the {asked} frames that the protocol reads"
        row = partial(self._row, number=-1, status="not_available", reason=reason)
        return [Frame(row(i), self.pair, posed=False) for i in places]

    # ---- which faces ----
    def _clip_failure(self) -> str:
        """Why no frame of the pair can be scored, "" when they can."""
        self._absent = self.target.absent or (self.source.absent and not self.target.failure)
        if self.target.failure:
            return f"target clip: {self.target.failure}"
        return f"source clip: {self.source.failure}" if self.source.failure else ""

    def _pose(self) -> None:
        """Find for each frame the source frame to show, or the problem with the originals."""
        self._shown = [self._source_for(i) for i in range(len(self.target.frames.numbers))]
        self._problems = [self._problem(i) for i in range(len(self._shown))]
        self._posed = [problem is None for problem in self._problems]

    def _source_for(self, i: int) -> int | None:
        """Which of the source clip's frames goes with target frame i."""
        own = self.pair.source == self.pair.target
        return source_frame(self.source, i, self.context.protocol.source_rule, own)

    def _problem(self, i: int) -> tuple[Status, str] | None:
        target = self.target.readings[i]
        if target.status != "ok":
            return target.status, f"target frame: {target.reason}"
        if self._shown[i] is None:
            return (
                "no_face",
                f"source clip {self.pair.source}: {no_frame(self.pair.source == self.pair.target)}",
            )
        return None

    # ---- swapped frames ----
    def _open_finished(self) -> None:
        """Read the swaps that exist as files, and the target's frames of the same numbers."""
        name = f"{self.swapper.name}/{self.pair.id} in {self.swapper.run.where()}"
        path = self.swapper.run.path(self.pair)
        numbering = getattr(self.swapper.run, "numbering", AS_NAMED)
        readers, rule, count = self.context.readers, self.context.rule, self.target.frames.count
        clip = missing(name) if path is None else received(readers.frames(path, rule, count, numbering), name)
        if clip.failure:
            self._failure, self._absent = clip.failure, clip.absent
            if clip.absent:
                # What was never there asks nothing of the model.
                self._posed = [False] * len(self._posed)
            return
        self._there = clip.frames.there
        self._single |= path is not None and is_picture(path)
        if clip.frames.numbers != self.target.frames.numbers:
            assert self._target_path is not None
            again = readers.numbers(self._target_path, clip.frames.numbers, self.context.pictures)
            target = received_read(again, self.pair.target)
            if target.failure:
                self._failure = f"target clip: {target.failure}"
                return
            self.target = target
        self._pose()
        aligned = getattr(self.swapper.run, "aligned", None)
        if aligned is None:
            self._swapped = [
                sized(clip.frames, i, frame) for i, frame in enumerate(self.target.frames.frames)
            ]
        else:
            self._view = str(aligned)
            context = self.context
            made = into_frames(clip.frames, self.target, aligned, context.readers, context.pictures)
            self._swapped, self.target = made
            self._pose()
        for i, reason in enumerate(clip.frames.reasons):
            if reason and self._problems[i] is None:
                self._problems[i] = ("decode_error", reason)

    def _generate(self) -> list[Swapped]:
        stranger = None
        if self.swapper.shows == "stranger":
            stranger = self.context.strangers and self.context.strangers.find(self.pair)
            if stranger is None:
                return [Failed("no third person of the run has a face in a first frame")] * len(
                    self._problems
                )
        tasks = {}
        for i, problem in enumerate(self._problems):
            if problem is None:
                image, face = stranger or self._face_to_show(i)
                tasks[i] = Task(
                    self.pair,
                    self.target.frames.numbers[i],
                    self.target.image(i),
                    image,
                    self.target.face(i),
                    face,
                )
        swapped = swap(self.swapper, list(tasks.values()), self.context.batch_size)
        by_frame = dict(zip(tasks, swapped, strict=True))
        return [by_frame.get(i, Failed("nothing to swap")) for i in range(len(self._problems))]

    def _face_to_show(self, i: int) -> tuple[Image, Face]:
        """The source's frame and face that go with target frame i, which has no problem."""
        j = self._shown[i]
        assert j is not None
        return self.source.image(j), self.source.face(j)

    def _submit(self) -> None:
        """Hand out the frames that need reading; untouched target frames and the truth have been read."""
        pixels = self.truth.pixels if self.truth else {}
        images = []
        for i, image in enumerate(self._swapped):
            if self._problems[i] is not None:
                continue
            if isinstance(image, Failed):
                self._problems[i] = ("model_error", image.reason)
                continue
            number = self.target.frames.numbers[i]
            if np.array_equal(image, self.target.image(i)):
                self._same_as_target.append(i)
            elif number in pixels and np.array_equal(image, pixels[number]):
                self._same_as_truth.append(i)
            else:
                self._fresh.append(i)
                images.append(image)
        if images:
            faces = [self.target.face(i) for i in self._fresh]
            self._future = self.context.readers.swaps(images, faces, self.context.pictures)

    # ---- rows ----
    def _scored(self, i: int, number: int, reading: Reading | None, truths: Mapping[int, Reading]) -> Frame:
        problem = self._problems[i]
        if problem is not None or reading is None:
            status, reason = problem or ("decode_error", "the frame was not read")
            return self._failed(i, number, status, reason, truths)
        if reading.status != "ok":
            return self._failed(i, number, reading.status, reading.reason, truths, reading.look)
        j = self._shown[i]
        return Frame(
            self._row(i, number, "ok", ""),
            self.pair,
            posed=True,
            swap=reading,
            source=None if j is None else self.source.readings[j],
            target=self.target.readings[i],
            truth=usable(truths.get(number)),
            source_at=None if j is None else (self.pair.source, j),
            pixel_error=self._pixel_error(i, number),
            pixels=self._pixels(i),
            case=self._case(i, j, number),
            look=reading.look,
        )

    def _case(self, i: int, j: int | None, number: int) -> Case | None:
        """The faces of the frame for the report."""
        if j is None or not self.context.pictures:
            return None
        image = self._swapped[i] if i < len(self._swapped) else Failed("")
        return self.context.cutter(
            ((self.pair.source, self.source.frames.numbers[j]), self.source.image(j), self.source.face(j)),
            ((self.pair.target, number), self.target.image(i), self.target.face(i)),
            None if isinstance(image, Failed) else image,
            self.truth.pixels.get(number) if self.truth else None,
        )

    def _failed(
        self,
        i: int,
        number: int,
        status: Status,
        reason: str,
        truths: Mapping[int, Reading],
        look: Mapping[str, npt.NDArray[np.float32]] | None = None,
    ) -> Frame:
        """A frame without a reading of the swap; a posed one keeps its other sides, to count it as wrong."""
        row = self._row(i, number, status, reason)
        if not (i < len(self._posed) and self._posed[i]):
            return Frame(row, self.pair, posed=False, target=self._own_crop(i))
        j = self._shown[i]
        return Frame(
            row,
            self.pair,
            posed=True,
            source=None if j is None else self.source.readings[j],
            target=self.target.readings[i],
            truth=usable(truths.get(number)),
            pixel_error=self._pixel_error(i, number),
            pixels=self._pixels(i),
            case=self._case(i, j, number),
            look=look or {},
        )

    def _own_crop(self, i: int) -> Reading | None:
        """Of crops what was read of the target's own, which nothing else keeps: also where it shows no face."""
        return self.target.readings[i] if self._view and i < len(self.target.readings) else None

    def _pixel_error(self, i: int, number: int) -> float:
        """Of swapped frame i to the true swap, NaN where either is lacking."""
        image = self._swapped[i] if i < len(self._swapped) else Failed("")
        truth = self.truth.pixels.get(number) if self.truth else None
        face = self.target.readings[i].face
        if isinstance(image, Failed) or truth is None or face is None or truth.shape != image.shape:
            return float("nan")
        return pixel_error(image, truth, face.box)

    def _pixels(self, i: int) -> dict[str, float]:
        if self.context.rule.consecutive:
            return measure_video(self.target, self._swapped, i)
        return measure(self.context.outside, self.target, self._swapped, i) if self.context.pictures else {}

    def _row(self, i: int, number: int, status: Status, reason: str) -> Row:
        j = self._shown[i] if i < len(self._posed) else None
        return Row(
            model=self.swapper.name,
            manipulation=self.swapper.manipulation,
            compression=self.context.compression,
            clip=self.pair.id,
            target=self.pair.target,
            source=self.pair.source,
            cluster=self.pair.cluster,
            position=i,
            frame=number,
            source_frame=-1 if j is None else self.source.frames.numbers[j],
            status=status,
            reason=reason,
            there=self._there,
            view=self._view,
        )
