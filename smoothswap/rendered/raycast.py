"""Ray casting with warp: one ray through the middle of every pixel, a few more where the picture has an edge.

Two passes. `trace` finds what each pixel's middle shows. `paint` shades it; where a neighbour shows another material,
another fold of the surface or a sharp bend, the pixel is traced again with `samples` x `samples` rays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import warp as wp

from smoothswap.rendered.shading import shade, vec

EDGE_BEND = wp.constant(0.7)  # cosine between neighbours' normals below which a pixel is an edge
EDGE_STEP = wp.constant(1.0)  # pixels that a neighbour may lie off the tangent plane


@wp.struct
class Hit:
    """kind: material, -1 where the ray leaves the scene; rest position, position and unit normal there."""

    kind: int
    rest: wp.vec3
    position: wp.vec3
    normal: wp.vec3


@wp.func
def frame_point(affine: wp.array(dtype=float), x: float, y: float) -> wp.vec2:
    return wp.vec2(
        affine[0] * x + affine[1] * y + affine[2],
        affine[3] * x + affine[4] * y + affine[5],
    )


@wp.func
def first_hit(
    mesh: wp.uint64,
    normals: wp.array(dtype=wp.vec3),
    rest: wp.array(dtype=wp.vec3),
    material: wp.array(dtype=int),
    triangles: wp.array(dtype=int),
    camera: wp.array(dtype=float),
    at: wp.vec2,
) -> Hit:
    """What the camera sees at a frame position."""
    found = Hit()
    found.kind = -1
    origin = wp.vec3(0.0, 0.0, camera[3])
    direction = wp.normalize(wp.vec3((at[0] - camera[1]) / camera[0], -(at[1] - camera[2]) / camera[0], -1.0))
    hit = wp.mesh_query_ray(mesh, origin, direction, 10.0)
    if hit.result:
        i0 = triangles[hit.face * 3]
        i1 = triangles[hit.face * 3 + 1]
        i2 = triangles[hit.face * 3 + 2]
        w2 = 1.0 - hit.u - hit.v
        n = wp.normalize(normals[i0] * hit.u + normals[i1] * hit.v + normals[i2] * w2)
        if wp.dot(n, direction) > 0.0:
            n = -n
        found.kind = material[hit.face]
        found.rest = rest[i0] * hit.u + rest[i1] * hit.v + rest[i2] * w2
        found.position = origin + direction * hit.t
        found.normal = n
    return found


@wp.kernel
def trace(
    mesh: wp.uint64,
    normals: wp.array(dtype=wp.vec3),
    rest: wp.array(dtype=wp.vec3),
    material: wp.array(dtype=int),
    triangles: wp.array(dtype=int),
    camera: wp.array(dtype=float),  # focal length in pixels, centre x, y, distance of the camera
    affine: wp.array(dtype=float),  # output pixel -> frame pixel, row major 2 x 3
    seen: wp.array(dtype=Hit, ndim=2),
):
    row, column = wp.tid()
    at = frame_point(affine, float(column), float(row))
    seen[row, column] = first_hit(mesh, normals, rest, material, triangles, camera, at)


@wp.func
def is_edge(seen: wp.array(dtype=Hit, ndim=2), row: int, column: int, step: float) -> bool:
    """Whether one of the eight neighbours shows something else; `step`: metres off the tangent plane allowed."""
    own = seen[row, column]
    for i in range(wp.max(row - 1, 0), wp.min(row + 2, seen.shape[0])):
        for j in range(wp.max(column - 1, 0), wp.min(column + 2, seen.shape[1])):
            other = seen[i, j]
            if other.kind != own.kind:
                return True
            if own.kind >= 0:
                if wp.dot(other.normal, own.normal) < EDGE_BEND:
                    return True
                if wp.abs(wp.dot(own.normal, other.position - own.position)) > step:
                    return True
    return False


@wp.func
def lit_colour(
    mesh: wp.uint64,
    at: Hit,
    look: wp.array(dtype=float),
    style: wp.array(dtype=float),
    light: wp.array(dtype=float),
    eyes: wp.array(dtype=wp.vec3),
    camera: wp.array(dtype=float),
    shadows: int,
) -> wp.vec3:
    """The colour of a surface point, with the key light's shadow."""
    key = vec(light, 0)
    lit = 1.0
    if shadows > 0 and wp.dot(at.normal, key) > 0.0:
        if wp.mesh_query_ray_anyhit(mesh, at.position + at.normal * 0.0015 + key * 0.002, key, 1.0):
            lit = 0.25
    view = wp.normalize(at.position - wp.vec3(0.0, 0.0, camera[3]))
    return shade(at.rest, at.position, at.normal, view, at.kind, lit, look, style, light, eyes)


