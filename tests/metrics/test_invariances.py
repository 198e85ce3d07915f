"""One table of invariances that every metric is held to: of frames, of embedders, of pairs and of pictures.

A row of FRAMES, EMBEDDERS, PAIRS or PICTURES says what is done to the input and what may become of the number.
One test runs all rows over all metrics that they apply to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import special_ortho_group

from metrics import METRICS, Sides, evaluate, frame_values
from metrics.embedders.interpolation import interpolation_count, nearest_paths, path_count
from metrics.embedders.paths import neighbour_agreement, path_figures
from metrics.embedders.probe import explained, linear_probe
from metrics.embedders.slerp import slerp
from metrics.embedders.smoothness import d_smooth
from metrics.embedders.space import alignment, effective_rank, potentials, spectrum, uniformity
from metrics.embedders.verification import auc, best_accuracy, eer, fold_accuracy, tar_at_far
from metrics.frames.retrieval import identity_rank, retrieved
from metrics.pictures.sets import picture_distances
from metrics.registry import PICTURES as PICTURE_METRICS
from metrics.registry import ours
from tests.support.scenes import WIDTHS, read_for, sides

RNG = np.random.default_rng(99)
Values = np.ndarray
Expect = Callable[[str, Values], Values | None]  # metric and its values before -> after; None: no rule for it

BASE = sides(seed=4, gallery_exclude=RNG.integers(-1, 120, 60))
for _name in WIDTHS:  # some frames without a reading, so that every rule meets them
    BASE.swap[_name][RNG.random(60) < 0.1] = np.nan


def same(_: str, before: Values) -> Values:
    return before


# ---- metrics of frames: a change gives pieces of a run, whose values are those of BASE[index] ----

Changed = tuple[list[Sides], np.ndarray | slice]
WHOLE = slice(None)


def take(s: Sides, index: np.ndarray) -> Sides:
    """The same run with its frames chosen and ordered by index."""

    def rows(table):  # type: ignore[no-untyped-def]
        return {k: v[index] for k, v in table.items()}

    return replace(
        s,
        swap=rows(s.swap),
        source=rows(s.source),
        target=rows(s.target),
        truth=rows(s.truth),
        pixels=rows(s.pixels),
        wanted_id=s.wanted_id[index],
        target_id=s.target_id[index],
        clusters=s.clusters[index],
        gallery_exclude=s.gallery_exclude[index],
        clips=s.clips[index],
        frames=s.frames[index],
    )


def map_readings(s: Sides, change: Callable[[str, np.ndarray], np.ndarray]) -> Sides:
    """The same run with every reading, the gallery's too, changed alike."""

    def rows(table):  # type: ignore[no-untyped-def]
        return {k: v if k == "pixel_error" else change(k, v) for k, v in table.items()}

    return replace(
        s,
        swap=rows(s.swap),
        source=rows(s.source),
        target=rows(s.target),
        truth=rows(s.truth),
        gallery=change("identity", s.gallery),
    )


def frames_in_another_order(s: Sides) -> Changed:
    order = RNG.permutation(len(s))
    return [take(s, order)], order


def frames_twice(s: Sides) -> Changed:
    index = np.tile(np.arange(len(s)), 2)
    return [take(s, index)], index


def one_clip_at_a_time(s: Sides) -> Changed:
    return [take(s, np.arange(i, i + 5)) for i in range(0, len(s), 5)], WHOLE


def gallery_in_another_order(s: Sides) -> Changed:
    order = RNG.permutation(len(s.gallery))
    where = np.argsort(order)
    exclude = np.where(s.gallery_exclude >= 0, where[s.gallery_exclude], -1)
    return [
        replace(s, gallery=s.gallery[order], gallery_ids=s.gallery_ids[order], gallery_exclude=exclude)
    ], WHOLE


def gallery_twice(s: Sides) -> Changed:
    """The second copy is excluded by nobody, so the first run must exclude nobody either: see NOBODY."""
    return [replace(s, gallery=np.tile(s.gallery, (2, 1)), gallery_ids=np.tile(s.gallery_ids, 2))], WHOLE


