"""The landmark fit of the anny head: exact where the truth is known, steady under moves of the picture."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from metrics.instruments import InstrumentError, create
from metrics.instruments.anny_landmarks import AnnyLandmarks, Basis, axis_angles, fit, load_basis, rotations


def seen(
    basis: Basis, shape: np.ndarray, expression: np.ndarray, pose: np.ndarray, distance: float = 1.1
) -> np.ndarray:
    """Landmarks [n, 68, 2] of heads seen by a camera of 800 px focal length: written out, apart from the fit's own code."""
    out = []
    for a, e, p in zip(shape, expression, pose, strict=True):
        points = (
            basis.mean + np.einsum("k,kpj->pj", a, basis.shape) + np.einsum("k,kpj->pj", e, basis.expression)
        )
        points = Rotation.from_rotvec(p).apply(points)
        depth = distance - points[:, 2]
        out.append(np.stack([200 + 800 * points[:, 0] / depth, 220 - 800 * points[:, 1] / depth], 1))
    return np.array(out)


@pytest.fixture(scope="module")
def heads() -> tuple[Basis, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    basis = load_basis()
    rng = np.random.default_rng(0)
    n = 40
    shape = rng.normal(size=(n, len(basis.shape)))
    spread = np.linalg.cholesky(np.linalg.inv(basis.expression_precision))
    expression = basis.expression_mean + rng.normal(size=(n, len(basis.expression))) @ spread.T
    pose = rng.normal(0, [0.12, 0.3, 0.1], (n, 3))
    return basis, shape, expression, pose, seen(basis, shape, expression, pose)


def test_rotations_are_scipy_s() -> None:
    vectors = np.random.default_rng(1).normal(size=(20, 3))
    vectors[0] = 0
    assert np.allclose(rotations(vectors), Rotation.from_rotvec(vectors).as_matrix(), atol=1e-12)
    assert np.allclose(rotations(axis_angles(rotations(vectors))), rotations(vectors), atol=1e-9)


def test_recovers_pose_and_the_visible_part_of_the_expression(heads: tuple) -> None:
    basis, _, expression, pose, points = heads
    result = fit(points, basis)
    assert np.degrees(np.abs(result.pose - pose)).mean() < 3.0
    assert result.residual.max() < 0.05
    for name in ("jawOpen", "mouthSmileLeft", "mouthFunnel"):
        i = basis.names.index(name)
        assert np.corrcoef(result.expression[:, i], expression[:, i])[0, 1] > 0.7, name


def test_the_fit_is_the_minimum(heads: tuple) -> None:
    """The cost, written out anew, grows in every direction tried from the solution of the linear part."""
    basis, _, _, _, points = heads
    result = fit(points[:1], basis, iterations=40)
    noise = basis.noise * np.where(np.arange(68) < 17, 3.0, 1.0)
    eyes = np.linalg.norm(points[0, 36:42].mean(0) - points[0, 42:48].mean(0))

    def cost(shape: np.ndarray, expression: np.ndarray) -> float:
        drawn = seen(basis, shape[None], expression[None], result.pose)[0]
        # Scale and shift are free: take the best of each for the fitted coefficients by least squares.
        w = np.repeat(1 / noise, 2)
        design = np.stack([drawn.reshape(-1), np.tile([1.0, 0], 68), np.tile([0, 1.0], 68)], 1)
        solution, *_ = np.linalg.lstsq(design * w[:, None], points[0].reshape(-1) * w, rcond=None)
        error = (design @ solution - points[0].reshape(-1)) * w / eyes
        e = expression - basis.expression_mean
        return float(error @ error + shape @ shape + e @ basis.expression_precision @ e)

    best = cost(result.shape[0], result.expression[0])
    rng = np.random.default_rng(2)
    for _ in range(30):
        step = rng.normal(size=len(result.shape[0])) * 0.1
        assert cost(result.shape[0] + step, result.expression[0]) > best - 1e-3


def test_invariant_to_place_and_size_and_batch(heads: tuple) -> None:
    basis, _, _, _, points = heads
    plain = fit(points, basis)
    moved = fit(points * 0.37 + [900, -40], basis)
    for name in ("shape", "expression", "pose", "residual"):
        assert np.allclose(getattr(plain, name), getattr(moved, name), atol=1e-6), name
    alone = fit(points[5:6], basis)
    assert np.allclose(alone.shape[0], plain.shape[5], atol=1e-8)
    assert np.allclose(moved.points, plain.points * 0.37 + [900, -40], atol=1e-5)


def test_a_turn_of_the_picture_turns_the_pose_alone(heads: tuple) -> None:
    basis, _, _, _, points = heads
    angle = 0.2
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    plain, turned = fit(points, basis), fit(points @ turn.T, basis)
    # Pixels have y down: a clockwise turn on the screen is a negative turn about the axis towards the viewer.
    expected = rotations(np.tile([0, 0, -angle], (len(points), 1))) @ rotations(plain.pose)
    assert np.abs(rotations(turned.pose) - expected).max() < 1e-3
    assert np.abs(turned.expression - plain.expression).max() < 1e-2


def test_instrument_reads_what_it_declares_and_gives_nan_for_no_face(heads: tuple) -> None:
    points = heads[4].astype(np.float32)
    points[1] = np.nan
    points[2] = 5.0
    readings = create("anny-landmarks").read(np.zeros((len(points), 8, 8, 3), np.uint8), points)
    assert set(readings) == set(AnnyLandmarks.reads)
    assert readings["pose"].shape == (len(points), 3)
    assert np.isnan(readings["shape"][[1, 2]]).all()
    assert np.isfinite(readings["shape"][3:]).all()
    assert create("anny-landmarks").read(np.zeros((0, 8, 8, 3), np.uint8), points[:0])[
        "expression"
    ].shape == (0, 52)


def test_options_and_bad_input() -> None:
    assert create("anny-landmarks?distance=2.5").parameters["distance"] == 2.5
    with pytest.raises(InstrumentError, match="must be numbers"):
        create("anny-landmarks?distance=near")
    with pytest.raises(InstrumentError, match=r"0\.2 to 100"):
        create("anny-landmarks?distance=0")
    with pytest.raises(InstrumentError, match="distance"):
        create("anny-landmarks?distanse=2")
    with pytest.raises(InstrumentError, match=r"landmarks \[n, 68, 2\]"):
        create("anny-landmarks").read(np.zeros((1, 8, 8, 3), np.uint8), np.zeros((1, 5, 2), np.float32))


def test_missing_and_foreign_basis_files(tmp_path) -> None:
    with pytest.raises(InstrumentError, match=r"bench\.make_anny\.basis"):
        load_basis(tmp_path / "none.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"\x80\x04 not safetensors")
    with pytest.raises(InstrumentError, match="not a landmark basis"):
        load_basis(tmp_path / "bad.safetensors")
