"""The regressor of the anny head: against the truth of renders it never saw, and under moves of the picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy.spatial.transform import Rotation
from scipy.stats import spearmanr

from bench.anny_faces import (
    EXPRESSION_COMPONENTS,
    POINTS,
    VIEWS,
    YAW,
    expression_map,
    person,
    person_points,
    sample_state,
    shape_space,
)
from bench.crops import cut
from bench.make_anny_regressor import compose, moved
from metrics.instruments import InstrumentError, create
from metrics.instruments.anny_network import Layout, Regressor, load_regressor
from smoothswap.rendered.ffpp import Clip, render_clip
from smoothswap.rendered.head import euler_to_pose, load_head
from smoothswap.rendered.people import sample_shape

UNSEEN = 99  # a seed that no training used
Truth = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]


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
    crops = np.random.default_rng(0).integers(0, 256, (70, 160, 160, 3), np.uint8)  # more than one batch
    landmarks = np.zeros((70, 68, 2), np.float32)
    together = instrument.read(crops, landmarks)
    for i in (0, 63, 64, 69):
        alone = instrument.read(crops[i : i + 1], landmarks[i : i + 1])
        for name, rows in together.items():
            assert np.allclose(alone[name][0], rows[i], atol=1e-4), name
    assert instrument.read(crops[:0], landmarks[:0])["shape"].shape == (0, 40)


def test_shape_codes_are_millimetres_without_size() -> None:
    head, space = load_head(), shape_space()
    rng = np.random.default_rng(3)
    one, two = (head.identity_vertices(sample_shape(rng, head)) for _ in range(2))
    apart = space.face(one) - space.face(two)
    rms = 1000 * np.sqrt((apart.astype(np.float64) ** 2).sum(-1).mean())
    code = np.linalg.norm(space.codes(one) - space.codes(two))
    assert 0.8 * rms < code < rms * 1.0001  # the components left out only shorten it
    assert np.allclose(space.codes(one * 1.7 + 0.3), space.codes(one), atol=1e-3)


def test_expression_codes_are_millimetres_of_the_visible_face() -> None:
    head, space, rng = load_head(), shape_space(), np.random.default_rng(4)
    one, two = (sample_state(rng, head).expression for _ in range(2))
    apart = (head.expression_offsets(one) - head.expression_offsets(two))[space.vertices]
    rms = 1000 * np.sqrt((apart.astype(np.float64) ** 2).sum(-1).mean())
    code = np.linalg.norm(expression_map() @ (one - two))
    assert expression_map().shape == (EXPRESSION_COMPONENTS, 52)
    assert 0.95 * rms < code < rms * 1.0001


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
    pictures, pose = torch.rand(2, 3, 112, 112) * 2 - 1, torch.tensor([[0.1, 0.2, 0.3], [0.0, 0.0, 0.0]])
    crops, same, _ = moved(pictures, pose, None)
    assert crops.shape == (2, 3, 80, 80)
    assert torch.allclose(same, pose, atol=1e-6)
    centre = pictures[:, :, 16:96, 16:96]  # 80 of 112 pixels are 1.25 of 1.75
    assert torch.allclose(crops, centre, atol=1e-4)


def test_points_move_with_their_crop() -> None:
    """A bright spot of the picture is where the moved point says, in turned, zoomed and shifted crops."""
    yy, xx = np.mgrid[:112, :112]
    spots = np.random.default_rng(0).uniform(40, 72, (6, 2))
    pictures = np.stack([np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / 8) for x, y in spots])
    points = torch.from_numpy((spots + 0.5) * 2 / 112 - 1)[:, None].float()
    crops, _, where = moved(
        torch.from_numpy(pictures)[:, None].float().expand(-1, 3, -1, -1),
        torch.zeros(6, 3),
        torch.Generator().manual_seed(1),
        points,
    )
    light = crops[:, 0].numpy()
    centre = (np.arange(80) + 0.5) * 2 / 80 - 1
    found = np.stack([(light * centre).sum((1, 2)), (light * centre[:, None]).sum((1, 2))], 1)
    found /= light.sum((1, 2))[:, None]
    assert np.allclose(found, where[:, 0].numpy(), atol=0.004)  # a sixth of a pixel


def test_points_lie_on_the_drawn_face() -> None:
    """The points follow the head that was drawn: its 68 landmarks' box holds most of them, and the views differ."""
    points = person_points(3, UNSEEN)
    assert points.shape == (VIEWS, POINTS, 2)
    middle = np.abs(points.mean(1))
    assert (middle < 0.35).all()  # DECA's square is centred on the face
    assert (np.abs(points) < 1).mean() > 0.99
    assert not np.allclose(points[0], points[1], atol=0.01)


def test_people_are_drawn_from_the_seed_alone() -> None:
    first, codes = person(3, UNSEEN)
    again, same = person(3, UNSEEN)
    other, _ = person(4, UNSEEN)
    assert np.array_equal(first, again)
    assert np.array_equal(codes, same)
    assert codes.shape == (VIEWS, Layout().shape + 52 + 3)
    assert np.abs(codes[:, -3:]).max() < YAW * 3
    assert not np.array_equal(first, other)


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
    assert Regressor()(torch.zeros(2, 3, 80, 80)).shape == (2, Layout().total)


def test_crops_of_another_size_are_refused() -> None:
    with pytest.raises(InstrumentError, match="160"):
        create("anny").read(np.zeros((1, 80, 80, 3), np.uint8), np.zeros((1, 68, 2), np.float32))