def gallery_with_unreadable_rows(s: Sides) -> Changed:
    extra = np.full((7, s.gallery.shape[1]), np.nan)
    ids = np.append(s.gallery_ids, ["zzz"] * 7)
    return [replace(s, gallery=np.concatenate([s.gallery, extra]), gallery_ids=ids)], WHOLE


def float32_readings(s: Sides) -> Changed:
    return [map_readings(s, lambda _, x: x.astype(np.float32))], WHOLE


def rotated(s: Sides) -> Changed:
    turn = {k: special_ortho_group.rvs(d, random_state=d) for k, d in WIDTHS.items()}
    return [map_readings(s, lambda k, x: x @ turn[k])], WHOLE


def people_renamed(s: Sides) -> Changed:
    def new(ids: np.ndarray) -> np.ndarray:
        return np.array([f"person-{(int(i) * 7) % 12}" for i in ids])

    renamed = replace(
        s,
        wanted_id=new(s.wanted_id),
        target_id=new(s.target_id),
        gallery_ids=new(s.gallery_ids),
        clips=new(s.clips),
    )
    return [renamed], WHOLE


def frames_renumbered(s: Sides) -> Changed:
    return [replace(s, frames=s.frames + 1000)], WHOLE


def all_scaled(s: Sides) -> Changed:
    return [map_readings(s, lambda _, x: 3.7 * x)], WHOLE


def identity_lengths_changed(s: Sides) -> Changed:
    def stretch(name: str, x: np.ndarray) -> np.ndarray:
        return x * RNG.uniform(0.1, 50, (len(x), 1)) if name == "identity" else x

    return [map_readings(s, stretch)], WHOLE


def origin_moved(s: Sides) -> Changed:
    return [map_readings(s, lambda k, x: x if k == "identity" else x + 5.0)], WHOLE


def source_and_target_exchanged(s: Sides) -> Changed:
    return [replace(s, source=s.target, target=s.source)], WHOLE


def swap_and_wanted_exchanged(s: Sides) -> Changed:
    """Each reading of the swap changes places with that of the side that it should equal."""
    wanted = {k: s.source if k in ("identity", "shape") else s.target for k in WIDTHS}
    swap = {k: wanted[k][k] for k in WIDTHS}
    source, target = (
        {k: s.swap[k] if wanted[k] is side else side[k] for k in WIDTHS} for side in (s.source, s.target)
    )
    return [replace(s, swap=swap, source=source, target=target)], WHOLE


def swap_and_truth_exchanged(s: Sides) -> Changed:
    truth = {k: s.swap[k] for k in WIDTHS} | {"pixel_error": s.truth["pixel_error"]}
    return [replace(s, swap={k: s.truth[k] for k in WIDTHS}, truth=truth)], WHOLE


L2 = (
    "shape",
    "expression",
    "mouth",
    "eyes",
    "gaze",
    "vgg",
    "truth_shape",
    "truth_expression",
    "expression_flicker",
)
SYMMETRIC = (
    *("identity", "shape", "expression", "mouth", "eyes", "gaze", "pose", "vgg", "arc", "pose_hn"),
    *("expression_flicker", "pose_flicker"),
)


TURNS = ("pose", "pose_r", "truth_pose", "pose_flicker", "pose_hn")  # of rotations, not of three numbers


def scaled(key: str, before: Values) -> Values | None:
    """Angles between embeddings and ratios do not feel the scale; plain L2 grows; a rotation is another one."""
    return None if key in TURNS else before * (3.7 if key in L2 else 1.0)


def mirrored(key: str, before: Values) -> Values | None:
    return 1.0 - before if key.endswith("_r") else None


def only(*keys: str) -> Expect:
    return lambda key, before: before if key in keys else None


def but(*keys: str) -> Expect:
    return lambda key, before: None if key in keys else before


