"""An instrument on Labeled Faces in the Wild: does it tell people apart on real photographs?

    python -m bench.lfw --photos lfw/images_deepfunneled --pairs lfw/meta/pairs.txt --instrument dlib

View 2 (Huang et al. 2007): 6,000 pairs in ten folds; the threshold of each fold is the best one on the other nine. The
person whom a photo is named after is the one in its middle, so of several faces the central one is read. A photo without a
face makes its pairs wrong, whatever the threshold. Never train on LFW and report View 2.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from bench.cli import command
from bench.errors import EXIT_OK, DataError
from bench.reading.crops import cut
from metrics.distances import angle, cosine_distance, l2
from metrics.embedders.lfw import Pairs, parse_pairs
from metrics.embedders.verification import auc, fold_accuracy
from metrics.instruments import Instrument
from smoothswap.cli import Parser, at_least
from smoothswap.faces.align import AlignmentError
from smoothswap.faces.detect import Detector
from smoothswap.faces.face import Face, FaceDetector
from smoothswap.media.images import ImageError, read_image
from smoothswap.media.patience import patient
from smoothswap.pixels import Image

Floats = npt.NDArray[np.float64]
DISTANCES: dict[str, Callable[[Any, Any], Floats]] = {"l2": l2, "cosine": cosine_distance}
BATCH = 64


def read_pairs(path: Path) -> Pairs:
    """pairs.txt (ten folds) or pairsDevTest.txt (one). Raises DataError."""
    try:
        return parse_pairs(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(f"cannot read {path} ({error.strerror}); it is LFW's pairs.txt") from None
    except ValueError as error:  # UnicodeDecodeError among them
        raise DataError(f"{path} is no list of LFW pairs: {error}") from None


def central(faces: Sequence[Face], frame: Image) -> Face | None:
    """The face whose box is nearest to the middle of the picture, None where there is none.

    Args:
        faces: Those found in the picture.
        frame: The picture, uint8 [h, w, 3]; only its size is looked at.

    Returns:
        The one whose box has its centre nearest; of equally near ones the first. None for no faces.
    """
    middle = (frame.shape[1] - 1) / 2, (frame.shape[0] - 1) / 2

    def away(face: Face) -> float:
        x0, y0, x1, y1 = face.box
        return float(np.hypot((x0 + x1) / 2 - middle[0], (y0 + y1) / 2 - middle[1]))

    return min(faces, key=away, default=None)


def read_photos(
    photos: Path,
    names: Iterable[str],
    instruments: Sequence[Instrument],
    detector: FaceDetector | None = None,
    progress: Callable[[], object] = lambda: None,
) -> dict[str, dict[str, npt.NDArray[np.float32]]]:
    """What the instruments read from some photos; a photo without a face is left out.

    Args:
        photos: Folder of Name/Name_0001.jpg.
        names: The photos, without suffix.
        instruments: What reads them.
        detector: By default YuNet with the landmarks of the mesh.
        progress: Called after each photo.

    Returns:
        "<instrument>/<reading>" -> photo name -> float32 [d].

    Raises:
        DataError: For a photo that is missing or damaged.
    """
    detector = detector or Detector()
    found: dict[str, dict[str, npt.NDArray[np.float32]]] = {
        f"{one.name}/{reading}": {} for one in instruments for reading in one.reads
    }
    waiting: list[tuple[str, npt.NDArray[np.float32], list[Image]]] = []

    def flush() -> None:
        if not waiting:
            return
        landmarks = np.stack([points for _, points, _ in waiting])
        for j, one in enumerate(instruments):
            read = one.read(np.stack([crops[j] for _, _, crops in waiting]), landmarks)
            for reading, rows in read.items():
                found[f"{one.name}/{reading}"] |= {w[0]: row for w, row in zip(waiting, rows, strict=True)}
        waiting.clear()

    for name in sorted(set(names)):
        path = photos / name.rpartition("_")[0] / f"{name}.jpg"
        try:
            frame = read_image(path)
        except ImageError as error:
            raise DataError(f"cannot read the photo {error}") from None
        face = central(detector.detect(frame), frame)
        progress()
        if face is None:
            continue
        try:
            waiting.append(
                (name, face.landmarks, [cut(frame, face.landmarks, one.crop) for one in instruments])
            )
        except AlignmentError:
            continue  # landmarks that are no face: as good as none
        if len(waiting) == BATCH:
            flush()
    flush()
    return found


def distances(pairs: Pairs, rows: dict[str, npt.NDArray[np.float32]], distance: str = "l2") -> Floats:
    """The distance of every pair, NaN where one of the two photos has no reading.

    Args:
        pairs: n pairs of photos.
        rows: Photo name -> float32 [d], one reading of `read_photos`.
        distance: A name in DISTANCES, "l2" or "cosine" (0 to 2), or "angle" of head rotations (radians, 0 to pi).

    Returns:
        float64 [n].
    """
    width = len(next(iter(rows.values()))) if rows else 1
    blank = np.full(width, np.nan, np.float32)
    sides = [np.stack([rows.get(name, blank) for name in names]) for names in (pairs.first, pairs.second)]
    return {**DISTANCES, "angle": angle}[distance](*sides)


def ten_fold(distance: Floats, same: npt.NDArray[np.bool_], fold: npt.NDArray[np.intp]) -> Floats:
    """Accuracy of each fold, thresholds from the pairs of the others that have a distance.

    A pair without a distance (NaN) is wrong at any threshold.

    Args:
        distance: float64 [pairs].
        same: bool [pairs].
        fold: int [pairs].

    Returns:
        float64 [folds], 0 to 1.

    Raises:
        ValueError: For one fold.
    """
    good = np.isfinite(distance)
    found = fold_accuracy(-distance[good], same[good], fold[good])
    names, pairs = np.unique(fold, return_counts=True)
    right = np.zeros(len(names))
    read, kept = np.unique(fold[good], return_counts=True)
    right[np.searchsorted(names, read)] = found.folds * kept
    return np.asarray(right / pairs)


def measure(
    pairs: Pairs,
    photos: Path,
    instruments: Sequence[Instrument],
    progress: Callable[[], object] = lambda: None,
) -> dict[str, dict[str, float]]:
    """Measure how well each reading of some instruments tells people apart.

    Args:
        pairs: The pairs of photos.
        photos: Folder of Name/Name_0001.jpg.
        instruments: What reads them.
        progress: Called after each photo.

    Returns:
        "<instrument>/<reading>" -> auc_l2, auc_cosine, pairs, missing; with ten folds also accuracy_* (0 to 1) and
        accuracy_error_*, the standard error of the mean over folds.

    Raises:
        DataError: For a photo that is missing or damaged.
    """
    found = read_photos(photos, [*pairs.first, *pairs.second], instruments, progress=progress)
    result = {}
    for key, rows in found.items():
        values: dict[str, float] = {"pairs": len(pairs.same)}
        for name in DISTANCES:
            apart = distances(pairs, rows, name)
            values["missing"] = int(np.isnan(apart).sum())
            good = np.isfinite(apart)
            values[f"auc_{name}"] = auc(-apart[good], pairs.same[good]) if good.any() else float("nan")
            if pairs.fold.max() > 0:
                folds = ten_fold(apart, pairs.same, pairs.fold)
                values[f"accuracy_{name}"] = float(folds.mean())
                values[f"accuracy_error_{name}"] = float(folds.std(ddof=1) / np.sqrt(len(folds)))
        result[key] = values
    return result


def _number(value: float) -> float | None:
    """JSON has no NaN: what cannot be computed is null."""
    return value if np.isfinite(value) else None


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = Parser("python -m bench.lfw", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, help="folder of Name/Name_0001.jpg, 250 pixels")
    parser.add_argument(
        "--pairs", type=Path, required=True, help="pairs.txt (View 2) or pairsDevTest.txt (View 1)"
    )
    parser.add_argument("--instrument", action="append", help="may be repeated (dlib)")
    parser.add_argument("--folds", type=at_least(1), help="only the first so many folds")
    options = parser.parse_args(argv)
    from tqdm import tqdm

    from bench.reading.instruments import create

    cv2.setNumThreads(1)
    pairs = read_pairs(options.pairs)
    if options.folds is not None:
        keep = np.flatnonzero(pairs.fold < options.folds)
        pairs = Pairs(pairs.first[keep], pairs.second[keep], pairs.same[keep], pairs.fold[keep])
    instruments = [create(spec) for spec in options.instrument or ["dlib"]]
    photos = len({*pairs.first, *pairs.second})
    with patient(), tqdm(total=photos, unit="photo", file=sys.stderr) as bar:
        result = measure(pairs, options.photos, instruments, bar.update)
    if result and all(values["missing"] == values["pairs"] for values in result.values()):
        raise DataError(
            f"no pair of {options.pairs} has a face in both of its photos: is {options.photos} the folder of LFW's photos, "
            "with the person of the name in the middle?"
        )
    shown = {key: {name: _number(value) for name, value in values.items()} for key, values in result.items()}
    print(json.dumps(shown, indent=1))
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
