"""What truth.parquet says of a rendered frame in every version of the world."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from smoothswap.rendered.motion import State
from smoothswap.rendered.people import Identity


class Seen(Protocol):
    """A scene's light and camera, as the versions of the world number them."""

    @property
    def light(self) -> np.ndarray:
        """The lamps."""

    @property
    def camera(self) -> np.ndarray:
        """Focal length, centre, distance."""


def truth_row(
    frame: int, face: int, identity: Identity, state: State, scene: Seen, landmarks: np.ndarray
) -> dict[str, Any]:
    """The columns that all worlds share, less those of the clip.

    Args:
        frame: Its number.
        face: Number of the person whose face is seen.
        identity: That person.
        state: Of the moment.
        scene: The light and the camera.
        landmarks: [68, 2] in frame pixels.

    Returns:
        Column -> value.
    """
    return {
        "frame": frame,
        "identity": f"{face:03d}",
        "shape": identity.shape,
        "look": identity.look,
        "expression": state.expression,
        "pose": state.pose,
        "gaze": state.gaze,
        "light": scene.light,
        "camera": scene.camera,
        "landmarks": landmarks.reshape(-1),
    }
