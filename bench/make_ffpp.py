"""Turn a folder of identities into a FaceForensics++ tree: one clip a person, its photos as the frames.

    python -m bench.make_ffpp --from lfw/images_deepfunneled --out /data/lfw_ffpp --min-photos 8

DIR/Name/photo.jpg becomes original_sequences/youtube/c23/videos/NNN.mp4; splits/test.json holds random
pairs, and identities.json says who NNN is and which photos are its frames.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bench.cli import command
from bench.errors import EXIT_OK, DataError, few
from smoothswap.cli import Parser, at_least, check_file
from smoothswap.data.sources import composed, read_people
from smoothswap.media.identical import fingerprint
from smoothswap.media.images import ImageError, read_image
from smoothswap.media.patience import patient
from smoothswap.media.suffixes import PICTURES
from smoothswap.media.video import VideoError, even_indices, write_video
from smoothswap.pixels import Image
from smoothswap.plumbing.made import make_folder

MOST_PEOPLE = 1000  # clips have three-digit names
LARGEST_SIDE = 1024
CRF = 12  # H.264 quality: photos follow each other like hard cuts, so better than FF++'s own 23


@dataclass(frozen=True)
class Person:
    """One identity: the folder's name, its readable photos, and (file, why) for those that were left out."""

    name: str
    photos: list[Path]
    bad: list[tuple[str, str]]


@dataclass(frozen=True)
class Made:
    """What was made.

    size: side of the frames, pixels. left_out: (name, why) of people without a clip. passed_over: what is no photo by its
    ending. identical: photos of the clips that are the same to the pixel.
    """

    clips: dict[str, Person]
    pairs: list[tuple[str, str]]
    left_out: list[tuple[str, str]]
    size: int
    passed_over: list[str]
    identical: list[list[str]]


