"""A person in a scene, moment after moment: where head, hair, light and lens of world 4 meet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import warp as wp
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation

from smoothswap.rendered.head import NECK_PIVOT, bend, load_head, normal_operator, vertex_normals
from smoothswap.rendered.motion import State
from smoothswap.rendered.people import Identity
from smoothswap.rendered.render import project
from smoothswap.rendered.world4 import grow, occluders
from smoothswap.rendered.world4.clothes import WORN, shirt_collar, torso
from smoothswap.rendered.world4.eyes import Gaze
from smoothswap.rendered.world4.lens import confusion, develop
from smoothswap.rendered.world4.light import GRID, Haze, illuminate, openness, scatter, scatter_weights
from smoothswap.rendered.world4.paint import Finish, outline, paint, relief
from smoothswap.rendered.world4.people import COLLARS, LOOK, Styling, numbers
from smoothswap.rendered.world4.scene import Scene
from smoothswap.rendered.world4.skin import SIDE, TEXELS, Skin, make_skin
from smoothswap.rendered.world4.strands import NOTHING, carry, draw, lay, light_strands, show
from smoothswap.rendered.world4.surface import MATERIALS, TEETH, Geometry, Hit, trace
from smoothswap.rendered.world4.teeth import jaw_drop, make_teeth

REACH = 0.05  # m of ambient occlusion
RELIEF = 1.15  # of the skin's height: what a frame's pixels average away is given back
# Standard deviations of the light's wandering in flesh, m, of red, green and blue.
FLESH = np.array([0.0017, 0.0008, 0.0005])
_FOLDS = {
    0: {"browInnerUp": 0.6, "browOuterUpLeft": 0.3, "browOuterUpRight": 0.3},
    1: {"browDownLeft": 0.5, "browDownRight": 0.5},
    2: {"eyeSquintLeft": 0.3, "eyeSquintRight": 0.3, "cheekSquintLeft": 0.25, "cheekSquintRight": 0.25, "mouthSmileLeft": 0.15, "mouthSmileRight": 0.15},
    3: {"mouthSmileLeft": 0.45, "mouthSmileRight": 0.45, "noseSneerLeft": 0.3, "noseSneerRight": 0.3, "mouthUpperUpLeft": 0.2, "mouthUpperUpRight": 0.2},
}  # fmt: skip


@dataclass(frozen=True)
class Shot:
    """A picture uint8 [h, w, 3], and what is true of it: posed head vertices [v, 3] (m) and their places in frame pixels
    [v, 2]; depth [h, w] in metres from the camera, 0 where there is only background; face [h, w] bool, what a swap
    exchanges; hair [h, w], share of the pixel that hair of the head covers; eyes [4, 3]: the balls' centres and directions of gaze."""

    image: np.ndarray
    vertices: np.ndarray
    projected: np.ndarray
    depth: np.ndarray
    face: np.ndarray
    hair: np.ndarray
    eyes: np.ndarray


@lru_cache(maxsize=4)
def _skin(look: bytes) -> Skin:
    return make_skin(numbers(LOOK, np.frombuffer(look, np.float32)))


def _directions(count: int = 28) -> np.ndarray:
    """Directions spread evenly over the sphere (a Fibonacci lattice)."""
    i = np.arange(count) + 0.5
    polar, turn = np.arccos(1 - 2 * i / count), np.pi * (1 + 5**0.5) * i
    return np.stack([np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar)], -1).astype(
        np.float32
    )