NOBODY = replace(BASE, gallery_exclude=None)
# change: (what becomes of the values of frames, tolerance, whether mean and interval stay too)
FRAMES: dict[Callable[[Sides], Changed], tuple[Expect, float, bool]] = {
    frames_in_another_order: (same, 1e-12, True),
    frames_twice: (same, 1e-12, True),
    one_clip_at_a_time: (same, 1e-12, False),
    gallery_in_another_order: (same, 1e-12, True),
    gallery_with_unreadable_rows: (same, 0.0, True),
    gallery_twice: (same, 0.0, True),
    float32_readings: (same, 1e-5, False),
    rotated: (same, 1e-9, True),
    people_renamed: (same, 0.0, True),
    frames_renumbered: (same, 0.0, True),
    all_scaled: (scaled, 1e-12, False),
    identity_lengths_changed: (but("vgg", "vgg_r"), 1e-12, True),
    origin_moved: (but(*TURNS), 1e-12, True),
    source_and_target_exchanged: (mirrored, 1e-12, False),
    swap_and_wanted_exchanged: (only(*SYMMETRIC), 1e-12, True),
    swap_and_truth_exchanged: (only(*(k for k in METRICS if k.startswith("truth_"))), 1e-12, True),
}


# ---- metrics of embedders, of pairs and of pictures: a change of arrays, and what becomes of one number ----


@dataclass(frozen=True)
class Rule:
    change: Callable[..., tuple[Any, ...]]
    expect: Expect = same
    tolerance: float = 1e-12


def _embedder_input() -> tuple[np.ndarray, ...]:
    a, b = RNG.normal(size=(2, 14, 8))
    train = RNG.normal(size=(150, 8))
    return a, b, train, np.array([f"p{i % 40}" for i in range(150)])


TURN = special_ortho_group.rvs(8, random_state=3)
D_SMOOTH = [f"d_smooth, {d}" for d in ("chord", "arc", "detour", "ends", "none")]
COUNTS = ["interpolation_count", "interpolation_people", "whole path, faces", "whole path, new people"]
EMBEDDERS: dict[str, Callable[..., Any]] = {
    **{k: lambda a, b, t, _, k=k: d_smooth(a, b, t, denominator=k.split(", ")[1]).value for k in D_SMOOTH},
    "interpolation_count": lambda a, b, t, ids: interpolation_count(a, b, t, ids).images.mean(),
    "interpolation_people": lambda a, b, t, ids: interpolation_count(a, b, t, ids).people.mean(),
    "whole path, faces": lambda a, b, t, ids: path_count(nearest_paths(a, b, t)).images.mean(),
    "whole path, new people": lambda a, b, t, ids: path_count(
        nearest_paths(a, b, t), ids, "leave_out"
    ).people.mean(),
}
EMBEDDER_INPUT = _embedder_input()
EMBEDDER_RULES = {
    "pairs in another order": Rule(lambda a, b, t, i: (a[::-1], b[::-1], t, i)),
    "pairs twice": Rule(lambda a, b, t, i: (np.tile(a, (2, 1)), np.tile(b, (2, 1)), t, i)),
    "ends exchanged": Rule(lambda a, b, t, i: (b, a, t, i)),
    "training faces in another order": Rule(lambda a, b, t, i: (a, b, t[::-1], i[::-1])),
    "training faces twice": Rule(lambda a, b, t, i: (a, b, np.tile(t, (2, 1)), np.tile(i, 2))),
    "unreadable training faces": Rule(
        lambda a, b, t, i: (a, b, np.insert(t, 3, np.nan, axis=0), np.insert(i, 3, "zzz"))
    ),
    "every embedding at another length": Rule(
        lambda a, b, t, i: (0.1 * a, 30 * b, t * RNG.uniform(0.1, 50, (len(t), 1)), i)
    ),
    "rotated": Rule(lambda a, b, t, i: (a @ TURN, b @ TURN, t @ TURN, i)),
    "people renamed": Rule(lambda a, b, t, i: (a, b, t, np.char.add("new ", i))),
    "float32": Rule(lambda a, b, t, i: (*(x.astype(np.float32) for x in (a, b, t)), i), same, 1e-6),
    "ends replaced by those of their own path": Rule(
        lambda a, b, t, i: (slerp(a, b, [0.0])[:, 0], slerp(a, b, [1.0])[:, 0], t, i), same, 1e-11
    ),
}

