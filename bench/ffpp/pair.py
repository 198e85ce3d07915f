"""One pair through one swapper: swapped when it is made, its rows when its readings are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bench.data.clips import ClipError, FrameRule, Frames, read_clip
from bench.data.ffpp import Pair
from bench.ffpp.cases import Case
from bench.ffpp.ledger import Row, Status
from bench.reading.reader import Readers, Reading
from bench.swappers import Swapper, Task
from bench.swappers.apply import Swapped, swap
from smoothswap.media.video import VideoError

if TYPE_CHECKING:
    from bench.ffpp.run import Unit

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Frame:
    """One scored frame: its ledger row and the four sides of it (None: no reading).

    posed: both originals have a usable face here, so that there was something to swap; what fails in a posed
    frame is the swap's own failure. source_at names the gallery row that the model was shown: (source clip,
    position). pixel_error is the mean
    absolute difference to the true swap over the target's face box, 0..255, NaN where unknown.
    look: Reading.look of the swapped picture, also where no face was found in it; empty where there is no picture.
    """

    row: Row
    pair: Pair
    posed: bool
    swap: Reading | None = None
    source: Reading | None = None
    target: Reading | None = None
    truth: Reading | None = None
    source_at: tuple[str, int] | None = None
    pixel_error: float = float("nan")
    case: Case | None = None
    look: Mapping[str, npt.NDArray[np.float32]] = field(default_factory=dict)


@dataclass
class Clip:
    """A clip with the readings of its frames; `failure` when it could not be read at all."""

    frames: Frames
    readings: list[Reading] = field(default_factory=list)
    failure: str = ""

    def ok(self, i: int) -> bool:
        return i < len(self.readings) and self.readings[i].status == "ok"


class Truth:
    """The true swap of one pair, by frame number: its pixels now, its readings when they are asked for."""

    def __init__(self, readers: Readers, target: Clip, clip: Clip, look: bool) -> None:
        faces = {n: target.readings[i].face for i, n in enumerate(target.frames.numbers) if target.ok(i)}
        self.pixels: dict[int, Image] = {
            number: image
            for number, image in zip(clip.frames.numbers, clip.frames.frames, strict=True)
            if image is not None and faces.get(number) is not None
        }
        posed = [faces[n] for n in self.pixels]
        self._future = readers.swaps(list(self.pixels.values()), posed, look)  # type: ignore[arg-type]

    def readings(self) -> dict[int, Reading]:
        return dict(zip(self.pixels, Readers.result(self._future), strict=True))


class Scoring:
    """One swapper on one pair: swapped on creation, its readings collected by frames()."""

    def __init__(self, unit: Unit, pair: Pair, swapper: Swapper, truth: Truth | None) -> None:
        self.unit, self.pair, self.swapper, self.truth = unit, pair, swapper, truth
        self.protocol = unit.run.protocol
        self.source = unit.originals[pair.source]
        self.target = unit.originals[pair.target]
        self.swapped: list[Swapped] = []
        self.posed: list[bool] = []
        self.failure = self._clip_failure()
        if not self.failure:
            self._pose()
            self._swap()

    def _clip_failure(self) -> str:
        """Why no frame of the pair can be scored, "" when they can."""
        if self.target.failure:
            return f"target clip: {self.target.failure}"
        return f"source clip: {self.source.failure}" if self.source.failure else ""

    def _pose(self) -> None:
        """Find for each frame the source frame to show, or the problem with the originals."""
        self.shown = [self._source_for(i) for i in range(len(self.target.frames.numbers))]
        self.problems = [self._problem(i) for i in range(len(self.shown))]
        self.posed = [problem is None for problem in self.problems]

    def _swap(self) -> None:
        finished: Frames | None = None
        if self.swapper.kind == "finished":
            path = self.swapper.run.path(self.pair)
            name = f"{self.swapper.name}/{self.pair.id} in {self.swapper.run.where()}"
            clip = open_clip(path, name, self.unit.run.rule, self.target.frames.count)
            if clip.failure:
                self.failure = clip.failure
                return
            finished = clip.frames
            try:
                self.target = self.unit.target_at(self.pair, finished.numbers)
            except (VideoError, ClipError) as error:
                self.failure = f"target clip: {error}"
                return
            self._pose()
        if finished is None:
            self.swapped = self._generate()
        else:
            self.swapped = [_sized(finished, i, frame) for i, frame in enumerate(self.target.frames.frames)]
            for i, reason in enumerate(finished.reasons):
                if reason and self.problems[i] is None:
                    self.problems[i] = ("decode_error", reason)
        self._submit()

    def _source_for(self, i: int) -> int | None:
        """Which of the source clip's frames goes with target frame i (Protocol.source_rule)."""
        if self.protocol.source_rule == "matched" and self.source.ok(i):
            return i
        return next((j for j in range(len(self.source.readings)) if self.source.ok(j)), None)

    def _problem(self, i: int) -> tuple[Status, str] | None:
        target = self.target.readings[i]
        if target.status != "ok":
            return target.status, f"target frame: {target.reason}"
        if self.shown[i] is None:
            return "no_face", f"source clip {self.pair.source}: no usable face in any of its frames"
        return None

    def _generate(self) -> list[Swapped]:
        tasks = {}
        for i, problem in enumerate(self.problems):
            j = self.shown[i]
            if problem is None and j is not None:
                target, source = self.target, self.source
                tasks[i] = Task(
                    self.pair, target.frames.numbers[i],
                    target.frames.frames[i], source.frames.frames[j],  # type: ignore[arg-type]
                    target.readings[i].face, source.readings[j].face,  # type: ignore[arg-type]
                )  # fmt: skip
        done = dict(
            zip(tasks, swap(self.swapper, list(tasks.values()), self.unit.run.batch_size), strict=True)
        )
        return [done.get(i, "") for i in range(len(self.problems))]

    def _submit(self) -> None:
        """Hand out the frames that need reading; untouched target frames and the truth have been read."""
        self.same_as_target: list[int] = []
        self.same_as_truth: list[int] = []
        self.fresh: list[int] = []
        pixels = self.truth.pixels if self.truth else {}
        for i, image in enumerate(self.swapped):
            if self.problems[i] is not None:
                continue
            if isinstance(image, str):
                self.problems[i] = ("model_error", image)
                continue
            number = self.target.frames.numbers[i]
            if np.array_equal(image, _image(self.target, i)):
                self.same_as_target.append(i)
            elif number in pixels and np.array_equal(image, pixels[number]):
                self.same_as_truth.append(i)
            else:
                self.fresh.append(i)
        images = [self.swapped[i] for i in self.fresh]
        faces = [self.target.readings[i].face for i in self.fresh]
        run = self.unit.run
        self.future = run.readers.swaps(images, faces, run.pictures) if images else None  # type: ignore[arg-type]

    def frames(self) -> list[Frame]:
        """The pair's rows; waits for the readings."""
        numbers = (
            self.target.frames.numbers or [-1] * self.unit.run.rule.k
        )  # an unreadable clip fails in full
        truth = self.truth.readings() if self.truth else {}
        if self.failure:
            return [
                self._frame(i, number, "decode_error", self.failure, truth)
                for i, number in enumerate(numbers)
            ]
        read = dict(zip(self.fresh, Readers.result(self.future), strict=True)) if self.future else {}
        read |= {i: self.target.readings[i] for i in self.same_as_target}
        read |= {i: truth[self.target.frames.numbers[i]] for i in self.same_as_truth}
        return [self._scored(i, number, read.get(i), truth) for i, number in enumerate(numbers)]

    def _scored(self, i: int, number: int, reading: Reading | None, truths: dict[int, Reading]) -> Frame:
        problem = self.problems[i]
        if problem is not None or reading is None:
            status, reason = problem or ("decode_error", "the frame was not read")
            return self._frame(i, number, status, reason, truths)
        if reading.status != "ok":
            return self._frame(i, number, reading.status, reading.reason, truths, reading.look)
        j = self.shown[i]
        assert j is not None
        target, source = self.target.readings[i], self.source.readings[j]
        error, case = self._pixel_error(i, number), None
        image = self.swapped[i]
        true_image = self.truth.pixels.get(number) if self.truth else None
        shown = self.unit.run.pictures
        if shown and not isinstance(image, str) and target.face is not None and source.face is not None:
            case = self.unit.cutter(
                ((self.pair.source, self.source.frames.numbers[j]), _image(self.source, j), source.face),
                ((self.pair.target, number), _image(self.target, i), target.face),
                image,
                true_image,
            )
        known = _usable(truths.get(number))
        row, at = self._row(i, number, "ok", ""), (self.pair.source, j)
        return Frame(row, self.pair, True, reading, source, target, known, at, error, case, reading.look)

    def _frame(
        self,
        i: int,
        number: int,
        status: Status,
        reason: str,
        truths: dict[int, Reading],
        look: Mapping[str, npt.NDArray[np.float32]] | None = None,
    ) -> Frame:
        """A frame without a reading of the swap; a posed one keeps its other sides, to count it as wrong."""
        row = self._row(i, number, status, reason)
        j = self.shown[i] if i < len(self.posed) and self.posed[i] else None
        if j is None:
            return Frame(row, self.pair, False)
        source, target = self.source.readings[j], self.target.readings[i]
        known, error = _usable(truths.get(number)), self._pixel_error(i, number)
        return Frame(row, self.pair, True, None, source, target, known, pixel_error=error, look=look or {})

    def _pixel_error(self, i: int, number: int) -> float:
        """Of swapped frame i to the true swap, NaN where either is lacking."""
        image = self.swapped[i] if i < len(self.swapped) else ""
        truth = self.truth.pixels.get(number) if self.truth else None
        face = self.target.readings[i].face
        if isinstance(image, str) or truth is None or face is None or truth.shape != image.shape:
            return float("nan")
        return pixel_error(image, truth, face.box)

    def _row(self, i: int, number: int, status: Status, reason: str) -> Row:
        j = self.shown[i] if self.posed else None
        return Row(
            self.swapper.name, self.swapper.manipulation, self.unit.run.dataset.compression, self.pair.id,
            self.pair.target, self.pair.source, self.pair.cluster, i, number,
            -1 if j is None else self.source.frames.numbers[j], status, reason,
        )  # fmt: skip


