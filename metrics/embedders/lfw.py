"""The pair lists of Labeled Faces in the Wild: pairs.txt (View 2), pairsDevTrain.txt, pairsDevTest.txt (View 1).

10	300                                 folds and pairs of a kind in each; View 1 has the number alone
Abel_Pacheco	1	4                       one person, photos 1 and 4
Abdel_Madi_Shabneh	1	Dean_Barker	1   two people
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Pairs:
    """n pairs of photos named as LFW names its files, without ".jpg": Abel_Pacheco_0001.

    first, second: str [n]. same: bool [n]. fold: int [n], 0 throughout in View 1.
    """

    first: NDArray[np.str_]
    second: NDArray[np.str_]
    same: NDArray[np.bool_]
    fold: NDArray[np.int64]


def parse_pairs(text: str) -> Pairs:
    """Read the content of a pair list. Raises ValueError with the line that does not fit."""
    lines = text.rstrip().splitlines()
    header = lines[0].split() if lines else []
    if len(header) not in (1, 2) or not all(word.isdecimal() for word in header):
        raise ValueError(
            "line 1 of a pair list gives its size, as in '10 300' (pairs.txt) or '500' (pairsDevTest.txt); "
            f"got {lines[0][:80]!r}"
            if lines
            else "an empty pair list"
        )
    folds, each = (int(header[0]), int(header[1])) if len(header) == 2 else (1, int(header[0]))
    rows = [_row(number, line) for number, line in enumerate(lines[1:], start=2)]
    same = np.array([row[2] for row in rows], dtype=bool)
    expected = np.tile(np.repeat([True, False], each), folds)
    if not np.array_equal(same, expected):
        raise ValueError(
            f"line 1 announces {folds} x {each} same and {each} different pairs in turn, but the list has "
            f"{int(same.sum())} same and {int((~same).sum())} different ones, or another order; "
            "take the file as the authors of LFW publish it"
        )
    return Pairs(
        np.array([row[0] for row in rows], dtype=str),
        np.array([row[1] for row in rows], dtype=str),
        same,
        np.repeat(np.arange(folds), 2 * each),
    )


def _row(number: int, line: str) -> tuple[str, str, bool]:
    words = line.split()
    if len(words) == 3 and words[1].isdecimal() and words[2].isdecimal():
        return photo(words[0], words[1]), photo(words[0], words[2]), True
    if len(words) == 4 and words[1].isdecimal() and words[3].isdecimal():
        return photo(words[0], words[1]), photo(words[2], words[3]), False
    raise ValueError(f"line {number} is neither 'Name i j' nor 'Name i Other j': {line[:80]!r}")


def photo(name: str, number: str | int) -> str:
    """LFW's name of a photo.

    Args:
        name: The person's, as LFW writes it, words joined by underscores.
        number: Of the photo, from 1.

    Returns:
        The file's name without ".jpg".

    Examples:
        >>> photo("Abel_Pacheco", 1)
        'Abel_Pacheco_0001'
    """
    return f"{name}_{int(number):04d}"