class Portrait:
    """One identity in one styling and scene, ready to be rendered many times."""

    def __init__(self, identity: Identity, styling: Styling, scene: Scene, device: str = "cpu") -> None:
        self.head, self.device = load_head(), device
        self.identity, self.styling, self.scene = identity, styling, scene
        self.look = numbers(LOOK, identity.look)
        head = self.head
        self.neutral = head.identity_vertices(identity.shape)
        plain = normal_operator(head.triangles, len(self.neutral))
        normals = vertex_normals(self.neutral, head.triangles, plain)
        self._build(normals)
        self._grow(normals)
        self._bake()
        self._measure_openness()

    # -- what stays -------------------------------------------------------------------------------------------------

    def _floats(self, values: Any) -> wp.array:
        return wp.array(np.ascontiguousarray(values, np.float32), dtype=float, device=self.device)

    def _vectors(self, values: Any) -> wp.array:
        return wp.array(np.ascontiguousarray(values, np.float32), dtype=wp.vec3, device=self.device)

    def _ints(self, values: Any) -> wp.array:
        return wp.array(np.ascontiguousarray(values, np.int32), dtype=int, device=self.device)

    def _build(self, normals: np.ndarray) -> None:
        """Put head, torso, teeth and what is worn together into one mesh."""
        head, styling = self.head, self.styling
        teeth, gum, gap, self.jaw = make_teeth(head, self.neutral)
        parts = [teeth, torso(head, self.neutral, styling.number("bulk"), styling.number("shoulders"))]
        if COLLARS[int(styling.number("collar"))] in ("shirt", "blazer"):
            parts.append(shirt_collar(parts[1], COLLARS[int(styling.number("collar"))] == "blazer"))
        if styling.number("glasses"):
            parts += occluders.spectacles(head, self.neutral, int(styling.number("glasses")))
        if styling.number("hat"):
            parts += occluders.hat(head, self.neutral, normals, int(styling.number("hat")))
        name, seed = self.scene.occluder
        if name == "microphone":
            parts += occluders.microphone(np.random.default_rng(seed))
        elif name == "hand":
            parts += occluders.hand(np.random.default_rng(seed))
        self.torso = len(parts[1].vertices)
        count = len(self.neutral)
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
        vertices = np.concatenate([self.neutral, self.extra])
        self.points = self._vectors(vertices)
        self.indices = self._ints(self.triangles.reshape(-1))
        self.mesh = wp.Mesh(self.points, self.indices)
        self.geometry = Geometry()
        self.geometry.mesh = self.mesh.id
        self.geometry.normals = self._vectors(vertex_normals(vertices, self.triangles, self.operator))
        self.geometry.rest = self._vectors(rest)
        self.geometry.thin = self._floats(thin)
        bare = np.zeros(offsets[-1], np.float32)
        bare[:count] = grow.ear_share()
        self.bare = bare
        self.geometry.bare = self._floats(bare)
        self.geometry.material = self._ints(self.material)
        self.geometry.triangles = self.indices
        self.geometry.lens_tint = styling.number("tint")
        self.geometry.lenses = int(styling.number("glasses") > 0)
        self.geometry.collar = styling.number("collar")
        self.geometry.open = self._floats(np.ones(offsets[-1]))
        self.jaw_vertices = jaw_drop(head)

    def _grow(self, normals: np.ndarray) -> None:
        """Grow the hair and what it hides of the sky."""
        head, neutral, styling = self.head, self.neutral, self.styling
        rng = np.random.default_rng([int(styling.number("seed")), 1])
        own = np.random.default_rng([int(self.look["noise_seed"]), 2])
        scalp = grow.scalp(rng, head, neutral, normals, styling)
        if scalp is not None and styling.number("hat"):
            above = occluders.hat_line(head.mean, int(styling.number("hat")))
            kept = above[head.triangles[scalp.triangle]].mean(1) < 0.002
            scalp = (
                grow.Strands(*(getattr(scalp, f)[kept] for f in scalp.__dataclass_fields__))
                if kept.any()
                else None
            )
        face = [
            grow.brows(own, head, neutral, normals, self.look),
            grow.lashes(own, head, neutral, self.look),
            grow.beard(own, head, neutral, normals, self.look),
        ]
        if scalp is not None:
            scalp = grow.thinned(scalp, 2 if self.scene.size <= 160 else 1)
        parts = [part for part in (scalp, *face) if part is not None and len(part.points)]
        points, first, counts, triangle, weights, width, colour, kind = grow.joined(parts)
        along = np.concatenate(
            [np.tile(np.append(np.linspace(0, 1, p.points.shape[1])[:-1], 2.0), len(p.points)) for p in parts]
        )
        strand = np.repeat(np.arange(len(counts)), counts)
        self.strands = {
            "points": self._vectors(points),
            "first": self._ints(first),
            "count": self._ints(counts),
            "corners": self._ints(head.triangles[triangle]),
            "weights": self._vectors(weights),
            "along": self._floats(along),
            "width": self._floats(width[strand]),
            "strand": self._ints(strand),
            "colours": self._vectors(colour),
            "kinds": self._ints(kind),
        }
        self.neck = self._floats(head.neck_weight)
        self.still = self._vectors(neutral)
        self.haze = Haze()
        side = 0.48
        corner = grow.CENTRE + np.array([0, -0.06, 0]) - side / 2
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
            np.minimum(density, 400).astype(np.float32), dtype=float, device=self.device
        )
        self.haze.corner = wp.vec3(*(corner + side / GRID / 2).tolist())
        self.haze.cell = side / GRID
        self.haze.turn = wp.mat33(*np.eye(3).reshape(-1).tolist())
        self.haze.pivot = wp.vec3(*NECK_PIVOT.tolist())
        self.haze.used = int(scalp is not None)

    def _bake(self) -> None:
        """The skin's pictures at the sharpness of the frame, stained where hair grows."""
        skin, styling = _skin(self.identity.look.tobytes()), self.styling
        focal, _, _, distance = (float(v) for v in self.scene.camera)
        self.pixel = distance / focal
        texel = 2 * SIDE * 0.085 / TEXELS
        self.blur = max(0.32 * self.pixel / texel - 0.2, 0.0)
        colour = skin.colour
        if styling.hair != "bald" or styling.number("recession") < 0.9:
            from smoothswap.rendered.world4.skin import noise, unrolled

            x, y, z = unrolled()
            rest = np.stack([x, y, z], -1).reshape(-1, 3)
            rng = np.random.default_rng(int(styling.number("seed")))
            grown = grow.scalp_density(
                rest, np.zeros(len(rest)), styling, 0.003 * noise(rng, 0.004).reshape(-1)
            ).reshape(x.shape)
            amount = {"bald": 0.25, "buzz": 0.7}.get(styling.hair, 0.9)
            stain = (amount * grown * np.clip(0.85 + 0.15 * noise(rng, 0.0015), 0, 1))[..., None].astype(
                np.float32
            )
            hair = np.array([styling.number(f"hair_{c}") for c in "rgb"], np.float32) * (
                1 - styling.number("grey")
            ) + 0.25 * styling.number("grey")
            colour = colour * (1 - stain) + (0.6 * hair + 0.12 * colour) * stain
        soft = (lambda a: cv2.GaussianBlur(a, (0, 0), self.blur)) if self.blur > 0.3 else (lambda a: a)
        self.height, self.folds = soft(skin.height), [soft(np.ascontiguousarray(f)) for f in skin.folds]
        self.finish = Finish()
        self.finish.colour = self._vectors(soft(colour))
        self.finish.gloss = self._floats(soft(skin.gloss))
        self.finish.height = self._floats(self.height)
        self.finish.look = self._floats(
            [self.look[k] for k in ("iris_r", "iris_g", "iris_b", "iris_size", "teeth")]
        )
        self.finish.style = self._floats([styling.number(k) for k in WORN])
        self.finish.seed = int(self.look["noise_seed"])

    def _measure_openness(self) -> None:
        count = len(self.neutral) + len(self.extra)
        found, flesh = (wp.zeros(count, dtype=float, device=self.device) for _ in range(2))
        torso_end = len(self.neutral) + len(self.gap) + self.torso  # what is worn is lit as if it stood free
        found.fill_(1.0)
        wp.launch(
            openness,
            dim=torso_end,
            inputs=[self.geometry, self.haze, self.points, self._vectors(_directions()), REACH],
            outputs=[found, flesh],
            device=self.device,
        )
        values = found.numpy()
        head = self.head
        for material in (1, 2, 3):  # eyes and mouth are measured at each moment
            values[np.unique(head.triangles[head.material == material])] = 1.0
        skin = np.unique(head.triangles[head.material == 0])
        values[skin] = np.clip(values[skin], 0.06, 1) ** 2.2
        start = len(self.neutral)
        values[start : start + len(self.gap)] = self.gap
        self.geometry.open = self._floats(values)
        thin = self.geometry.thin.numpy()
        thin[: len(self.neutral)] = flesh.numpy()[: len(self.neutral)] * self.bare[: len(self.neutral)]
        self.geometry.thin = self._floats(thin)

    # -- a moment ---------------------------------------------------------------------------------------------------

    def pose_vertices(self, state: State) -> np.ndarray:
        """Head vertices [v, 3] (m) in a state, without rendering."""
        return bend(
            self.neutral + self.head.expression_offsets(state.expression), state.pose, self.head.neck_weight
        )

    def eyes(self, deformed: np.ndarray, state: State) -> np.ndarray:
        """The balls' centres, then their directions of gaze.

        Args:
            deformed: Head vertices before the neck bends, [v, 3], m.
            state: Pose and gaze.

        Returns:
            [4, 3]: left, right centre (m); left, right unit direction.
        """
        yaw, pitch = (float(v) for v in state.gaze)
        ahead = np.array([np.sin(yaw) * np.cos(pitch), -np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
        inward = np.array([0, 0, self.head.eye_depth])
        centres = np.stack([deformed[ids].mean(0) + inward for ids in self.head.eye_vertices])
        turned = Rotation.from_rotvec(state.pose)
        return np.concatenate(
            [turned.apply(centres - NECK_PIVOT) + NECK_PIVOT, np.stack([turned.apply(ahead)] * 2)]
        ).astype(np.float32)

    def shot(
        self,
        state: State,
        size: int | None = None,
        affine: np.ndarray | None = None,
        frame: int = 0,
        move: tuple[float, float] = (0.0, 0.0),
    ) -> Shot:
        """Render one moment.

        Args:
            state: Pose, expression and gaze.
            size: Side of the output, pixels; None: the frame's own.
            affine: [2, 3], output pixel -> frame pixel; None: the same pixels.
            frame: The moment's number, for the sensor's noise.
            move: Pixels that the face moved since the last frame, for motion blur.

        Returns:
            The picture and what is true of it; `projected` is in frame pixels whatever `affine`.
        """
        size = size or self.scene.size
        affine = np.eye(2, 3, dtype=np.float32) if affine is None else affine
        scale = 1.0 / float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
        scene, device = self.scene, self.device
        offsets = self.head.expression_offsets(state.expression)
        deformed = self.neutral + offsets
        extra = self.extra.copy()
        extra[self.teeth] += self.jaw[:, None] * offsets[self.jaw_vertices].mean(0)
        vertices = bend(np.concatenate([deformed, extra]), state.pose, self.weight)
        self.points.assign(vertices)
        self.mesh.refit()
        g = self.geometry
        g.normals = self._vectors(vertex_normals(vertices, self.triangles, self.operator))
        turn = Rotation.from_rotvec(state.pose).as_matrix()
        self.haze.turn = self.finish.turn = wp.mat33(*turn.reshape(-1).tolist())
        self.finish.height = self._floats(self._creased(state.expression))
        eyes = self.eyes(deformed, state)
        gaze = Gaze()
        gaze.left, gaze.right, gaze.left_ahead, gaze.right_ahead = (wp.vec3(*v.tolist()) for v in eyes)
        gaze.pupil = 0.38
        camera, out_to_frame, light = (
            self._floats(scene.camera),
            self._floats(affine.reshape(-1)),
            self._floats(scene.light),
        )
        shape = (size, size)
        pixel = self.pixel / scale
        seen = wp.empty(shape, dtype=Hit, device=device)
        edge = wp.empty(shape, dtype=wp.uint8, device=device)
        fallen, other, shadows, image = (wp.zeros(shape, dtype=wp.vec3, device=device) for _ in range(4))
        wp.launch(trace, dim=shape, inputs=[g, camera, out_to_frame], outputs=[seen], device=device)
        wp.launch(outline, dim=shape, inputs=[seen, pixel * 1.2], outputs=[edge], device=device)
        wp.launch(relief, dim=shape, inputs=[self.finish, RELIEF, seen], device=device)
        bounce = wp.vec3(0.12, 0.11, 0.10)
        wp.launch(
            illuminate,
            dim=shape,
            inputs=[g, self.haze, seen, light, bounce],
            outputs=[shadows, fallen],
            device=device,
        )
        widths = np.full((MATERIALS, 3), 1e-5)
        widths[[0, 11]] = FLESH
        widths[TEETH] = 0.0004
        curves = wp.array(scatter_weights(widths, pixel), dtype=wp.vec3, device=device)
        wp.launch(scatter, dim=shape, inputs=[seen, fallen, pixel, 0, curves], outputs=[other], device=device)
        wp.launch(scatter, dim=shape, inputs=[seen, other, pixel, 1, curves], outputs=[fallen], device=device)
        behind = self._vectors(scene.background)
        wp.launch(
            paint,
            dim=shape,
            inputs=[
                g,
                camera,
                out_to_frame,
                seen,
                edge,
                fallen,
                shadows,
                self.finish,
                gaze,
                light,
                scene.exposure,
                behind,
            ],
            outputs=[image],
            device=device,
        )
        cover = self._hair(deformed, state, affine, scale, seen, image, light, camera, turn)
        hits = seen.numpy()
        kind = hits["kind"]
        depth = np.where(kind >= 0, float(scene.camera[3]) - hits["position"][..., 2], 0).astype(np.float32)
        covered = cover.numpy()
        face = (np.isin(kind, (0, 1, 2, 3, TEETH)) & (hits["rest"][..., 1] > -0.13)) | (covered[..., 1] > 0.5)
        face &= covered[..., 0] < 0.5
        nearest = float(scene.camera[3]) - float(vertices[: len(deformed), 2].max())
        far = np.where(kind >= 0, depth, 0.0)
        circle = (
            np.where(
                kind >= 0,
                confusion(scene.lens, np.maximum(far, 0.2), nearest + 0.03, float(scene.camera[0])),
                0.0,
            )
            * scale
        )
        picture = develop(
            image.numpy(), scene.lens, frame, (move[0] * scale, move[1] * scale), circle.astype(np.float32)
        )
        posed = vertices[: len(deformed)]
        return Shot(picture, posed, project(posed, scene.camera), depth, face, covered[..., 0], eyes)

    def _creased(self, expression: np.ndarray) -> np.ndarray:
        """The skin's height with the folds that the expression makes."""
        height = self.height
        age = float(np.clip((self.look["age"] - 18) / 72, 0, 1))
        for i, causes in _FOLDS.items():
            amount = sum(
                share * float(expression[self.head.expression_index(name)]) for name, share in causes.items()
            )
            if amount > 0.04:
                height = height + np.float32(min(amount, 1.0) * (0.30 + 0.7 * age)) * self.folds[i]
        return height

    def _hair(
        self,
        deformed: np.ndarray,
        state: State,
        affine: np.ndarray,
        scale: float,
        seen: Any,
        image: Any,
        light: Any,
        camera: Any,
        turn: np.ndarray,
    ) -> Any:
        """Draw the strands over the picture; returns their cover."""
        s, device, scene = self.strands, self.device, self.scene
        size = image.shape[0]
        parts = 3 if size <= 320 else 2
        count = s["points"].shape[0]
        moved = wp.empty(count, dtype=wp.vec3, device=device)
        angle = float(np.linalg.norm(state.pose))
        axis = state.pose / angle if angle > 1e-9 else np.array([0, 1, 0])
        pivot = wp.vec3(*NECK_PIVOT.tolist())
        wp.launch(
            carry,
            dim=s["first"].shape[0],
            inputs=[
                s["points"],
                s["first"],
                s["count"],
                s["corners"],
                s["weights"],
                self.still,
                self._vectors(deformed),
                self.neck,
                wp.vec3(*axis.tolist()),
                angle,
                pivot,
            ],
            outputs=[moved],
            device=device,
        )
        nearest = wp.full((size * parts, size * parts), int(NOTHING), dtype=wp.int64, device=device)
        inverse = np.linalg.inv(np.vstack([affine, [0, 0, 1]]))[:2]
        wp.launch(
            draw,
            dim=count,
            inputs=[
                moved,
                s["along"],
                s["width"],
                camera,
                self._floats(inverse.reshape(-1)),
                scale,
                parts,
                nearest,
            ],
            device=device,
        )
        visible = wp.zeros(count, dtype=int, device=device)
        wp.launch(show, dim=nearest.shape, inputs=[nearest], outputs=[visible], device=device)
        lit = wp.zeros(count, dtype=wp.vec3, device=device)
        centre = turn @ (grow.CENTRE - NECK_PIVOT) + NECK_PIVOT
        eye = wp.vec3(0.0, 0.0, float(scene.camera[3]))
        wp.launch(
            light_strands,
            dim=count,
            inputs=[
                moved,
                s["along"],
                s["strand"],
                s["colours"],
                s["kinds"],
                moved,
                visible,
                self.haze,
                wp.vec3(*centre.tolist()),
                eye,
                light,
                1.0,
            ],
            outputs=[lit],
            device=device,
        )
        cover = wp.zeros((size, size), dtype=wp.vec2, device=device)
        wp.launch(
            lay,
            dim=(size, size),
            inputs=[
                nearest,
                parts,
                seen,
                camera,
                scale,
                s["width"],
                s["strand"],
                s["kinds"],
                lit,
                scene.exposure,
                image,
            ],
            outputs=[cover],
            device=device,
        )
        return cover
