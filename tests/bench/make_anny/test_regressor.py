"""The regressor of the anny head: against the truth of renders it never saw, and under moves of the picture."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation
from scipy.stats import spearmanr

from bench.make_anny.faces import VIEWS, person
from bench.make_anny.regressor import Batches, Lesson, main
from bench.make_anny.variations import compose, mirrored, moved, soften
from bench.reading.crops import cut
from metrics.instruments import InstrumentError, create
from metrics.instruments.anny_network import Layout, Regressor, load_regressor
from smoothswap.rendered.codes import (
    EXPRESSION_COMPONENTS,
    POINTS,
    YAW,
    expression_map,
    mirror,
    point_vertices,
    sample_state,
    shape_space,
    turned,
)
from smoothswap.rendered.ffpp import Clip, render_clip
from smoothswap.rendered.head import euler_to_pose, load_head
from smoothswap.rendered.people import sample_shape

UNSEEN = 99  # a seed that no training used
Truth = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]


def views(people: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """A frame of each of some people and its true landmarks."""
    found = []
    for i in range(people):
        frames, rows = render_clip(Clip(i, i, 1, 128, UNSEEN))
        found.append((frames[0], rows[0]["landmarks"].reshape(68, 2).astype(np.float32)))
    return found


@pytest.fixture(scope="module")
def read() -> Truth:
    """Readings and truth of three frames of ten people, cropped at their true landmarks."""
    instrument = create("anny")
    head, crops, landmarks, truth = load_head(), [], [], {"shape": [], "expression": [], "pose": []}
    for i in range(10):
        frames, rows = render_clip(Clip(i, i, 3, 128, UNSEEN))
        for frame, row in zip(frames, rows, strict=True):
            points = row["landmarks"].reshape(68, 2).astype(np.float32)
            crops.append(cut(frame, points, instrument.crop))
            landmarks.append(points)
            truth["shape"].append(shape_space().codes(head.identity_vertices(row["shape"])))
            truth["expression"].append(expression_map() @ row["expression"])
            truth["pose"].append(row["pose"])
    return instrument.read(np.stack(crops), np.stack(landmarks)), {k: np.stack(v) for k, v in truth.items()}


def test_pose_expression_and_shape_follow_the_truth(read: Truth) -> None:
    found, truth = read
    away = Rotation.from_rotvec(found["pose"]).inv() * Rotation.from_rotvec(truth["pose"])
    assert np.degrees(np.median(away.magnitude())) < 4
    a, b = np.triu_indices(30, 1)
    other = a // 3 != b // 3
    for name, least in (("expression", 0.7), ("shape", 0.6), ("pose", 0.85)):
        distances = [np.linalg.norm(side[name][a] - side[name][b], axis=1)[other] for side in (found, truth)]
        assert spearmanr(*distances).statistic > least, name


def test_reading_does_not_depend_on_the_batch(read: Truth) -> None:
    instrument = create("anny")
    crops = np.random.default_rng(0).integers(0, 256, (70, 320, 320, 3), np.uint8)  # more than one batch
    landmarks = np.zeros((70, 68, 2), np.float32)
    together = instrument.read(crops, landmarks)
    for i in (0, 63, 64, 69):
        alone = instrument.read(crops[i : i + 1], landmarks[i : i + 1])
        for name, rows in together.items():
            assert np.allclose(alone[name][0], rows[i], atol=1e-4), name
    assert instrument.read(crops[:0], landmarks[:0])["shape"].shape == (0, 40)


def test_shape_codes_are_millimetres_without_size_or_turn() -> None:
    head, space = load_head(), shape_space()
    rng = np.random.default_rng(3)
    one, two = (head.identity_vertices(sample_shape(rng, head)) for _ in range(2))
    apart = space.face(one) - space.face(two)
    rms = 1000 * np.sqrt((apart.astype(np.float64) ** 2).sum(-1).mean())
    code = np.linalg.norm(space.codes(one) - space.codes(two))
    assert 0.8 * rms < code < rms * 1.0001  # the components left out only shorten it
    rotation = Rotation.from_rotvec([0.3, -0.2, 0.1])
    moved_head = (rotation.apply(one) * 1.7 + 0.3).astype(np.float32)
    assert np.allclose(space.codes(moved_head), space.codes(one), atol=2e-3)
    both = np.stack([one, moved_head])
    assert np.allclose(space.codes(both)[0], space.codes(one), atol=1e-4)


def test_faces_are_laid_on_the_mean_as_scipy_does_it() -> None:
    rng = np.random.default_rng(5)
    points, onto = rng.normal(size=(2, 50, 3))
    expected = Rotation.align_vectors(onto, points)[0].apply(points)
    assert np.allclose(turned(points, onto), expected, atol=1e-9)
    mirrored = points * [-1, 1, 1]  # a mirror image would lie nearer; only a rotation is allowed
    assert np.allclose(turned(mirrored, points), Rotation.align_vectors(points, mirrored)[0].apply(mirrored))


def test_the_mean_face_is_laid_on_itself() -> None:
    """Nothing is left to turn: people drawn anew are, on the mean, turned by nothing (Procrustes analysis converged)."""
    head, space, rng = load_head(), shape_space(), np.random.default_rng(6)
    faces = np.stack([space.face(head.identity_vertices(sample_shape(rng, head))) for _ in range(200)])
    away = Rotation.align_vectors(faces.mean(0), space.mean)[0].magnitude()
    assert np.degrees(away) < 0.2
    assert np.abs(space.codes(head.mean)).max() < 2  # mm


def test_expression_codes_are_millimetres_of_the_visible_face() -> None:
    head, space, rng = load_head(), shape_space(), np.random.default_rng(4)
    one, two = (sample_state(rng, head).expression for _ in range(2))
    apart = (head.expression_offsets(one) - head.expression_offsets(two))[space.vertices]
    rms = 1000 * np.sqrt((apart.astype(np.float64) ** 2).sum(-1).mean())
    code = np.linalg.norm(expression_map() @ (one - two))
    assert expression_map().shape == (EXPRESSION_COMPONENTS, 52)
    assert 0.95 * rms < code < rms * 1.0001


def other_side(head) -> np.ndarray:
    """For every vertex of the whole head its mirror image."""
    return cKDTree(head.mean).query(head.mean * [-1, 1, 1])[1]


def test_the_mirror_turns_codes_into_those_of_mirrored_heads() -> None:
    head, space, rng = load_head(), shape_space(), np.random.default_rng(7)
    sides = other_side(head)
    heads = np.stack([head.identity_vertices(sample_shape(rng, head)) for _ in range(5)])
    found = space.codes((heads[:, sides] * [-1, 1, 1]).astype(np.float32))
    assert np.allclose(found, space.codes(heads) @ mirror()[:40, :40], atol=0.1)  # mm, of a spread of 4
    assert not np.allclose(found, space.codes(heads), atol=0.5)
    states = np.stack([sample_state(rng, head).expression for _ in range(50)])
    moves = np.stack([head.expression_offsets(state) for state in states])
    over = (moves[:, sides] * [-1, 1, 1])[:, space.vertices].reshape(50, -1)
    ours = states @ expression_map().T @ mirror()[40:60, 40:60]
    # L2 distances of codes are those of the moves themselves, before and after.
    a, b = np.triu_indices(50, 1)
    wanted = 1000 * np.linalg.norm(over[a] - over[b], axis=1) / np.sqrt(len(space.vertices))
    assert np.allclose(np.linalg.norm(ours[a] - ours[b], axis=1), wanted, rtol=0.1, atol=0.1)
    smile = np.zeros((2, 52), np.float32)
    smile[0, head.expression_index("mouthSmileLeft")] = smile[1, head.expression_index("mouthSmileRight")] = 1
    left, right = smile @ expression_map().T
    assert np.linalg.norm(left @ mirror()[40:60, 40:60] - right) < 0.2 * np.linalg.norm(left - right)
    pose = Rotation.from_rotvec([0.2, 0.3, -0.1])
    over = np.diag([-1, 1, 1]) @ pose.as_matrix() @ np.diag([-1, 1, 1])
    assert np.allclose(Rotation.from_matrix(over).as_rotvec(), pose.as_rotvec() @ mirror()[60:, 60:])


def test_half_of_a_batch_is_mirrored_points_and_all() -> None:
    rng = np.random.default_rng(8)
    crops = torch.from_numpy(rng.normal(size=(40, 3, 8, 8)).astype(np.float32))
    codes = torch.from_numpy(rng.normal(size=(40, 63)).astype(np.float32))
    mean = load_head().mean[point_vertices()][:, :2].astype(np.float32)
    points = torch.from_numpy(mean).expand(40, -1, -1)
    seen, turned_codes, places = mirrored(crops, codes, points, torch.Generator().manual_seed(1))
    over = np.array([torch.equal(a, b.flip(2)) for a, b in zip(seen, crops, strict=True)])
    same = np.array([torch.equal(a, b) for a, b in zip(seen, crops, strict=True)])
    assert (over ^ same).all()
    assert 8 < over.sum() < 32
    assert torch.equal(turned_codes[same], codes[same])
    assert torch.allclose(turned_codes[over], codes[over] @ torch.from_numpy(mirror()))
    assert torch.allclose(places, points, atol=5e-4)  # the mean head is its own mirror image


def test_a_mirrored_crop_reads_as_the_mirrored_head() -> None:
    instrument = create("anny")
    crops = np.stack([cut(f, p, instrument.crop) for f, p in views(4)])
    landmarks = np.zeros((len(crops), 68, 2), np.float32)
    straight, over = (instrument.read(c, landmarks) for c in (crops, np.ascontiguousarray(crops[:, :, ::-1])))
    assert np.allclose(over["shape"], straight["shape"] @ mirror()[:40, :40], atol=0.02)
    assert np.allclose(over["pose"], straight["pose"] * [1, -1, -1], atol=1e-4)


def test_a_turned_picture_belongs_to_a_turned_head() -> None:
    """The pose that training gives to a turned crop is the one of the head that would look so when rendered."""
    from smoothswap.rendered.landmarks import landmark_vertices
    from smoothswap.rendered.render import project

    head = load_head()
    ids = landmark_vertices()
    pose = euler_to_pose(0.2, 0.1, 0.0)
    camera = np.array([800.0, 0.0, 0.0, 100.0], np.float32)  # far away: no perspective
    angle = 0.3
    turned = compose(torch.tensor([[0.0, 0.0, angle]]), torch.from_numpy(pose)[None])[0].numpy()
    flat = [project(Rotation.from_rotvec(p).apply(head.mean[ids]), camera) for p in (pose, turned)]
    # `moved` samples at [cos, -sin; sin, cos]: a point p of the picture is seen at the inverse of that.
    seen = flat[0] @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert np.allclose(seen, flat[1], atol=1e-3 * np.abs(flat[1]).max())


def test_moved_crops_stay_put_without_a_generator() -> None:
    pictures, pose = torch.rand(2, 3, 192, 192) * 2 - 1, torch.tensor([[0.1, 0.2, 0.3], [0.0, 0.0, 0.0]])
    crops, same, _ = moved(pictures, pose, None)
    assert crops.shape == (2, 3, 160, 160)
    assert torch.allclose(same, pose, atol=1e-6)
    centre = pictures[:, :, 16:176, 16:176]  # 160 of 192 pixels are 1.25 of 1.5
    assert torch.allclose(crops, centre, atol=1e-4)


def test_points_move_with_their_crop() -> None:
    """A bright spot of the picture is where the moved point says, in turned, zoomed and shifted crops."""
    yy, xx = np.mgrid[:192, :192]
    spots = np.random.default_rng(0).uniform(70, 122, (6, 2))
    pictures = np.stack([np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / 24) for x, y in spots])
    points = torch.from_numpy((spots + 0.5) * 2 / 192 - 1)[:, None].float()
    crops, _, where = moved(
        torch.from_numpy(pictures)[:, None].float().expand(-1, 3, -1, -1),
        torch.zeros(6, 3),
        torch.Generator().manual_seed(1),
        points,
    )
    light = crops[:, 0].numpy()
    centre = (np.arange(160) + 0.5) * 2 / 160 - 1
    found = np.stack([(light * centre).sum((1, 2)), (light * centre[:, None]).sum((1, 2))], 1)
    found /= light.sum((1, 2))[:, None]
    assert np.allclose(found, where[:, 0].numpy(), atol=0.002)  # a sixth of a pixel


def test_points_lie_on_the_drawn_face() -> None:
    """The points follow the head that was drawn: its 68 landmarks' box holds most of them, and the views differ."""
    _, _, points = person(3, UNSEEN)
    assert points.shape == (VIEWS, POINTS, 2)
    middle = np.abs(points.mean(1))
    assert (middle < 0.35).all()  # DECA's square is centred on the face
    assert (np.abs(points) < 1).mean() > 0.99
    assert not np.allclose(points[0], points[1], atol=0.01)


