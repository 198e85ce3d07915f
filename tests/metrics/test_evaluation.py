"""Whole evaluations: numbers worked out by hand, the ends of the scale, missing faces, and clear errors."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from metrics import METRICS, MetricError, Sides, Summary, applicable, evaluate, frame_values
from metrics.evaluation import POLICIES
from metrics.rotation import from_degrees
from metrics.spec import KEEPING, VIDEO, Metric
from tests.support.scenes import read_for, sides

# They know no face: a picture is enough, whether a face is found in it or not.
PIXELS = {"truth_pixel", *(key for key, metric in METRICS.items() if metric.pixels)}


def two_frames() -> Sides:
    """Swap halfway between source and target in a plane, worked out by hand below."""
    return Sides(
        swap={"identity": np.array([[1.0, 1.0], [0.0, 2.0]]), "shape": np.array([[3.0, 4.0], [0.0, 0.0]])},
        source={"identity": np.array([[5.0, 0.0], [0.0, 1.0]]), "shape": np.array([[0.0, 0.0], [0.0, 6.0]])},
        target={"identity": np.array([[0.0, 3.0], [1.0, 0.0]]), "shape": np.array([[3.0, 5.0], [2.0, 0.0]])},
        wanted_id=np.array(["a", "b"]),
        target_id=np.array(["b", "a"]),
        clusters=np.array(["a_b", "c_d"]),
    )


def test_hand_worked_numbers() -> None:
    s = two_frames()
    np.testing.assert_allclose(frame_values(s, "identity"), [math.sqrt(0.5), 1.0])
    np.testing.assert_allclose(frame_values(s, "identity_r"), [0.5, 0.0], atol=1e-15)
    np.testing.assert_allclose(frame_values(s, "shape"), [5.0, 6.0])
    np.testing.assert_allclose(frame_values(s, "shape_r"), [5 / 6, 6 / 8])
    value = evaluate(s)["shape"]
    assert (value.value, value.n, value.clusters) == (5.5, 2, 2)


def test_expression_and_pose_are_held_against_the_target() -> None:
    s = sides(swap="target")
    for key in ("expression", "expression_r", "pose", "pose_r"):
        assert evaluate(s, [key])[key].value == 0
    assert evaluate(s, ["shape_r"])["shape_r"].value == 1


def test_the_ends_of_the_scale() -> None:
    copy_target, copy_source, oracle = (sides(swap=kind) for kind in ("target", "source", "truth"))
    assert evaluate(copy_target)["id_retrieval"].value == 0
    assert evaluate(copy_source)["id_retrieval"].value == 100
    assert evaluate(copy_source)["identity"].value == pytest.approx(1)
    scores = evaluate(oracle)
    assert {k: v.value for k, v in scores.items() if k.startswith("truth_")} == dict.fromkeys(
        [k for k in METRICS if k.startswith("truth_")], 0.0
    )
    assert scores["id_retrieval"].value == 100


def test_an_interval_at_the_end_of_the_scale_is_not_falsely_zero() -> None:
    low, high = evaluate(sides(swap="source"))["id_retrieval"].ci95
    assert high == 100
    assert low == pytest.approx(100 * 0.025 ** (1 / 6))  # 6 pairs, none failed


def missing_some() -> Sides:
    """10 frames of 60 without a face in the swap; all others are found."""
    s = sides(swap="source")
    for readings in s.swap.values():
        readings[:10] = np.nan
    return s


def test_both_missing_policies_are_kept() -> None:
    s = missing_some()
    counted = evaluate(s, ["id_retrieval"])["id_retrieval"]
    assert (counted.missing_policy, counted.missing, counted.n) == ("count_as_wrong", 10, 60)
    assert counted.value == pytest.approx(100 * 50 / 60)
    assert (counted.counting_missing.value, counted.counting_missing.ci95) == (counted.value, counted.ci95)
    assert (counted.excluding_missing.value, counted.excluding_missing.n) == (100, 50)
    excluded = evaluate(s, ["id_retrieval"], missing="exclude")["id_retrieval"]
    assert (excluded.missing_policy, excluded.value, excluded.n) == ("exclude", 100, 50)
    assert excluded.counting_missing == counted.counting_missing


@pytest.mark.parametrize("key", [k for k, m in METRICS.items() if not m.counted and k not in PIXELS])
def test_distances_leave_missing_faces_out_and_say_so(key: str) -> None:
    some = read_for(missing_some(), key)
    value = evaluate(some, [key], n_resamples=99)[key]
    asked = 48 if METRICS[key].needs_clips else 60  # first frames of the 12 clips have no frame before them
    lost = 8 if METRICS[key].needs_clips else 10
    assert (value.missing_policy, value.missing, value.n) == ("exclude", lost, asked - lost)
    assert value.excluding_missing == Summary(value.value, value.ci95, value.n, value.clusters)
    assert value.counting_missing.n == asked
    counted = evaluate(some, [key], "count_everywhere", n_resamples=99)[key]
    assert (counted.missing_policy, counted.n) == ("count_as_wrong", asked)
    assert Summary(counted.value, counted.ci95, counted.n, counted.clusters) == value.counting_missing
    assert counted.excluding_missing == value.excluding_missing


@pytest.mark.parametrize(
    "key",
    [k for k, m in METRICS.items() if not (m.needs_clips or k.startswith("id_ret") or k in PIXELS)],
)
def test_a_missing_swap_counts_as_the_unwanted_person(key: str) -> None:
    """All swaps lost, counted everywhere: the score of the swap that shows the other side, by definition."""
    nothing = read_for(sides(), key)
    unwanted = sides(swap="source" if METRICS[key].group == KEEPING else "target")
    if key.startswith("truth_"):
        unwanted = sides(swap="source" if key in ("truth_expression", "truth_pose") else "target")
    for readings in nothing.swap.values():
        readings[:] = np.nan
    counted = frame_values(nothing, key, "count_everywhere")
    hint = f"{key}: if_missing of its spec is what a swap scores that shows the unwanted person"
    np.testing.assert_allclose(counted, frame_values(read_for(unwanted, key), key), atol=1e-12, err_msg=hint)
    assert np.isfinite(counted).all()


@pytest.mark.parametrize("key", METRICS)
def test_a_lost_face_never_helps_once_it_counts(key: str) -> None:
    """The oracle loses 10 faces; no metric may get better by it, under the policies that count them."""
    whole, some = (read_for(sides(swap="truth"), key) for _ in range(2))
    for readings in some.swap.values():
        readings[:10] = np.nan
    if key == "truth_pixel":
        some.truth["pixel_error"][:10] = np.nan  # type: ignore[index]
    elif key in PIXELS:
        some.pixels[key][:10] = np.nan
    before = evaluate(whole, [key], "count_everywhere", n_resamples=99)[key]
    after = evaluate(some, [key], "count_everywhere", n_resamples=99)[key]
    assert (after.n, after.missing) == (before.n, 8 if METRICS[key].needs_clips else 10)
    assert after.value < before.value if METRICS[key].higher_is_better else after.value > before.value


def test_frames_whose_originals_cannot_be_read_never_count() -> None:
    lost = sides()
    for side in (lost.swap, lost.source, lost.target):
        for readings in side.values():
            readings[:10] = np.nan
    for key in ("identity", "identity_r", "shape", "shape_r", "expression", "expression_r", "pose", "pose_r"):
        assert evaluate(lost, [key], "count_everywhere", n_resamples=99)[key].n == 50


@pytest.mark.parametrize("key", ["id_retrieval", "target_identity", "target_retrieval"])
def test_losing_the_frames_that_show_the_target_earns_nothing(key: str) -> None:
    """Ten frames still show the target; a swap that loses those scores no better under the default policy."""
    shown, lost = (sides(swap="truth") for _ in range(2))
    shown.swap["identity"][:10] = shown.target["identity"][:10]
    lost.swap["identity"][:10] = np.nan
    before, after = (evaluate(s, [key], n_resamples=99)[key] for s in (shown, lost))
    assert after.value == pytest.approx(before.value)
    assert (after.n, after.missing, after.missing_policy) == (60, 10, "count_as_wrong")


def test_nothing_read_at_all_is_no_number_but_no_crash() -> None:
    s = sides()
    for readings in s.swap.values():
        readings[:] = np.nan
    scores = evaluate(s)
    assert scores["id_retrieval"].value == 0
    assert math.isnan(scores["shape"].value)
    assert (scores["shape"].n, scores["shape"].clusters) == (0, 0)
    assert scores["shape"].as_dict()["value"] is None


def test_no_frames_at_all() -> None:
    s = sides()
    none = Sides(
        {k: v[:0] for k, v in s.swap.items()},
        {k: v[:0] for k, v in s.source.items()},
        {k: v[:0] for k, v in s.target.items()},
        s.wanted_id[:0],
        s.target_id[:0],
        s.clusters[:0],
        s.gallery,
        s.gallery_ids,
    )
    assert all(v.n == 0 and math.isnan(v.value) for v in evaluate(none).values())


def test_values_are_json_and_name_their_instrument() -> None:
    for key, value in evaluate(sides(), n_resamples=99).items():
        stored = json.loads(json.dumps(value.as_dict(), allow_nan=False))
        assert stored["value"] == value.value
        assert stored["version"] == METRICS[key].version
        assert stored["instrument"] == (f"test-{METRICS[key].reads[0]}" if METRICS[key].reads else None)


def test_the_seed_decides_the_interval_and_nothing_else() -> None:
    s = sides()
    assert evaluate(s, seed=3) == evaluate(s, seed=3)
    s = sides(people=40)
    one, other = evaluate(s, ["shape"], seed=1)["shape"], evaluate(s, ["shape"], seed=2)["shape"]
    assert one.value == other.value
    assert one.ci95 != other.ci95


def test_columns_named_after_a_network_by_hand() -> None:
    s = two_frames()
    s = replace(
        s,
        swap=s.swap | {"pose": np.radians([[0.0, 10, 0], [0, 0, 0]])},
        target=s.target | {"pose": np.radians([[0.0, 0, 0], [-4, 0, 0]])},
        source=s.source | {"pose": np.zeros((2, 3))},
    )
    vgg, arc, hn = (
        replace(s, instruments=dict.fromkeys(s.swap, name)) for name in ("vggface2:a", "arcface:b", "hopenet")
    )
    np.testing.assert_allclose(
        frame_values(vgg, "vgg"), [math.sqrt(17), 1.0]
    )  # (1, 1) to (5, 0); (0, 2) to (0, 1)
    np.testing.assert_allclose(
        frame_values(vgg, "vgg_r"), [math.sqrt(17) / (math.sqrt(17) + math.sqrt(5)), 1 / (1 + math.sqrt(5))]
    )
    np.testing.assert_allclose(frame_values(arc, "arc"), [math.sqrt(0.5), 1.0])
    np.testing.assert_allclose(frame_values(arc, "arc_r"), [0.5, 1.0])
    np.testing.assert_allclose(frame_values(hn, "pose_hn"), [10.0, 4.0])  # degrees of yaw, then of pitch
    with pytest.raises(MetricError, match="arc_r needs readings by arcface"):
        frame_values(vgg, "arc_r")


@pytest.mark.parametrize("key", ["pose", "truth_pose", "pose_hn"])
def test_rotations_are_compared_by_their_angle(key: str) -> None:
    """Where the numbers of a rotation jump, the rotation does not: yaw past a quarter turn, axis-angle past a half one."""
    s = two_frames()
    swap = [from_degrees([[0.0, 89.0, 0.0]])[0], [0.0, 3.1, 0.0]]
    wanted = [from_degrees([[0.0, 91.0, 0.0]])[0], [0.0, -3.1, 0.0]]
    sides = {
        side: {**getattr(s, side), "pose": np.array(rows)}
        for side, rows in (("swap", swap), ("target", wanted), ("source", np.zeros((2, 3))))
    }
    s = replace(s, **sides, truth={"pose": np.array(wanted)}, instruments={"pose": "hopenet:test"})
    degrees = [2.0, np.degrees(2 * np.pi - 6.2)]
    np.testing.assert_allclose(
        frame_values(s, key), degrees if key == "pose_hn" else np.radians(degrees), rtol=1e-9
    )


def test_no_interval_goes_beyond_what_a_metric_can_be() -> None:
    """Three pairs that differ as much as they can: the interval of a mean angle ends at pi."""
    pose = np.zeros((60, 3))
    pose[:20, 0], pose[20:40, 0] = np.pi, 1.5
    s = sides(swap="target", clusters=np.repeat(["a", "b", "c"], 20))
    value = evaluate(
        replace(s, swap={**s.swap, "pose": pose}, target={**s.target, "pose": np.zeros((60, 3))}), ["pose"]
    )["pose"]
    assert value.value == pytest.approx((np.pi + 1.5) / 3)
    assert value.ci95 == (0.0, np.pi)


def test_applicable_follows_what_was_read() -> None:
    s = sides()
    named = [key for key, metric in METRICS.items() if metric.only]
    assert applicable(s) == [key for key in METRICS if key not in named]
    assert set(named) == {"vgg", "vgg_r", "arc", "arc_r", "pose_hn"}
    for key in named:
        assert [k for k in applicable(read_for(s, key)) if k in named] == [
            k for k in named if METRICS[k].only == METRICS[key].only
        ]
    assert not any(k.startswith("truth") for k in applicable(replace(s, truth=None)))
    only_identity = replace(
        s,
        swap={"identity": s.swap["identity"]},
        truth=None,
        pixels={},
        gallery=None,
        gallery_ids=None,
        clips=None,
        frames=None,
    )
    assert applicable(only_identity) == ["identity", "identity_r", "target_identity"]


@pytest.mark.parametrize("missing", POLICIES)
def test_evaluate_returns_the_frames_of_every_metric_computed_once(missing: str) -> None:
    calls: Counter[str] = Counter()

    def counted(metric: Metric) -> Metric:
        def per_frame(s: Sides) -> np.ndarray:
            calls[metric.key] += 1
            return metric.per_frame(s)

        return replace(metric, per_frame=per_frame)

    s = sides(seed=3)
    for reading in s.swap.values():
        reading[::7] = np.nan
    with pytest.MonkeyPatch.context() as patch:
        watched = {key: counted(metric) for key, metric in METRICS.items()}
        patch.setattr("metrics.evaluation.get", watched.__getitem__)
        values = evaluate(s, missing=missing, n_resamples=99)
        assert calls == dict.fromkeys(values, 1)
    for key, value in values.items():
        np.testing.assert_array_equal(value.per_frame, frame_values(s, key))
        np.testing.assert_array_equal(value.counted, frame_values(s, key, "count_everywhere"))
        assert np.isnan(value.per_frame).any() or key in PIXELS


def test_a_value_carries_what_its_spec_declares() -> None:
    for key, value in evaluate(sides(), n_resamples=99).items():
        written, spec = value.as_dict(), METRICS[key]
        for name in ("label", "group", "order", "unit", "higher_is_better", "version", "description"):
            assert written[name] == getattr(spec, name)
        assert written["unranked"] == (spec.unranked or None)
        assert written["range"] == [None if math.isinf(end) else end for end in spec.range]
        json.dumps(written, allow_nan=False)


def test_every_metric_says_what_it_is() -> None:
    for key, metric in METRICS.items():
        assert metric.key == key
        assert len(metric.description) > 60, f"{key}: its description is too short to explain it"
        assert metric.unit, f"{key}: a unit is a word or more, as 'ratio'"
        assert 0 < len(metric.label) <= 16, (
            f"{key}: its label heads a narrow column of the report; 16 letters at most"
        )
        assert metric.missing, f"{key}: missing says in words what if_missing computes"
        assert metric.needs_truth == key.startswith("truth_"), (
            f"{key}: what needs the truth is called truth_..."
        )
        assert metric.needs_clips == (metric.group == VIDEO), (
            f"{key}: what needs clips stands in the group VIDEO"
        )
        assert metric.cluster == "pair"


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda s: evaluate(s, ["id_retreival"]), "did you mean 'id_retrieval'"),
        (lambda s: evaluate(s, missing="ignore"), "choose count_as_wrong, exclude or count_everywhere"),
        (lambda s: frame_values(s, "shape", "leave"), "unknown missing policy 'leave'"),
        (lambda s: replace(s, clips=None), "clips and frames belong together"),
        (lambda s: evaluate(replace(s, clips=None, frames=None), ["pose_flicker"]), "clip and number"),
        (lambda s: evaluate(replace(s, truth=None), ["truth_shape"]), "needs the truth of shape"),
        (lambda s: evaluate(replace(s, gallery=None, gallery_ids=None), ["id_retrieval"]), "a gallery"),
        (lambda s: replace(s, clusters=s.clusters[:-1]), r"clusters has shape \(59,\)"),
        (lambda s: replace(s, swap={"shape": np.zeros((60, 4))}), "same instrument"),
        (lambda s: replace(s, swap={"shape": np.zeros(60)}), r"must be \(60, d\)"),
        (lambda s: replace(s, truth={"pixel_error": np.zeros((60, 2))}), "pixel_error"),
        (lambda s: replace(s, gallery_ids=s.gallery_ids[1:]), "do not match"),
        (lambda s: replace(s, gallery_ids=None), "belong together"),
        (lambda s: replace(s, gallery=s.gallery[:, 1:]), "gallery rows have 15 numbers"),
        (lambda s: replace(s, gallery_exclude=np.full(60, 120)), "past the gallery's 120 rows"),
    ],
)
def test_readings_that_do_not_fit_are_one_clear_error(act, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(MetricError, match=message):
        act(sides())
