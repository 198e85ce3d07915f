"""The instrument of gaze: eyes of a rendered head turned by known angles, and crops that are none."""

from __future__ import annotations

import numpy as np
import pytest

from metrics.instruments import InstrumentError, registry
from metrics.instruments.blendshapes import upright
from smoothswap.faces.detect import Detector
from smoothswap.faces.landmarks import network_sha256
from smoothswap.rendered.head import load_head
from smoothswap.rendered.motion import Motion, State
from smoothswap.rendered.people import sample_identity, sample_styling
from smoothswap.rendered.render import Actor
from smoothswap.rendered.scene import sample_scene

YAWS = (-0.4, 0.0, 0.4)


def test_it_follows_the_eyes_to_the_side_and_says_what_it_runs() -> None:
    rng = np.random.default_rng(3)
    actor, scene = Actor(sample_identity(rng), sample_styling(rng)), sample_scene(rng, 256)
    still = Motion(rng, load_head()).at(0.0)
    calm = np.zeros_like(still.expression)
    frames = [
        actor.shot(State(np.zeros(3, np.float32), calm, np.array([yaw, 0], np.float32)), scene).image
        for yaw in YAWS
    ]
    detector, instrument = Detector(), registry.create("gaze", single=True)
    crops = [upright(frame, detector.detect(frame)[0].landmarks, instrument.crop.size) for frame in frames]
    read = instrument.read(np.stack(crops), np.zeros((3, 68, 2), np.float32))
    assert tuple(read) == instrument.reads
    values = read["gaze"][:, 0]
    assert values.shape == (3,)
    assert values[1] - values[0] > 0.05  # to the right of the picture is more
    assert values[2] - values[1] > 0.05
    assert instrument.weights_sha256 == network_sha256()  # the network that marks the landmarks


def test_no_crops_read_as_none_and_others_are_refused() -> None:
    instrument = registry.create("gaze", single=True)
    assert instrument.read(np.zeros((0, 256, 256, 3), np.uint8), np.zeros((0, 68, 2), np.float32))[
        "gaze"
    ].shape == (0, 1)
    with pytest.raises(InstrumentError, match="gaze"):
        instrument.read(np.zeros((1, 64, 64, 3), np.uint8), np.zeros((1, 68, 2), np.float32))
