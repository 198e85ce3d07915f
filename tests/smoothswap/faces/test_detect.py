"""Detection on real photos, and the rule for several faces."""

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
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from smoothswap.faces import detect
from smoothswap.faces.detect import Detector, DetectorError, Face, choose, iou, model_path


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


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


def test_the_face_of_a_photo(detector: Detector, astronaut: np.ndarray) -> None:
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
    faces = Detector(upsample=1).detect(astronaut)
    predict = dlib.shape_predictor(str(model_path()))
    boxes = dlib.get_frontal_face_detector()(astronaut, 0)
    assert len(faces) == len(boxes) == 1
    expected = [(point.x, point.y) for point in predict(astronaut, boxes[0]).parts()]
    np.testing.assert_array_equal(faces[0].landmarks, np.array(expected, np.float32))
    assert faces[0].box == (boxes[0].left(), boxes[0].top(), boxes[0].right(), boxes[0].bottom())


@pytest.mark.parametrize("upsample", ["auto", 2, 3])
def test_landmarks_are_in_frame_pixels_whatever_the_enlargement(
    detector: Detector, astronaut: np.ndarray, upsample: str | float
) -> None:
    """A part of the photo at 128 x 128 with a face of about 70 pixels, against the whole photo."""
    part = astronaut[40:200, 150:310]
    small = cv2.resize(part, (128, 128), interpolation=cv2.INTER_AREA)
    (whole,), (face,) = detector.detect(astronaut), Detector(upsample=upsample).detect(small)
    expected = (whole.landmarks - [150, 40] + 0.5) * 0.8 - 0.5
    assert 55 < face.box[2] - face.box[0] < 95
    assert np.hypot(*(face.landmarks - expected).T).mean() < 2.0
    assert (face.landmarks % 1 != 0).any()  # finer than whole pixels


def test_small_frames_are_enlarged_as_stated(astronaut: np.ndarray) -> None:
    tiny = cv2.resize(astronaut[40:200, 150:310], (80, 80), interpolation=cv2.INTER_AREA)
    assert Detector(upsample=1).detect(tiny) == []
    assert len(Detector().detect(tiny)) == 1
    framed = np.zeros((300, 300, 3), np.uint8)  # between 200 and 400 pixels: enlarged since nothing was found
    framed[100:180, 100:180] = tiny
    assert Detector(upsample=1).detect(framed) == []
    assert len(Detector().detect(framed)) == 1
    larger = np.zeros((400, 300, 3), np.uint8)  # from 400 on frames are taken as they are
    larger[100:180, 100:180] = tiny
    assert Detector().detect(larger) == []


def test_several_faces_come_largest_first(detector: Detector, astronaut: np.ndarray) -> None:
    part = astronaut[40:220, 140:320]
    frame = np.full((420, 620, 3), 90, np.uint8)
    frame[20:200, 20:200] = part
    frame[20:380, 240:600] = cv2.resize(part, (360, 360))
    large, small = detector.detect(frame)
    assert large.area > 2 * small.area
    assert large.box[0] > 240 > small.box[2]


def test_nothing_to_find(detector: Detector) -> None:
    for size in ((1, 1), (5, 300), (128, 128), (512, 512)):
        assert detector.detect(np.full((*size, 3), 128, np.uint8)) == []
    for bad in (np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.float32), np.zeros((0, 8, 3), np.uint8)):
        with pytest.raises(ValueError, match="a frame must be uint8"):
            detector.detect(bad)


def test_faces_of_real_people(detector: Detector, photos: list[np.ndarray]) -> None:
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


def test_the_weights_are_named(detector: Detector) -> None:
    assert detector.weights_sha256 == hashlib.sha256(model_path().read_bytes()).hexdigest()
    assert detector.parameters == {"upsample": "auto", "threshold": 0.0}
    assert "face_recognition_models" not in sys.modules


def test_options_and_missing_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for bad in ("twice", 0, 0.5, 100):
        with pytest.raises(ValueError, match='upsample is "auto" or a number'):
            Detector(upsample=bad)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DetectorError, match="pip install face_recognition_models"):
        Detector()
    (tmp_path / "broken.dat").write_bytes(b"not a model")
    monkeypatch.setattr(detect, "model_path", lambda: tmp_path / "broken.dat")
    with pytest.raises(DetectorError, match=r"broken\.dat.*reinstall"):
        Detector().detect(np.zeros((128, 128, 3), np.uint8))


# --- which face counts ---


def face_at(x: float, side: float) -> Face:
    return Face((x, 0.0, x + side, side), np.zeros((68, 2), np.float32), 1.0)


def test_the_tracked_face_stays_the_same_person() -> None:
    """A passer-by is larger in two frames, but never the largest of the clip."""
    person = [face_at(100 + 5 * i, 80 + i) for i in range(6)]
    passer_by = {2: face_at(300, 83), 3: face_at(310, 84)}
    frames = [[passer_by[i], one] if i in passer_by else [one] for i, one in enumerate(person)]
    assert choose(frames) == person
    assert choose(frames, "largest") == [*person[:2], passer_by[2], passer_by[3], *person[4:]]


def test_tracking_walks_both_ways_and_over_gaps() -> None:
    a, b, c = face_at(100, 60), face_at(120, 90), face_at(140, 70)
    stranger = face_at(400, 50)
    frames = [[a, stranger], [], [b], [stranger], [stranger, c]]
    assert choose(frames) == [a, None, b, None, c]


def test_no_faces_and_unknown_rules() -> None:
    for rule in detect.RULES:
        assert choose([[], [], []], rule) == [None, None, None]
        assert choose([], rule) == []
    with pytest.raises(
        ValueError, match="unknown rule 'biggest' for several faces; there are largest_tracked"
    ):
        choose([[]], "biggest")


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 300), st.integers(10, 99)), max_size=4), max_size=8))
def test_choices_come_from_their_frames(boxes: list[list[tuple[int, int]]]) -> None:
    frames = [[face_at(x, side) for x, side in frame] for frame in boxes]
    tracked, largest = choose(frames), choose(frames, "largest")
    for faces, one, big in zip(frames, tracked, largest, strict=True):
        assert one is None or one in faces
        assert (big is None) == (not faces)
        assert big is None or big.area == max(face.area for face in faces)
    everyone = [face for faces in frames for face in faces]
    if everyone:
        assert max(face.area for face in everyone) in [one.area for one in tracked if one is not None]


@settings(deadline=None)
@given(st.lists(st.integers(0, 12), min_size=8, max_size=8))
def test_iou_counts_cells(edges: list[int]) -> None:
    """Boxes with whole edges: areas are counted cell by cell."""
    ax, bx = sorted(edges[0:2]), sorted(edges[2:4])
    ay, by = sorted(edges[4:6]), sorted(edges[6:8])
    cells = np.zeros((2, 12, 12), bool)
    cells[0, ay[0] : ay[1], ax[0] : ax[1]] = True
    cells[1, by[0] : by[1], bx[0] : bx[1]] = True
    union = cells.any(0).sum()
    expected = cells.all(0).sum() / union if union else 0.0
    assert iou((ax[0], ay[0], ax[1], ay[1]), (bx[0], by[0], bx[1], by[1])) == pytest.approx(expected)
