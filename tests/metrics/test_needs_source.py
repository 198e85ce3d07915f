"""Which metrics need the source is declared; here it is found out, by taking the source away."""

from __future__ import annotations

import numpy as np
import pytest

from bench.verify import meaning
from metrics import METRICS, Sides, applicable, frame_values
from metrics.registry import PICTURES
from metrics.sides import READINGS

N = 12
FAMILIES = {
    "vgg": "vggface2",
    "vgg_r": "vggface2",
    "arc": "arcface",
    "arc_r": "arcface",
    "pose_hn": "hopenet",
}


def sides(family: str, with_source: bool) -> Sides:
    """Random readings of twelve frames, two clips of six that follow each other; without the source its rows are NaN."""
    rng = np.random.default_rng(5)
    widths = dict.fromkeys(READINGS, 6) | {"pose": 3}
    swap, source, target, truth = (
        {name: rng.normal(size=(N, width)) for name, width in widths.items()} for _ in range(4)
    )
    if not with_source:
        source = {name: np.full_like(rows, np.nan) for name, rows in source.items()}
    people = np.array(["a", "b"]).repeat(N // 2)
    return Sides(
        swap,
        source,
        target,
        people,
        people[::-1],
        np.array(["a+b"] * N),
        rng.normal(size=(4, 6)),
        np.array(["a", "a", "b", "b"]),
        truth=truth | {"pixel_error": rng.uniform(0, 255, N)},
        pixels={key: rng.uniform(0, 1, N) for key, metric in METRICS.items() if metric.pixels},
        clips=people,
        frames=np.tile(np.arange(N // 2), 2),
        instruments=dict.fromkeys(READINGS, "any"),
        families=dict.fromkeys(READINGS, family),
    )


@pytest.mark.parametrize("key", METRICS)
def test_a_metric_that_needs_no_source_says_the_same_without_it(key: str) -> None:
    known, unknown = (sides(FAMILIES.get(key, "any"), here) for here in (True, False))
    assert key in applicable(known)
    a, b = frame_values(known, key), frame_values(unknown, key)
    assert np.isfinite(a).any()
    if METRICS[key].needs_gallery:
        # The readings allow it. Among whom was searched does not: the source's clip has no row in the gallery.
        assert METRICS[key].needs_source
    elif METRICS[key].needs_source:
        assert np.isnan(b).all()
    else:
        assert np.array_equal(a, b, equal_nan=True)


def test_the_verifier_was_taught_the_same_and_sets_of_pictures_need_none() -> None:
    assert {key for key, metric in METRICS.items() if not metric.needs_source} == set(meaning.SOURCE_FREE)
    assert not any(metric.needs_source for metric in PICTURES.values())
