"""Pictures of one person of world 4 to train on: another scene, moment and dress from view to view."""

from __future__ import annotations

import numpy as np

from smoothswap.rendered.aligned import as_detected
from smoothswap.rendered.head import load_head
from smoothswap.rendered.landmarks import landmark_vertices
from smoothswap.rendered.render import project
from smoothswap.rendered.world4.motion import Talk
from smoothswap.rendered.world4.people import sample_identity, skin_albedo
from smoothswap.rendered.world4.portrait import Portrait
from smoothswap.rendered.world4.scene import sample_scene
from smoothswap.rendered.world4.styling import sample_styling

VIEWS_PER_STYLING = 3
FRAME = 192  # pixels of the frame that the crop is taken from, before it is rendered at the crop's own size


def person_views(person: int, views: int, size: int, seed: int, landmark_noise: float = 0.02) -> np.ndarray:
    """Pictures of one person, each FFHQ-aligned by its own true landmarks with some noise.

    Args:
        person: Number of the person, 0 or above.
        views: How many pictures.
        size: Side of a picture, pixels.
        seed: Of the stream of people; another one gives others.
        landmark_noise: Standard deviation of each coordinate in interocular distances, as a detector errs.

    Returns:
        uint8 [views, size, size, 3], RGB.
    """
    rng = np.random.default_rng([seed, person])
    head, identity = load_head(), sample_identity(rng)
    styling = sample_styling(rng)
    pictures = np.empty((views, size, size, 3), np.uint8)
    for view in range(views):
        if view and view % VIEWS_PER_STYLING == 0:
            styling = sample_styling(rng)
        scene = sample_scene(rng, FRAME, skin_albedo(identity))
        portrait = Portrait(identity, styling, scene)
        state = Talk(rng, head).at(float(rng.uniform(0, 8)))
        landmarks = project(portrait.pose_vertices(state)[landmark_vertices()], scene.camera)
        inverse = as_detected(landmarks, size, landmark_noise, rng)
        pictures[view] = portrait.shot(state, size=size, affine=inverse, frame=view).image
    return pictures
