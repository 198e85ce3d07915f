"""The head as a thing that hair lies on: how far it reaches in every direction, and which of it is ear."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from smoothswap.rendered.head import SKIN, Head, load_head, smoothstep

NECK = -0.055  # z of the neck's axis, m
CENTRE = np.array([0.0, 0.045, -0.045], np.float32)  # of the skull, m


class Skull:
    """How far the head reaches from its centre in each direction, so that hair can lie on it."""

    def __init__(self, neutral: np.ndarray, head: Head) -> None:
        ids = np.unique(head.triangles[head.material == SKIN])
        ids = ids[ear_share()[ids] < 0.5]
        local = neutral[ids] - CENTRE
        self.radius = np.zeros((24, 48), np.float32)
        r = np.linalg.norm(local, axis=1)
        i, j = self._cell(local / r[:, None])
        np.maximum.at(self.radius, (i, j), r)
        self.radius = _filled(self.radius)
        low = neutral[ids][neutral[ids, 1] < 0.06]
        angle = np.arctan2(low[:, 0], low[:, 2] - NECK)
        self.columns = np.zeros((12, 32), np.float32)  # from y = -0.12 up to 0.06, 15 mm each
        row = np.clip(((low[:, 1] + 0.12) / 0.015).astype(int), 0, 11)
        np.maximum.at(
            self.columns,
            (row, (angle / (2 * np.pi) * 32).astype(int) % 32),
            np.hypot(low[:, 0], low[:, 2] - NECK),
        )
        self.columns = _filled(self.columns)

    def column(self, angle: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The head's and neck's radius about the neck's axis.

        Args:
            angle: Radians, 0 in front.
            y: Heights, m, of the same shape.

        Returns:
            m.
        """
        i = np.clip((y + 0.12) / 0.015 - 0.5, 0, 10.999)
        j = angle / (2 * np.pi) * 32 - 0.5
        a, b = i.astype(int), np.floor(j).astype(int)
        fa, fb = i - a, j - b
        r = self.columns[a, b % 32] * (1 - fa) * (1 - fb) + self.columns[a + 1, b % 32] * fa * (1 - fb)
        return np.asarray(
            r + self.columns[a, (b + 1) % 32] * (1 - fa) * fb + self.columns[a + 1, (b + 1) % 32] * fa * fb
        )

    @staticmethod
    def _cell(d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        i = np.clip((np.arccos(np.clip(d[..., 1], -1, 1)) / np.pi * 24).astype(int), 0, 23)
        j = (np.arctan2(d[..., 0], d[..., 2]) / (2 * np.pi) * 48).astype(int) % 48
        return i, j

    def reach(self, d: np.ndarray) -> np.ndarray:
        """The skull's radius in directions [..., 3], between cells by the four around."""
        a = np.clip(np.arccos(np.clip(d[..., 1], -1, 1)) / np.pi * 24 - 0.5, 0, 22.999)
        b = np.arctan2(d[..., 0], d[..., 2]) / (2 * np.pi) * 48 - 0.5
        i, j = a.astype(int), np.floor(b).astype(int)
        fa, fb = a - i, b - j
        r = self.radius[i, j % 48] * (1 - fa) * (1 - fb) + self.radius[i + 1, j % 48] * fa * (1 - fb)
        return np.asarray(
            r + self.radius[i, (j + 1) % 48] * (1 - fa) * fb + self.radius[i + 1, (j + 1) % 48] * fa * fb
        )

    def along(
        self, p: np.ndarray, clearance: np.ndarray, most: np.ndarray | float, hangs: bool
    ) -> np.ndarray:
        """Points kept near the head.

        Args:
            p: [..., 3], m.
            clearance: Least distance over the skin, m.
            most: Greatest distance, m.
            hangs: Whether what is below the ears may stand off as far as it likes.

        Returns:
            Moved points, [..., 3].
        """
        local = p - CENTRE
        r = np.linalg.norm(local, axis=-1)
        d = local / np.maximum(r[..., None], 1e-6)
        around = self.reach(d)
        hung = smoothstep(0.03, -0.05, p[..., 1]) * float(hangs)  # what hangs free is not held to the head
        held = np.minimum(
            np.maximum(r, around + clearance), np.maximum(around + most, 0) * (1 - hung) + hung * 9.0
        )
        pushed = CENTRE + d * held[..., None]
        # Beside and below the ears the head is a column, not a ball.
        out = np.stack([p[..., 0], 0 * p[..., 0], p[..., 2] - NECK], -1)
        far = np.maximum(np.linalg.norm(out, axis=-1), 1e-6)
        wide = self.column(np.arctan2(out[..., 0], out[..., 2]), p[..., 1]) + 1.0 * np.maximum(
            -0.130 - p[..., 1], 0
        )
        stay = np.minimum(np.maximum(far, wide + clearance), (wide + most) * (1 - hung) + hung * 9.0)
        beside = np.stack([out[..., 0] * stay / far, p[..., 1], out[..., 2] * stay / far + NECK], -1)
        low = smoothstep(0.05, 0.02, p[..., 1])[..., None]
        return np.asarray(pushed * (1 - low) + beside * low)


@lru_cache(maxsize=1)
def ear_share() -> np.ndarray:
    """[v], 1 for the vertices of the ears that stand off the head: where ears move and the mesh is fine."""
    head = load_head()
    sides = head.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    long = np.linalg.norm(head.mean[sides[:, 0]] - head.mean[sides[:, 1]], axis=1)
    total, count = np.zeros(len(head.mean)), np.zeros(len(head.mean))
    for k in (0, 1):
        np.add.at(total, sides[:, k], long)
        np.add.at(count, sides[:, k], 1)
    fine = total / np.maximum(count, 1) < 0.0072
    return np.asarray((head.ear_weight > 0.9) & fine, np.float32)


def _filled(radius: np.ndarray) -> np.ndarray:
    """A table of radii [rows, around], its empty cells (0) filled with the mean of those about them."""
    for _ in range(12):
        empty = radius == 0
        if not empty.any():
            break
        tall = np.pad(radius, ((1, 1), (0, 0)), "edge")
        around = np.stack([np.roll(np.roll(tall, a, 0), b, 1)[1:-1] for a in (-1, 0, 1) for b in (-1, 0, 1)])
        mean = around.sum(0) / np.maximum((around > 0).sum(0), 1)
        radius = np.where(empty, mean, radius)
    return radius
