"""All strands of a portrait: grown once, carried along, drawn, lit and laid over each picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import warp as wp
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation

from smoothswap.rendered.head import NECK_PIVOT, load_head
from smoothswap.rendered.people import Identity
from smoothswap.rendered.world4.arrays import Device, matrix, vector
from smoothswap.rendered.world4.face_hair import beard, brows, lashes
from smoothswap.rendered.world4.grow import LASH, Strands, joined, thinned
from smoothswap.rendered.world4.light import GRID, Haze
from smoothswap.rendered.world4.occluders import hat_line
from smoothswap.rendered.world4.people import LOOK, numbers
from smoothswap.rendered.world4.scalp import scalp as grow_scalp
from smoothswap.rendered.world4.skull import CENTRE
from smoothswap.rendered.world4.strands import NOTHING, carry, draw, lay, light_strands, show
from smoothswap.rendered.world4.styling import Styling


@dataclass(frozen=True)
class Canvas:
    """What strands are laid over.

    Hits, depth (m) and the linear picture, camera and light on the device; affine [2, 3] from output to frame
    pixels, output pixels a frame pixel, the scene's exposure, the camera's distance (m).
    """

    seen: Any
    depth: Any
    image: Any
    camera: Any
    light: Any
    affine: np.ndarray
    scale: float
    exposure: float
    distance: float


class Hair:
    """The strands of one person in one styling, and `haze`, what they take of the light."""

    def __init__(
        self,
        neutral: np.ndarray,
        normals: np.ndarray,
        identity: Identity,
        styling: Styling,
        step: int,
        device: Device,
    ) -> None:
        """`step`: how many strands each drawn one of the scalp stands for."""
        head, look = load_head(), numbers(LOOK, identity.look)
        self.device = device
        rng = np.random.default_rng([int(styling.number("seed")), 1])
        own = np.random.default_rng([int(look["noise_seed"]), 2])
        scalp = grow_scalp(rng, head, neutral, normals, styling)
        if scalp is not None and styling.number("hat"):
            above = hat_line(head.mean, int(styling.number("hat")))
            kept = above[head.triangles[scalp.triangle]].mean(1) < 0.002
            scalp = (
                Strands(*(getattr(scalp, f)[kept] for f in scalp.__dataclass_fields__))
                if kept.any()
                else None
            )
        face = [
            brows(own, head, neutral, normals, look),
            lashes(own, head, neutral, look),
            beard(own, head, neutral, normals, look),
        ]
        if scalp is not None:
            scalp = thinned(scalp, step)
        parts = [part for part in (scalp, *face) if part is not None and len(part.points)]
        points, first, counts, triangle, weights, width, colour, kind = joined(parts)
        along = np.concatenate(
            [np.tile(np.append(np.linspace(0, 1, p.points.shape[1])[:-1], 2.0), len(p.points)) for p in parts]
        )
        strand = np.repeat(np.arange(len(counts)), counts)
        self.strands = {
            "points": self.device.vectors(points),
            "first": self.device.ints(first),
            "count": self.device.ints(counts),
            "corners": self.device.ints(head.triangles[triangle]),
            "weights": self.device.vectors(weights),
            "along": self.device.floats(along),
            "width": self.device.floats(width[strand]),
            "behind": self.device.floats(np.where(kind == LASH, 0.0042, 0.0012)[strand]),
            "strand": self.device.ints(strand),
            "colours": self.device.vectors(colour),
            "kinds": self.device.ints(kind),
        }
        self.neck = self.device.floats(head.neck_weight)
        self.still = self.device.vectors(neutral)
        self._thicken(scalp)

    def _thicken(self, scalp: Strands | None) -> None:
        """Count the hair in cells of space, for its shadows."""
        self.haze = Haze()
        side = 0.48
        corner = CENTRE + np.array([0, -0.06, 0]) - side / 2
        density = np.zeros(GRID**3)
        if scalp is not None:
            p = (scalp.points[:, 1:] + scalp.points[:, :-1]) / 2
            area = np.linalg.norm(scalp.points[:, 1:] - scalp.points[:, :-1], axis=-1) * scalp.width[:, None]
            cell = ((p - corner) / side * GRID).astype(int)
            inside = ((cell >= 0) & (cell < GRID)).all(-1)
            flat = (cell[..., 0] * GRID + cell[..., 1]) * GRID + cell[..., 2]
            density += np.bincount(flat[inside], area[inside], GRID**3)
        density = gaussian_filter(density.reshape((GRID,) * 3), 0.6) / (side / GRID) ** 3 * 0.8
        self.haze.density = wp.array(
            np.minimum(density, 400).astype(np.float32), dtype=float, device=self.device.name
        )
        self.haze.corner = vector(corner + side / GRID / 2)
        self.haze.cell = side / GRID
        self.haze.turn = matrix(np.eye(3))
        self.haze.pivot = vector(NECK_PIVOT)
        self.haze.used = int(scalp is not None)

    def lay(self, deformed: np.ndarray, pose: np.ndarray, canvas: Canvas) -> np.ndarray:
        """Draw the strands over a picture.

        Args:
            deformed: Head vertices before the neck bends, [v, 3], m.
            pose: Axis-angle [3].
            canvas: The picture, changed in place.

        Returns:
            [h, w, 2], shares of each pixel that hair of the head, and of the face, takes.
        """
        s, device = self.strands, self.device
        size = canvas.image.shape[0]
        parts = 3 if size <= 320 else 2
        count = s["points"].shape[0]
        angle = float(np.linalg.norm(pose))
        axis = pose / angle if angle > 1e-9 else np.array([0, 1, 0])
        moved = wp.empty(count, dtype=wp.vec3, device=device.name)
        root = [s[name] for name in ("points", "first", "count", "corners", "weights")]
        turned = [self.still, device.vectors(deformed), self.neck, vector(axis), angle, vector(NECK_PIVOT)]
        device.launch(carry, s["first"].shape[0], [*root, *turned], [moved])
        nearest = wp.full((size * parts, size * parts), int(NOTHING), dtype=wp.int64, device=device.name)
        inverse = device.floats(np.linalg.inv(np.vstack([canvas.affine, [0, 0, 1]]))[:2].reshape(-1))
        thick = wp.zeros(nearest.shape, dtype=int, device=device.name)
        line = [moved, s["along"], s["width"], canvas.camera, inverse, canvas.scale, parts]
        device.launch(draw, count, [*line, canvas.depth, s["behind"]], [nearest, thick])
        visible = wp.zeros(count, dtype=int, device=device.name)
        device.launch(show, nearest.shape, [nearest], [visible])
        lit = wp.zeros(count, dtype=wp.vec3, device=device.name)
        centre = Rotation.from_rotvec(pose).apply(CENTRE - NECK_PIVOT) + NECK_PIVOT
        kinds = [s["strand"], s["colours"], s["kinds"], visible]
        eye = wp.vec3(0.0, 0.0, canvas.distance)
        around = [self.haze, vector(centre), eye, canvas.light]
        device.launch(light_strands, count, [moved, s["along"], *kinds, *around], [lit])
        cover = wp.zeros((size, size), dtype=wp.vec2, device=device.name)
        over = [nearest, thick, parts, canvas.seen, s["strand"], s["kinds"], lit, canvas.exposure]
        device.launch(lay, (size, size), over, [canvas.image, cover])
        return np.asarray(cover.numpy())
