"""The pictures of a report: small aligned faces kept during the run; best, median and worst at its end."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from bench.reading.crops import square
from reports.pictures.films import sampled
from reports.pictures.store import Picture
from smoothswap.faces.align import AlignmentError
from smoothswap.faces.face import Face
from smoothswap.pixels import Image

Scope = Literal["frame", "clip"]
SIZE = 128
BY_CLIP = ("identity", "truth_pixel")  # the first that was measured chooses whole clips
LOSSLESS = 2000  # frames of a model; beyond, faces wait for the end as JPEG, 6 kB each instead of 25


@dataclass(frozen=True)
class Case:
    """The faces of one frame as PNG or JPEG bytes; swap and truth are cut where the target's face is.

    swap: None where the model made none. truth: None where it is not known.
    """

    source: bytes
    target: bytes
    swap: bytes | None
    truth: bytes | None
    # What came back from a cycle.
    back: bytes | None = None


@dataclass(frozen=True)
class Scored:
    """One metric of every frame: values float [n], NaN for frames that were not scored."""

    label: str
    higher_is_better: bool
    values: npt.NDArray[np.float64]

    def text(self, i: int) -> str:
        """The value of frame i in words."""
        return _text(float(self.values[i]))


class Cutter:
    """Cuts FFHQ squares of SIZE px; what all models of a pair share is cut, and kept, once."""

    def __init__(self, lossless: bool = True) -> None:
        self._format = (
            (".png", [cv2.IMWRITE_PNG_COMPRESSION, 1])
            if lossless
            else (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 90])
        )
        self._known: dict[Hashable, bytes] = {}

    def __call__(
        self,
        source: tuple[Hashable, Image, Face],
        target: tuple[Hashable, Image, Face],
        swap: Image | None,
        truth: Image | None,
    ) -> Case | None:
        """The faces of a frame; None when one cannot be aligned. source, target: a name of the frame, it, its face."""
        place = target[2].landmarks
        try:
            return Case(
                self._once(source[0], source[1], source[2].landmarks),
                self._once(target[0], target[1], place),
                None if swap is None else self._cut(swap, place),
                None if truth is None else self._once(("truth", target[0], source[0]), truth, place),
            )
        except AlignmentError:
            return None

    def back(self, case: Case | None, image: Image, target: Face) -> Case | None:
        """The faces of a frame with what came back from a cycle.

        Args:
            case: The faces without; None: there are none.
            image: uint8 [h, w, 3], what came back.
            target: The face of the target's frame, where it is cut.

        Returns:
            A copy; None for none.
        """
        return None if case is None else replace(case, back=self._cut(image, target.landmarks))

    def _once(self, name: Hashable, frame: Image, landmarks: npt.NDArray[np.float32]) -> bytes:
        if name not in self._known:
            self._known[name] = self._cut(frame, landmarks)
        return self._known[name]

    def _cut(self, frame: Image, landmarks: npt.NDArray[np.float32]) -> bytes:
        small = cv2.cvtColor(square(frame, landmarks, SIZE), cv2.COLOR_RGB2BGR)
        return cv2.imencode(self._format[0], small, self._format[1])[1].tobytes()


@dataclass(frozen=True)
class Choice:
    """A frame that the report shows, and why: the place of the frame, and what is said of it.

    key, label: of the metric that chose it. scores: every metric of the frame, in words.
    """

    case: Literal["best", "median", "worst"]
    i: int
    key: str
    label: str
    headline: str
    scores: tuple[tuple[str, str], ...]
    scope: Scope = "frame"


def choose(metrics: Mapping[str, Scored], shown: Sequence[bool]) -> list[Choice]:
    """The best, median and worst frame by every metric that was measured. Of equal frames the first is ranked better.

    Args:
        metrics: Key -> values of n frames.
        shown: Which of the n frames have pictures.

    Returns:
        What the report shows, metric by metric.
    """
    places = np.flatnonzero(shown)
    choices = []
    for key, scored in metrics.items():
        known = [int(i) for i in places if np.isfinite(scored.values[i])]
        for case, i in _ranked(known, scored.values, scored.higher_is_better):
            text = f"{scored.label} {scored.text(i)}"
            choices.append(Choice(case, i, key, scored.label, text, _scores(metrics, i)))
    return choices


def choose_clips(metrics: Mapping[str, Scored], shown: Sequence[bool], clips: Sequence[str]) -> list[Choice]:
    """The best, median and worst clip by its mean of the first of BY_CLIP: a picture a frame, as a report shows.

    Clips of which less than half can be shown are passed over.

    Args:
        metrics: Key -> values of n frames.
        shown: Which of the n frames have pictures.
        clips: Of each frame its clip, a clip's frames in order of time.

    Returns:
        The frames, clip by clip; [] where none of BY_CLIP was measured.
    """
    key = next((key for key in BY_CLIP if key in metrics), None)
    if key is None:
        return []
    scored = metrics[key]
    places: dict[str, list[int]] = {}
    for i, clip in enumerate(clips):
        places.setdefault(clip, []).append(i)
    kept = []
    for every in places.values():
        looked = [every[k] for k in sampled(len(every))]
        rows = [i for i in looked if shown[i]]
        if 2 * len(rows) >= len(looked) and len(rows) > 1 and np.isfinite(scored.values[every]).any():
            kept.append(rows)
    means = np.array([np.nanmean(scored.values[places[clips[rows[0]]]]) for rows in kept])
    choices: list[Choice] = []
    taken = set()
    for case, k in _ranked(list(range(len(kept))), means, scored.higher_is_better):
        if k not in taken:
            text = f"{scored.label} {_text(float(means[k]))}"
            choices += [Choice(case, i, key, scored.label, text, (), "clip") for i in kept[k]]
            taken.add(k)
    return choices


def picture(model: str, clip: str, number: int, faces: Case, choice: Choice) -> Picture:
    """A chosen frame with its pictures.

    Args:
        model: The swapper's name.
        clip: The pair's id, target_source.
        number: The frame's number within the target's clip, from 0.
        faces: What Cutter made of it.
        choice: Why it is shown.

    Returns:
        The case as the report keeps it, its faces decoded: uint8 [SIZE, SIZE, 3] RGB, the truth None where it
        is not known.
    """
    return Picture(
        model=model,
        clip=clip,
        frame=number,
        case=choice.case,
        metric_text=choice.headline,
        source=decoded(faces.source),
        target=decoded(faces.target),
        swap=None if faces.swap is None else decoded(faces.swap),
        truth=None if faces.truth is None else decoded(faces.truth),
        back=None if faces.back is None else decoded(faces.back),
        metric=choice.key,
        label=choice.label,
        scores=choice.scores,
        scope=choice.scope,
    )


def _scores(metrics: Mapping[str, Scored], i: int) -> tuple[tuple[str, str], ...]:
    return tuple((one.label, one.text(i)) for one in metrics.values() if np.isfinite(one.values[i]))


def _ranked(
    known: list[int], values: npt.NDArray[np.float64], higher_is_better: bool
) -> list[tuple[Literal["best", "median", "worst"], int]]:
    if not known:
        return []
    sign = -1 if higher_is_better else 1
    ranked = sorted(known, key=lambda i: sign * values[i])
    return [("best", ranked[0]), ("median", ranked[len(ranked) // 2]), ("worst", ranked[-1])]


def _text(value: float) -> str:
    return f"{value:.3g}" if abs(value) >= 10 else f"{value:.3f}"


def decoded(coded: bytes) -> Image:
    """The picture uint8 [h, w, 3] RGB of the bytes of a Case, or of any that OpenCV wrote."""
    image = cv2.imdecode(np.frombuffer(coded, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