PAIRS: dict[str, Callable[..., Any]] = {
    "verification_auc": lambda s, y, f: auc(s, y),
    "verification_eer": lambda s, y, f: eer(s, y),
    "tar_at_far": lambda s, y, f: tar_at_far(s, y, [0.0, 0.01, 0.2, 0.5]),
    "best accuracy": lambda s, y, f: best_accuracy(s, y)[0],
    "verification_accuracy": lambda s, y, f: fold_accuracy(s, y, f).folds,
}
_same = RNG.random(240) < 0.5
PAIR_INPUT = (np.round(RNG.normal(size=240) + 1.5 * _same, 1), _same, np.arange(240) % 6)
_ORDER = RNG.permutation(240)
PAIR_RULES = {
    "pairs in another order": Rule(lambda s, y, f: (s[_ORDER], y[_ORDER], f[_ORDER])),
    "pairs twice": Rule(lambda s, y, f: (np.tile(s, 2), np.tile(y, 2), np.tile(f, 2))),
    "scores scaled and moved": Rule(lambda s, y, f: (4 * s - 7, y, f)),
    "any rising function of the score": Rule(
        lambda s, y, f: (np.exp(s), y, f),
        but("verification_accuracy"),  # its thresholds lie half way
    ),
    "same and different exchanged with the sign": Rule(
        lambda s, y, f: (-s, ~y, f), only("verification_auc", "verification_eer", "best accuracy")
    ),
    "sign of the score": Rule(
        lambda s, y, f: (-s, y, f),
        lambda k, v: 1 - v if k in ("verification_auc", "verification_eer") else None,
    ),
    "folds renamed in their order": Rule(lambda s, y, f: (s, y, np.char.add("fold ", f.astype(str)))),
}


def _set_distance(key: str, swap: Values, target: Values) -> float:
    n, network = len(swap), PICTURE_METRICS[key].network
    return picture_distances(swap, target, np.ones(n, bool), np.arange(n) % 10, network)[key].value


PICTURES: dict[str, Callable[..., Any]] = {key: partial(_set_distance, key) for key in PICTURE_METRICS}
FRECHET = ("fid", "fid_torchvision", "filter_bank_distance")
PICTURE_INPUT = tuple(RNG.normal(size=(80, 8)) @ TURN * np.arange(1, 9) + shift for shift in (1.4, 1.8))
PICTURE_RULES = {
    "pictures in another order": Rule(lambda a, b: (a[::-1], b[::-1])),
    "sets exchanged": Rule(lambda a, b: (b, a)),
    "features rotated": Rule(lambda a, b: (a @ TURN, b @ TURN), same, 1e-10),
    "features moved": Rule(lambda a, b: (a + 3, b + 3), only(*FRECHET), 1e-11),
    "features scaled": Rule(lambda a, b: (2 * a, 2 * b), lambda k, v: 4 * v if k in FRECHET else None),
}

SPACE: dict[str, Callable[..., Any]] = {
    "effective_rank": lambda a, b: effective_rank(spectrum(a)),
    "uniformity": lambda a, b: uniformity(potentials(a)),
    "alignment": lambda a, b: alignment(a, b).mean(),
}
SPACE_INPUT = (EMBEDDER_INPUT[0], EMBEDDER_INPUT[0] + 0.3 * EMBEDDER_INPUT[1])
SPACE_RULES = {
    "photos in another order": Rule(lambda a, b: (a[::-1], b[::-1])),
    "rotated": Rule(lambda a, b: (a @ TURN, b @ TURN)),
    "every embedding at another length": Rule(lambda a, b: (a * RNG.uniform(0.1, 50, (len(a), 1)), 7 * b)),
    "photos of a pair exchanged": Rule(lambda a, b: (b, a), only("alignment")),
    "photos twice": Rule(lambda a, b: (np.tile(a, (2, 1)), np.tile(b, (2, 1))), but("uniformity")),
    "float32": Rule(lambda a, b: (a.astype(np.float32), b.astype(np.float32)), same, 1e-5),
}

