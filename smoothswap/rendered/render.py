"""A person in a scene at a moment, as a picture: the one place where geometry, look and light meet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smoothswap.rendered.hair import dress
from smoothswap.rendered.head import NECK_PIVOT, bend, load_head, normal_operator, vertex_normals
from smoothswap.rendered.motion import State
from smoothswap.rendered.people import Identity, Styling
from smoothswap.rendered.raycast import Caster, Mesh
from smoothswap.rendered.scene import Scene


@dataclass(frozen=True)
class Shot:
    """A picture uint8 [h, w, 3] and what is true of it: projected head vertices [v, 2] in frame pixels."""

    image: np.ndarray
    vertices: np.ndarray
    projected: np.ndarray


class Actor:
    """One identity in one styling, ready to be rendered many times."""

    def __init__(self, identity: Identity, styling: Styling, device: str = "cpu") -> None:
        self.head = load_head()
        self.identity, self.styling = identity, styling
        self.neutral = self.head.identity_vertices(identity.shape)
        plain = normal_operator(self.head.triangles, len(self.neutral))
        normals = vertex_normals(self.neutral, self.head.triangles, plain)
        self.extra = dress(self.head, self.neutral, normals, styling)
        count = len(self.neutral)
        self.triangles = np.concatenate([self.head.triangles, self.extra.triangles + count])
        self.operator = normal_operator(self.triangles, count + len(self.extra.vertices))
        self.weight = np.concatenate([self.head.neck_weight, self.extra.weight])
        self.rest = np.concatenate([self.head.mean, self.extra.rest])
        self.material = np.concatenate([self.head.material, self.extra.material])
        self.caster = Caster(self._mesh(self.neutral), device)

    def _mesh(self, head_vertices: np.ndarray, pose: np.ndarray | None = None) -> Mesh:
        vertices = np.concatenate([head_vertices, self.extra.vertices])
        if pose is not None:
            vertices = bend(vertices, pose, self.weight)
        normals = vertex_normals(vertices, self.triangles, self.operator)
        return Mesh(vertices, normals, self.rest, self.triangles, self.material)

    def pose_vertices(self, state: State) -> np.ndarray:
        """Head vertices [v, 3] (m) in a state, without rendering."""
        deformed = self.neutral + self.head.expression_offsets(state.expression)
        return bend(deformed, state.pose, self.head.neck_weight)

    def shot(
        self,
        state: State,
        scene: Scene,
        size: int | None = None,
        affine: np.ndarray | None = None,
        samples: int = 2,
        shadows: bool = True,
    ) -> Shot:
        """Render one moment.

        Args:
            state: Pose, expression and gaze.
            scene: Light, camera and background.
            size: Side of the output, pixels; None: the frame's own.
            affine: [2, 3], output pixel -> frame pixel; None: the same pixels, so with `size` the frame's
                upper left part.
            samples: Rays along each side of a pixel that shows an edge; 1: no antialiasing.
            shadows: Whether the key light casts shadows.

        Returns:
            The picture, uint8 [size, size, 3] RGB, and the posed vertices; `projected` is in frame pixels
            whatever `affine`.
        """
        size = size or scene.size
        affine = np.eye(2, 3, dtype=np.float32) if affine is None else affine
        deformed = self.neutral + self.head.expression_offsets(state.expression)
        mesh = self._mesh(deformed, state.pose)
        vertices = mesh.vertices[: len(self.neutral)]
        yaw, pitch = state.gaze
        ahead = np.array(
            [np.sin(yaw) * np.cos(pitch), -np.sin(pitch), np.cos(yaw) * np.cos(pitch)], np.float32
        )
        inward = np.array([0, 0, self.head.eye_depth], np.float32)
        centres = [deformed[ids].mean(0) + inward for ids in self.head.eye_vertices]
        points = np.stack([*centres, NECK_PIVOT + ahead, NECK_PIVOT + ahead])
        eyes = bend(points, state.pose, np.ones(4, np.float32)) - np.array([[0], [0], [1], [1]]) * NECK_PIVOT
        image = self.caster.cast(
            mesh,
            self.identity.look,
            self.styling.values,
            scene.light,
            eyes,
            scene.camera,
            affine,
            scene.background,
            (size, size),
            samples,
            shadows,
        )
        return Shot(image, vertices, project(vertices, scene.camera))


def project(points: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """Where a camera shows points.

    Args:
        points: [n, 3], m, in front of the camera, which stands on the z axis and looks towards -z.
        camera: Focal length (pixels), centre x, y (pixels), distance from the origin (m).

    Returns:
        Frame pixels (x right, y down), float32 [n, 2].
    """
    focal, cx, cy, distance = (float(v) for v in camera)
    depth = distance - points[:, 2]
    return np.stack([cx + focal * points[:, 0] / depth, cy - focal * points[:, 1] / depth], -1).astype(
        np.float32
    )
