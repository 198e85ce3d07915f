"""Pasting a swapped crop back into the frame that its place was taken from."""

from __future__ import annotations

import cv2
import numpy as np

MASKS = ("square", "circle")


def paste_back(
    frame: np.ndarray,
    face: np.ndarray,
    affine: np.ndarray,
    mask: str | np.ndarray = "square",
    feather: float = 0.15,
) -> np.ndarray:
    """The frame with `face` in it; pixels outside the mask keep their exact value.

    The crop is warped back bicubically; where it is finer than the frame it is first reduced by area.

    Args:
        frame: uint8 [h, w, 3]; not changed.
        face: uint8 [s, s, 3], a crop, colours in the frame's order.
        affine: float [2, 3], frame -> crop, as from ffhq_affine.
        mask: How much of the face is taken where. "square" is 1 in the crop and falls smoothly (3 t^2 - 2
            t^3) to 0 at its border; "circle" is the same for the circle inscribed in the crop; an array float
            [s, s] in 0 .. 1 is used as it is.
        feather: Over which part of the crop's side "square" and "circle" fall, 0 .. 0.5; 0 is a hard edge. An
            array of one's own is not feathered.

    Returns:
        uint8 [h, w, 3]; a copy of the frame where the crop lies outside it.

    Raises:
        ValueError: For wrong types or shapes, an unknown mask, a feather out of range, or an affine that
            cannot be inverted.
    """
    _check(frame, face, affine, mask, feather)
    affine = np.asarray(affine, np.float64)
    left, top, right, bottom = _footprint(affine, face.shape[0], frame.shape)
    if left >= right or top >= bottom:
        return frame.copy()
    # Where in the crop every pixel of the touched window lies.
    y, x = np.mgrid[top:bottom, left:right].astype(np.float64)
    u = affine[0, 0] * x + affine[0, 1] * y + affine[0, 2]
    v = affine[1, 0] * x + affine[1, 1] * y + affine[1, 2]
    weight = _weight(mask, u, v, face.shape[0], feather)[..., None]
    window = frame[top:bottom, left:right].astype(np.float32)
    colour = _sample(face, u, v, float(np.sqrt(abs(np.linalg.det(affine[:, :2])))))
    out = frame.copy()
    blended = np.rint(window + (colour - window) * weight)
    out[top:bottom, left:right] = np.clip(blended, 0, 255).astype(np.uint8)
    return out


def _check(
    frame: np.ndarray, face: np.ndarray, affine: np.ndarray, mask: str | np.ndarray, feather: float
) -> None:
    for name, image in (("frame", frame), ("face", face)):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(f"{name} must be uint8 [h, w, 3], got {image.dtype} {list(image.shape)}")
    if face.shape[0] != face.shape[1]:
        raise ValueError(f"the face must be a square crop, got {face.shape[1]} x {face.shape[0]}")
    matrix = np.asarray(affine)
    if matrix.shape != (2, 3) or not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:, :2])) < 1e-12:
        raise ValueError("the affine must be an invertible, finite [2, 3] matrix from frame to crop")
    if isinstance(mask, str) and mask not in MASKS:
        raise ValueError(f"unknown mask {mask!r}; there are {', '.join(MASKS)}, or an array")
    if not isinstance(mask, str) and mask.shape != face.shape[:2]:
        raise ValueError(f"the mask {list(mask.shape)} must have the size of the face {list(face.shape[:2])}")
    if not 0 <= feather <= 0.5:
        raise ValueError(f"feather is a part of the crop's side, 0 to 0.5, got {feather}")


def _footprint(affine: np.ndarray, size: int, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The window of the frame (left, top, right, bottom; ends excluded) that the crop covers."""
    corners = np.array([[-0.5, -0.5], [size - 0.5, -0.5], [size - 0.5, size - 0.5], [-0.5, size - 0.5]])
    in_frame = (corners - affine[:, 2]) @ np.linalg.inv(affine[:, :2]).T
    low, high = np.floor(in_frame.min(0)), np.ceil(in_frame.max(0)) + 1
    left, top = np.clip(low, 0, [shape[1], shape[0]]).astype(int)
    right, bottom = np.clip(high, 0, [shape[1], shape[0]]).astype(int)
    return int(left), int(top), int(right), int(bottom)


def _weight(mask: str | np.ndarray, u: np.ndarray, v: np.ndarray, size: int, feather: float) -> np.ndarray:
    """The part of the face in every pixel of the window, float32 in 0 .. 1, 0 outside the crop."""
    # Distance to the edge, in parts of the side: 0 at the border, 0.5 in the middle.
    across, down = (u + 0.5) / size - 0.5, (v + 0.5) / size - 0.5
    inside = 0.5 - np.maximum(abs(across), abs(down))
    if isinstance(mask, str):
        edge = inside if mask == "square" else 0.5 - np.hypot(across, down)
        t = np.clip(edge / feather, 0, 1) if feather > 0 else (edge >= 0).astype(np.float64)
        return (t * t * (3 - 2 * t)).astype(np.float32)
    values = cv2.remap(
        mask.astype(np.float32),
        u.astype(np.float32),
        v.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.clip(np.where(inside >= 0, values, 0), 0, 1).astype(np.float32)


def square_mask(size: int, feather: float = 0.15) -> np.ndarray:
    """The mask "square" of paste_back as an array, to be altered and given back to it.

    Args:
        size: Side of the crop, pixels.
        feather: Over which part of the side it falls, 0 .. 0.5; 0 is a hard edge.

    Returns:
        float32 [size, size]: 1 inside, towards 0 at the border.
    """
    v, u = np.mgrid[:size, :size].astype(np.float64)
    return _weight("square", u, v, size, feather)


def _sample(face: np.ndarray, u: np.ndarray, v: np.ndarray, density: float) -> np.ndarray:
    """Colours of the face at crop positions, float32; `density` is crop pixels per frame pixel."""
    image: np.ndarray = face.astype(np.float32)
    size = face.shape[0]
    if density > 1:
        reduced = max(round(size / density), 1)
        image = cv2.resize(image, (reduced, reduced), interpolation=cv2.INTER_AREA)
        u, v = (u + 0.5) * (reduced / size) - 0.5, (v + 0.5) * (reduced / size) - 0.5
    return cv2.remap(
        image, u.astype(np.float32), v.astype(np.float32), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