_GRADIENTS = RNG.normal(size=(6, 9, 8)) + 1


def _figure(name: str) -> Callable[..., Any]:
    return lambda paths, gradients: getattr(path_figures(paths), name)


PATHS: dict[str, Callable[..., Any]] = {
    **{
        f"path_{name}": _figure(name)
        for name in ("tortuosity", "curvature", "monotonicity", "largest_step", "extent")
    },
    "gradient_agreement": lambda paths, gradients: neighbour_agreement(gradients),
    "descent_agreement": lambda paths, gradients: neighbour_agreement(gradients[..., :1]),
}
PATH_INPUT = (EMBEDDER_INPUT[2][:54].reshape(6, 9, 8).cumsum(1), _GRADIENTS)
PATH_RULES = {
    "rotated": Rule(lambda p, g: (p @ TURN, g @ TURN), but("descent_agreement")),
    "every point at another length": Rule(lambda p, g: (p * RNG.uniform(0.1, 50, (6, 9, 1)), g)),
    "every gradient at another length": Rule(lambda p, g: (p, g * RNG.uniform(0.1, 50, (6, 9, 1)))),
    "the other way": Rule(lambda p, g: (p[:, ::-1], g[:, ::-1]), but("path_monotonicity")),
    "the opposite loss": Rule(lambda p, g: (p, -g)),
    "mirrored": Rule(lambda p, g: (-p, g)),
    "paths in another order": Rule(lambda p, g: (p[::-1], g[::-1]), lambda k, v: v[::-1] if v.ndim else v),
}


# ---- the test ----


def _frame_cases() -> list[Any]:
    cases = []
    for change, (expect, tolerance, summary) in FRAMES.items():
        base = NOBODY if change is gallery_twice else BASE
        for key in METRICS:
            if expect(key, np.zeros(1)) is None:
                continue
            cases.append(
                pytest.param(
                    lambda k=key, b=base, c=change, e=expect, s=summary: _frames(k, b, c, e, s),
                    tolerance,
                    id=f"{change.__name__}-{key}",
                )
            )
    return cases


def _frames(
    key: str, base: Sides, change: Callable[[Sides], Changed], expect: Expect, summary: bool
) -> tuple[Values, Values]:
    pieces, index = change(read_for(base, key))
    after = np.concatenate([frame_values(piece, key) for piece in pieces])
    base = read_for(base, key)
    before = expect(key, frame_values(base, key)[index])
    assert before is not None
    if summary:
        then, now = (evaluate(s, [key], n_resamples=99)[key] for s in (base, pieces[0]))
        after = np.r_[after, now.value, now.ci95, now.clusters, now.missing / len(pieces[0])]
        before = np.r_[before, then.value, then.ci95, then.clusters, then.missing / len(base)]
    return after, before


def _array_cases(
    metrics: dict[str, Callable[..., Any]], base: tuple[Any, ...], rules: dict[str, Rule]
) -> list[Any]:
    def run(key: str, rule: Rule) -> tuple[Values, Values]:
        before = rule.expect(key, np.asarray(metrics[key](*base), dtype=np.float64))
        assert before is not None
        return np.asarray(metrics[key](*rule.change(*base)), dtype=np.float64), before

    return [
        pytest.param(lambda k=key, r=rule: run(k, r), rule.tolerance, id=f"{name}-{key}")
        for name, rule in rules.items()
        for key in metrics
        if rule.expect(key, np.zeros(1)) is not None
    ]


def _probe_input() -> tuple[np.ndarray, ...]:
    people = np.repeat(np.arange(24), 3)
    z = RNG.normal(size=(24, 8))[people] + 0.3 * RNG.normal(size=(72, 8))
    return z, z @ RNG.normal(size=(8, 8)) + 0.3 * RNG.normal(size=(72, 8)), people


def _explained(z: Values, y: Values, people: np.ndarray) -> float:
    error, spread = explained(linear_probe(z, y, people), y)
    return 1 - error.sum() / spread.sum()


