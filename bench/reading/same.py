"""Whether a clip's faces are all the tracked person's: after a cut another may stand in the same place.

Faces are compared by SFace (metrics.instruments.sface), whatever instruments a run has, so that what is measured does not
change who is followed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from bench.reading.crops import cut
from metrics.distances import unit
from metrics.instruments.sface import SFace
from smoothswap.faces.align import AlignmentError
from smoothswap.faces.face import Face
from smoothswap.pixels import Image

THRESHOLD = 0.3
"""Least cosine to one of the faces taken so far. Over 8 photos each of 60 people of LFW none of 420 is refused by it, and
4.7 % of strangers' photos pass."""

Vectors = npt.NDArray[np.floating]
Read = Callable[[Sequence[tuple[Image, Face]]], list[Vectors | None]]


def embedder() -> Read:
    """SFace for faces in frames: unit vectors, None for a face that cannot be cut out. Raises InstrumentError as SFace."""
    network = SFace(threads=1)

    def read(faces: Sequence[tuple[Image, Face]]) -> list[Vectors | None]:
        crops: dict[int, Image] = {}
        for i, (frame, face) in enumerate(faces):
            try:
                crops[i] = cut(frame, face.landmarks, network.crop)
            except AlignmentError:
                continue
        found: dict[int, Vectors] = {}
        if crops:
            rows = unit(network.read(np.stack(list(crops.values())))["identity"])
            found = dict(zip(crops, rows, strict=True))
        return [found.get(i) for i in range(len(faces))]

    return read


def follow(
    frames: Sequence[Image],
    found: Sequence[Sequence[Face]],
    chosen: Sequence[Face | None],
    read: Read,
) -> tuple[list[Face | None], list[str]]:
    """The chosen faces without other people's, and with the person's where a cut moved it elsewhere in the frame.

    Starts at the largest chosen face and walks to both ends. A face counts as the person's where its cosine to one of those
    taken so far is at least THRESHOLD; where the chosen one does not, or where there is none, the frame's other faces are
    tried, the likest first.

    Args:
        frames: uint8 [h, w, 3] each, in order of time.
        found: The faces of each frame.
        chosen: Of each the one that smoothswap.faces.choose gave.
        read: From `embedder`.

    Returns:
        A face or None for each frame, and why there is none: "" where the frame has no face at all, or has one.
    """
    chosen, reasons = list(chosen), [""] * len(frames)
    there = [i for i, face in enumerate(chosen) if face is not None]
    if not there or len(frames) < 2:
        return chosen, reasons
    faces = [(frames[i], face) for i in there if (face := chosen[i]) is not None]
    vectors = dict(zip(there, read(faces), strict=True))
    start = max(there, key=lambda i: (_area(chosen[i]), -i))
    if (first := vectors[start]) is None:
        return chosen, reasons
    taken = [first]
    for i in [*range(start + 1, len(frames)), *range(start - 1, -1, -1)]:
        vector = vectors.get(i)
        like = _likeness(vector, taken)
        if vector is not None and like >= THRESHOLD:
            taken.append(vector)
            continue
        others = [face for face in found[i] if face is not chosen[i]]
        rows = read([(frames[i], face) for face in others])
        best = max(range(len(others)), key=lambda j: _likeness(rows[j], taken), default=None)
        if best is not None and (again := rows[best]) is not None and _likeness(again, taken) >= THRESHOLD:
            chosen[i] = others[best]
            taken.append(again)
        elif chosen[i] is not None:
            chosen[i] = None
            reasons[i] = (
                f"another person: the likest cosine to the tracked face is {like:.2f}, under {THRESHOLD}"
            )
    return chosen, reasons


def _area(face: Face | None) -> float:
    return face.area if face is not None else 0.0


def _likeness(vector: Vectors | None, taken: Sequence[Vectors]) -> float:
    return -1.0 if vector is None else float(max(np.dot(one, vector) for one in taken))