def test_people_are_drawn_from_the_seed_alone() -> None:
    first, codes, _ = person(3, UNSEEN)
    again, same, _ = person(3, UNSEEN)
    other, _, _ = person(4, UNSEEN)
    assert np.array_equal(first, again)
    assert np.array_equal(codes, same)
    assert codes.shape == (VIEWS, Layout().shape + 52 + 3)
    assert np.abs(codes[:, -3:]).max() < YAW * 3
    assert not np.array_equal(first, other)


def faces(n: int = 12) -> Lesson:
    rng = np.random.default_rng(0)
    return Lesson(
        rng.integers(0, 256, (n, 192, 192, 3), np.uint8),
        torch.from_numpy(rng.normal(size=(n, 63)).astype(np.float32) * 0.1),
        torch.zeros(n, POINTS, 2),
        2,
    )


def test_a_batch_depends_on_its_number_and_the_seed_alone() -> None:
    """So the processes that cut crops may be any number, and a batch asked for twice is the same."""
    batches = Batches(faces(), size=4, epochs=2, seed=1)
    assert len(batches) == 4  # ten rows make two whole batches an epoch
    rows = torch.cat(batches.rows[:2])
    assert len(rows.unique()) == 8
    assert int(rows.max()) < 10  # none of those held out
    third = [part.clone() for part in batches[2]]
    batches[0]
    assert all(torch.equal(a, b) for a, b in zip(third, batches[2], strict=True))
    assert not torch.equal(batches[2][0], Batches(faces(), 4, 2, seed=2)[2][0])
    crops, wanted, points = third
    assert crops.shape == (4, 3, 160, 160)
    assert crops.dtype == torch.bfloat16
    assert wanted.shape == (4, 63)
    assert points.shape == (4, POINTS, 2)
    order = batches.rows[2].sort().values
    plain, over = faces().codes[order], faces().codes[order] @ torch.from_numpy(mirror())
    either = torch.stack([(wanted - side)[:, :60].abs().amax(1) for side in (plain, over)])
    assert (
        either.amin(0) < 1e-6
    ).all()  # the row's code or its mirror image; only the pose turns with the crop
    assert not torch.allclose(wanted[:, 60:].abs(), plain[:, 60:].abs(), atol=1e-3)