@wp.kernel
def paint(
    mesh: wp.uint64,
    normals: wp.array(dtype=wp.vec3),
    rest: wp.array(dtype=wp.vec3),
    material: wp.array(dtype=int),
    triangles: wp.array(dtype=int),
    camera: wp.array(dtype=float),
    affine: wp.array(dtype=float),
    seen: wp.array(dtype=Hit, ndim=2),
    look: wp.array(dtype=float),
    style: wp.array(dtype=float),
    light: wp.array(dtype=float),
    eyes: wp.array(dtype=wp.vec3),  # left centre, right centre, left gaze, right gaze
    background: wp.array(dtype=wp.vec3, ndim=2),
    samples: int,
    shadows: int,
    image: wp.array(dtype=wp.vec3, ndim=2),
):
    """Runs of rays on one material are shaded once, at their mean point: an outline costs as many shadings as it
    shows materials."""
    row, column = wp.tid()
    own = seen[row, column]
    pixel = EDGE_STEP * camera[3] / camera[0] * wp.sqrt(wp.abs(affine[0] * affine[4] - affine[1] * affine[3]))
    edge = samples > 1 and is_edge(seen, row, column, pixel)
    if own.kind >= 0 and not edge:
        image[row, column] = lit_colour(mesh, own, look, style, light, eyes, camera, shadows)
        return
    total = wp.vec3(0.0, 0.0, 0.0)
    mean = Hit()
    mean.kind = -1
    run = float(0.0)  # rays in the current run
    for ray in range(samples * samples + 1):
        now = Hit()
        now.kind = -2  # the extra turn closes the last run
        if ray < samples * samples:
            i = ray / samples
            j = ray - i * samples
            if i - (i / 2) * 2 == 1:  # back and forth: neighbours in the run are neighbours in the pixel
                j = samples - 1 - j
            x = float(column) + (float(j) + 0.5) / float(samples) - 0.5
            y = float(row) + (float(i) + 0.5) / float(samples) - 0.5
            at = frame_point(affine, x, y)
            now.kind = -1
            if edge:
                now = first_hit(mesh, normals, rest, material, triangles, camera, at)
            if now.kind == -1:
                by = wp.clamp(int(at[1] + 0.5), 0, background.shape[0] - 1)
                bx = wp.clamp(int(at[0] + 0.5), 0, background.shape[1] - 1)
                total = total + background[by, bx]
        if now.kind != mean.kind and run > 0.0:
            mean.rest = mean.rest / run
            mean.position = mean.position / run
            mean.normal = wp.normalize(mean.normal)
            total = total + run * lit_colour(mesh, mean, look, style, light, eyes, camera, shadows)
            run = 0.0
        if now.kind >= 0:
            if run == 0.0:
                mean = now
            else:
                mean.rest = mean.rest + now.rest
                mean.position = mean.position + now.position
                mean.normal = mean.normal + now.normal
            run = run + 1.0
        mean.kind = now.kind
    image[row, column] = total / float(samples * samples)


@dataclass
class Mesh:
    """Vertices [v, 3], unit normals [v, 3], rest positions [v, 3] (mean head), triangles [t, 3], material [t]."""

    vertices: np.ndarray
    normals: np.ndarray
    rest: np.ndarray
    triangles: np.ndarray
    material: np.ndarray


class Caster:
    """Keeps the warp arrays of one topology, so that a clip's frames only refit the tree."""

    def __init__(self, mesh: Mesh, device: str = "cpu") -> None:
        self.device = device
        self.points = wp.array(mesh.vertices, dtype=wp.vec3, device=device)
        self.indices = wp.array(mesh.triangles.reshape(-1).astype(np.int32), dtype=int, device=device)
        self.mesh = wp.Mesh(self.points, self.indices)
        self.rest = wp.array(mesh.rest, dtype=wp.vec3, device=device)
        self.material = wp.array(mesh.material.astype(np.int32), dtype=int, device=device)

    def floats(self, values: np.ndarray) -> wp.array:
        return wp.array(np.ascontiguousarray(values, np.float32), dtype=float, device=self.device)

    def vectors(self, values: np.ndarray) -> wp.array:
        return wp.array(np.ascontiguousarray(values, np.float32), dtype=wp.vec3, device=self.device)

    def cast(
        self,
        mesh: Mesh,
        look: np.ndarray,
        style: np.ndarray,
        light: np.ndarray,
        eyes: np.ndarray,
        camera: np.ndarray,
        affine: np.ndarray,
        background: np.ndarray,
        size: tuple[int, int],
        samples: int = 2,
        shadows: bool = True,
    ) -> np.ndarray:
        """Render one picture.

        Args:
            mesh: Vertices and normals of the moment; its topology, rest positions and materials must be the
                constructor's.
            look: In the order of shading.LOOK.
            style: In the order of shading.STYLE.
            light: In the order of shading.LIGHT.
            eyes: [4, 3]: centres of the left and the right eyeball (m), then their unit directions of gaze.
            camera: Focal length (pixels), centre x, y (pixels), distance (m), of the frame.
            affine: [2, 3], output pixel -> frame pixel.
            background: The frame's, float [h, w, 3] in 0..1, display colours; its edge goes on beyond it.
            size: (h, w) of the output.
            samples: Rays along each side of a pixel that shows an edge; 1: one ray everywhere.
            shadows: Whether the key light casts shadows.

        Returns:
            uint8 [h, w, 3], RGB.
        """
        self.points.assign(mesh.vertices)
        self.mesh.refit()
        seen = wp.empty(size, dtype=Hit, device=self.device)
        image = wp.empty(size, dtype=wp.vec3, device=self.device)
        geometry = [
            self.mesh.id,
            self.vectors(mesh.normals),
            self.rest,
            self.material,
            self.indices,
            self.floats(camera),
            self.floats(affine.reshape(-1)),
            seen,
        ]
        wp.launch(trace, dim=size, inputs=geometry, device=self.device)
        appearance = [self.floats(look), self.floats(style), self.floats(light), self.vectors(eyes)]
        scene = [self.vectors(background), samples, int(shadows), image]
        wp.launch(paint, dim=size, inputs=[*geometry, *appearance, *scene], device=self.device)
        return np.clip(image.numpy() * 255.0 + 0.5, 0, 255).astype(np.uint8)
