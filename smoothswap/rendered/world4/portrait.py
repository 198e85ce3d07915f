"""A person in a scene, moment after moment: where head, hair, light and lens of world 4 meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import warp as wp
from scipy.spatial.transform import Rotation

from smoothswap.rendered.head import NECK_PIVOT, bend, load_head, normal_operator, vertex_normals
from smoothswap.rendered.motion import State
from smoothswap.rendered.people import Identity
from smoothswap.rendered.render import project
from smoothswap.rendered.world4.arrays import Device, matrix, vector
from smoothswap.rendered.world4.body import Body
from smoothswap.rendered.world4.eyes import Gaze
from smoothswap.rendered.world4.finish import Complexion
from smoothswap.rendered.world4.hairdress import Canvas, Hair
from smoothswap.rendered.world4.lens import confusion, develop
from smoothswap.rendered.world4.light import illuminate, scatter, scatter_weights
from smoothswap.rendered.world4.paint import outline, paint, relief
from smoothswap.rendered.world4.scene import Scene
from smoothswap.rendered.world4.styling import Styling
from smoothswap.rendered.world4.surface import HAND, MATERIALS, TEETH, Hit, trace

RELIEF = 1.15  # of the skin's height: what a frame's pixels average away is given back
# Standard deviations of the light's wandering in flesh, m, of red, green and blue.
FLESH = np.array([0.0017, 0.0008, 0.0005])
PUPIL = 0.38  # of the iris's radius
BOUNCE = wp.vec3(0.12, 0.11, 0.10)  # light that the chest throws up under chin and nose
SMALL = 160  # pixels of a side up to which every second strand is enough


@dataclass(frozen=True)
class Shot:
    """A picture and what is true of it.

    image uint8 [h, w, 3]; vertices and projected, posed head vertices [v, 3] (m) and their places in frame pixels
    [v, 2]; depth [h, w] in metres from the camera, 0 where there is only background; face [h, w] bool, what a swap
    exchanges; hair [h, w], share of the pixel that hair of the head covers; eyes [4, 3]: the balls' centres
    and directions of gaze.
    """

    image: np.ndarray
    vertices: np.ndarray
    projected: np.ndarray
    depth: np.ndarray
    face: np.ndarray
    hair: np.ndarray
    eyes: np.ndarray


class Portrait:
    """One identity in one styling and scene, ready to be rendered many times."""

    def __init__(self, identity: Identity, styling: Styling, scene: Scene, device: str = "cpu") -> None:
        self.head, self.device = load_head(), Device(device)
        self.identity, self.styling, self.scene = identity, styling, scene
        self.neutral = self.head.identity_vertices(identity.shape)
        plain = normal_operator(self.head.triangles, len(self.neutral))
        normals = vertex_normals(self.neutral, self.head.triangles, plain)
        self.pixel = float(scene.camera[3] / scene.camera[0])  # m
        self.body = Body(self.neutral, normals, styling, scene.occluder, self.device)
        step = 2 if scene.size <= SMALL else 1
        self.hair = Hair(self.neutral, normals, identity, styling, step, self.device)
        self.skin = Complexion(identity, styling, self.pixel, self.device)
        self.body.measure_openness(self.hair.haze)
        self.behind = self.device.vectors(scene.background)

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
        deformed, posed = self.body.move(state)
        turn = matrix(Rotation.from_rotvec(state.pose).as_matrix())
        self.hair.haze.turn = self.skin.values.turn = turn
        self.skin.crease(state.expression)
        eyes = self.eyes(deformed, state)
        camera, light = device.floats(scene.camera), device.floats(scene.light)
        seen, depths, image = self._surface(
            eyes, (size, size), self.pixel / scale, [camera, device.floats(affine.reshape(-1))], light
        )
        canvas = Canvas(
            seen, depths, image, camera, light, affine, scale, scene.exposure, float(scene.camera[3])
        )
        cover = self.hair.lay(deformed, state.pose, canvas)
        hits = seen.numpy()
        kind = hits["kind"]
        depth = np.where(kind >= 0, canvas.distance - hits["position"][..., 2], 0).astype(np.float32)
        face = np.isin(kind, (0, 1, 2, 3, TEETH, HAND)) | (cover[..., 1] > 0.5)  # all skin is the face's own
        face &= cover[..., 0] < 0.5
        focus = canvas.distance - float(posed[:, 2].max()) + 0.03  # on the eyes
        blur = confusion(
            scene.lens, np.where(kind >= 0, np.maximum(depth, 0.2), focus), focus, float(scene.camera[0])
        )
        moved = (move[0] * scale, move[1] * scale)
        picture = develop(image.numpy(), scene.lens, frame, moved, (blur * scale).astype(np.float32))
        return Shot(picture, posed, project(posed, scene.camera), depth, face, cover[..., 0], eyes)

    def _surface(
        self, eyes: np.ndarray, shape: tuple[int, int], pixel: float, view: list[Any], light: Any
    ) -> tuple[Any, Any, Any]:
        """What the camera sees of the mesh: hits, depth, and linear light without the strands."""
        device, geometry, skin = self.device, self.body.geometry, self.skin.values
        gaze = Gaze()
        gaze.left, gaze.right, gaze.left_ahead, gaze.right_ahead = (vector(v) for v in eyes)
        gaze.pupil = PUPIL
        seen = wp.empty(shape, dtype=Hit, device=device.name)
        edge = wp.empty(shape, dtype=wp.uint8, device=device.name)
        fallen, other, shadows, image = (wp.zeros(shape, dtype=wp.vec3, device=device.name) for _ in range(4))
        device.launch(trace, shape, [geometry, *view], [seen])
        depths = wp.empty(shape, dtype=float, device=device.name)
        device.launch(outline, shape, [seen, view[0], pixel * 1.2], [edge, depths])
        device.launch(relief, shape, [skin, RELIEF], [seen])
        device.launch(illuminate, shape, [geometry, self.hair.haze, seen, light, BOUNCE], [shadows, fallen])
        widths = np.full((MATERIALS, 3), 1e-5)
        widths[[0, HAND]] = FLESH
        widths[TEETH] = 0.0004
        curves: Any = wp.array(scatter_weights(widths, pixel), dtype=wp.vec3, device=device.name)
        device.launch(scatter, shape, [seen, fallen, pixel, 0, curves], [other])
        device.launch(scatter, shape, [seen, other, pixel, 1, curves], [fallen])
        lit = [seen, edge, fallen, shadows, skin, gaze, light, self.scene.exposure, self.behind]
        device.launch(paint, shape, [geometry, *view, *lit], [image])
        return seen, depths, image
