"""The pictures of a report: small aligned faces kept during the run; best, median, worst, random at its end."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from bench.reading.crops import square
from reports.pictures.films import sampled
from reports.pictures.store import Picture
from smoothswap.faces.align import AlignmentError
from smoothswap.faces.detect import Face
from smoothswap.pixels import Image

Scope = Literal["frame", "clip"]
SIZE = 128
BY_CLIP = ("identity", "identity_r", "truth_pixel")  # the first that was measured chooses whole clips
RANDOM = 2
LOSSLESS = 2000  # frames of a model; beyond, faces wait for the end as JPEG, 6 kB each instead of 25


@dataclass(frozen=True)
class Case:
    """The faces of one frame as PNG or JPEG bytes; swap and truth are cut where the target's face is."""

    source: bytes
    target: bytes
    swap: bytes
    truth: bytes | None


@dataclass(frozen=True)
class Scored:
    """One metric of every frame: values float [n], NaN for frames that were not scored."""

    label: str
    higher_is_better: bool
    values: npt.NDArray[np.float64]

    def text(self, i: int) -> str:
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
        swap: Image,
        truth: Image | None,
    ) -> Case | None:
        """The faces of a frame; None when one cannot be aligned. source, target: a name of the frame, it, its face."""
        place = target[2].landmarks
        try:
            return Case(
                self._once(source[0], source[1], source[2].landmarks),
                self._once(target[0], target[1], place),
                self._cut(swap, place),
                None if truth is None else self._once(("truth", target[0], source[0]), truth, place),
            )
        except AlignmentError:
            return None

    def _once(self, name: Hashable, frame: Image, landmarks: npt.NDArray[np.float32]) -> bytes:
        if name not in self._known:
            self._known[name] = self._cut(frame, landmarks)
        return self._known[name]

    def _cut(self, frame: Image, landmarks: npt.NDArray[np.float32]) -> bytes:
        small = cv2.cvtColor(square(frame, landmarks, SIZE), cv2.COLOR_RGB2BGR)
        return cv2.imencode(self._format[0], small, self._format[1])[1].tobytes()


def choose(
    model: str,
    metrics: Mapping[str, Scored],
    frames: Sequence[tuple[str, int, Case | None]],
    seed: int = 0,
) -> list[Picture]:
    """The best, median and worst frame by every metric that was measured, and RANDOM frames by lot.

    metrics: key -> Scored, values in the order of `frames`: (clip, frame number, faces). Of equal frames the first
    in that order is ranked better. The lot depends on the seed and the number of frames alone, so that all models
    of a run show the same random frames.
    """
    shown = [i for i, (_, _, faces) in enumerate(frames) if faces is not None]
    pictures = []
    for key, scored in metrics.items():
        known = [i for i in shown if np.isfinite(scored.values[i])]
        for case, i in _ranked(known, scored.values, scored.higher_is_better):
            pictures.append(_picture(model, case, key, i, metrics, frames))
    lot = np.random.default_rng(seed).permutation(len(frames))
    drawn = [int(i) for i in lot if frames[i][2] is not None][:RANDOM]
    return pictures + [_picture(model, "random", "", i, metrics, frames) for i in drawn]


def choose_clips(
    model: str, metrics: Mapping[str, Scored], frames: Sequence[tuple[str, int, Case | None]]
) -> list[Picture]:
    """The best, median and worst clip by its mean of the first of BY_CLIP: a picture a frame, as a report shows.

    frames as in `choose`, a clip's in order of time. Clips of which less than half can be shown are passed over.
    """
    key = next((key for key in BY_CLIP if key in metrics), None)
    if key is None:
        return []
    scored = metrics[key]
    clips: dict[str, list[int]] = {}
    for i, (clip, _, _) in enumerate(frames):
        clips.setdefault(clip, []).append(i)
    kept = []
    for every in clips.values():
        looked = [every[k] for k in sampled(len(every))]
        rows = [i for i in looked if frames[i][2] is not None]
        if 2 * len(rows) >= len(looked) and len(rows) > 1 and np.isfinite(scored.values[every]).any():
            kept.append(rows)
    means = np.array([np.nanmean(scored.values[clips[frames[rows[0]][0]]]) for rows in kept])
    pictures, taken = [], set()
    for case, k in _ranked(list(range(len(kept))), means, scored.higher_is_better):
        if k not in taken:
            said = f"{scored.label} {_text(float(means[k]))}"
            pictures += [_picture(model, case, key, i, metrics, frames, "clip", said) for i in kept[k]]
            taken.add(k)
    return pictures


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


def _picture(
    model: str,
    case: Any,
    key: str,
    i: int,
    metrics: Mapping[str, Scored],
    frames: Sequence[tuple[str, int, Case | None]],
    scope: Scope = "frame",
    headline: str = "",
) -> Picture:
    clip, number, faces = frames[i]
    assert faces is not None
    said = {name: one.text(i) for name, one in metrics.items() if np.isfinite(one.values[i])}
    scores = tuple((metrics[name].label, text) for name, text in said.items())
    headline = headline or (f"{metrics[key].label} {said[key]}" if key else "drawn by lot")
    truth = None if faces.truth is None else _image(faces.truth)
    return Picture(
        model, clip, number, case, headline,
        _image(faces.source), _image(faces.target), _image(faces.swap), truth,
        key, metrics[key].label if key else "", scores if scope == "frame" else (), scope,
    )  # fmt: skip


def _image(coded: bytes) -> Image:
    decoded = cv2.imdecode(np.frombuffer(coded, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)