def make(
    folder: Path,
    out: Path,
    min_photos: int = 8,
    max_photos: int = 16,
    limit: int | None = None,
    seed: int = 0,
    size: int | None = None,
    listed: Path | None = None,
) -> Made:
    """Write the tree `out` whole or not at all.

    Frames are square, of one even size; photos are never enlarged, only reduced, and centred on black.

    Args:
        folder: Of the people's folders of photos.
        out: The tree; not there yet, or empty.
        min_photos: Fewer leave a person out.
        max_photos: More are thinned evenly.
        limit: So many people, drawn by seed, as the pairs are; an odd one stays without a pair. None: all.
        seed: Of the lot.
        size: Side of the frames, pixels; None: the largest side of all photos (at most 1024).
        listed: A file that names whom alone to take (photos.read_people), such as those whom a model was not trained on.

    Returns:
        What was made.

    Raises:
        DataError: For photos, lists and folders that cannot be used.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out} exists already and is not empty; name a new folder with --out")
    wanted = _names(folder, listed) if listed else None
    people, left_out, passed_over = _people(folder, min_photos, max_photos, wanted)
    random = np.random.default_rng(seed)
    drawn = [people[i] for i in random.permutation(len(people))]
    drawn = drawn[: min(limit or MOST_PEOPLE, MOST_PEOPLE)]
    left_out += [(p.name, "not drawn: more people than asked for") for p in people if p not in drawn]
    if len(drawn) < 2:
        raise DataError(
            f"{folder}: {len(drawn)} people with {min_photos} readable photos or more; two are needed. Lower "
            "--min-photos, or name the folder whose folders are the people"
        )
    clips = {f"{i:03d}": person for i, person in enumerate(sorted(drawn, key=lambda person: person.name))}
    names = [list(clips)[i] for i in random.permutation(len(clips))]
    pairs = [(names[i], names[i + 1]) for i in range(0, len(names) - 1, 2)]
    largest, identical = _look(folder, clips)
    made = Made(clips, pairs, left_out, size or largest, passed_over, identical)
    _write(made, folder, out, seed, listed)
    return made


def _names(folder: Path, listed: Path) -> set[str]:
    """The people on the list, each of whom must have a folder."""
    names = set(read_people(listed))
    there = (
        {composed(place.name) for place in folder.iterdir() if place.is_dir()} if folder.is_dir() else set()
    )
    missing = sorted(names - there)
    if missing and folder.is_dir():
        raise DataError(
            f"{len(missing)} of the {len(names)} people on {listed} have no folder in {folder}, the first is "
            f"{missing[0]!r}; correct the list, or name the folder whose folders are the people"
        )
    return names


def _people(
    folder: Path, min_photos: int, max_photos: int, names: set[str] | None
) -> tuple[list[Person], list[tuple[str, str]], list[str]]:
    if not folder.is_dir():
        what = (
            "is a file; unpack it and name the folder"
            if folder.is_file()
            else "is not there; name the folder"
        )
        raise DataError(f"{folder} {what} whose folders are people: Name/photo.jpg")
    people, left_out = [], []
    passed_over: list[str] = []
    for place in sorted(path for path in folder.iterdir() if not path.name.startswith(".")):
        if not place.is_dir():
            passed_over.append(place.name)
            continue
        if names is not None and composed(place.name) not in names:
            continue
        shown = sorted(path for path in place.iterdir() if not path.name.startswith("."))
        files = [path for path in shown if path.suffix.lower() in PICTURES and path.is_file()]
        passed_over += [f"{place.name}/{path.name}" for path in shown if path not in files]
        if len(files) < min_photos:  # cheap, before any photo is opened
            left_out.append((place.name, f"{len(files)} photos, fewer than {min_photos}"))
            continue
        good, bad = [], []
        for file in files:
            try:
                read_image(file)
                good.append(file)
            except ImageError as error:
                bad.append((file.name, str(error)))
        if len(good) < min_photos:
            left_out.append(
                (place.name, f"{len(good)} readable photos, fewer than {min_photos}: {bad[0][1]}")
            )
            continue
        people.append(Person(place.name, [good[i] for i in even_indices(len(good), max_photos)], bad))
    if not people and not left_out:
        raise DataError(f"{folder} holds no folders; expected one a person: Name/photo.jpg")
    return people, left_out, passed_over


def _look(folder: Path, clips: dict[str, Person]) -> tuple[int, list[list[str]]]:
    """The side of the largest photo, even and at most LARGEST_SIDE; and the photos that are there twice."""
    largest = 0
    same: dict[str, list[str]] = {}
    for photo in (photo for person in clips.values() for photo in person.photos):
        image = read_image(photo)
        largest = max(largest, *image.shape[:2])
        same.setdefault(fingerprint(image), []).append(str(photo.relative_to(folder)))
    return min(LARGEST_SIDE, largest + largest % 2), [names for names in same.values() if len(names) > 1]


def fit(image: Image, size: int) -> Image:
    """Centre an image on a black square, reduced (never enlarged) to fit.

    Args:
        image: uint8 [h, w, 3].
        size: Side of the square, pixels.

    Returns:
        uint8 [size, size, 3], in the image's own order of colours and proportions.
    """
    height, width = image.shape[:2]
    if max(height, width) > size:
        factor = size / max(height, width)
        height, width = max(1, round(height * factor)), max(1, round(width * factor))
        image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    canvas = np.zeros((size, size, 3), np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    canvas[top : top + height, left : left + width] = image
    return canvas


def _write(made: Made, folder: Path, out: Path, seed: int, listed: Path | None) -> None:
    try:
        make_folder(out.parent)
        beside = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    except OSError as error:
        raise DataError(
            f"cannot write beside {out}: {error.strerror or error}; choose another --out"
        ) from error
    try:
        videos = beside / "original_sequences" / "youtube" / "c23" / "videos"
        videos.mkdir(parents=True)
        (beside / "splits").mkdir()
        for clip, person in made.clips.items():
            write_video(
                videos / f"{clip}.mp4", [fit(read_image(p), made.size) for p in person.photos], fps=5, crf=CRF
            )
        for split in ("train", "val", "test"):
            _json(beside / "splits" / f"{split}.json", made.pairs if split == "test" else [])
        _json(
            beside / "identities.json",
            {
                "made_by": "bench.make_ffpp",
                "from": folder.name,
                "listed": listed and listed.name,
                "seed": seed,
                "size": made.size,
                "crf": CRF,
                "people": {
                    clip: {
                        "name": person.name,
                        "photos": [photo.name for photo in person.photos],
                        "unreadable": [{"photo": name, "reason": reason} for name, reason in person.bad],
                    }
                    for clip, person in made.clips.items()
                },
                "left_out": [{"name": name, "reason": reason} for name, reason in made.left_out],
                "passed_over": made.passed_over,
                "identical": made.identical,
            },
        )
        beside.chmod(0o755)
        if out.is_dir():
            out.rmdir()  # empty, as make() has checked
        beside.rename(out)
    except (OSError, VideoError) as error:
        raise DataError(f"cannot write {out}: {error}; free space there or choose another --out") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = Parser("python -m bench.make_ffpp", description=__doc__)
    add = parser.add_argument
    add(
        "--from",
        dest="folder",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of identities, DIR/Name/photo.jpg",
    )
    add("--out", type=Path, required=True, metavar="ROOT", help="the new tree")
    add(
        "--min-photos",
        type=at_least(1),
        default=8,
        metavar="N",
        help="people with fewer are left out (%(default)s)",
    )
    add(
        "--max-photos",
        type=at_least(1),
        default=16,
        metavar="N",
        help="more are thinned evenly (%(default)s)",
    )
    add(
        "--limit", type=at_least(2), metavar="N", help="so many people, drawn by the seed (all, at most 1000)"
    )
    add(
        "--size",
        type=at_least(32),
        metavar="PX",
        help="side of the frames, even (the largest photo's, at most 1024)",
    )
    add("--seed", type=at_least(0), default=0, metavar="N", help="of the draw and of the pairs (%(default)s)")
    add(
        "--people",
        type=Path,
        metavar="FILE",
        help="only these people: LFW's form (a count, then Name<TAB>photos), or one name a line",
    )
    options = parser.parse_args(argv)
    if options.size and options.size % 2:
        parser.error(f"--size {options.size} is odd; H.264 needs an even size")
    check_file(options.out.parent / f".{options.out.name}.json")
    with patient():
        made = make(
            options.folder,
            options.out,
            options.min_photos,
            options.max_photos,
            options.limit,
            options.seed,
            options.size,
            options.people,
        )
    bad = [(person.name, *entry) for person in made.clips.values() for entry in person.bad]
    for name, photo, reason in bad:
        print(f"left out {name}/{photo}: {reason}", file=sys.stderr)
    if made.passed_over:
        print(f"passed over, for they are no photos: {few(made.passed_over)}", file=sys.stderr)
    for names in made.identical:
        print(f"warning: the same photo under {len(names)} names: {few(names)}", file=sys.stderr)
    frames = sum(len(person.photos) for person in made.clips.values())
    print(
        f"{options.out}: {len(made.clips)} clips with {frames} frames of {made.size} x {made.size}, "
        f"{2 * len(made.pairs)} swaps; left out {len(made.left_out)} people and {len(bad)} unreadable photos "
        f"(all named in identities.json)\nnext: python -m bench.ffpp --data {options.out}"
    )
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
