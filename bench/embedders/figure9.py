"""Fig. 9: the row of nearest faces along the slerp path between two test people, one row a network, as one picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from PIL import Image as Pillow

from bench.embedders.faces import Faces
from bench.embedders.networks import Rows
from metrics.embedders.interpolation import STEPS, nearest_along
from smoothswap.pixels import Image

SIDE = 64  # pixels of one face in the picture
GAP = 6  # between an end of the path and the faces found
QUALITY = 88  # of the WebP


@dataclass(frozen=True)
class Strip:
    """What one network finds along one path: people met at STEPS, and how many different faces and people those are."""

    network: str
    pair: int
    people: tuple[str, ...]
    faces: int
    different: int


def interpolations(
    readings: Sequence[tuple[str, Rows, Rows]],
    test: Faces,
    gallery: Faces,
    ends: Sequence[tuple[int, int]],
) -> tuple[bytes, dict[str, Any]]:
    """Fig. 9 as a picture and what it shows.

    Rows of the picture: for every pair of ends, one a network: the first end, the faces found, the other end.
    White where the path does not exist (an end without a reading, or opposite ends).

    Args:
        readings: Of each network its name, and float [n, d] of the test faces and [g, d] of the gallery.
        test: The n test faces.
        gallery: The g faces that are found.
        ends: Of each path two rows of the test faces, one path or more.

    Returns:
        A WebP file, faces of SIDE pixels; and `interpolations` of embedders.json: the shares r, the names of
        the ends, and of every row the people met and how many different faces and people they are.
    """
    rows, strips = [], []
    for number, (a, b) in enumerate(ends):
        left, right = _face(test, a), _face(test, b)
        for name, of_test, of_gallery in readings:
            found = nearest_along(of_test[[a]], of_test[[b]], of_gallery)[0]
            gap = np.full((SIDE, GAP, 3), 255, np.uint8)
            middle = [_face(gallery, int(i)) for i in found if i >= 0]
            middle += [np.full((SIDE, SIDE, 3), 255, np.uint8)] * (len(STEPS) - len(middle))
            rows.append(np.concatenate([left, gap, *middle, gap, right], axis=1))
            who = tuple(gallery.names[gallery.people[i]] for i in found if i >= 0)
            strips.append(Strip(name, number, who, len(np.unique(found[found >= 0])), len(set(who))))
    buffer = io.BytesIO()
    Pillow.fromarray(np.concatenate(rows, axis=0)).save(buffer, "WEBP", quality=QUALITY, method=6)
    about = {
        "r": list(STEPS),
        "side": SIDE,
        "pairs": len(ends),
        "ends": [[test.names[test.people[a]], test.names[test.people[b]]] for a, b in ends],
        "rows": [
            {
                "network": s.network,
                "pair": s.pair,
                "people": list(s.people),
                "faces": s.faces,
                "different_people": s.different,
            }
            for s in strips
        ],
    }
    return buffer.getvalue(), about


def _face(faces: Faces, row: int) -> Image:
    picture = np.ascontiguousarray(faces.pictures[row])
    how = cv2.INTER_AREA if picture.shape[0] > SIDE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (SIDE, SIDE), interpolation=how), np.uint8)
