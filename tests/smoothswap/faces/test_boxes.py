"""Crops by an upright box: each step of the authors' own, computed apart."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image
from torchvision import transforms

from bench.reading.crops import cut
from metrics.instruments.base import Crop
from smoothswap.faces.align import AlignmentError
from smoothswap.faces.boxes import (
    face_box,
    facenet_crop,
    hopenet_crop,
    landmark_box,
    tddfa_box,
    tddfa_box_of_detection,
    tddfa_crop,
    vggface2_crop,
)

FRAME = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8), (0, 0), 2)


def face(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """68 points whose tight box this is."""
    points = np.random.default_rng(1).uniform([x0, y0], [x1, y1], (68, 2))
    points[:2] = [x0, y0], [x1, y1]
    return points.astype(np.float32)


INSIDE, EDGE = face(120, 90, 200, 180), face(-10, 150, 60, 236)


def test_the_boxes_are_those_of_the_formulas() -> None:
    assert landmark_box(INSIDE) == (120, 90, 200, 180)
    assert np.allclose(face_box(INSIDE), (121.6, 57.6, 198.4, 180))
    half = 90 * np.sqrt(2) / 2
    assert np.allclose(tddfa_box(INSIDE), (160 - half, 135 - half, 160 + half, 135 + half))
    # Side int(1.58 * 85) = 134, down by 0.14 * 85 = 11.9.
    assert np.allclose(tddfa_box_of_detection((120, 90, 200, 180)), (93, 79.9, 227, 213.9))


@pytest.mark.parametrize("points", [INSIDE, EDGE], ids=["inside", "at the edge"])
def test_3ddfa_pads_with_black_and_resizes(points: np.ndarray) -> None:
    x0, y0, x1, y1 = (round(v) for v in tddfa_box(points))
    wide = np.pad(FRAME, ((400, 400), (400, 400), (0, 0)))[y0 + 400 : y1 + 400, x0 + 400 : x1 + 400]
    assert np.array_equal(tddfa_crop(FRAME, tddfa_box(points)), cv2.resize(wide, (120, 120)))


@pytest.mark.parametrize("resize", [224, 256])
@pytest.mark.parametrize("points", [INSIDE, EDGE], ids=["inside", "at the edge"])
def test_hopenet_is_torchvisions_resize_and_centre_crop_of_its_loose_box(
    points: np.ndarray, resize: int
) -> None:
    x0, y0, x1, y1 = (float(v) for v in (*points.min(0), *points.max(0)))
    x0 -= 0.4 * (x1 - x0)
    y0 -= 0.4 * (y1 - y0)
    x1 += 0.4 * (x1 - x0)
    y1 += 0.12 * (y1 - y0)
    image = Image.fromarray(FRAME).crop((int(x0), int(y0), int(x1), int(y1)))
    wanted = transforms.CenterCrop(224)(transforms.Resize(resize)(image))
    assert np.array_equal(hopenet_crop(FRAME, points, resize=resize), np.asarray(wanted))


@pytest.mark.parametrize("points", [INSIDE, EDGE], ids=["inside", "at the edge"])
def test_vggface2_is_the_grown_box_inside_the_picture(points: np.ndarray) -> None:
    x0, y0, x1, y1 = face_box(points)
    w, h = x1 - x0, y1 - y0
    box = max(x0 - 0.15 * w, 0), max(y0 - 0.15 * h, 0), min(x1 + 0.15 * w, 320), min(y1 + 0.15 * h, 240)
    image = Image.fromarray(FRAME).crop(tuple(int(v) for v in box))
    wanted = transforms.CenterCrop(224)(transforms.Resize(256)(image))
    assert np.array_equal(vggface2_crop(FRAME, points), np.asarray(wanted))


@pytest.mark.parametrize("points", [INSIDE, EDGE], ids=["inside", "at the edge"])
def test_facenet_stretches_its_box(points: np.ndarray) -> None:
    x0, y0, x1, y1 = face_box(points)
    part = FRAME[int(max(y0, 0)) : int(min(y1, 240)), int(max(x0, 0)) : int(min(x1, 320))]
    wanted = cv2.resize(part, (160, 160), interpolation=cv2.INTER_AREA)
    assert np.array_equal(facenet_crop(FRAME, points), wanted)


@pytest.mark.parametrize(
    ("template", "size"),
    [("tddfa", 120), ("vggface2", 224), ("facenet", 160), ("hopenet", 224), ("sixdrepnet", 224)],
)
def test_every_template_is_cut_and_refuses_what_is_no_face(template: str, size: int) -> None:
    crop = Crop(template, size)  # type: ignore[arg-type]
    assert cut(FRAME, INSIDE, crop).shape == (size, size, 3)
    for bad, message in (
        (INSIDE[:5], "68 landmarks"),
        (np.full((68, 2), np.nan), "finite"),
        (np.zeros((68, 2)), "empty"),
        (face(1000, 1000, 1100, 1100), "outside the frame"),
        (INSIDE * 1e4, "wide"),
    ):
        with pytest.raises(AlignmentError, match=message):
            cut(FRAME, bad, crop)
