"""Make a pair list from a folder of identities, such as LFW's: a source and a target of each person, by lot.

    python -m bench.make_pairs --from lfw/images_deepfunneled --out pairs.csv --people 40
    python -m bench.pairs --pairs pairs.csv --images lfw/images_deepfunneled --model smoothswap

People are drawn two by two, and each one's target gets the face of the other's source, as in FaceForensics++: so no
person is in two pairs of people, over which intervals are taken. A person's source and target are two photographs, so that
ID retrieval can find somebody by another picture than the one that the model was shown.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.cli import command
from bench.errors import EXIT_OK, DataError, few
from reports.results import write_atomic
from smoothswap.cli import Parser, at_least, check_file
from smoothswap.data.sources import composed, read_people
from smoothswap.media.identical import identical_files
from smoothswap.media.suffixes import PICTURES

COLUMNS = ("source", "target", "source_person", "target_person")
EXAMPLES = """
examples:
  python -m bench.make_pairs --from lfw/images_deepfunneled --out pairs.csv --people 40
  python -m bench.make_pairs --from lfw/images_deepfunneled --out pairs.csv --listed peopleDevTest.txt

exit codes: 0 made, 2 a wrong option, 3 a folder or list that cannot be used
"""


def make(
    folder: Path, people: int | None = None, seed: int = 0, listed: Path | None = None
) -> list[dict[str, str]]:
    """The pairs of a folder of identities.

    Args:
        folder: Of the people's folders of photographs, DIR/Name/photo.jpg; who has one photograph alone is left out.
        people: So many, drawn by seed, of an odd number one less; None: all.
        seed: Of the lot.
        listed: A file that names whom alone to take, such as those whom a model was not trained on.

    Returns:
        A row by COLUMNS for each person, in the order of the lot.

    Raises:
        DataError: Fewer people than asked for, or than two, have two photographs; or the folder or list cannot be read.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder; name the one whose folders are people: Name/photo.jpg")
    names = None if listed is None else set(read_people(listed))
    photos = _photos(folder, names)
    wanted = len(photos) if people is None else people
    if len(photos) < max(wanted, 2):
        raise DataError(
            f"{folder}: {len(photos)} people have two photographs or more, {max(wanted, 2)} are needed; "
            "lower --people, or name the folder whose folders are people"
        )
    random = np.random.default_rng(seed)
    drawn = [list(photos)[i] for i in random.permutation(len(photos))[: wanted - wanted % 2]]
    chosen = {name: random.choice(photos[name], 2, replace=False).tolist() for name in drawn}
    for same in identical_files(folder / photo for two in chosen.values() for photo in two):
        listed_twice = few([str(path.relative_to(folder)) for path in same])
        print(f"warning: the same photograph under {len(same)} names: {listed_twice}", file=sys.stderr)
    rows = []
    for one, other in zip(drawn[::2], drawn[1::2], strict=True):
        for source, target in ((one, other), (other, one)):
            named = (chosen[source][0], chosen[target][1], source, target)
            rows.append(dict(zip(COLUMNS, named, strict=True)))
    return rows


def _photos(folder: Path, names: set[str] | None) -> dict[str, list[str]]:
    """By person the photographs of those who have two and more; what is none is named on standard error."""
    photos, passed_over = {}, []
    for place in sorted(place for place in folder.iterdir() if not place.name.startswith(".")):
        if not place.is_dir():
            passed_over.append(place.name)
        elif names is None or composed(place.name) in names:
            shown = sorted(file for file in place.iterdir() if not file.name.startswith("."))
            good = [file for file in shown if file.suffix.lower() in PICTURES and file.is_file()]
            passed_over += [f"{place.name}/{file.name}" for file in shown if file not in good]
            if len(good) > 1:
                photos[place.name] = [f"{place.name}/{file.name}" for file in good]
    if passed_over:
        print(f"passed over, for they are no photographs: {few(passed_over)}", file=sys.stderr)
    return photos


def parser() -> Parser:
    """The command line."""
    made = Parser(
        "python -m bench.make_pairs",
        description="Make a pair list from a folder of identities, by lot.",
        epilog=EXAMPLES,
    )
    add = made.add_argument
    add("--from", dest="folder", type=Path, required=True, metavar="DIR", help="folder of Name/photo.jpg")
    add("--out", type=Path, default=Path("pairs.csv"), metavar="FILE", help="the list (%(default)s)")
    add("--people", type=at_least(2), metavar="N", help="so many, two by two (all who have two photographs)")
    add(
        "--listed", type=Path, metavar="FILE", help="whom alone to take, a name a line, or LFW's people files"
    )
    add("--seed", type=at_least(0), default=0, metavar="N", help="of the lot (%(default)s)")
    return made


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    options = parser().parse_args(argv)
    check_file(options.out)
    rows = make(options.folder, options.people, options.seed, options.listed)
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomic(options.out, text.getvalue())
    print(f"{options.out}: {len(rows):,} pairs of {len(rows):,} people")
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
