"""The photos that a data set is expected to hold, by its layout: any folder of identities, LFW, VGGFace2, FFHQ.

    folder     SOURCE/Name/photo.jpg
    lfw        the same; a list of people with numbers of photos also says which files must be there
    vggface2   SOURCE/{train,test}/n000001/0001_01.jpg, or one of the two as SOURCE
    ffhq       SOURCE/00000/00000.png in folders of 1000, or flat, or SOURCE/images1024x1024/...; everybody once

Nothing is opened here, and folders below these are not descended into, so that no loop of links can matter.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath

import numpy as np

from smoothswap.errors import DataError
from smoothswap.media.suffixes import PICTURES

FFHQ_PHOTOS = 70_000
# The split of a kind, the default first; and which face of several is the person: these sets are centred on theirs.
SPLITS = {
    "folder": ("none",),
    "lfw": ("none",),
    "vggface2": ("all", "train", "test"),
    "ffhq": ("63k", "official", "seeded"),
}
KINDS = tuple(SPLITS)
CENTRED = ("lfw", "vggface2")
FFHQ_ALIGNED = ("images1024x1024", "thumbnails128x128")


@dataclass(frozen=True)
class Photo:
    """A photo that is expected: path below the source as the system gives it, person, bytes (-1: no such file)."""

    path: str
    person: str
    bytes: int


@dataclass(frozen=True)
class Listing:
    """Photos person by person; names of the validation people, or None; the paths of other entries, which are passed over.

    Hidden files are nothing.
    """

    photos: list[Photo]
    validation: set[str] | None = None
    passed_over: list[str] = field(default_factory=list)


@dataclass
class _Walk:
    photos: list[Photo] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)

    def entries(self, folder: Path) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as found:
                shown = (entry for entry in found if not entry.name.startswith("."))
                return sorted(shown, key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            raise DataError(
                f"cannot list {str(folder)!r} ({error.strerror}); mend its permissions, or remove it"
            ) from error

    def folders(self, root: Path, place: str) -> Iterator[os.DirEntry[str]]:
        for entry in self.entries(root / place):
            if _is_folder(entry):
                yield entry
            else:
                self.passed_over.append(str(PurePath(place, entry.name)))

    def take(self, root: Path, place: PurePath, person: str | None) -> None:
        """The photos in root/place; without a person, each is its own, named by its stem."""
        for entry in self.entries(root / place):
            name = PurePath(entry.name)
            if name.suffix.lower() not in PICTURES or _is_folder(entry):
                self.passed_over.append(str(place / name))
                continue
            try:
                size = entry.stat().st_size
            except OSError:  # a link to nothing, or to itself: still a photo that was expected
                size = -1
            self.photos.append(Photo(str(place / name), name.stem if person is None else person, size))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def list_photos(
    kind: str, root: Path, split: str | None = None, people: Path | None = None, seed: int = 0
) -> Listing:
    """All photos that a source of this kind is expected to hold, by person and path.

    Args:
        kind: One of KINDS.
        root: The folder of the photos.
        split: One of SPLITS[kind]; None: the first of them.
        people: A list that restricts them (read_people), except those of ffhq; None: everybody.
        seed: Of "seeded", which holds out 7,000 of the 70,000 numbers of FFHQ, the same for any part of it.

    Returns:
        The photos, those that LFW's list announces and that are not there too, and who is for validation.

    Raises:
        DataError: The source is no folder or has no photos, the list cannot be read or does not fit it, files
            of FFHQ are not numbered as there, or two have one number.
    """
    if not root.is_dir():
        what = (
            "is a file; unpack it and name the folder" if root.is_file() else "is not there; name the folder"
        )
        raise DataError(f"{str(root)!r} {what} that holds the photos")
    listed = read_people(people) if people else None
    split = split or SPLITS[kind][0]
    listing = _ffhq(root, split, seed) if kind == "ffhq" else _identities(kind, root, split, listed)
    if not listing.photos:
        raise DataError(
            f"no photos in {str(root)!r}, laid out as {LAYOUTS[kind]}; name the folder above, or another --kind"
        )
    return listing


LAYOUTS = {
    "folder": "Name/photo.jpg",
    "lfw": "Name/Name_0001.jpg",
    "vggface2": "train/n000001/0001_01.jpg",
    "ffhq": "00000/00000.png",
}


def _identities(kind: str, root: Path, split: str, listed: dict[str, int] | None) -> Listing:
    walk, parts, validation = _Walk(), [""], None
    if kind == "vggface2" and any((root / part).is_dir() for part in ("train", "test")):
        parts = [part for part in ("train", "test") if split in ("all", part) and (root / part).is_dir()]
        if not parts:
            raise DataError(f"{str(root)!r} has no folder {split!r}; give --split all, or add it")
    for part in parts:
        before = len(walk.photos)
        for entry in walk.folders(root, part):
            if listed is None or composed(entry.name) in listed:
                walk.take(root, PurePath(part, entry.name), entry.name)
        if part == "test" and len(parts) == 2:
            validation = {photo.person for photo in walk.photos[before:]}
    photos = walk.photos
    if listed is not None and kind == "lfw":
        there = {composed(photo.path) for photo in photos}
        wanted = {f"{name}/{name}_{i:04d}.jpg": name for name, n in listed.items() for i in range(1, n + 1)}
        photos += [Photo(path, name, -1) for path, name in wanted.items() if path not in there]
    if listed is not None:
        # Of an announced photo that is not there a row says so; a name that nothing stands behind is misspelt.
        missing = sorted(listed.keys() - {composed(photo.person) for photo in photos})
        if missing:
            raise DataError(
                f"{len(missing)} of the {len(listed)} people on the list have no photos in {str(root)!r}, the first is "
                f"{missing[0]!r}; correct the list, or name the folder above them"
            )
    order = sorted(photos, key=lambda photo: (os.fsencode(photo.person), os.fsencode(photo.path)))
    return Listing(order, validation, walk.passed_over)


def _ffhq(root: Path, split: str, seed: int) -> Listing:
    walk = _Walk()
    inside = next((name for name in FFHQ_ALIGNED if (root / name).is_dir()), "")
    walk.take(root, PurePath(inside), None)
    for entry in walk.entries(root / inside):
        if _is_folder(entry) and entry.name.isdecimal():
            walk.passed_over.remove(str(PurePath(inside, entry.name)))
            walk.take(root, PurePath(inside, entry.name), None)
    numbers = {}
    for photo in walk.photos:
        if not (photo.person.isascii() and photo.person.isdecimal() and int(photo.person) < FFHQ_PHOTOS):
            raise DataError(
                f"{photo.path!r} is not numbered 00000 to 69999 as in FFHQ; for other photos use --kind folder"
            )
        numbers[photo.person] = int(photo.person)
    if len(numbers) < len(walk.photos):
        raise DataError(f"{str(root)!r} holds a number twice; name one of the folders in it")
    if split == "seeded":
        drawn = np.random.default_rng(seed).permutation(FFHQ_PHOTOS)[: FFHQ_PHOTOS // 10]
        held = set(drawn.tolist())
    else:
        held = set(range(63_000 if split == "63k" else 60_000, FFHQ_PHOTOS))
    validation = {person for person, number in numbers.items() if number in held}
    order = sorted(walk.photos, key=lambda photo: (numbers[photo.person], os.fsencode(photo.path)))
    return Listing(order, validation, walk.passed_over)


def composed(name: str) -> str:
    """A name as most systems write it: Macs take the accents off the letters (Unicode's NFD) and others put them on."""
    return unicodedata.normalize("NFC", name)


def read_people(path: Path) -> dict[str, int]:
    """A list of people: LFW's form, first a line with their count, then `Name<TAB>photos`; or plainly one name a line.

    Returns the number of photos by name (`composed`), 0 where the line has none. Raises DataError for a missing or binary
    file, a count that does not fit, a name twice, and a name that is no plain folder's.
    """
    try:
        lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read the list {str(path)!r} ({error}); it must be UTF-8 text") from None
    count = int(lines.pop(0)) if lines and lines[0].strip().isdecimal() and "\t" not in lines[0] else None
    people: dict[str, int] = {}
    for line in lines:
        name, _, photos = composed(line.strip()).partition("\t")
        if "/" in name or name.startswith(".") or "\0" in name or (photos and not photos.isdecimal()):
            raise DataError(f"{str(path)!r}: {line!r} is not Name<TAB>photos")
        if name in people:
            raise DataError(f"{str(path)!r} names {name!r} twice")
        people[name] = int(photos or 0)
    if not people or count not in (None, len(people)):
        raise DataError(
            f"{str(path)!r} announces {count} people and names {len(people)}; is it whole, and a list of people?"
        )
    return people
