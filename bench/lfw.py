"""An instrument on Labeled Faces in the Wild: does it tell people apart on real photographs?

    python -m bench.lfw --photos lfw/images_deepfunneled --pairs lfw/meta/pairs.txt --instrument dlib

View 2 (Huang et al. 2007): 6,000 pairs in ten folds; the threshold of each fold is the best one on the other nine. The
person whom a photo is named after is the one in its middle, so of several faces the central one is read. A photo without a
face makes its pairs wrong, whatever the threshold. Never train on LFW and report View 2.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.crops import cut
from bench.errors import EXIT_DATA, EXIT_OK, EXIT_USAGE, DataError
from metrics.distances import cosine_distance, l2
from metrics.instruments import Instrument, InstrumentError
from smoothswap.faces.align import AlignmentError
from smoothswap.faces.detect import Detector, Face

Floats = npt.NDArray[np.float64]
DISTANCES: dict[str, Callable[[Any, Any], Floats]] = {"l2": l2, "cosine": cosine_distance}
LAST_THRESHOLD = -0.5  # see Detector: without it 25 of 7,701 photos have no face, with it 6
BATCH = 64


@dataclass(frozen=True)
class Pairs:
    """n pairs. a, b: photo names "Name_0001"; same: bool [n]; fold: int [n] from 0."""

    a: list[str]
    b: list[str]
    same: npt.NDArray[np.bool_]
    fold: npt.NDArray[np.intp]


def read_pairs(path: Path) -> Pairs:
    """pairs.txt (ten folds) or pairsDevTest.txt (one): same people first in each fold. Raises DataError."""
    try:
        lines = path.read_text().splitlines()
        head = [int(number) for number in lines[0].split()]
        folds, size = (1, head[0]) if len(head) == 1 else (head[0], head[1])
        if len(lines) < 1 + 2 * folds * size:
            raise ValueError(f"{len(lines) - 1} lines for {2 * folds * size} pairs")
        a, b, same = [], [], []
        for line in lines[1 : 1 + 2 * folds * size]:
            parts = line.split("\t")
            if len(parts) not in (3, 4):
                raise ValueError(f"the line {line!r}")
            first, second = (parts[0], parts[0]) if len(parts) == 3 else (parts[0], parts[2])
            a.append(f"{first}_{int(parts[1]):04d}")
            b.append(f"{second}_{int(parts[-1]):04d}")
            same.append(len(parts) == 3)
    except OSError as error:
        raise DataError(f"cannot read {path} ({error.strerror}); it is LFW's pairs.txt") from None
    except (ValueError, IndexError) as error:
        raise DataError(f"{path} is no list of LFW pairs ({error})") from None
    return Pairs(a, b, np.array(same), np.repeat(np.arange(folds), 2 * size))


def central(faces: Sequence[Face], frame: npt.NDArray[np.uint8]) -> Face | None:
    """The face whose box is nearest to the middle of the picture, None where there is none."""
    middle = (frame.shape[1] - 1) / 2, (frame.shape[0] - 1) / 2

    def away(face: Face) -> float:
        x0, y0, x1, y1 = face.box
        return float(np.hypot((x0 + x1) / 2 - middle[0], (y0 + y1) / 2 - middle[1]))

    return min(faces, key=away, default=None)


def read_photos(
    photos: Path,
    names: Iterable[str],
    instruments: Sequence[Instrument],
    detector: Detector | None = None,
    progress: Callable[[], object] = lambda: None,
) -> dict[str, dict[str, npt.NDArray[np.float32]]]:
    """ "<instrument>/<reading>" -> photo name -> float32 [d]; a photo without a face is left out. Raises DataError.

    detector: by default one that looks again with LAST_THRESHOLD where it found nothing.
    """
    detector = detector or Detector(last_threshold=LAST_THRESHOLD)
    found: dict[str, dict[str, npt.NDArray[np.float32]]] = {
        f"{one.name}/{reading}": {} for one in instruments for reading in one.reads
    }
    waiting: list[tuple[str, npt.NDArray[np.float32], list[npt.NDArray[np.uint8]]]] = []

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
            with Image.open(path) as image:
                frame = np.asarray(image.convert("RGB"))
        except OSError as error:
            raise DataError(f"cannot read the photo {path}: {error}") from None
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
    """The distance of every pair, float64 [n], NaN where one of the two photos has no reading."""
    width = len(next(iter(rows.values()))) if rows else 1
    blank = np.full(width, np.nan, np.float32)
    sides = [np.stack([rows.get(name, blank) for name in names]) for names in (pairs.a, pairs.b)]
    return DISTANCES[distance](*sides)


def ten_fold(distance: Floats, same: npt.NDArray[np.bool_], fold: npt.NDArray[np.intp]) -> Floats:
    """Accuracy of each fold, float64 [folds], at the threshold that is best on the others.

    Same: distance <= threshold. Of equally good thresholds the smallest. A NaN is wrong. Raises ValueError for one fold.
    """
    if fold.max(initial=0) < 1:
        raise ValueError("folds judge each other: there must be two or more")
    accuracy = np.empty(int(fold.max()) + 1)
    for i in range(len(accuracy)):
        train = (fold != i) & np.isfinite(distance)
        near, far = np.sort(distance[train & same]), np.sort(distance[train & ~same])
        steps = np.unique(distance[train])
        right = np.searchsorted(near, steps, "right") + len(far) - np.searchsorted(far, steps, "right")
        called_same = distance[fold == i] <= steps[right.argmax()]
        accuracy[i] = np.mean((called_same == same[fold == i]) & np.isfinite(distance[fold == i]))
    return accuracy


def auc(distance: Floats, same: npt.NDArray[np.bool_]) -> float:
    """Share of (same, different) pairs of pairs in which the same person is nearer, ties half; NaN left out."""
    from scipy.stats import rankdata

    good = np.isfinite(distance)
    rank, label = rankdata(-distance[good]), same[good]
    positives, negatives = int(label.sum()), int((~label).sum())
    if not positives or not negatives:
        return float("nan")
    return float((rank[label].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def measure(
    pairs: Pairs,
    photos: Path,
    instruments: Sequence[Instrument],
    progress: Callable[[], object] = lambda: None,
) -> dict[str, dict[str, float]]:
    """ "<instrument>/<reading>" -> auc_l2, auc_cosine, pairs, missing; with ten folds also accuracy_* and its error.

    accuracy_error_*: standard error of the mean over folds.
    """
    found = read_photos(photos, [*pairs.a, *pairs.b], instruments, progress=progress)
    result = {}
    for key, rows in found.items():
        values: dict[str, float] = {"pairs": len(pairs.a)}
        for name in DISTANCES:
            apart = distances(pairs, rows, name)
            values["missing"] = int(np.isnan(apart).sum())
            values[f"auc_{name}"] = auc(apart, pairs.same)
            if pairs.fold.max() > 0:
                folds = ten_fold(apart, pairs.same, pairs.fold)
                values[f"accuracy_{name}"] = float(folds.mean())
                values[f"accuracy_error_{name}"] = float(folds.std(ddof=1) / np.sqrt(len(folds)))
        result[key] = values
    return result


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m bench.lfw", description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--photos", type=Path, required=True, help="folder of Name/Name_0001.jpg, 250 pixels")
    parser.add_argument(
        "--pairs", type=Path, required=True, help="pairs.txt (View 2) or pairsDevTest.txt (View 1)"
    )
    parser.add_argument("--instrument", action="append", help="may be repeated (dlib)")
    parser.add_argument("--folds", type=int, help="only the first so many folds")
    options = parser.parse_args(argv)
    from tqdm import tqdm

    from bench.instruments import create

    cv2.setNumThreads(1)
    try:
        pairs = read_pairs(options.pairs)
        if options.folds is not None:
            keep = np.flatnonzero(pairs.fold < max(options.folds, 1))
            a, b = ([side[i] for i in keep] for side in (pairs.a, pairs.b))
            pairs = Pairs(a, b, pairs.same[keep], pairs.fold[keep])
        instruments = [create(spec) for spec in options.instrument or ["dlib"]]
        with tqdm(total=len({*pairs.a, *pairs.b}), unit="photo", file=sys.stderr) as bar:
            result = measure(pairs, options.photos, instruments, bar.update)
    except InstrumentError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USAGE
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_DATA
    print(json.dumps(result, indent=1))
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
