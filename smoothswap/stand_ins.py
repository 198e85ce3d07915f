"""Swaps whose answer is a real photo (reverse triplets), for `smoothswap.train swapper --answers`.

    python -m smoothswap.stand_ins faces/lfw --out faces/lfw-reverse

A stand-in swap puts another person's face onto each photo of B; the generator is given that as its target and the vector of
*another* photo of B as its source, and must give back B's real photo. The answer is a real picture, so halos and ghosts are
never rewarded (ReliableSwap, Yuan et al. 2023; DreamID, Ye et al. 2025). The stand-in is the classical warp, or weights.
"""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from smoothswap import pretrained
from smoothswap.cli import Parser, at_least, command
from smoothswap.data.answers import add_places, refuse_full, write_answers
from smoothswap.data.crop import central
from smoothswap.data.store import StoredFaces, array, read_stored, sha256_of
from smoothswap.errors import EXIT_OK, DataError, UsageError
from smoothswap.faces.detect import Detector
from smoothswap.faces.warp import WarpError, swap_by_warp
from smoothswap.tensors import to_pixels, to_tensor
from smoothswap.workers import Pool

CLASSICAL = "classical"
CANDIDATES = 12
"""Strangers that are looked at for a photo; the one whose landmarks lie nearest gives the face."""
BATCH = 32
EXAMPLES = """
examples:
  python -m smoothswap.stand_ins faces/lfw --out faces/lfw-reverse
  python -m smoothswap.stand_ins faces/lfw --out faces/lfw-reverse-2 --by smoothswap-lfw-64 --seed 1
  python -m smoothswap.train swapper --preset lfw-128 --data faces/lfw --answers faces/lfw-reverse ...

exit codes: 0 made, 2 a wrong option, 3 faces or an output folder that cannot be used, 128 + n after signal n
"""
Draw = tuple[int, int]
"""The rows of a photo and of the stranger's photo whose face is put onto it."""


@lru_cache(maxsize=1)
def _detector() -> Detector:
    return Detector()


def landmarks_of(face: np.ndarray) -> np.ndarray:
    """The 68 landmarks of the face in the middle of an aligned crop, uint8 [s, s, 3]: float32 [68, 2], NaN without one."""
    found = _detector().detect(face)
    return central(found, face.shape[:2]).landmarks if found else np.full((68, 2), np.nan, np.float32)


def draws(people: np.ndarray, points: np.ndarray, seed: int) -> tuple[list[Draw], Counter[str]]:
    """Who is put onto which photo: of some strangers drawn by lot the one whose landmarks lie nearest, pose and all.

    Args:
        people: int [photos], whose each photo is.
        points: float [photos, 68, 2], NaN for photos without a face.
        seed: Of the lots; each photo has a stream of its own.

    Returns:
        (photo, stranger's photo) of every photo with a face whose person has another photo, in order, and how many photos
        were left out for which reason.
    """
    seen = ~np.isnan(points).any(axis=(1, 2))
    counts = np.bincount(people)
    chosen, left = [], Counter[str]()
    for photo in range(len(people)):
        if counts[people[photo]] < 2:
            left["the person has no other photo"] += 1
            continue
        if not seen[photo]:
            left["no face is found in the crop"] += 1
            continue
        rng = np.random.default_rng([seed, photo])
        strangers = rng.integers(len(people), size=CANDIDATES)
        strangers = strangers[seen[strangers] & (people[strangers] != people[photo])]
        if not len(strangers):
            left["no stranger with a face was drawn"] += 1
            continue
        apart = np.abs(points[strangers] - points[photo]).mean(axis=(1, 2))
        chosen.append((photo, int(strangers[apart.argmin()])))
    return chosen, left


def _picture(faces: Path, shape: tuple[int, ...], row: int) -> np.ndarray:
    """One face out of the file: the processes share it, and nothing but rows travels to them."""
    return np.array(array(faces).reshape(-1, *shape)[row])


def _landmarks(row: int, faces: Path, shape: tuple[int, ...]) -> np.ndarray:
    return landmarks_of(_picture(faces, shape, row))


def _warped(
    one: Draw, points: np.ndarray, strange: np.ndarray, faces: Path, shape: tuple[int, ...]
) -> np.ndarray | str:
    """The stand-in by the classical warp, or why there is none; points, strange: the landmarks of the two photos."""
    photo, stranger = (_picture(faces, shape, row) for row in one)
    try:
        return swap_by_warp(stranger, strange, photo, points)
    except WarpError as error:
        return str(error)


def by_warp(
    stored: StoredFaces, points: np.ndarray, chosen: Sequence[Draw], workers: int
) -> Iterator[np.ndarray | str]:
    """The stand-ins by the classical warp (smoothswap.faces.warp), in the order of `chosen`.

    Args:
        stored: The faces.
        points: float [photos, 68, 2].
        chosen: From `draws`.
        workers: Processes.

    Yields:
        uint8 [s, s, 3], or why there is none.
    """
    warped = partial(_warped, faces=stored.files[0], shape=stored.faces.shape[1:])
    photos, strangers = (points[list(rows)] for rows in zip(*chosen, strict=True))
    with Pool(workers) as pool:
        yield from pool.map(warped, chosen, photos, strangers, chunksize=16)


