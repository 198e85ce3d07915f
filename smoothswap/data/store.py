"""The stored form of a data set of faces, read by the trainers and written by smoothswap.prepare and smoothswap.rendered.

    faces.npy    uint8 [photos, s, s, 3] RGB, FFHQ-aligned, memory-mapped;
                 or [people, views, s, s, 3], where everybody has the same number of photos (rendered faces)
    people.npy   int32 [photos], whose photo it is: 0, 0, 0, 1, 2, 2, ... (not beside the five-dimensional form)
    names.json   the people's names, in that order
    split.json   {"validation": [names]}: who is held out; without it, the last share of the people
    meta.json    sha256 of the arrays, seed, command, source; written last

Knows no torch. Nothing is ever unpickled.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from smoothswap.errors import DataError
from smoothswap.plumbing import texts

AGAIN = "run python -m smoothswap.prepare again, it goes on where it was"


@dataclass(frozen=True, eq=False)
class StoredFaces:
    """faces: uint8 [photos, s, s, 3]; people: int32 [photos], 0, 0, 1, ...; names: one a person, in order.

    validation: names of those held out, or None where the folder does not say; files: what the data's hash covers.
    """

    faces: np.ndarray
    people: np.ndarray
    names: list[str]
    validation: frozenset[str] | None
    meta: dict[str, Any]
    files: list[Path]


def read_stored(folder: Path, size: int | None = None) -> StoredFaces:
    """Open the faces in `folder`.

    Args:
        folder: Where faces.npy lies.
        size: The side of a crop that is expected, pixels; None: whatever it is.

    Returns:
        The faces, memory-mapped, as [photos, s, s, 3] whichever way they are stored. Without names.json
        people are named "0", "1", ..., and without meta.json `meta` is {}.

    Raises:
        DataError: Anything is missing, truncated, pickled or misshapen.
    """
    path = folder / "faces.npy"
    if not path.is_file():
        meta = read_json(folder / "meta.json", {})
        if "shards" in meta:
            raise DataError(
                f"{folder} holds tar shards, which smoothswap.data.shards streams; to train on it, "
                "prepare it without --shards"
            )
        raise DataError(
            f"no faces.npy in {folder}; --data names a folder with faces.npy [people, views, s, s, 3], or one "
            "that python -m smoothswap.prepare wrote"
        )
    faces = array(path)
    side = faces.shape[-2] if size is None and faces.ndim > 2 else size
    if faces.dtype != np.uint8 or faces.ndim not in (4, 5) or faces.shape[-3:] != (side, side, 3):
        shown = "s" if size is None else size
        raise DataError(
            f"{path} is {faces.dtype} {list(faces.shape)}; needed is uint8 [people, views, {shown}, {shown}, 3], "
            f"or [photos, {shown}, {shown}, 3] beside people.npy"
        )
    files = [path]
    if faces.ndim == 5:
        if faces.shape[0] < 4 or faces.shape[1] < 2:
            raise DataError(
                f"{path} has {faces.shape[0]} people x {faces.shape[1]} views; at least 4 x 2 are needed"
            )
        people = np.repeat(np.arange(len(faces), dtype=np.int32), faces.shape[1])
        faces = faces.reshape(-1, *faces.shape[2:])
    else:
        people = _people(folder, len(faces))
        files.append(folder / "people.npy")
    names = read_json(folder / "names.json", [str(i) for i in range(int(people[-1]) + 1)])
    if len(names) != people[-1] + 1 or not all(isinstance(name, str) for name in names):
        raise DataError(
            f"{folder / 'names.json'} must name the {people[-1] + 1} people of the photos; {AGAIN}"
        )
    split = folder / "split.json"
    validation = None
    if split.is_file():
        said = read_json(split, {})
        if not isinstance(said, dict) or not isinstance(said.get("validation"), list):
            raise DataError(f'{split} must be {{"validation": [names]}}')
        validation = frozenset(map(str, said["validation"]))
        files.append(split)
    return StoredFaces(faces, people, names, validation, read_json(folder / "meta.json", {}), files)


def _people(folder: Path, photos: int) -> np.ndarray:
    path = folder / "people.npy"
    if not path.is_file() or not (folder / "meta.json").is_file():
        raise DataError(f"{folder} has faces.npy but no {path.name} with meta.json: not finished; {AGAIN}")
    people = array(path)
    if people.dtype != np.int32 or people.shape != (photos,) or photos == 0:
        raise DataError(
            f"{path} is {people.dtype} {list(people.shape)}; needed is int32 [{photos}], not empty"
        )
    people = np.array(people)
    steps = np.diff(people)
    if people[0] != 0 or not ((steps == 0) | (steps == 1)).all():
        raise DataError(f"{path} must count the people from 0 without a gap, photos of one after the other")
    return people


def array(path: Path) -> np.ndarray:
    """A .npy file, memory-mapped. Raises DataError where it is missing, truncated or pickled."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{path} is not a whole .npy array of numbers ({error}); write it again") from None


def read_json(path: Path, otherwise: Any) -> Any:
    """What a JSON file holds.

    Args:
        path: The file, UTF-8.
        otherwise: What stands for a file that is not there.

    Returns:
        Its content, whatever its type, or `otherwise`.

    Raises:
        DataError: The file is damaged.
    """
    if not path.is_file():
        return otherwise
    try:
        return texts.read_json(path)
    except (ValueError, OSError) as error:
        raise DataError(f"{path} cannot be read ({error}); write it again") from None


def validation_people(names: list[str], validation: frozenset[str] | None, share: float) -> np.ndarray:
    """Who is for validation: those who are named, or else the last `share` of the people, two or more.

    Args:
        names: One a person, in order.
        validation: The names of those held out, of which unknown ones are passed over; None: `share` decides.
        share: Of the people, 0 to 1, rounded.

    Returns:
        bool [people], True for validation.

    Raises:
        DataError: Fewer than two people are left on either side.

    Examples:
        >>> validation_people(["a", "b", "c", "d", "e"], None, 0.1).tolist()
        [False, False, False, True, True]
        >>> validation_people(["a", "b", "c", "d", "e"], frozenset("ad"), 0.1).tolist()
        [True, False, False, True, False]
    """
    if validation is None:
        held = np.arange(len(names)) >= len(names) - max(2, round(len(names) * share))
    else:
        held = np.array([name in validation for name in names], bool)
    if min(held.sum(), (~held).sum()) < 2:
        raise DataError(
            f"{len(names)} people, {held.sum()} of them for validation; at least two are needed on either side"
        )
    return held


def sha256_of(*files: Path) -> str:
    """Hash of the files' bytes, one after the other."""
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
