"""Metrics of video against loops over frames, and what is flicker and what is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from metrics import MetricError, Sides, evaluate, frame_values
from metrics.frames.temporal import predecessor, rotation_angle
from tests.support.scenes import sides

KEYS = ("identity_consistency", "expression_flicker", "pose_flicker")


def test_predecessors_by_hand() -> None:
    clips = np.array(["b", "a", "a", "b", "a", "a"])
    frames = np.array([4, 7, 5, 3, 6, 9])
    assert predecessor(clips, frames).tolist() == [3, 4, -1, -1, 2, -1]
    # The first frame of a clip never follows the last one of another, and a gap is a gap.
    assert predecessor(["a", "a", "b", "b"], [0, 1, 2, 3]).tolist() == [-1, 0, -1, 2]
    assert predecessor(["a", "b"], [1, 0]).tolist() == [-1, -1]
    assert predecessor(["a", "b"], [0, 1]).tolist() == [-1, -1]
    assert predecessor(["a", "a", "a"], [0, 10, 20]).tolist() == [-1, -1, -1]
    assert predecessor([], []).shape == (0,)


def test_predecessors_agree_with_a_loop() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        n = int(rng.integers(1, 30))
        clips, frames = rng.integers(0, 3, n).astype(str), rng.integers(-4, 9, n)
        expected = [
            next((j for j in range(n) if clips[j] == clips[i] and frames[j] == frames[i] - 1), -1)
            for i in range(n)
        ]
        assert predecessor(clips, frames).tolist() == expected


def test_metrics_of_video_equal_a_loop_over_frames() -> None:
    s = sides(seed=2)
    s.swap["pose"][7] = np.nan
    expected: dict[str, list[float]] = {key: [] for key in KEYS}
    for i in range(len(s)):
        j = i - 1
        if i % 5 == 0:
            for key in KEYS:
                expected[key].append(np.nan)
            continue
        z1, z0 = s.swap["identity"][i], s.swap["identity"][j]
        t1, t0 = s.target["identity"][i], s.target["identity"][j]
        steady = [float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) for a, b in ((z1, z0), (t1, t0))]
        expected["identity_consistency"].append(abs(steady[0] - steady[1]))
        swap, target = ([side["expression"][k] for k in (i, j)] for side in (s.swap, s.target))
        expected["expression_flicker"].append(
            float(np.linalg.norm((swap[0] - swap[1]) - (target[0] - target[1])))
        )
        if np.isnan([s.swap["pose"][i], s.swap["pose"][j]]).any():
            expected["pose_flicker"].append(np.nan)
            continue
        turns = []
        for side in (s.swap, s.target):
            now, before = (Rotation.from_rotvec(side["pose"][k]).as_matrix() for k in (i, j))
            turns.append(now @ before.T)
        cosine = (np.trace(turns[0] @ turns[1].T) - 1) / 2
        expected["pose_flicker"].append(float(np.arccos(np.clip(cosine, -1, 1))))
    for key in KEYS:
        np.testing.assert_allclose(frame_values(s, key), expected[key], atol=1e-7 if "pose" in key else 1e-12)


def test_the_target_itself_has_no_flicker_and_a_constant_error_is_none() -> None:
    s = sides(swap="target")
    assert evaluate(s, ["pose_flicker"])["pose_flicker"].value == pytest.approx(0, abs=1e-15)
    assert evaluate(s, ["identity_consistency"])["identity_consistency"].value == 0
    assert evaluate(s, ["expression_flicker"])["expression_flicker"].value == 0
    turn = Rotation.from_rotvec([0.3, -0.2, 0.5])
    pose = (Rotation.from_rotvec(s.target["pose"]) * turn).as_rotvec()  # seen from a tilted camera's head
    moved = replace(s, swap=dict(s.swap) | {"expression": s.target["expression"] + 4, "pose": pose})
    assert evaluate(moved, ["pose_flicker"])["pose_flicker"].value == pytest.approx(0, abs=1e-14)
    assert evaluate(moved, ["expression_flicker"])["expression_flicker"].value == pytest.approx(0, abs=1e-14)


def test_a_frozen_swap_flickers_as_much_as_its_target_moves_and_noise_flickers_more() -> None:
    s = sides(swap="target")
    frozen = replace(s, swap={k: v[np.arange(len(v)) // 5 * 5] for k, v in s.target.items()})
    motion = np.linalg.norm(np.diff(s.target["expression"].reshape(12, 5, 8), axis=1), axis=2)
    values = frame_values(frozen, "expression_flicker").reshape(12, 5)
    np.testing.assert_allclose(values[:, 1:], motion, atol=1e-12)
    assert np.isnan(values[:, 0]).all()
    noise = np.random.default_rng(0).normal(0, 1, s.target["pose"].shape)
    small, large = (
        evaluate(replace(s, swap=dict(s.swap) | {"pose": s.target["pose"] + w * noise}), ["pose_flicker"])
        for w in (0.01, 0.1)
    )
    assert 0 < small["pose_flicker"].value < large["pose_flicker"].value


def test_a_softer_swap_is_no_steadier_than_its_target() -> None:
    """Blur holds an embedding still: a swap that changes less than its target loses, as one does that changes more."""
    s = sides(swap="target")
    z = s.target["identity"]
    middle = np.repeat(z.reshape(12, 5, -1).mean(axis=1), 5, axis=0)

    def change(share: float) -> float:
        """Of a swap whose embedding moves about its clip's middle `share` times as far as the target's."""
        swap = dict(s.swap) | {"identity": middle + share * (z - middle)}
        return evaluate(replace(s, swap=swap), ["identity_consistency"])["identity_consistency"].value

    found = {share: change(share) for share in (0.0, 0.5, 1.0, 1.5, 3.0)}
    assert found[1.0] == pytest.approx(0, abs=1e-15)
    assert found[0.0] > found[0.5] > found[1.0] < found[1.5] < found[3.0]
    before = np.arange(60) - 1
    still = 1 - np.sum(z * z[before], axis=1) / np.linalg.norm(z, axis=1) / np.linalg.norm(z[before], axis=1)
    assert found[0.0] == pytest.approx(
        still.reshape(12, 5)[:, 1:].mean()
    )  # all of the target's own change is lost


def test_sampled_frames_with_gaps_have_no_value() -> None:
    s = sides()
    gaps = replace(s, frames=s.frames * 30)  # type: ignore[operator]
    for key in KEYS:
        value = evaluate(gaps, [key])[key]
        assert (value.n, value.missing) == (0, 0)


def test_a_lost_face_costs_two_steps_and_counts_as_a_jump_to_the_unwanted_person() -> None:
    s: Sides = sides(swap="target")
    for readings in s.swap.values():
        readings[12] = np.nan
    for key in KEYS:
        assert np.flatnonzero(np.isnan(frame_values(s, key))).tolist() == sorted({12, 13, *range(0, 60, 5)})
    counted = frame_values(s, "expression_flicker", "count_everywhere")
    jump = np.linalg.norm(s.source["expression"] - s.target["expression"], axis=1)
    np.testing.assert_allclose(counted[[12, 13]], jump[[12, 13]])
    z, t = s.source["identity"][12], s.target["identity"]
    cosine = [float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) for a, b in ((z, t[12]), (t[11], t[12]))]
    steady = frame_values(s, "identity_consistency", "count_everywhere")
    assert steady[12] == pytest.approx(abs(cosine[0] - cosine[1]))
    poses = frame_values(s, "pose_flicker", "count_everywhere")
    np.testing.assert_allclose(poses[[12, 13]], rotation_angle(s.source["pose"], s.target["pose"])[[12, 13]])


def test_rotation_angle_at_0_and_pi_and_with_missing_rows() -> None:
    got = rotation_angle([[0.1, 0, 0], [0, 0, 0], [np.nan, 0, 0]], [[0.1, 0, 0], [0, np.pi, 0], [0, 0, 0]])
    np.testing.assert_allclose(got, [0, np.pi, np.nan], atol=1e-15)
    with pytest.raises(MetricError, match="axis-angle of 3 numbers"):
        rotation_angle(np.zeros((2, 4)), np.zeros((2, 4)))
