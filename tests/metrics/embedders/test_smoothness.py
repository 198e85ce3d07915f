"""The interpolation path and d_smooth against plain loops at every step."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.embedders import interpolation
from metrics.embedders.interpolation import (
    STEPS,
    TIE,
    interpolation_count,
    nearest_along,
    nearest_paths,
    path_count,
)
from metrics.embedders.slerp import slerp
from metrics.embedders.smoothness import d_smooth


def faces(seed: int, n: int = 6, g: int = 80, d: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ends a, b and a gallery of all lengths, some rows given twice, some without a reading."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, n, d))
    gallery = rng.normal(size=(g, d)) * rng.uniform(0.1, 9, (g, 1))
    gallery[g // 2 :: 7] = gallery[: len(gallery[g // 2 :: 7])]
    gallery[rng.random(g) < 0.05] = np.nan
    gallery[-1] = rng.normal(size=d)  # one at least can be read
    return a, b, gallery


def textbook(a: np.ndarray, b: np.ndarray, r: float) -> np.ndarray:
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    total = np.arccos(np.clip(a @ b, -1, 1))
    return (np.sin((1 - r) * total) * a + np.sin(r * total) * b) / np.sin(total)


def loop_nearest(point: np.ndarray, gallery: np.ndarray) -> int:
    cosines = {j: float(point @ g / np.linalg.norm(g)) for j, g in enumerate(gallery) if np.isfinite(g).all()}
    best = max(cosines.values())
    return min(j for j, c in cosines.items() if c >= best - TIE)


@given(seed=st.integers(0, 2**32 - 1), d=st.sampled_from([2, 3, 16]), g=st.integers(8, 60))
@settings(max_examples=25, deadline=None)
def test_nearest_faces_equal_a_loop_at_every_step_and_between(seed: int, d: int, g: int) -> None:
    a, b, gallery = faces(seed, 3, g, d)
    expected = [[loop_nearest(textbook(x, y, r), gallery) for r in STEPS] for x, y in zip(a, b, strict=True)]
    np.testing.assert_array_equal(nearest_along(a, b, gallery), expected)
    fine = np.random.default_rng(seed).uniform(0, 1, 150)
    for path, x, y in zip(nearest_paths(a, b, gallery), a, b, strict=True):
        walked = path.rows[np.searchsorted(path.start, fine, side="right") - 1]
        looped = np.array([loop_nearest(textbook(x, y, r), gallery) for r in fine])
        # Within rounding of a change-over both faces are right.
        apart = np.min(np.abs(fine[:, None] - path.start[None]), axis=1) > 1e-9
        np.testing.assert_array_equal(walked[apart], looped[apart])
        assert path.start[0] == 0
        assert (np.diff(path.start) > 0).all()
        assert len(set(path.rows.tolist())) == len(path.rows)  # no corner of a convex hull comes twice


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_counts_equal_a_loop(seed: int) -> None:
    a, b, gallery = faces(seed)
    ids = np.array([f"p{i % 9}" for i in range(len(gallery))])
    for ends in ("count", "leave_out"):
        images, people = [], []
        for x, y in zip(a, b, strict=True):
            met = [loop_nearest(textbook(x, y, r), gallery) for r in STEPS]
            out = (
                [loop_nearest(z / np.linalg.norm(z), gallery) for z in (x, y)] if ends == "leave_out" else []
            )
            images.append(len(set(met) - set(out)))
            people.append(len({ids[j] for j in met} - {ids[j] for j in out}))
        count = interpolation_count(a, b, gallery, ids, ends=ends)  # type: ignore[arg-type]
        assert count.images.tolist() == images
        assert count.people is not None
        assert count.people.tolist() == people
        whole = path_count(nearest_paths(a, b, gallery), ids, ends)  # type: ignore[arg-type]
        assert (whole.images >= count.images).all()


def test_a_path_in_the_plane_by_hand() -> None:
    degrees = np.radians([0, 30, 60, 90, 200])
    gallery = np.stack([np.cos(degrees), np.sin(degrees)], axis=1)
    a, b = np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]])
    (path,) = nearest_paths(a, b, gallery)
    assert path.rows.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(path.start, np.array([0, 15, 45, 75]) / 90, atol=1e-15)
    assert nearest_along(a, b, gallery)[0].tolist() == [0, 1, 1, 1, 1, 2, 2, 2, 3]  # 45 degrees is a tie
    ids = ["x", "y", "y", "x", "z"]
    count = interpolation_count(a, b, gallery, ids)
    assert (count.images.tolist(), count.people.tolist()) == ([4.0], [2.0])  # type: ignore[union-attr]
    new = interpolation_count(a, b, gallery, ids, ends="leave_out")
    assert (new.images.tolist(), new.people.tolist()) == ([2.0], [1.0])  # type: ignore[union-attr]
    assert path_count([path], ends="leave_out").images.tolist() == [2.0]
    assert path_count([path]).people is None


def test_a_wide_path_passes_faces_that_lie_behind_its_start() -> None:
    degrees = np.radians([0, 100, 140, 170])
    gallery = np.stack([np.cos(degrees), np.sin(degrees)], axis=1)
    (path,) = nearest_paths([[1.0, 0.0]], [[np.cos(3.1), np.sin(3.1)]], gallery)
    assert path.rows.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(path.start, np.radians([0, 50, 120, 155]) / 3.1, atol=1e-14)


def test_one_face_given_many_times_is_one_face() -> None:
    a, b, gallery = faces(8)
    twice = np.concatenate([gallery, 5 * gallery])
    np.testing.assert_array_equal(nearest_along(a, b, twice), nearest_along(a, b, gallery))
    for one, other in zip(nearest_paths(a, b, gallery), nearest_paths(a, b, twice), strict=True):
        np.testing.assert_array_equal(one.rows, other.rows)


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b, gallery = faces(9, 12)
    whole = nearest_along(a, b, gallery)
    monkeypatch.setattr(interpolation, "_BYTES", 1)
    monkeypatch.setattr(interpolation, "_ROWS", 3)
    np.testing.assert_array_equal(nearest_along(a, b, gallery), whole)


def test_ends_that_have_no_path() -> None:
    a, b, gallery = faces(10)
    b[0], b[1], b[2] = np.nan, -a[1], a[2]
    assert (nearest_along(a, b, gallery)[:2] == -1).all()
    assert [len(path.rows) for path in nearest_paths(a, b, gallery)[:3]] == [0, 0, 1]
    count = interpolation_count(a, b, gallery)
    assert np.isnan(count.images[:2]).all()
    assert count.images[2] == 1
    result = d_smooth(a, b, gallery)
    assert result.skipped == 3  # equal ends have a chord of 0
    assert np.isfinite(result.value)
    assert np.isnan(result.per_pair[:3]).all()


@pytest.mark.parametrize("denominator", ["chord", "arc", "detour", "ends", "none"])
@pytest.mark.parametrize("average", ["of_ratios", "of_sums"])
def test_d_smooth_equals_a_loop(denominator: str, average: str) -> None:
    a, b, train = faces(11, 15, 200, 12)
    unit = train / np.linalg.norm(train, axis=1, keepdims=True)
    gaps, divisors = [], []
    for x, y in zip(
        a / np.linalg.norm(a, axis=1)[:, None], b / np.linalg.norm(b, axis=1)[:, None], strict=True
    ):
        around = [np.linalg.norm(z - unit[loop_nearest(z, train)]) for z in (x, y)]
        for r in STEPS:
            point = textbook(x, y, r)
            c = unit[loop_nearest(point, train)]
            gaps.append(np.linalg.norm(point - c))
            divisors.append(
                {
                    "chord": np.linalg.norm(x - y),
                    "arc": np.arccos(x @ y),
                    "detour": np.linalg.norm(x - c) + np.linalg.norm(c - y),
                    "ends": np.mean(around),
                    "none": 1.0,
                }[denominator]
            )
    g, d = np.array(gaps), np.array(divisors)
    expected = np.mean(g / d) if average == "of_ratios" else g.sum() / d.sum()
    result = d_smooth(a, b, train, denominator=denominator, average=average)  # type: ignore[arg-type]
    assert result.value == pytest.approx(expected, abs=1e-12)
    np.testing.assert_allclose(result.per_pair, (g / d).reshape(15, 9).mean(axis=1), atol=1e-12)
    assert result.skipped == 0


def test_a_denser_training_set_is_smoother_and_faces_on_the_path_are_perfect() -> None:
    a, b, train = faces(12, 20, 400, 6)
    few, many = d_smooth(a, b, train[-50:]).value, d_smooth(a, b, train).value
    assert many < few
    on_path = slerp(a, b, STEPS).reshape(-1, 6)
    assert d_smooth(a, b, on_path).value < 1e-7


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a, b, g: d_smooth(a, b, g, denominator="length"), "choose chord, arc"),
        (lambda a, b, g: d_smooth(a, b, g, average="mean"), "choose of_ratios or of_sums"),
        (lambda a, b, g: interpolation_count(a, b, g, ends="drop"), "choose count or leave_out"),
        (lambda a, b, g: nearest_along(a, b, g, [1.5]), r"shares in 0\.\.1"),
        (lambda a, b, g: nearest_along(a, b[:2], g), "must both be"),
        (lambda a, b, g: nearest_along(a, b, g[:, 1:]), "same embedder"),
        (lambda a, b, g: nearest_along(a, b, g * np.nan), "nothing to find"),
    ],
)
def test_bad_input_is_one_clear_error(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        call(*faces(0))


def test_the_size_of_the_paper_takes_seconds() -> None:
    """63,000 training faces of 512 numbers, 50 whole paths; the exact argmax at the steps agrees."""
    rng = np.random.default_rng(0)
    gallery = rng.standard_normal((63_000, 512), dtype=np.float32)
    a, b = rng.normal(size=(2, 50, 512))
    start = time.perf_counter()
    paths = nearest_paths(a, b, gallery)
    seconds = time.perf_counter() - start
    norms = np.linalg.norm(gallery, axis=1)
    points = slerp(a[:10], b[:10], STEPS).reshape(-1, 512).astype(np.float32)
    brute = np.argmax(points @ gallery.T / norms, axis=1).reshape(10, 9)
    walked = [p.rows[np.searchsorted(p.start, STEPS, side="right") - 1] for p in paths[:10]]
    np.testing.assert_array_equal(walked, brute)
    assert seconds < 60  # about 2 s on one quiet core
