"""The pictures of a report: small aligned faces kept during the run; best, median and worst at its end."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from reports.pictures import CASES, Picture
from smoothswap.faces.align import AlignmentError, ffhq_affine
from smoothswap.faces.detect import Face

Image = npt.NDArray[np.uint8]
SIZE = 128


@dataclass(frozen=True)
class Case:
    """The faces of one frame as PNG bytes; swap and truth are cut where the target's face is."""

    source: bytes
    target: bytes
    swap: bytes
    truth: bytes | None


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
    label: str,
    higher_is_better: bool,
    values: npt.NDArray[np.float64],
    frames: list[tuple[str, int, Case | None]],
) -> list[Picture]:
    """The best, median and worst frame by a metric.

    values: float [n], NaN for frames that were not scored. frames: (clip, frame number, faces) for each.
    """
    scored = [i for i in range(len(values)) if np.isfinite(values[i]) and frames[i][2] is not None]
    if not scored:
        return []
    ranked = sorted(scored, key=lambda i: -values[i] if higher_is_better else values[i])
    chosen = (ranked[0], ranked[len(ranked) // 2], ranked[-1])
    pictures = []
    for case, i in zip(CASES, chosen, strict=True):
        clip, number, faces = frames[i]
        assert faces is not None
        truth = None if faces.truth is None else _image(faces.truth)
        images = (_image(faces.source), _image(faces.target), _image(faces.swap))
        pictures.append(Picture(model, clip, number, case, f"{label} {values[i]:.3f}", *images, truth))
    return pictures


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
