"""Instruments examined on Labeled Faces in the Wild: verification, what tells people apart and must not, stability.

Identity on View 2 (all 6,000 pairs of pairs.txt, a missed face makes its pairs wrong), shape, expression and pose on View
1's test pairs (pairsDevTest.txt). One person's photos differ in expression and pose, so those AUCs should be near 0.5.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy import stats
from tqdm import tqdm

from bench.errors import DataError
from bench.lfw import Pairs, central, distances, read_pairs, read_photos, ten_fold
from bench.reading.crops import cut
from bench.validity.measures import distance
from bench.validity.samples import compressed
from metrics.instruments import Instrument
from metrics.statistics.agreement import Estimate, ratio_of_medians, same_person_auc
from smoothswap.faces.align import MIRRORED, AlignmentError
from smoothswap.faces.detect import Detector
from smoothswap.media.images import read_image
from smoothswap.pixels import Image

Points = npt.NDArray[np.float32]
Change = Callable[[Image, Points], tuple[Image, Points]]

PHOTOS = 120  # of different people, for the stability
JPEG_QUALITY, SHIFT = 40, 0.02  # "shift": the crop moved by this share of the distance of the eyes


def examine_lfw(folder: Path, instruments: Sequence[Instrument]) -> dict[str, dict[str, Any]]:
    """Figures of the instruments on the photographs of LFW.

    Args:
        folder: With images_deepfunneled and meta.
        instruments: Who is examined; identity is read on View 2, all else on View 1.

    Returns:
        name -> "lfw_<reading>_auc" (0 to 1) and "lfw_identity_accuracy" (%, mean of ten folds), each an
        Estimate; "stability": reading -> change -> Estimate, 1 for moved as far as the next person's photo is
        away.

    Raises:
        DataError: For a folder that is not LFW's, and a photo that is missing or damaged.
    """
    photos, view2, view1 = open_lfw(folder)
    found: dict[str, dict[str, Any]] = {one.name: {} for one in instruments}
    for pairs, readers in (
        (view2, [one for one in instruments if "identity" in one.reads]),
        (view1, [one for one in instruments if set(one.reads) - {"identity"}]),
    ):
        if not readers:
            continue
        names = {*pairs.first, *pairs.second}
        with tqdm(total=len(names), desc="reading LFW", unit="photo", file=sys.stderr) as bar:
            rows = read_photos(photos, names, readers, progress=bar.update)
        for one in readers:
            for reading in one.reads:
                if (reading == "identity") == (pairs is view2):
                    found[one.name] |= _figures(pairs, rows[f"{one.name}/{reading}"], reading)
    for one, of_photos in zip(instruments, _stability(photos, view1, instruments), strict=True):
        found[one.name]["stability"] = of_photos
    return found


def open_lfw(folder: Path) -> tuple[Path, Pairs, Pairs]:
    """LFW's photos, and the pairs of View 2 and of View 1. Raises DataError for a folder that is not LFW's."""
    photos = folder / "images_deepfunneled"
    if not photos.is_dir():
        raise DataError(f"{photos} is missing: --lfw is a folder with images_deepfunneled and meta of LFW")
    view2, view1 = (read_pairs(folder / "meta" / name) for name in ("pairs.txt", "pairsDevTest.txt"))
    return photos, view2, view1


def _figures(pairs: Pairs, rows: dict[str, npt.NDArray[np.float32]], reading: str) -> dict[str, Estimate]:
    apart = distances(pairs, rows, {"identity": "cosine", "pose": "angle"}.get(reading, "l2"))
    first, second = (np.char.rpartition(side, "_")[:, 0] for side in (pairs.first, pairs.second))
    figures = {f"lfw_{reading}_auc": same_person_auc(apart, pairs.same, first, second)}
    if reading == "identity":
        folds = 100 * ten_fold(apart, pairs.same, pairs.fold)
        error = float(folds.std(ddof=1) / np.sqrt(len(folds)))
        reach = float(stats.t.ppf(0.975, len(folds) - 1)) * error
        mean = float(folds.mean())
        people = len(np.unique(np.concatenate([first, second])))
        figures["lfw_identity_accuracy"] = Estimate(mean, (mean - reach, mean + reach), len(apart), people)
    return figures


def _mirror(frame: Image, points: Points) -> tuple[Image, Points]:
    """The photo seen in a mirror, and its landmarks in their own order."""
    flipped = points[MIRRORED].copy()
    flipped[:, 0] = frame.shape[1] - 1 - flipped[:, 0]
    return np.ascontiguousarray(frame[:, ::-1]), flipped


def _shift(frame: Image, points: Points) -> tuple[Image, Points]:
    eyes = np.linalg.norm(points[36:42].mean(0) - points[42:48].mean(0))
    return frame, points + np.float32(SHIFT * eyes)


def _half(frame: Image, points: Points) -> tuple[Image, Points]:
    height, width = frame.shape[:2]
    small = cv2.resize(frame, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8), points


CHANGES: dict[str, Change] = {
    "mirror": _mirror,
    "shift": _shift,
    "jpeg": lambda frame, points: (compressed(frame, JPEG_QUALITY), points),
    "resolution": _half,
}


def _stability(
    photos: Path, pairs: Pairs, instruments: Sequence[Instrument]
) -> list[dict[str, dict[str, Estimate]]]:
    """Of each instrument: reading -> change -> how far the change moves it, over the way to the next person's photo.

    The landmarks are those of the unchanged photo: detection is not examined here. A mirrored face has another pose and
    expression, so "mirror" is for identity and shape alone.
    """
    people = {name.rpartition("_")[0]: name for name in reversed(sorted({*pairs.first, *pairs.second}))}
    chosen = [people[who] for who in sorted(people)[:PHOTOS]]
    detector = Detector()
    crops: dict[str, list[list[Image]]] = {change: [] for change in ("none", *CHANGES)}
    marks: dict[str, list[Points]] = {change: [] for change in crops}
    for name in tqdm(chosen, desc="changing LFW's photos", unit="photo", file=sys.stderr):
        frame = read_image(photos / name.rpartition("_")[0] / f"{name}.jpg")
        face = central(detector.detect(frame), frame)
        if face is None:
            continue
        seen = {"none": (frame, face.landmarks)} | {k: f(frame, face.landmarks) for k, f in CHANGES.items()}
        try:
            cuts = {k: [cut(f, p, one.crop) for one in instruments] for k, (f, p) in seen.items()}
        except AlignmentError:
            continue
        for change, (_, points) in seen.items():
            crops[change].append(cuts[change])
            marks[change].append(points)
    found: list[dict[str, dict[str, Estimate]]] = []
    for j, one in enumerate(instruments):
        read = {c: one.read(np.stack([cuts[j] for cuts in crops[c]]), np.stack(marks[c])) for c in crops}
        of_one: dict[str, dict[str, Estimate]] = {}
        for reading in one.reads:
            base = read["none"][reading].astype(np.float64)
            other = distance(reading, base, np.roll(base, 1, axis=0))
            of_one[reading] = {
                change: ratio_of_medians(
                    distance(reading, base, read[change][reading].astype(np.float64)), other
                )
                for change in CHANGES
                if change != "mirror" or reading in ("identity", "shape")
            }
        found.append(of_one)
    return found
