"""How far landmarks lie from the truth, how often no face is found, and what a detection costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.detection.material import Case
from smoothswap.faces.align import AlignmentError, ffhq_quad, five_points
from smoothswap.faces.detect import DETECTORS, create
from smoothswap.faces.face import Face, FaceDetector
from smoothswap.media.images import read_image
from smoothswap.pixels import Image

NEAR = 2.0  # eye distances: a face whose middle is farther from the true one is another one
WRONG = 0.5  # eye distances: farther, and the crop shows another part of the head


def errors(case: Case, faces: Sequence[Face]) -> dict[str, float | str]:
    """How far the nearest face lies from the truth.

    Args:
        case: The picture and its truth.
        faces: What was found in it, doubted ones among them.

    Returns:
        state: "missed", "doubted" (found, and its landmarks left out) or "ok"; of an ok one `points`, the mean distance of
        the five points that alignments use, and `square`, that of the corners of FFHQ's square, both in distances of the
        eyes of the head if it faced the camera.
    """
    middle = case.landmarks.mean(0)
    near = [
        (distance, face) for face in faces
        if (distance := float(np.hypot(*(_middle(face) - middle)))) < NEAR * case.eyes
    ]  # fmt: skip
    if not near:
        return {"state": "missed"}
    _, face = min(near, key=lambda item: item[0])
    if face.doubt:
        return {"state": "doubted"}
    try:
        square = np.linalg.norm(ffhq_quad(face.landmarks) - ffhq_quad(case.landmarks), axis=1).mean()
    except AlignmentError:
        return {"state": "doubted"}
    points = np.linalg.norm(five_points(face.landmarks) - five_points(case.landmarks), axis=1).mean()
    return {"state": "ok", "points": float(points) / case.eyes, "square": float(square) / case.eyes}


def _middle(face: Face) -> np.ndarray:
    return np.array([face.box[0] + face.box[2], face.box[1] + face.box[3]]) / 2


def summary(found: Iterable[dict[str, float | str]]) -> dict[str, float | int | None]:
    """What `errors` said of many pictures, in one row.

    Args:
        found: One for each picture.

    Returns:
        pictures, missed, doubted, wrong (ok, and farther than WRONG: silent); median and ninth decile of the points' error
        and the median of the square's, None where no face was read.
    """
    rows = list(found)
    ok = [row for row in rows if row["state"] == "ok"]
    points = np.array([row["points"] for row in ok], np.float64)
    squares = np.array([row["square"] for row in ok], np.float64)
    return {
        "pictures": len(rows),
        "missed": sum(row["state"] == "missed" for row in rows),
        "doubted": sum(row["state"] == "doubted" for row in rows),
        "wrong": int((points > WRONG).sum()),
        "points": _rounded(points, 0.5),
        "points_ninth_decile": _rounded(points, 0.9),
        "square": _rounded(squares, 0.5),
    }


def _rounded(values: np.ndarray, share: float) -> float | None:
    return round(float(np.quantile(values, share)), 4) if len(values) else None


def photographs(
    paths: Sequence[Path], detectors: Sequence[str], progress: Callable[[], object]
) -> dict[str, Any]:
    """In how many photographs a face is found.

    Args:
        paths: Photographs of people, each with a face.
        detectors: Names that smoothswap.faces.detect.create takes.
        progress: Called after each photograph.

    Returns:
        photographs, and of each detector: missed (no face) and doubted (faces, all of them with doubtful landmarks).

    Raises:
        ImageError: For a file that is no picture.
    """
    made = {name: create(name) for name in detectors}
    counts = {name: {"missed": 0, "doubted": 0} for name in detectors}
    for path in paths:
        image = read_image(path)
        for name, detector in made.items():
            faces = detector.found(image)
            counts[name]["missed"] += not faces
            counts[name]["doubted"] += bool(faces) and all(face.doubt for face in faces)
        progress()
    return {"photographs": len(paths), "detectors": counts}


def speed(frame: Image, rounds: int) -> dict[str, float]:
    """CPU time of detection with landmarks, as a multiple of what HOG takes on the same frame.

    Args:
        frame: uint8 [h, w, 3] with a face in it.
        rounds: Of each detector, in turn; the least of each counts.

    Returns:
        Detector -> HOG's time over its own, 1 for HOG itself.
    """
    made: dict[str, FaceDetector] = {name: create(name) for name in DETECTORS}
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        taken: dict[str, list[float]] = {name: [] for name in made}
        for _ in range(rounds + 1):
            for name, detector in made.items():
                start = time.process_time()
                detector.found(frame)
                taken[name].append(time.process_time() - start)
    finally:
        cv2.setNumThreads(threads)
    least = {name: min(times[1:]) for name, times in taken.items()}
    return {name: round(least["hog"] / cost, 2) for name, cost in least.items()}