def _retrieved(z: Values, y: Values, people: np.ndarray) -> float:
    _, first = np.unique(people, return_index=True)
    ids = people[first].astype(str)
    return float(retrieved(identity_rank(linear_probe(z, y, people)[first], ids, y[first], ids), 5).mean())


PROBES: dict[str, Callable[..., Any]] = {"probe_explained": _explained, "probe_retrieval": _retrieved}
PROBE_INPUT = _probe_input()
_MIXED = np.argsort(np.arange(72) % 3, kind="stable")  # everybody's first photo stays their first
PROBE_RULES = {
    "photos in another order": Rule(lambda z, y, p: (z[_MIXED], y[_MIXED], p[_MIXED]), same, 1e-9),
    "photos twice": Rule(lambda z, y, p: (np.tile(z, (2, 1)), np.tile(y, (2, 1)), np.tile(p, 2)), same, 1e-9),
    "every row at another length": Rule(
        lambda z, y, p: (z * RNG.uniform(0.1, 50, (72, 1)), y * RNG.uniform(0.1, 50, (72, 1)), p), same, 1e-9
    ),
    "each space rotated": Rule(lambda z, y, p: (z @ TURN, y @ TURN.T, p), same, 1e-9),
    "people renamed in their order": Rule(lambda z, y, p: (z, y, 7 * p + 3), same, 1e-9),
}

TABLE = [
    *_frame_cases(),
    *_array_cases(EMBEDDERS, EMBEDDER_INPUT, EMBEDDER_RULES),
    *_array_cases(PAIRS, PAIR_INPUT, PAIR_RULES),
    *_array_cases(PICTURES, PICTURE_INPUT, PICTURE_RULES),
    *_array_cases(SPACE, SPACE_INPUT, SPACE_RULES),
    *_array_cases(PATHS, PATH_INPUT, PATH_RULES),
    *_array_cases(PROBES, PROBE_INPUT, PROBE_RULES),
]


@pytest.mark.parametrize(("compare", "tolerance"), TABLE)
def test_invariance(
    compare: Callable[[], tuple[Values, Values]], tolerance: float, request: pytest.FixtureRequest
) -> None:
    after, before = compare()
    change, _, key = request.node.callspec.id.rpartition("-")
    assert np.isfinite(before).any(), f"{key} has no value at all of the readings in tests/support/scenes.py"
    hint = (
        f"{key} does not become under {change!r} what the table of {Path(__file__).name} says. If that change may move "
        "it, say so there: in the row of the change (FRAMES, or the RULES of its kind) or in L2, TURNS and SYMMETRIC; "
        "if not, its function is wrong"
    )
    np.testing.assert_allclose(after, before, rtol=tolerance, atol=tolerance, err_msg=hint)


def test_every_metric_stands_in_the_table() -> None:
    named = {case.id.rpartition("-")[2].partition(",")[0] for case in TABLE}
    absent = [key for key in ours() if key not in named]
    assert not absent, (
        f"{', '.join(absent)}: held to no invariance. Add each to the table of its kind in {__file__}: EMBEDDERS, PAIRS, "
        "SPACE, PATHS or PROBES with how its number is got from the input there (metrics of frames and sets come by "
        "themselves, and lack only where every rule of FRAMES leaves them out)"
    )


@pytest.mark.parametrize("key", METRICS)
def test_values_lie_in_the_stated_range_and_worse_is_where_the_direction_says(key: str) -> None:
    metric = METRICS[key]
    values = frame_values(read_for(BASE, key), key)
    low, high = metric.range
    beyond = f"{key} goes beyond the range {metric.range} of its spec"
    assert np.nanmin(values) >= low, beyond
    assert np.nanmax(values) <= high, beyond
    # The true swap is at least as good as a noisy one by every metric.
    best = evaluate(read_for(sides(seed=4, swap="truth"), key), [key], n_resamples=99)[key].value
    noisy = evaluate(read_for(BASE, key), [key], n_resamples=99)[key].value
    turned = f"{key} is {best:.3g} of true swaps and {noisy:.3g} of noisy ones: is higher_is_better of its spec right?"
    assert best > noisy if metric.higher_is_better else best < noisy, turned