def open_clip(path: Path | None, name: str, rule: FrameRule, below: int | None = None) -> Clip:
    """Read the rule's frames of a clip; what goes wrong stands in the result's `failure`."""
    if path is None:
        return Clip(Frames(0, [], [], []), failure=f"{name} is not on the disk")
    try:
        return Clip(read_clip(path, rule, below))
    except (VideoError, ClipError, OSError) as error:
        return Clip(Frames(0, [], [], []), failure=str(error))


def readable(frames: Frames) -> list[Image]:
    """The frames that could be read, in order."""
    return [image for image in frames.frames if image is not None]


def with_gaps(frames: Frames, readings: list[Reading]) -> list[Reading]:
    """Put the readings of readable frames back to their places."""
    rest = iter(readings)
    return [
        next(rest) if image is not None else Reading(0, None, "decode_error", reason)
        for image, reason in zip(frames.frames, frames.reasons, strict=True)
    ]


def pixel_error(image: Image, truth: Image, box: tuple[float, float, float, float]) -> float:
    """Mean absolute difference of frames uint8 [h, w, 3] over a box (x0, y0, x1, y1), levels 0..255."""
    height, width = image.shape[:2]
    x0, y0 = max(0, round(box[0])), max(0, round(box[1]))
    x1, y1 = min(width, round(box[2])), min(height, round(box[3]))
    if x1 <= x0 or y1 <= y0:
        return float("nan")
    difference = image[y0:y1, x0:x1].astype(np.int16) - truth[y0:y1, x0:x1]
    return float(np.abs(difference).mean())


def _usable(reading: Reading | None) -> Reading | None:
    return reading if reading is not None and reading.status == "ok" else None


def _image(clip: Clip, i: int) -> Image:
    image = clip.frames.frames[i]
    assert image is not None
    return image


def _sized(finished: Frames, i: int, target: Image | None) -> Swapped:
    """A finished frame, or why it cannot stand for the target's."""
    image = finished.frames[i]
    if image is None or target is None or image.shape == target.shape:
        return image if image is not None else finished.reasons[i]
    return (
        f"the swapped frame is {image.shape[1]} x {image.shape[0]}, its target {target.shape[1]} x "
        f"{target.shape[0]}; paste the faces back into the target's frames"
    )
