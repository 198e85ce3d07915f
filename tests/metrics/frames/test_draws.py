"""Smaller galleries: nested, drawn by one order; and their mean in closed form against enumeration and sampling."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from metrics import METRICS, Sides, evaluate
from metrics.frames.draws import expected_retrieved, places, sizes_of
from metrics.frames.retrieval import identity_rank, people_of, retrieved
from metrics.gallery_curve import gallery_curve

PEOPLE = [f"p{i:02d}" for i in range(12)]


@pytest.fixture(scope="module")
def faces() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(probes [n, d], whom each should show, gallery of two rows a person, whose they are)."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(len(PEOPLE), 6))
    wanted = np.repeat(np.array(PEOPLE), 3)
    probes = np.repeat(centres, 3, axis=0) + rng.normal(0, 1.6, (len(wanted), 6))
    ids = np.repeat(np.array(PEOPLE), 2)
    return probes, wanted, np.repeat(centres, 2, axis=0) + rng.normal(0, 0.3, (len(ids), 6)), ids


def test_the_mean_over_galleries_is_that_of_all_of_them(faces: tuple[np.ndarray, ...]) -> None:
    """Every gallery of four people with the wanted one in it, one by one."""
    probes, wanted, gallery, ids = faces
    rank = identity_rank(probes, wanted, gallery, ids)
    assert len(set(rank)) > 4
    for k in (1, 2, 5):
        expected = expected_retrieved(rank, len(PEOPLE), 4, k)
        for i in range(0, len(probes), 5):
            others = [name for name in PEOPLE if name != wanted[i]]
            hits = []
            for drawn in combinations(others, 3):
                there = np.isin(ids, [wanted[i], *drawn])
                one = identity_rank(probes[i : i + 1], wanted[i : i + 1], gallery[there], ids[there])
                hits.append(retrieved(one, k)[0])
            assert expected[i] == pytest.approx(np.mean(hits), abs=1e-9)


def test_seeds_sample_what_the_closed_form_says(faces: tuple[np.ndarray, ...]) -> None:
    probes, wanted, gallery, ids = faces
    expected = expected_retrieved(identity_rank(probes, wanted, gallery, ids), len(PEOPLE), 5).mean()
    drawn = [
        retrieved(identity_rank(probes, wanted, gallery, ids, size=5, seed=seed)).mean()
        for seed in range(300)
    ]
    assert abs(np.mean(drawn) - expected) < 4 * np.std(drawn) / np.sqrt(len(drawn))
    assert np.std(drawn) > 1


def test_a_drawn_gallery_is_the_wanted_person_and_the_first_others(faces: tuple[np.ndarray, ...]) -> None:
    probes, wanted, gallery, ids = faces
    order = [name for _, name in sorted(zip(places(PEOPLE, 7), PEOPLE, strict=True))]
    previous = np.zeros(len(probes))
    for size in range(2, len(PEOPLE) + 1):
        rank = identity_rank(probes, wanted, gallery, ids, size=size, seed=7)
        for i in range(0, len(probes), 4):
            there = np.isin(ids, [wanted[i], *[n for n in order if n != wanted[i]][: size - 1]])
            assert rank[i] == identity_rank(probes[[i]], wanted[[i]], gallery[there], ids[there])[0]
        # nested: nobody leaves, so nobody who was nearer goes away
        assert (rank >= previous).all()
        previous = rank
    assert (previous == identity_rank(probes, wanted, gallery, ids)).all()


def test_a_person_who_is_not_there_changes_nobodys_draw() -> None:
    whole = dict(zip(PEOPLE, places(PEOPLE, 0), strict=True))
    fewer = [name for name in PEOPLE if name != "p05"]
    assert sorted(fewer, key=whole.__getitem__) == [
        n for _, n in sorted(zip(places(fewer, 0), fewer, strict=True))
    ]
    assert places(PEOPLE, 0).tolist() != places(PEOPLE, 1).tolist()
    assert sorted(places(PEOPLE, 0)) == list(range(len(PEOPLE)))


def test_the_closed_form_at_its_ends() -> None:
    rank = np.array([1.0, 2.0, 40.0, np.nan])
    np.testing.assert_array_equal(expected_retrieved(rank, 40, 40, 5), retrieved(rank, 5))
    np.testing.assert_array_equal(expected_retrieved(rank, 40, 1), [100.0, 100.0, 100.0, np.nan])
    with pytest.raises(ValueError, match="41 people cannot be drawn out of 40"):
        expected_retrieved(rank, 40, 41)
    assert sizes_of(40) == [5, 10, 20, 40]
    assert sizes_of(5) == [5]
    assert sizes_of(997)[-2:] == [500, 997]


def test_a_curve_ends_at_the_metric_under_every_policy(faces: tuple[np.ndarray, ...]) -> None:
    probes, wanted, gallery, ids = faces
    swap = np.where((np.arange(len(probes)) % 7 == 0)[:, None], np.nan, probes)
    sides = Sides(
        {"identity": swap},
        {"identity": probes},
        {"identity": probes[::-1]},
        wanted,
        wanted[::-1],
        wanted,
        gallery,
        ids,
    )
    for key in ("id_retrieval", "id_retrieval_top5", "target_retrieval"):
        metric = METRICS[key]
        assert metric.rank is not None
        for policy in ("count_as_wrong", "exclude"):
            value = evaluate(sides, [key], policy)[key]  # type: ignore[arg-type]
            points = gallery_curve(
                metric,
                metric.rank(sides),
                metric.if_missing(sides),
                wanted,
                people=people_of(sides),
                missing=policy,  # type: ignore[arg-type]
            )
            assert [point.people for point in points] == [5, 10, 12]
            assert points[-1].found == value.applied
            values = [point.found.value for point in points]
            assert values == sorted(values, reverse=True)
    drawn = replace(sides, gallery_size=5, gallery_seed=2)
    fewer, whole = (evaluate(s, ["id_retrieval"])["id_retrieval"].value for s in (drawn, sides))
    assert fewer > whole
    metric = METRICS["id_retrieval"]
    assert metric.rank is not None
    np.testing.assert_array_equal(metric.rank(drawn), metric.rank(sides))  # the curve is of the whole gallery
