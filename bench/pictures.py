"""The pictures of a report: small aligned faces kept during the run; best, median, worst, random at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from reports.pictures import Picture
from smoothswap.faces.align import AlignmentError, ffhq_affine
from smoothswap.faces.detect import Face

Image = npt.NDArray[np.uint8]
SIZE = 128
CHOOSERS = ("identity", "expression", "truth_pixel", "pose", "shape")  # metrics that choose cases, in order
MOST_CHOOSERS = 3  # keeps a page of four models under 3 MB
RANDOM = 2


@dataclass(frozen=True)
class Case:
    """The faces of one frame as PNG bytes; swap and truth are cut where the target's face is."""

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
        return f"{self.values[i]:.3g}" if abs(self.values[i]) >= 10 else f"{self.values[i]:.3f}"


def thumbnails(
    source: tuple[Image, Face], target: tuple[Image, Face], swap: Image, truth: Image | None
) -> Case | None:
    """Cut the FFHQ squares of a frame, SIZE px; None when a face cannot be aligned."""
    place = target[1].landmarks
    try:
        return Case(
            _cut(source[0], source[1].landmarks),
            _cut(target[0], place),
            _cut(swap, place),
            None if truth is None else _cut(truth, place),
        )
    except AlignmentError:
        return None


def choose(
    model: str,
    metrics: Mapping[str, Scored],
    frames: Sequence[tuple[str, int, Case | None]],
    seed: int = 0,
) -> list[Picture]:
    """The best, median and worst frame by each of CHOOSERS that was measured, and RANDOM frames by lot.

    metrics: key -> Scored, values in the order of `frames`: (clip, frame number, faces). The lot depends on
    the seed and the number of frames alone, so that all models of a run show the same random frames.
    """
    shown = [i for i, (_, _, faces) in enumerate(frames) if faces is not None]
    pictures = []
    for key in [key for key in CHOOSERS if key in metrics][:MOST_CHOOSERS]:
        scored = metrics[key]
        known = [i for i in shown if np.isfinite(scored.values[i])]
        if not known:
            continue
        sign = -1 if scored.higher_is_better else 1
        ranked = sorted(known, key=lambda i: sign * scored.values[i])
        for case, i in (("best", ranked[0]), ("median", ranked[len(ranked) // 2]), ("worst", ranked[-1])):
            pictures.append(_picture(model, case, key, i, metrics, frames))
    lot = np.random.default_rng(seed).permutation(len(frames))
    drawn = [int(i) for i in lot if frames[i][2] is not None][:RANDOM]
    return pictures + [_picture(model, "random", "", i, metrics, frames) for i in drawn]


def _picture(
    model: str,
    case: Any,
    key: str,
    i: int,
    metrics: Mapping[str, Scored],
    frames: Sequence[tuple[str, int, Case | None]],
) -> Picture:
    clip, number, faces = frames[i]
    assert faces is not None
    said = {name: one.text(i) for name, one in metrics.items() if np.isfinite(one.values[i])}
    scores = tuple((metrics[name].label, text) for name, text in said.items())
    headline = f"{metrics[key].label} {said[key]}" if key else "drawn by lot"
    truth = None if faces.truth is None else _image(faces.truth)
    return Picture(
        model, clip, number, case, headline,
        _image(faces.source), _image(faces.target), _image(faces.swap), truth,
        key, metrics[key].label if key else "", scores,
    )  # fmt: skip


def _cut(frame: Image, landmarks: npt.NDArray[np.float32]) -> bytes:
    """For the eye only, so by one warp: FFHQ's own resampling would cost more than the model."""
    large = cv2.warpAffine(
        frame, ffhq_affine(landmarks, 2 * SIZE), (2 * SIZE, 2 * SIZE), flags=cv2.INTER_LINEAR
    )
    small = cv2.resize(large, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".png", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1])[
        1
    ].tobytes()


def _image(png: bytes) -> Image:
    decoded = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)