def by_weights(stored: StoredFaces, name: str, chosen: Sequence[Draw]) -> Iterator[np.ndarray | str]:
    """The stand-ins by a trained swapper, in the order of `chosen`.

    Args:
        stored: The faces.
        name: Weights by name or path, of a size that divides the faces'; the swap is enlarged to it.
        chosen: From `draws`.

    Yields:
        uint8 [s, s, 3].

    Raises:
        DataError: The sizes do not go together.
    """
    import torch
    import torch.nn.functional as F

    model = pretrained.load(name)
    size = stored.faces.shape[1]
    factor, rest = divmod(size, model.size)
    if rest:
        raise DataError(f"{name} swaps {model.size} px, which does not divide the {size} px of the faces")
    for start in range(0, len(chosen), BATCH):
        photos, strangers = zip(*chosen[start : start + BATCH], strict=True)
        target, source = (to_tensor(stored.faces[np.array(rows)]) for rows in (photos, strangers))
        with torch.no_grad():
            if factor == 1:
                swap = model.swap(source, target)
            else:  # the change of the small picture, enlarged, on the large one
                small = F.avg_pool2d(target, factor)
                change = model.swap(F.avg_pool2d(source, factor), small) - small
                swap = target + F.interpolate(change, size=size, mode="bicubic", align_corners=False)
        yield from to_pixels(swap)


def make(folder: Path, out: Path, by: str, seed: int, workers: int) -> str:
    """Write the folder of answers; returns the closing summary.

    Args:
        folder: Faces as smoothswap.data.store reads them.
        out: Gets targets.npy, photos.npy and, last, meta.json.
        by: "classical", or weights by name or path.
        seed: Of who is put onto whom.
        workers: Processes.

    Raises:
        DataError: Faces or weights that cannot be used, or not one stand-in was made.
    """
    stored = read_stored(folder)
    size = stored.faces.shape[1]
    with Pool(workers) as pool:
        of_row = partial(_landmarks, faces=stored.files[0], shape=stored.faces.shape[1:])
        found = pool.map(of_row, range(len(stored.faces)), chunksize=16)
        bar = tqdm(
            found, "finding landmarks", len(stored.faces), unit="photo", file=sys.stderr, mininterval=2
        )
        points = np.stack(list(bar))
    chosen, left = draws(stored.people, points, seed)
    if not chosen:
        raise DataError(f"{folder}: no photo can be answered: {_counted(left)}")
    made = by_warp(stored, points, chosen, workers) if by == CLASSICAL else by_weights(stored, by, chosen)
    detector = _detector()
    about = {
        "kind": "reverse",
        "by": by,
        **({} if by == CLASSICAL else {"weights_sha256": pretrained.card(by)["sha256"]}),
        "seed": seed,
        "candidates": CANDIDATES,
        "left_out": left,  # filled while they are made
        "faces_sha256": sha256_of(*stored.files),
        "detector": {
            "name": detector.name,
            **detector.parameters,
            "landmarks_sha256": detector.weights_sha256,
        },
        "command": shlex.join(
            ["python", "-m", "smoothswap.stand_ins", folder.name, "--by", by, "--seed", str(seed)]
        ),
    }

    def good() -> Iterator[tuple[int, list[np.ndarray]]]:
        bar = tqdm(made, "making stand-ins", len(chosen), unit="photo", file=sys.stderr, mininterval=2)
        for (photo, _), target in zip(chosen, bar, strict=True):
            if isinstance(target, str):
                left[target] += 1
            else:
                yield photo, [target]

    count = write_answers(out, (len(chosen), size), good(), about)
    if not count:
        raise DataError(f"{folder}: not one stand-in could be made: {_counted(left)}")
    lines = [
        f"{out}: {count} swaps with known answers of {len(stored.faces)} photos",
        f"left out: {_counted(left)}",
        f"next: python -m smoothswap.train swapper --data {shlex.quote(str(folder))} --answers {shlex.quote(str(out))} ...",
    ]
    return "\n".join(lines)


def _counted(left: Counter[str]) -> str:
    return ", ".join(f"{count} x {reason}" for reason, count in left.most_common()) or "none"


def parser() -> Parser:
    """The command line."""
    made = Parser("python -m smoothswap.stand_ins", description=__doc__.split("\n")[0], epilog=EXAMPLES)
    add = made.add_argument
    add_places(add, "folder of faces.npy (smoothswap.prepare); nothing is written into it")
    add(
        "--by",
        default=CLASSICAL,
        metavar="NAME|PATH",
        help="what makes the stand-ins: classical, the landmark warp; or weights (%(default)s)",
    )
    add("--seed", type=at_least(0), default=0, metavar="N", help="of who is put onto whom (%(default)s)")
    return made


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    options = parser().parse_args(argv)
    if options.by != CLASSICAL:
        try:
            pretrained.locate(options.by)
        except pretrained.WeightsError as error:
            raise UsageError(f"--by {options.by}: {error}") from None
    refuse_full(options.out)
    print(make(options.faces, options.out, options.by, options.seed, options.workers))
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
