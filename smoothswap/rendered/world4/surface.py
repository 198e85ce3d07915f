"""What each pixel's ray meets, in warp: material, places and normal, through spectacle lenses to what is behind."""

from __future__ import annotations

import warp as wp

from smoothswap.rendered.world4.clothes import neckline

# The head's own materials are 0 to 5 (smoothswap.rendered.head); these are added to them.
TEETH, LENS, FRAME, HAT, FOAM, HAND = 6, 7, 8, 9, 10, 11
MATERIALS = 12

LENS_KIND = wp.constant(7)
CLOTH_KIND = wp.constant(5)


@wp.struct
class Hit:
    """kind: material, -1 where the ray leaves the scene; places on the mean head and in the world; unit normal; how
    open the place lies to the sky (0..1); how thin the flesh is, and how much
    it belongs to an ear (0..1); share of light that lenses before it let
    through, and the normal of the first such lens (0 without one)."""

    kind: int
    rest: wp.vec3
    position: wp.vec3
    normal: wp.vec3
    open: float
    thin: float
    bare: float
    through: float
    lens: wp.vec3


@wp.struct
class Geometry:
    """One moment's triangles. Per vertex: normals, rest, open, thin, bare; per triangle: material."""

    mesh: wp.uint64
    normals: wp.array(dtype=wp.vec3)
    rest: wp.array(dtype=wp.vec3)
    open: wp.array(dtype=float)
    thin: wp.array(dtype=float)
    bare: wp.array(dtype=float)
    material: wp.array(dtype=int)
    triangles: wp.array(dtype=int)
    lens_tint: float
    lenses: int  # whether there are any
    collar: float  # which one: skin shows above it


@wp.func
def ray_through(camera: wp.array(dtype=float), affine: wp.array(dtype=float), x: float, y: float) -> wp.vec3:
    """The direction in which the camera sees an output pixel."""
    fx = affine[0] * x + affine[1] * y + affine[2]
    fy = affine[3] * x + affine[4] * y + affine[5]
    return wp.normalize(wp.vec3((fx - camera[1]) / camera[0], -(fy - camera[2]) / camera[0], -1.0))


@wp.func
def first_hit(g: Geometry, camera: wp.array(dtype=float), direction: wp.vec3) -> Hit:
    """The nearest thing that is not a lens."""
    found = Hit()
    found.kind = -1
    found.through = 1.0
    origin = wp.vec3(0.0, 0.0, camera[3])
    searching = bool(True)
    turns = int(0)
    while searching and turns < 5:
        turns += 1
        hit = wp.mesh_query_ray(g.mesh, origin, direction, 10.0)
        if not hit.result:
            searching = False
        else:
            i0 = g.triangles[hit.face * 3]
            i1 = g.triangles[hit.face * 3 + 1]
            i2 = g.triangles[hit.face * 3 + 2]
            w2 = 1.0 - hit.u - hit.v
            n = wp.normalize(g.normals[i0] * hit.u + g.normals[i1] * hit.v + g.normals[i2] * w2)
            if wp.dot(n, direction) > 0.0:
                n = -n
            kind = g.material[hit.face]
            if kind == LENS_KIND:
                if found.through == 1.0:
                    found.lens = n
                found.through = found.through * (1.0 - g.lens_tint)
                origin = origin + direction * (hit.t + 1.0e-4)
            else:
                found.kind = kind
                found.rest = g.rest[i0] * hit.u + g.rest[i1] * hit.v + g.rest[i2] * w2
                found.position = origin + direction * hit.t
                found.normal = n
                found.open = g.open[i0] * hit.u + g.open[i1] * hit.v + g.open[i2] * w2
                if kind == CLOTH_KIND and found.rest[1] > neckline(found.rest, g.collar):
                    found.kind = 0
                found.thin = g.thin[i0] * hit.u + g.thin[i1] * hit.v + g.thin[i2] * w2
                found.bare = g.bare[i0] * hit.u + g.bare[i1] * hit.v + g.bare[i2] * w2
                searching = False
    return found


@wp.kernel
def trace(
    g: Geometry,
    camera: wp.array(dtype=float),
    affine: wp.array(dtype=float),
    seen: wp.array(dtype=Hit, ndim=2),
):
    row, column = wp.tid()
    seen[row, column] = first_hit(g, camera, ray_through(camera, affine, float(column), float(row)))


@wp.func
def blocked(g: Geometry, origin: wp.vec3, direction: wp.vec3) -> bool:
    """Whether something other than a lens stands within a metre."""
    if not wp.mesh_query_ray_anyhit(g.mesh, origin, direction, 1.0):
        return False
    if g.lenses == 0:
        return True
    at = origin
    for _turn in range(4):
        hit = wp.mesh_query_ray(g.mesh, at, direction, 1.0)
        if not hit.result:
            return False
        if g.material[hit.face] != LENS_KIND or g.lens_tint > 0.5:
            return True
        at = at + direction * (hit.t + 1.0e-4)
    return False
