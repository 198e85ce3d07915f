"""One table of invariances that every metric is held to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scenes import WIDTHS, sides
from scipy.stats import special_ortho_group

from metrics import METRICS, Sides, evaluate, frame_values

RNG = np.random.default_rng(99)
BASE = sides(seed=4, gallery_exclude=RNG.integers(-1, 120, 60))
for _name in WIDTHS:  # some frames without a reading, so that every rule meets them
    BASE.swap[_name][RNG.random(60) < 0.1] = np.nan


def take(s: Sides, index: np.ndarray) -> Sides:
    """The same run with its frames chosen and ordered by index."""

    def rows(table):  # type: ignore[no-untyped-def]
        return {k: v[index] for k, v in table.items()}

    return replace(
        s, swap=rows(s.swap), source=rows(s.source), target=rows(s.target), truth=rows(s.truth),
        wanted_id=s.wanted_id[index], target_id=s.target_id[index], clusters=s.clusters[index],
        gallery_exclude=s.gallery_exclude[index],
    )  # fmt: skip


def map_readings(s: Sides, change: Callable[[str, np.ndarray], np.ndarray]) -> Sides:
    """The same run with every reading, the gallery's too, changed alike."""

    def rows(table):  # type: ignore[no-untyped-def]
        return {k: v if k == "pixel_error" else change(k, v) for k, v in table.items()}

    return replace(
        s, swap=rows(s.swap), source=rows(s.source), target=rows(s.target), truth=rows(s.truth),
        gallery=change("identity", s.gallery),
    )  # fmt: skip


def probes_in_another_order(s: Sides) -> Sides:
    return take(s, RNG.permutation(len(s)))


def frames_twice(s: Sides) -> Sides:
    return take(s, np.tile(np.arange(len(s)), 2))


def gallery_in_another_order(s: Sides) -> Sides:
    order = RNG.permutation(len(s.gallery))
    where = np.argsort(order)
    exclude = np.where(s.gallery_exclude >= 0, where[s.gallery_exclude], -1)
    return replace(s, gallery=s.gallery[order], gallery_ids=s.gallery_ids[order], gallery_exclude=exclude)


def gallery_twice_nobody_excluded(s: Sides) -> Sides:
    return replace(
        s, gallery=np.tile(s.gallery, (2, 1)), gallery_ids=np.tile(s.gallery_ids, 2), gallery_exclude=None
    )


def nobody_excluded(s: Sides) -> Sides:
    return replace(s, gallery_exclude=None)


def gallery_with_unreadable_rows(s: Sides) -> Sides:
    extra = np.full((7, s.gallery.shape[1]), np.nan)
    return replace(
        s, gallery=np.concatenate([s.gallery, extra]), gallery_ids=np.append(s.gallery_ids, ["zzz"] * 7)
    )


def float32_readings(s: Sides) -> Sides:
    return map_readings(s, lambda _, x: x.astype(np.float32))


def rotated(s: Sides) -> Sides:
    turn = {k: special_ortho_group.rvs(d, random_state=d) for k, d in WIDTHS.items()}
    return map_readings(s, lambda k, x: x @ turn[k])


def people_renamed(s: Sides) -> Sides:
    def new(ids: np.ndarray) -> np.ndarray:
        return np.array([f"person-{(int(i) * 7) % 12}" for i in ids])

    return replace(s, wanted_id=new(s.wanted_id), target_id=new(s.target_id), gallery_ids=new(s.gallery_ids))


SAME_VALUE = {
    probes_in_another_order: 1e-12,
    frames_twice: 1e-12,
    gallery_in_another_order: 1e-12,
    gallery_with_unreadable_rows: 0.0,
    float32_readings: 1e-5,
    rotated: 1e-9,
    people_renamed: 0.0,
}


@pytest.mark.parametrize("key", METRICS)
@pytest.mark.parametrize("change", SAME_VALUE, ids=lambda f: f.__name__)
def test_no_metric_changes(key: str, change: Callable[[Sides], Sides]) -> None:
    before = evaluate(BASE, [key], n_resamples=99)[key]
    after = evaluate(change(BASE), [key], n_resamples=99)[key]
    assert after.value == pytest.approx(before.value, rel=SAME_VALUE[change], abs=SAME_VALUE[change])
    if change is frames_twice:
        # A frame seen twice is no new evidence: the clusters, and so the interval, stay as they are.
        assert (after.n, after.clusters) == (2 * before.n, before.clusters)
    if change is not float32_readings:
        assert after.ci95 == pytest.approx(before.ci95, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("key", METRICS)
def test_frames_keep_their_own_values_in_any_order(key: str) -> None:
    order = RNG.permutation(len(BASE))
    taken = frame_values(take(BASE, order), key)
    np.testing.assert_allclose(taken, frame_values(BASE, key)[order], atol=1e-12)


@pytest.mark.parametrize("key", ["id_retrieval", "id_retrieval_top5"])
def test_a_gallery_given_twice_is_the_same_gallery(key: str) -> None:
    np.testing.assert_array_equal(
        frame_values(gallery_twice_nobody_excluded(BASE), key), frame_values(nobody_excluded(BASE), key)
    )


@pytest.mark.parametrize("key", METRICS)
def test_scale_of_readings(key: str) -> None:
    """Angles and ratios do not feel the scale; plain L2 distances grow with it."""
    scaled = frame_values(map_readings(BASE, lambda _, x: 3.7 * x), key)
    plain_l2 = key in ("shape", "expression", "pose", "truth_shape", "truth_expression", "truth_pose")
    np.testing.assert_allclose(scaled, frame_values(BASE, key) * (3.7 if plain_l2 else 1.0), atol=1e-12)


@pytest.mark.parametrize("key", [k for k in METRICS if k.startswith("id")])
def test_identity_does_not_feel_the_length_of_single_readings(key: str) -> None:
    def stretch(name: str, x: np.ndarray) -> np.ndarray:
        return x * RNG.uniform(0.1, 50, (len(x), 1)) if name == "identity" else x

    np.testing.assert_allclose(
        frame_values(map_readings(BASE, stretch), key), frame_values(BASE, key), atol=1e-12
    )


@pytest.mark.parametrize("key", ["shape", "shape_r", "expression", "expression_r", "pose", "pose_r"])
def test_parameters_do_not_feel_their_origin(key: str) -> None:
    moved = frame_values(map_readings(BASE, lambda _, x: x + 5.0), key)
    np.testing.assert_allclose(moved, frame_values(BASE, key), atol=1e-12)


@pytest.mark.parametrize("key", METRICS)
def test_values_lie_in_the_stated_range_and_worse_is_where_the_direction_says(key: str) -> None:
    metric = METRICS[key]
    values = frame_values(BASE, key)
    low, high = metric.range
    assert np.nanmin(values) >= low
    assert np.nanmax(values) <= high
    # The true swap is at least as good as a noisy one by every metric.
    best = evaluate(sides(seed=4, swap="truth"), [key], n_resamples=99)[key].value
    noisy = evaluate(BASE, [key], n_resamples=99)[key].value
    assert best > noisy if metric.higher_is_better else best < noisy
