"""A clip of world 4: one person moving before one camera, with the truth of every frame."""

from __future__ import annotations

from typing import Any

import numpy as np

from smoothswap.rendered import streams
from smoothswap.rendered.head import load_head
from smoothswap.rendered.landmarks import landmark_vertices
from smoothswap.rendered.render import project
from smoothswap.rendered.truth_row import truth_row
from smoothswap.rendered.world4.motion import Talk
from smoothswap.rendered.world4.people import sample_identity, skin_albedo
from smoothswap.rendered.world4.portrait import Portrait
from smoothswap.rendered.world4.scene import sample_scene
from smoothswap.rendered.world4.styling import sample_styling
from smoothswap.rendered.world4.truth import openings, visible

DEPTH_UNIT = 0.0002  # m, of the depth's whole numbers


def render_clip(
    face: int, scene_of: int, frames: int, size: int, seed: int, fps: float
) -> tuple[list[np.ndarray], list[dict[str, Any]], dict[str, np.ndarray]]:
    """Render a person's clip, or a true swap's. Depends on nothing but its arguments.

    Args:
        face: Number of the person whose face is seen.
        scene_of: Number of the person whose hair, clothes, motion, light, camera and background are seen.
        frames: How many.
        size: Side of a frame, pixels.
        seed: 0 or above.
        fps: Frames a second.

    Returns:
        Frames uint8 [size, size, 3]; one truth row a frame; and by name "face" (bool [frames, size, size], packed into
        bits along the last axis: what a swap exchanges) and "depth" (uint16 [frames, size, size] in DEPTH_UNIT, 0 for
        background).
    """
    head, ids = load_head(), landmark_vertices()
    identity = sample_identity(np.random.default_rng([seed, streams.CLIPS, face]))
    rng = np.random.default_rng([seed, streams.CLIP_SCENES, scene_of])
    target = sample_identity(np.random.default_rng([seed, streams.CLIPS, scene_of]))
    styling = sample_styling(rng)
    scene = sample_scene(rng, size, skin_albedo(target))  # the camera meters the target's own skin
    motion = Talk(rng, head)
    portrait = Portrait(identity, styling, scene)
    pictures, rows, faces, depths = [], [], [], []
    before = None
    for i in range(frames):
        state = motion.at(i / fps)
        middle = project(portrait.pose_vertices(state)[ids[[30]]], scene.camera)[0]
        move = (0.0, 0.0) if before is None else (float(middle[0] - before[0]), float(middle[1] - before[1]))
        before = middle
        shot = portrait.shot(state, frame=i, move=move)
        points = shot.vertices[ids]
        open_ = openings(points)
        pictures.append(shot.image)
        faces.append(np.packbits(shot.face, axis=-1))
        depths.append(np.clip(shot.depth / DEPTH_UNIT + 0.5, 0, 65535).astype(np.uint16))
        rows.append(
            truth_row(i, face, identity, state, scene, shot.projected[ids])
            | {
                "hair": styling.hair,
                "visible": visible(
                    points, shot.projected[ids], shot.depth, float(scene.camera[3]), shot.hair
                ),
                "gaze_world": shot.eyes[2:].reshape(-1),
                "eye_open_right": open_["right"],
                "eye_open_left": open_["left"],
                "mouth_open": open_["mouth"],
                "probe": scene.probe,
                "focal_mm": scene.lens.focal,
                "occluder": scene.occluder[0],
            }
        )
    return pictures, rows, {"face": np.stack(faces), "depth": np.stack(depths)}
