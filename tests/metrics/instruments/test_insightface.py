"""InsightFace itself beside our OpenCV: its alignment, its model zoo and its storage against ours.

The Makefile installs it without its dependencies; where it is not installed these tests are skipped."""

from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

insightface = pytest.importorskip(
    "insightface", reason="insightface is not installed (pip install --no-deps 'insightface>=2,<3')"
)
onnx = pytest.importorskip("onnx", reason="onnx builds the tiny recognisers of these tests")
from insightface import model_zoo  # noqa: E402
from insightface.utils import face_align, storage  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from metrics.instruments import InstrumentError, create  # noqa: E402
from smoothswap.faces.align import arcface_crop, arcface_template, five_points, umeyama  # noqa: E402

NOTHING = np.zeros((0, 68, 2), np.float32)


def face(seed: int, size: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """A smooth frame, and 68 points whose five are the template turned, scaled, moved and a little wrong."""
    rng = np.random.default_rng(seed)
    frame = cv2.resize(rng.uniform(0, 255, (25, 25, 3)), (size, size), interpolation=cv2.INTER_CUBIC)
    angle, scale = rng.uniform(-0.5, 0.5), rng.uniform(0.8, 2.0)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    five = (arcface_template() - 56) @ turn.T + size / 2 + rng.normal(0, 2, (5, 2))
    points = np.repeat(five[2:3], 68, axis=0)
    points[36:42], points[42:48], points[48], points[54] = five[0], five[1], five[3], five[4]
    return np.clip(frame, 0, 255).astype(np.uint8), points.astype(np.float32)


def write_pack(root: Path) -> Path:
    """A pack of one recogniser: a strided convolution, flattened, and a matrix; weights by lot."""
    rng = np.random.default_rng(3)
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "kernel"], ["c"], strides=[16, 16]),
            helper.make_node("Flatten", ["c"], ["f"]),
            helper.make_node("MatMul", ["f", "matrix"], ["y"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("n", 3, 112, 112))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ("n", 32))],
        [
            numpy_helper.from_array(rng.normal(size=(4, 3, 16, 16)).astype(np.float32), "kernel"),
            numpy_helper.from_array(rng.normal(size=(196, 32)).astype(np.float32), "matrix"),
        ],
    )
    path = root / "models" / "buffalo_l" / "w600k_r50.onnx"
    path.parent.mkdir(parents=True)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def test_one_package_owns_the_name_cv2() -> None:
    owners = {name for name in metadata.packages_distributions()["cv2"]}
    assert owners == {"opencv-python-headless"}


@pytest.mark.filterwarnings("ignore:`estimate` is deprecated")  # its call of scikit-image
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [112, 128, 224])
def test_our_crop_is_norm_crop(seed: int, size: int) -> None:
    frame, points = face(seed)
    five = five_points(points)
    ours = umeyama(five, arcface_template(size))
    np.testing.assert_allclose(ours, face_align.estimate_norm(five, size), rtol=1e-5, atol=1e-4)
    theirs = face_align.norm_crop(frame, five, size).astype(int)
    apart = np.abs(arcface_crop(frame, points, size).astype(int) - theirs)
    assert apart.max() <= 1  # a transform in float64 and one in float32: a rounding
    assert (apart > 0).mean() < 0.01


@pytest.mark.filterwarnings("ignore:`estimate` is deprecated")
def test_its_model_zoo_reads_what_we_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write_pack(tmp_path / ".insightface")
    theirs = model_zoo.get_model("buffalo_l")
    assert theirs.taskname == "recognition"
    ours = create("arcface:buffalo_l")
    crops = []
    for seed in range(4):
        frame, points = face(seed)
        bgr = np.ascontiguousarray(frame[:, :, ::-1])  # InsightFace takes OpenCV's order, our instruments RGB
        crop = face_align.norm_crop(bgr, five_points(points))
        crops.append(np.ascontiguousarray(crop[:, :, ::-1]))
        read = ours.read(crops[-1][None], NOTHING)["identity"][0]
        np.testing.assert_allclose(read, theirs.get_feat(crop)[0], rtol=1e-4, atol=1e-3)
    rows = ours.read(np.stack(crops), NOTHING)["identity"]
    assert theirs.compute_sim(rows[0], rows[1]) < 0.999  # the numbers tell faces apart


def test_a_pack_is_fetched_into_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own download, with the network's part played by a file."""
    monkeypatch.setenv("HOME", str(tmp_path))
    made = write_pack(tmp_path / "published")
    shutil.make_archive(str(tmp_path / "buffalo_l"), "zip", made.parent)

    def download(url: str, path: str, **_: Any) -> None:
        assert url.endswith("/buffalo_l.zip")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tmp_path / "buffalo_l.zip", path)

    monkeypatch.setattr(storage, "download_file", download)
    instrument = create("arcface:buffalo_l")
    assert instrument.name == "arcface:buffalo_l"
    assert (tmp_path / ".insightface/models/buffalo_l/w600k_r50.onnx").is_file()

    def offline(url: str, path: str, **_: Any) -> None:
        raise OSError("no route")

    monkeypatch.setattr(storage, "download_file", offline)
    with pytest.raises(InstrumentError, match=r"antelopev2.*could not fetch it: no route"):
        create("arcface:antelopev2")
