"""dlib's identity as an instrument: both engines; splitting, order and failures of the wheel's workers."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from metrics.instruments import InstrumentError, create
from metrics.instruments.dlib import Dlib, weights_path

dlib = pytest.importorskip("dlib")
LANDMARKS = np.zeros((0, 68, 2), np.float32)


@pytest.fixture(scope="module")
def chips() -> np.ndarray:
    """Ten smooth coloured pictures; the network does not mind that they are no faces."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (10, 6, 6, 3), dtype=np.uint8)
    smooth = [Image.fromarray(c).resize((150, 150), Image.Resampling.BICUBIC) for c in coarse]
    return np.stack([np.asarray(image) for image in smooth])


@pytest.fixture(scope="module")
def oracle(chips: np.ndarray) -> np.ndarray:
    network = dlib.face_recognition_model_v1(str(weights_path()))
    return np.array([np.array(network.compute_face_descriptor(chip)) for chip in chips])


@pytest.mark.parametrize("processes", [1, 2])
def test_it_returns_the_wheels_own_numbers_however_faces_are_shared_out(
    chips: np.ndarray, oracle: np.ndarray, processes: int
) -> None:
    instrument = Dlib(processes=processes, engine="wheel")
    got = instrument.read(chips)["identity"]
    assert got.dtype == np.float32
    assert got.shape == (10, 128)
    np.testing.assert_array_equal(got, oracle.astype(np.float32))
    order = [7, 2, 2, 0, 9, 1, 3, 4]  # order and repeats change nothing
    np.testing.assert_array_equal(instrument.read(chips[order])["identity"], oracle[order].astype(np.float32))
    assert instrument.read(chips[:0])["identity"].shape == (0, 128)


def test_torch_is_the_default_and_reads_what_the_wheel_reads(chips: np.ndarray, oracle: np.ndarray) -> None:
    instrument = create("dlib")
    got = instrument.read(chips, LANDMARKS)["identity"]
    assert (got.dtype, got.shape) == (np.float32, (10, 128))
    np.testing.assert_allclose(got, oracle, rtol=0, atol=1e-5)
    assert instrument.parameters["engine"] == "torch"
    assert create("dlib?engine=wheel&processes=1").parameters["engine"] == "wheel"
    assert instrument.read(chips[:0], LANDMARKS)["identity"].shape == (0, 128)


def test_a_lost_worker_is_one_clear_error_and_the_next_read_recovers(
    chips: np.ndarray, oracle: np.ndarray
) -> None:
    instrument = Dlib(processes=2, engine="wheel")
    instrument.read(chips[:8])
    lost = instrument._workers[1]
    os.kill(lost.pid, signal.SIGKILL)
    lost.wait()
    with pytest.raises(InstrumentError, match="worker process ended early"):
        instrument.read(chips[:8])
    np.testing.assert_array_equal(instrument.read(chips[:8])["identity"], oracle[:8].astype(np.float32))


def test_workers_end_with_their_instrument(chips: np.ndarray) -> None:
    instrument = Dlib(processes=2, engine="wheel")
    instrument.read(chips[:8])
    workers = list(instrument._workers)
    assert [w.poll() for w in workers] == [None, None]
    del instrument
    assert all(w.poll() is not None for w in workers)


def test_it_says_what_it_is() -> None:
    instrument = create("dlib", processes=1)
    assert (instrument.name, instrument.reads, instrument.needs) == ("dlib", ("identity",), None)
    assert (instrument.crop.template, instrument.crop.size) == ("dlib", 150)
    assert instrument.weights_sha256 == hashlib.sha256(weights_path().read_bytes()).hexdigest()


def test_bad_weights_options_and_crops(tmp_path: Path) -> None:
    noise = tmp_path / "noise.dat"
    noise.write_bytes(os.urandom(1000))
    for spec, message in {
        f"dlib?weights={noise}": "is not dlib's face recognition network",
        f"dlib?weights={noise}&engine=wheel": "is not dlib's face recognition network",
        f"dlib?weights={tmp_path / 'none.dat'}": "no file",
        "dlib?engine=wheels": "engine must be one of torch, wheel, not 'wheels'",
        "dlib?processes=-1": "whole number",
        "dlib?processes=many": "whole number",
        "dlib?process=2": "did you mean 'processes'",
        "dlib:somewhere": "takes no path",
    }.items():
        with pytest.raises(InstrumentError, match=message):
            create(spec)
    with pytest.raises(InstrumentError, match=r"reads uint8 crops \[n, 150, 150, 3\]"):
        create("dlib", processes=1).read(np.zeros((1, 112, 112, 3), np.uint8), LANDMARKS)


def test_the_package_of_the_weights_is_located_but_never_imported() -> None:
    code = (
        "import sys; from metrics.instruments import create; create('dlib', processes=1); "
        "create('dlib', processes=1, engine='wheel'); "
        "assert 'face_recognition_models' not in sys.modules and 'pkg_resources' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_photos_of_one_person_are_nearer_than_photos_of_two(shared_data: Path) -> None:
    """Real faces: dlib's published threshold is a distance of 0.6. Chips are cut by dlib itself."""
    archive = shared_data / "lfw/lfw250_deepfunneled.tar"
    if not archive.exists():
        pytest.skip("Labeled Faces in the Wild is not at hand")
    people = ("Abdullah_Gul", "Adrien_Brody", "Alejandro_Toledo")
    wanted = [f"images_deepfunneled/{p}/{p}_{i:04d}.jpg" for p in people for i in (1, 2, 3)]
    predictor = dlib.shape_predictor(str(weights_path().with_name("shape_predictor_68_face_landmarks.dat")))
    detector = dlib.get_frontal_face_detector()
    found = []
    with tarfile.open(archive) as tar:
        for name in wanted:
            photo = np.asarray(Image.open(io.BytesIO(tar.extractfile(name).read())).convert("RGB"))
            box = max(detector(photo, 1), key=lambda r: r.area())
            found.append(dlib.get_face_chip(photo, predictor(photo, box), size=150, padding=0.25))
    identity = create("dlib").read(np.stack(found), LANDMARKS)["identity"]
    wheel = create("dlib", engine="wheel").read(np.stack(found), LANDMARKS)["identity"]
    np.testing.assert_allclose(identity, wheel, rtol=0, atol=1e-5)
    distance = np.linalg.norm(identity[:, None] - identity[None], axis=2)
    person = np.repeat(np.arange(3), 3)
    same = (person[:, None] == person) & ~np.eye(9, dtype=bool)
    other = person[:, None] != person
    assert distance[same].max() < 0.6 < distance[other].min()