def test_about_half_of_a_batch_is_softened() -> None:
    x = torch.rand(64, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    y = soften(x, torch.Generator().manual_seed(3))
    changed = [not torch.equal(a, b) for a, b in zip(x, y, strict=True)]
    assert 16 < sum(changed) < 48
    assert all(b.std() < a.std() for a, b, soft in zip(x, y, changed, strict=True) if soft)


def test_a_small_training_writes_weights_that_read(tmp_path, monkeypatch, capsys) -> None:
    """From nothing: render, train an epoch, write; then another cycle from those weights."""
    import sys

    out = tmp_path / "weights.safetensors"
    common = [
        "x",
        "--work",
        str(tmp_path),
        "--people",
        "24",
        "--epochs",
        "1",
        "--batch",
        "4",
        "--workers",
        "1",
    ]
    monkeypatch.setattr(sys, "argv", [*common, "--width", "8", "--hidden", "16", "--out", str(out)])
    assert main() == 0
    assert "held out" in capsys.readouterr().out
    network, layout = load_regressor(out)
    assert layout == Layout()
    about = json.loads(out.with_suffix(".json").read_text())
    assert about["epochs_done"] == 1
    assert about["data"]["people"] == 24
    assert set(about["held_out"]) >= {"shape_rank_correlation", "pose_median_error_deg"}
    again = tmp_path / "again.safetensors"
    more = ["--width", "8", "--hidden", "16", "--out", str(again), "--start", str(out), "--lr", "1e-6"]
    monkeypatch.setattr(sys, "argv", [*common, *more])
    assert main() == 0
    started, went_on = network.state_dict(), load_regressor(again)[0].state_dict()
    assert torch.allclose(started["code.weight"], went_on["code.weight"], atol=1e-3)
    assert json.loads(again.with_suffix(".json").read_text())["start"] == about["sha256"]


def test_wrong_weights_are_refused(tmp_path) -> None:
    with pytest.raises(InstrumentError, match="make it with"):
        load_regressor(tmp_path / "none.safetensors")
    path = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(InstrumentError, match="no regressor"):
        load_regressor(path)
    path.write_bytes(b"\x00" * 20)
    with pytest.raises(InstrumentError, match="no regressor"):
        load_regressor(path)
    assert Regressor()(torch.zeros(2, 3, 160, 160)).shape == (2, Layout().total)


def test_crops_of_another_size_are_refused() -> None:
    with pytest.raises(InstrumentError, match="320"):
        create("anny").read(np.zeros((1, 160, 160, 3), np.uint8), np.zeros((1, 68, 2), np.float32))
