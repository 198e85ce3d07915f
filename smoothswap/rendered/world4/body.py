"""Everything of a portrait that is a surface: head, teeth, torso and what is worn, as one mesh for warp."""

from __future__ import annotations

import numpy as np
import warp as wp

from smoothswap.rendered.head import bend, load_head, normal_operator, vertex_normals
from smoothswap.rendered.motion import State
from smoothswap.rendered.world4 import occluders
from smoothswap.rendered.world4.arrays import Device
from smoothswap.rendered.world4.clothes import shirt_collar, torso
from smoothswap.rendered.world4.light import Haze, openness
from smoothswap.rendered.world4.skull import ear_share
from smoothswap.rendered.world4.styling import COLLARS, Styling
from smoothswap.rendered.world4.surface import Geometry
from smoothswap.rendered.world4.teeth import jaw_drop, make_teeth

REACH = 0.05  # m of ambient occlusion


def _directions(count: int = 22) -> np.ndarray:
    """Directions spread evenly over the sphere (a Fibonacci lattice)."""
    i = np.arange(count) + 0.5
    polar, turn = np.arccos(1 - 2 * i / count), np.pi * (1 + 5**0.5) * i
    return np.stack([np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar)], -1).astype(
        np.float32
    )


class Body:
    """The mesh of one person in one styling, and where it is at a moment (`geometry`)."""

    def __init__(
        self,
        neutral: np.ndarray,
        normals: np.ndarray,
        styling: Styling,
        occluder: tuple[str, int],
        device: Device,
    ) -> None:
        head = load_head()
        self.head, self.neutral, self.device = head, neutral, device
        teeth, gum, gap, self.jaw = make_teeth(head, neutral)
        parts = [teeth, torso(head, neutral, styling.number("bulk"), styling.number("shoulders"))]
        if COLLARS[int(styling.number("collar"))] in ("shirt", "blazer"):
            parts.append(shirt_collar(parts[1], COLLARS[int(styling.number("collar"))] == "blazer"))
        if styling.number("glasses"):
            parts += occluders.spectacles(head, neutral, int(styling.number("glasses")))
        if styling.number("hat"):
            parts += occluders.hat(head, neutral, normals, int(styling.number("hat")))
        name, seed = occluder
        if name == "microphone":
            parts += occluders.microphone(np.random.default_rng(seed))
        elif name == "hand":
            parts += occluders.hand(np.random.default_rng(seed))
        self.torso = len(parts[1].vertices)
        count = len(neutral)
        offsets = np.cumsum([count, *(len(part.vertices) for part in parts)])
        self.extra = np.concatenate([part.vertices for part in parts])
        self.teeth = slice(0, len(teeth.vertices))
        self.triangles = np.concatenate(
            [head.triangles, *(p.triangles + o for p, o in zip(parts, offsets, strict=False))]
        )
        self.material = np.concatenate([head.material, *(p.material for p in parts)]).astype(np.int32)
        self.weight = np.concatenate([head.neck_weight, *(p.weight for p in parts)]).astype(np.float32)
        self.operator = normal_operator(self.triangles, offsets[-1])
        rest = np.concatenate([head.mean, *(p.rest for p in parts)])
        thin = np.zeros(offsets[-1], np.float32)
        thin[count : count + len(gum)] = gum
        self.gap = gap
        vertices = np.concatenate([neutral, self.extra])
        self.points = self.device.vectors(vertices)
        self.indices = self.device.ints(self.triangles.reshape(-1))
        self.mesh = wp.Mesh(self.points, self.indices)
        self.geometry = Geometry()
        self.geometry.mesh = self.mesh.id
        self.geometry.normals = self.device.vectors(vertex_normals(vertices, self.triangles, self.operator))
        self.geometry.rest = self.device.vectors(rest)
        self.geometry.thin = self.device.floats(thin)
        bare = np.zeros(offsets[-1], np.float32)
        bare[:count] = ear_share()
        self.bare = bare
        self.geometry.bare = self.device.floats(bare)
        self.geometry.material = self.device.ints(self.material)
        self.geometry.triangles = self.indices
        self.geometry.lens_tint = styling.number("tint")
        self.geometry.lenses = int(styling.number("glasses") > 0)
        self.geometry.collar = styling.number("collar")
        self.geometry.open = self.device.floats(np.ones(offsets[-1]))
        self.jaw_vertices = jaw_drop(head)

    def measure_openness(self, haze: Haze) -> None:
        """Ambient occlusion of every vertex, and how thin its flesh is; once, for the neutral head."""
        count = len(self.neutral) + len(self.extra)
        found, flesh = (wp.zeros(count, dtype=float, device=self.device.name) for _ in range(2))
        torso_end = len(self.neutral) + len(self.gap) + self.torso  # what is worn is lit as if it stood free
        found.fill_(1.0)
        wp.launch(
            openness,
            dim=torso_end,
            inputs=[self.geometry, haze, self.points, self.device.vectors(_directions()), REACH],
            outputs=[found, flesh],
            device=self.device.name,
        )
        values = found.numpy()
        head = self.head
        for material in (1, 2, 3):  # eyes and mouth are measured at each moment
            values[np.unique(head.triangles[head.material == material])] = 1.0
        skin = np.unique(head.triangles[head.material == 0])
        values[skin] = np.clip(values[skin], 0.06, 1) ** 2.2
        start = len(self.neutral)
        values[start : start + len(self.gap)] = self.gap
        self.geometry.open = self.device.floats(values)
        thin = self.geometry.thin.numpy()
        thin[: len(self.neutral)] = flesh.numpy()[: len(self.neutral)] * self.bare[: len(self.neutral)]
        self.geometry.thin = self.device.floats(thin)

    def move(self, state: State) -> tuple[np.ndarray, np.ndarray]:
        """Bring the mesh into a state.

        Args:
            state: Pose and expression.

        Returns:
            Head vertices [v, 3] (m) before the neck bends, and as posed.
        """
        offsets = self.head.expression_offsets(state.expression)
        deformed = self.neutral + offsets
        extra = self.extra.copy()
        extra[self.teeth] += self.jaw[:, None] * offsets[self.jaw_vertices].mean(0)
        vertices = bend(np.concatenate([deformed, extra]), state.pose, self.weight)
        self.points.assign(vertices)
        self.mesh.refit()
        self.geometry.normals = self.device.vectors(vertex_normals(vertices, self.triangles, self.operator))
        return deformed, vertices[: len(deformed)]
