"""Pasting back: what was cut comes back, the rest of the frame is untouched."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from smoothswap.faces.align import ffhq_affine, ffhq_crop, transform_points
from smoothswap.faces.paste import MASKS, paste_back


def turned(landmarks: np.ndarray, angle: float, scale: float) -> np.ndarray:
    centre = landmarks.mean(0)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (landmarks - centre) @ turn.T + centre


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("size", [64, 128, 256, 512])
@pytest.mark.parametrize(("angle", "scale"), [(0.0, 0.6), (0.4, 0.6), (-1.2, 0.5), (0.2, 1.2)])
def test_what_was_cut_comes_back(
    smooth_frame: np.ndarray, landmarks: np.ndarray, mask: str, size: int, angle: float, scale: float
) -> None:
    """Also across the frame's edge (scale 1.2), where the crop is padded but only its real part returns."""
    points = turned(landmarks, angle, scale)
    crop, _ = ffhq_crop(smooth_frame, points, size)
    back = paste_back(smooth_frame, crop, ffhq_affine(points, size), mask)
    difference = abs(back.astype(int) - smooth_frame)
    inside = np.s_[20:-20, 20:-20]  # the padding's blur reaches a little way into the frame, by FFHQ's recipe
    assert difference[inside].mean() < (3.0 if size == 64 else 1.0)
    assert difference[inside].max() < (40 if size == 64 else 12)


def test_only_the_square_changes(smooth_frame: np.ndarray, landmarks: np.ndarray) -> None:
    affine = ffhq_affine(turned(landmarks, 0.3, 0.5), 64)
    face = np.full((64, 64, 3), (255, 0, 255), np.uint8)
    before = smooth_frame.copy()
    back = paste_back(smooth_frame, face, affine, feather=0)
    np.testing.assert_array_equal(smooth_frame, before)  # the input is not written to
    y, x = np.mgrid[: back.shape[0], : back.shape[1]]
    where = transform_points(affine, np.stack([x, y], -1))
    inside = ((where > -0.5) & (where < 63.5)).all(-1)
    assert (back[inside] == (255, 0, 255)).all()
    np.testing.assert_array_equal(back[~inside], smooth_frame[~inside])


def test_the_feather_is_the_stated_curve() -> None:
    """A white face over black, one to one: the weights can be read off the pixels."""
    frame = np.zeros((100, 100, 3), np.uint8)
    white = np.full((100, 100, 3), 255, np.uint8)
    identity = np.array([[1.0, 0, 0], [0, 1, 0]])
    row = paste_back(frame, white, identity, feather=0.2)[50, :, 0]
    t = np.clip((np.minimum(np.arange(100), 99 - np.arange(100)) + 0.5) / 20, 0, 1)
    np.testing.assert_allclose(row, 255 * (3 * t**2 - 2 * t**3), atol=0.51)
    circle = paste_back(frame, white, identity, "circle", feather=0.2)
    np.testing.assert_allclose(circle[50, :, 0], row, atol=2)
    assert circle[10, 10, 0] == 0  # the corner is outside the circle
    own = np.tile(np.linspace(0, 1, 100), (100, 1))
    np.testing.assert_allclose(paste_back(frame, white, identity, own)[3, :, 0], 255 * own[0], atol=0.51)


@pytest.mark.parametrize("size", [96, 192, 384, 768])
def test_reduction_does_not_alias(size: int) -> None:
    """A one-pixel chessboard in a crop much finer than the frame is grey there, never a moire."""
    board = np.indices((size, size)).sum(0) % 2 * 255
    face = np.repeat(board[..., None], 3, 2).astype(np.uint8)
    factor = size / 96
    affine = np.array([[factor, 0, factor / 2 - 0.5], [0, factor, factor / 2 - 0.5]])
    back = paste_back(np.zeros((96, 96, 3), np.uint8), face, affine, feather=0)
    if factor == 1:
        np.testing.assert_array_equal(back, face)
    else:
        assert abs(back.astype(int) - 128).max() <= 1


def test_a_crop_beside_the_frame_changes_nothing(smooth_frame: np.ndarray) -> None:
    face = np.zeros((32, 32, 3), np.uint8)
    away = np.array([[1.0, 0, 1000], [0, 1, 1000]])
    np.testing.assert_array_equal(paste_back(smooth_frame, face, away), smooth_frame)


def test_a_shift_of_the_frame_shifts_the_result(smooth_frame: np.ndarray, landmarks: np.ndarray) -> None:
    points = turned(landmarks, 0.2, 0.4)
    face = cv2.resize(np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8), (64, 64))
    here = paste_back(smooth_frame, face, ffhq_affine(points, 64))
    part = np.ascontiguousarray(smooth_frame[7:, 5:])
    there = paste_back(part, face, ffhq_affine(points - [5, 7], 64))
    assert abs(here[7:, 5:].astype(int) - there).max() <= 1


def test_bad_input(smooth_frame: np.ndarray) -> None:
    face, affine = np.zeros((32, 32, 3), np.uint8), np.eye(3)[:2]
    for arguments, message in [
        ((smooth_frame.astype(np.float32), face, affine), "frame must be uint8"),
        ((smooth_frame, face[..., 0], affine), "face must be uint8"),
        ((smooth_frame, face[:20], affine), "square crop"),
        ((smooth_frame, face, np.zeros((2, 3))), "invertible"),
        ((smooth_frame, face, affine * np.nan), "finite"),
        ((smooth_frame, face, affine, "sqare"), "unknown mask 'sqare'; there are square, circle"),
        ((smooth_frame, face, affine, np.ones((8, 8))), "must have the size of the face"),
        ((smooth_frame, face, affine, "square", 0.7), "feather is a part"),
    ]:
        with pytest.raises(ValueError, match=message):
            paste_back(*arguments)  # type: ignore[arg-type]
