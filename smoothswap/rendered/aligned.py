"""The square that a detector would cut around a rendered face, so that the crop is rendered at its own size."""

from __future__ import annotations

import numpy as np

from smoothswap.faces.align import ffhq_affine


def as_detected(landmarks: np.ndarray, size: int, noise: float, rng: np.random.Generator) -> np.ndarray:
    """The way from an FFHQ crop to the frame, by landmarks that err as a detector's do.

    Args:
        landmarks: True ones, [68, 2] in frame pixels.
        size: Side of the crop, pixels.
        noise: Standard deviation of each coordinate in interocular distances.
        rng: Drawn from.

    Returns:
        An affine, float32 [2, 3], crop pixel -> frame pixel.

    Raises:
        AlignmentError: For landmarks that are no face.
    """
    interocular = np.linalg.norm(landmarks[36:42].mean(0) - landmarks[42:48].mean(0))
    landmarks = landmarks + rng.normal(0, noise * interocular, landmarks.shape)
    affine = np.vstack([ffhq_affine(landmarks.astype(np.float32), size), [0, 0, 1]])
    return np.linalg.inv(affine)[:2].astype(np.float32)
