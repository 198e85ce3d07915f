"""Whole portraits: the same bits again, masks and depth that fit the mesh, a swap that leaves the rest alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from smoothswap.media.video import read_frames
from smoothswap.rendered import RenderError, write_ffpp
from smoothswap.rendered.ffpp import Clip, _make
from smoothswap.rendered.head import euler_to_pose, load_head
from smoothswap.rendered.landmarks import landmark_vertices
from smoothswap.rendered.motion import State
from smoothswap.rendered.world4.clip import DEPTH_UNIT, render_clip
from smoothswap.rendered.world4.motion import PITCH, ROLL, YAW, Talk
from smoothswap.rendered.world4.people import sample_identity
from smoothswap.rendered.world4.portrait import Portrait
from smoothswap.rendered.world4.scene import sample_scene
from smoothswap.rendered.world4.styling import STYLE, sample_styling
from smoothswap.rendered.world4.truth import openings, visible


def rested(yaw: float = 0.0, gaze: tuple[float, float] = (0.0, 0.0), **weights: float) -> State:
    head = load_head()
    expression = np.zeros(len(head.expression_names), np.float32)
    for name, amount in weights.items():
        expression[head.expression_index(name)] = amount
    return State(euler_to_pose(yaw, 0.0, 0.0), expression, np.array(gaze, np.float32))


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    rng = np.random.default_rng(11)
    identity, styling = sample_identity(rng), sample_styling(rng)
    values = styling.values.copy()
    values[[STYLE.index("hat"), STYLE.index("glasses")]] = 0
    scene = replace(sample_scene(rng, 96), occluder=("none", 1))
    return Portrait(identity, replace(styling, hair="short", values=values), scene)


def test_depth_and_mask_are_those_of_the_mesh(portrait: Portrait) -> None:
    shot = portrait.shot(rested())
    ids = landmark_vertices()
    points, places = shot.vertices[ids], shot.projected[ids]
    middle = [30, 33, 51, 57, 27, 28]  # nose, lips, bridge
    rows, columns = np.round(places[middle, 1]).astype(int), np.round(places[middle, 0]).astype(int)
    own = float(portrait.scene.camera[3]) - points[middle, 2]
    assert np.abs(shot.depth[rows, columns] - own).max() < 0.02
    assert shot.face[rows[:4], columns[:4]].all()
    assert shot.depth[:2, :2].max() == 0
    assert not shot.face[:2].any()
    assert 0.05 < shot.face.mean() < 0.6


def test_landmarks_behind_the_head_are_hidden(portrait: Portrait) -> None:
    ids = landmark_vertices()
    seen = {}
    for yaw in (0.0, 1.0):
        shot = portrait.shot(rested(yaw))
        distance = float(portrait.scene.camera[3])
        seen[yaw] = visible(shot.vertices[ids], shot.projected[ids], shot.depth, distance, 0 * shot.hair)
    assert seen[0.0][27:36].all()
    assert seen[0.0].mean() > 0.9
    # The face turns to the picture's right: its left cheek (right in the picture) goes out of sight.
    assert not seen[1.0][14:17].any()
    assert seen[1.0][3:7].all()


def test_openings_follow_lids_and_jaw(portrait: Portrait) -> None:
    ids = landmark_vertices()
    of = lambda **weights: openings(portrait.pose_vertices(rested(**weights))[ids])  # noqa: E731
    rest, wide = of(), of(jawOpen=0.8)
    shut = of(eyeBlinkLeft=1.0, eyeBlinkRight=1.0)
    assert wide["mouth"] > rest["mouth"] + 0.2
    assert shut["left"] < 0.6 * rest["left"]
    assert shut["right"] < 0.6 * rest["right"]
    one = of(eyeBlinkLeft=1.0)
    assert one["left"] < 0.6 * rest["left"]
    assert one["right"] == pytest.approx(rest["right"], rel=0.05)
    points = np.random.default_rng(0).normal(size=(68, 3))
    points[[36, 39], :] = [[0, 0, 0], [2, 0, 0]]
    points[[37, 41], :] = [[0.6, 0.3, 0], [0.6, -0.3, 0]]
    points[[38, 40], :] = [[1.4, 0.2, 0], [1.4, -0.2, 0]]
    assert openings(points)["right"] == pytest.approx((0.6 + 0.4) / 2 / 2)


@pytest.mark.parametrize(("yaw", "gaze"), [(0.0, (0.3, 0.0)), (0.4, (-0.4, 0.0)), (0.0, (0.0, 0.2))])
def test_gaze_is_the_head_s_turn_and_the_eyes(
    portrait: Portrait, yaw: float, gaze: tuple[float, float]
) -> None:
    state = rested(yaw, gaze)
    eyes = portrait.eyes(portrait.neutral, state)
    ahead = eyes[2]
    assert np.arctan2(ahead[0], ahead[2]) == pytest.approx(yaw + gaze[0], abs=1e-5)
    assert -np.arcsin(ahead[1]) == pytest.approx(gaze[1], abs=1e-5)
    assert np.allclose(eyes[2], eyes[3])
    assert 0.05 < np.linalg.norm(eyes[0] - eyes[1]) < 0.075


def test_poses_stay_within_their_bounds_and_laughter_opens_the_mouth() -> None:
    from scipy.spatial.transform import Rotation

    head, widest = load_head(), np.zeros(3)
    for seed in range(60):
        talk = Talk(np.random.default_rng(seed), head)
        for t in (0.0, 1.3, 2.6):
            state = talk.at(t)
            angles = np.abs(Rotation.from_rotvec(state.pose).as_euler("YXZ"))
            assert (angles <= np.array([YAW, PITCH, ROLL]) + 1e-5).all()
            widest = np.maximum(widest, angles)
            assert 0 <= state.expression.min() <= state.expression.max() <= 1
    assert (np.degrees(widest) > [45, 20, 15]).all()


def test_a_true_swap_leaves_corners_and_state_alone() -> None:
    original, truth, _ = render_clip(0, 0, 1, 96, 5, 12.5)
    again, _, pictures = render_clip(0, 0, 1, 96, 5, 12.5)
    swap, swapped, other = render_clip(1, 0, 1, 96, 5, 12.5)
    assert np.array_equal(original[0], again[0])
    for name in ("pose", "expression", "gaze", "light", "camera"):
        assert np.array_equal(truth[0][name], swapped[0][name]), name
    assert not np.array_equal(truth[0]["shape"], swapped[0]["shape"])
    change = np.abs(original[0].astype(int) - swap[0]).max(-1)
    mask = np.unpackbits(pictures["face"][0], axis=-1)[:, :96].astype(bool)
    mask |= np.unpackbits(other["face"][0], axis=-1)[:, :96].astype(bool)
    # Outside it, hair moves a little with another skull.
    assert change[mask].mean() > 3 * change[~mask].mean()
    assert change[:8, :8].max() == 0
    depth = pictures["depth"][0] * DEPTH_UNIT
    assert 0.2 < depth[mask & (depth > 0)].min() < 4


def test_a_clip_of_world_4_lies_beside_its_masks_and_depth(tmp_path: Path) -> None:
    clip = Clip(1, 0, 1, 64, 1, version=4)
    clip.folder(tmp_path).mkdir(parents=True)
    path, _, rows = _make((clip, tmp_path))
    assert path == "manipulated_sequences/oracle/c23/videos/000_001.mp4"
    assert read_frames(tmp_path / path).frames[0].shape == (64, 64, 3)
    assert rows[0]["manipulation"] == "oracle"
    assert {"visible", "gaze_world", "eye_open_left", "mouth_open", "probe"} <= set(rows[0])
    with np.load(tmp_path / "truth" / "oracle" / "000_001.npz") as held:
        assert held["depth"].shape == (1, 64, 64)
        assert held["face"].shape == (1, 64, 8)
    with pytest.raises(RenderError, match="no world 5"):
        write_ffpp(tmp_path / "x", identities=2, frames=1, version=5)
