"""The way back of a cycle: a swap is swapped once more, with another photo of the target's person.

The true answer is the target, but for what the JPEG between the two ways costs (Protocol.between). The model is called as
for any swap, on the face that was found in its own.
"""

from __future__ import annotations

from dataclasses import replace

import cv2

from bench.data.pairs import Pair
from bench.ffpp.cases import decoded
from bench.ffpp.clip import Clip
from bench.ffpp.context import Context
from bench.ffpp.frame import Back, Frame, pixel_error
from bench.ffpp.pair import PairRun
from bench.ffpp.shown import no_frame, source_frame
from bench.reading.pool import Readers
from bench.reading.reader import Reading, Status
from bench.swappers import Swapper, Task
from bench.swappers.apply import Failed, Swapped, swap
from smoothswap.pixels import Image

QUALITY = 75
"""Of the JPEG between the two ways (Protocol.between)."""


def compressed(image: Image, quality: int = QUALITY) -> Image:
    """What a JPEG leaves of a picture.

    Args:
        image: uint8 [h, w, 3] RGB.
        quality: 1 to 100.

    Returns:
        The same shape, decoded again.
    """
    _, coded = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    return decoded(coded.tobytes())


class CycleRun(PairRun):
    """One swapper on one pair, there and back.

    Args:
        context, pair, swapper, source, target: What PairRun takes. There is no finished swap, whose target is read again.
        again: The clip with another photo of the target's person, read; of some pairs the target's own.
    """

    def __init__(
        self,
        context: Context,
        pair: Pair,
        swapper: Swapper,
        source: Clip,
        target: Clip,
        again: Clip,
    ) -> None:
        super().__init__(context, pair, swapper, source, target)
        self.again = again

    def frames(self) -> list[Frame]:
        """The pair's rows, each with its way back; waits for the readings of both ways.

        Returns:
            As PairRun.frames.

        Raises:
            ReadingLost: When a worker process hung or died.
        """
        frames = super().frames()
        found = {i: self._task(i, frame) for i, frame in enumerate(frames)}
        tasks = {i: task for i, task in found.items() if task is not None}
        made = swap(self.swapper, list(tasks.values()), self.context.batch_size)
        came = dict(zip(tasks, made, strict=True))
        images = {i: image for i, image in came.items() if not isinstance(image, Failed)}
        future = self.context.readers.swaps(list(images.values()), [self.target.face(i) for i in images])
        came_back = Readers.result(future)
        readings = dict(zip(images, came_back, strict=True))
        return [self._with_way(i, frame, came.get(i), readings.get(i)) for i, frame in enumerate(frames)]

    def _clip_failure(self) -> str:
        failure = super()._clip_failure()
        if not failure and self.again.failure:
            self._absent = self.again.absent
            failure = f"clip of the other photo: {self.again.failure}"
        return failure

    def _problem(self, i: int) -> tuple[Status, str] | None:
        problem = super()._problem(i)
        if problem is None and self._photo(i) is None:
            own = self.pair.again == self.pair.target
            return "no_face", f"clip of the other photo {self.pair.again}: {no_frame(own)}"
        return problem

    def _photo(self, i: int) -> int | None:
        """Which of the frames of `again` swaps target frame i back."""
        own = self.pair.again == self.pair.target
        return source_frame(self.again, i, self.context.protocol.source_rule, own)

    def _task(self, i: int, frame: Frame) -> Task | None:
        """What swaps frame i back; None where nothing was swapped, or no face found in it."""
        j = self._photo(i) if frame.posed else None
        face, image = frame.swap.face if frame.swap else None, self._swapped[i] if self._swapped else None
        if j is None or face is None or image is None or isinstance(image, Failed):
            return None
        clips, people = (
            (self.pair.target, self.pair.again),
            (self.pair.source_person, self.pair.target_person),
        )
        pair = Pair(self.pair.id, *clips, *people)
        return Task(pair, frame.row.frame, compressed(image), self.again.image(j), face, self.again.face(j))

    def _with_way(self, i: int, frame: Frame, came: Swapped | None, reading: Reading | None) -> Frame:
        """The frame with its way back: what came, and what was read of it."""
        j = self._photo(i) if frame.posed else None
        if j is None:
            return frame
        number = self.again.frames.numbers[j]
        if came is None or reading is None:
            status: Status = "model_error" if isinstance(came, Failed) else frame.row.status
            lost = came.reason if isinstance(came, Failed) else f"no swap to swap back: {frame.row.reason}"
            return replace(frame, back=Back(number, status, lost))
        assert not isinstance(came, Failed)
        face = self.target.face(i)
        way = Back(
            number,
            reading.status,
            reading.reason,
            reading if reading.status == "ok" else None,
            pixel_error(came, self.target.image(i), face.box),
        )
        return replace(frame, back=way, case=self.context.cutter.back(frame.case, came, face))
