"""What is true of a rendered moment beyond its numbers: openings, gaze, which landmarks the camera sees."""

from __future__ import annotations

import numpy as np

# In the iBUG order of 68: the lids' pairs (upper, lower) and corners of each eye, the lips' inner pairs and corners.
EYES = {"right": ((37, 41), (38, 40), (36, 39)), "left": ((43, 47), (44, 46), (42, 45))}
LIPS, CORNERS = ((61, 67), (62, 66), (63, 65)), (60, 64)
SLACK = 0.006  # m that a landmark may lie behind what the camera sees there


def openings(points: np.ndarray) -> dict[str, float]:
    """How far eyes and mouth are open, in widths of themselves.

    Args:
        points: The 68 landmarks, [68, 3], m (or [68, 2]).

    Returns:
        "right" and "left" (the subject's) and "mouth": mean height between the lids or inner lips over the distance
        of the corners.
    """
    found = {}
    for name, (a, b, corners) in EYES.items():
        heights = [np.linalg.norm(points[i] - points[j]) for i, j in (a, b)]
        found[name] = float(np.mean(heights) / np.linalg.norm(points[corners[0]] - points[corners[1]]))
    heights = [np.linalg.norm(points[i] - points[j]) for i, j in LIPS]
    found["mouth"] = float(np.mean(heights) / np.linalg.norm(points[CORNERS[0]] - points[CORNERS[1]]))
    return found


def visible(
    points: np.ndarray, places: np.ndarray, depth: np.ndarray, distance: float, hair: np.ndarray
) -> np.ndarray:
    """Which points the camera sees.

    Args:
        points: [n, 3], m, in the world.
        places: [n, 2], their pixels in the picture.
        depth: [h, w], m from the camera's plane to what it sees, 0 where that is only background.
        distance: Of the camera from the origin, m.
        hair: [h, w], share of each pixel that hair of the head covers.

    Returns:
        bool [n]: inside the picture, not behind anything by more than SLACK, and not under hair.
    """
    h, w = depth.shape
    columns, rows = np.round(places).astype(int).T
    inside = (rows >= 0) & (rows < h) & (columns >= 0) & (columns < w)
    r, c = np.clip(rows, 0, h - 1), np.clip(columns, 0, w - 1)
    # A point on an outline may fall beside it: the farthest of the pixels about it counts.
    tall = np.pad(np.where(depth > 0, depth, np.inf), 1, mode="edge")
    around = np.stack([tall[r + 1 + i, c + 1 + j] for i in (-1, 0, 1) for j in (-1, 0, 1)])
    around[np.isinf(around)] = -np.inf
    seen = around.max(0)
    own = distance - points[:, 2]
    return np.asarray(inside & np.isfinite(seen) & (own <= seen + SLACK) & (hair[r, c] < 0.5))
