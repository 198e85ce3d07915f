"""Which of several faces counts, in a frame and over a clip."""

from __future__ import annotations

from collections.abc import Sequence

from smoothswap.faces.face import Face

RULES = ("largest_tracked", "largest")


def choose(faces_per_frame: Sequence[Sequence[Face]], rule: str = "largest_tracked") -> list[Face | None]:
    """One face, or None, for each frame of a clip.

    Args:
        faces_per_frame: What the detector found in each frame; an empty sequence where nothing.
        rule: "largest": the largest box of each frame, whoever it is. "largest_tracked": start from the
            largest box of the whole clip and walk from there to both ends, taking in each frame the face that
            overlaps the last one taken most (intersection over union); a frame where none overlaps has no
            face of this person and gives None.

    Returns:
        As many entries as there are frames.

    Raises:
        ValueError: For another rule.
    """
    if rule not in RULES:
        raise ValueError(f"unknown rule {rule!r} for several faces; there are {', '.join(RULES)}")
    if rule == "largest":
        return [max(faces, key=lambda face: face.area, default=None) for faces in faces_per_frame]
    found = [(face.area, -i, face) for i, faces in enumerate(faces_per_frame) for face in faces]
    if not found:
        return [None] * len(faces_per_frame)
    _, minus_start, first = max(found, key=lambda item: item[:2])
    return track(faces_per_frame, -minus_start, first)


def track(faces_per_frame: Sequence[Sequence[Face]], start: int, first: Face) -> list[Face | None]:
    """Follow a face to both ends of the clip, as "largest_tracked" does (see choose).

    Args:
        faces_per_frame: What the detector found in each frame.
        start: Index of the frame that shows `first`.
        first: The face to follow.

    Returns:
        The face of each frame, `first` at `start`; None where no box overlaps the last one taken.
    """
    chosen: list[Face | None] = [None] * len(faces_per_frame)
    chosen[start] = first
    for steps in (range(start + 1, len(chosen)), range(start - 1, -1, -1)):
        last = first
        for i in steps:
            best = max(faces_per_frame[i], key=lambda face: iou(face.box, last.box), default=None)
            if best is not None and iou(best.box, last.box) > 0:
                chosen[i] = last = best
    return chosen


def iou(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Intersection over union of two boxes, 0 (apart) to 1 (the same).

    Args:
        a: (x0, y0, x1, y1) with x0 <= x1 and y0 <= y1.
        b: The other, in the same unit.

    Returns:
        The ratio of areas; 0 also where one of the boxes is empty.

    Examples:
        >>> iou((0, 0, 2, 2), (1, 0, 3, 2)) == 1 / 3
        True
    """
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)
