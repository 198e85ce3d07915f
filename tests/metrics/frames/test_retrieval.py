"""ID retrieval against a brute-force loop over every pair; its rules for ties, people and missing rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.frames import retrieval
from metrics.frames.retrieval import TIE, identity_rank, retrieved


def brute_force_rank(probes, wanted, gallery, ids, exclude=None, found=False):  # type: ignore[no-untyped-def]
    """Rank of the wanted identity by plain Python loops: nothing shared with the module under test."""

    def cosine(a, b):  # type: ignore[no-untyped-def]
        dot = sum(float(x) * float(y) for x, y in zip(a, b, strict=True))
        return dot / math.sqrt(sum(float(x) ** 2 for x in a)) / math.sqrt(sum(float(y) ** 2 for y in b))

    ranks = []
    for i, probe in enumerate(probes):
        best: dict[str, float] = {}
        for j, row in enumerate(gallery):
            if any(math.isnan(float(v)) for v in row) or (exclude is not None and exclude[i] == j):
                continue
            if not any(math.isnan(float(v)) for v in probe):
                best[ids[j]] = max(best.get(ids[j], -2.0), cosine(probe, row))
        if wanted[i] not in best:
            ranks.append(math.nan)
            continue
        own = best.pop(wanted[i])
        ranks.append(1 + sum(other > own + TIE if found else other >= own - TIE for other in best.values()))
    return np.array(ranks)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(0, 12), m=st.integers(1, 30), people=st.integers(1, 9))
def test_rank_equals_a_brute_force_loop(seed: int, n: int, m: int, people: int) -> None:
    rng = np.random.default_rng(seed)
    # Small whole numbers make exact ties frequent.
    probes = rng.integers(-2, 3, (n, 3)) + np.array([0.1, 0.2, 0.3])
    gallery = rng.integers(-2, 3, (m, 3)) + np.array([0.1, 0.2, 0.3])
    ids = np.array([f"{i:03d}" for i in rng.integers(0, people, m)])
    wanted = np.array([f"{i:03d}" for i in rng.integers(0, people + 1, n)], dtype="<U3")
    probes[rng.random(n) < 0.1] = np.nan
    gallery[rng.random(m) < 0.1] = np.nan
    exclude = rng.integers(-1, m, n)
    np.testing.assert_array_equal(
        identity_rank(probes, wanted, gallery, ids, exclude),
        brute_force_rank(probes, wanted, gallery, ids, exclude),
    )
    np.testing.assert_array_equal(
        identity_rank(probes, wanted, gallery, ids), brute_force_rank(probes, wanted, gallery, ids)
    )
    np.testing.assert_array_equal(
        identity_rank(probes, wanted, gallery, ids, exclude, ties_found=True),
        brute_force_rank(probes, wanted, gallery, ids, exclude, found=True),
    )


def test_rank_does_not_depend_on_the_chunk_size(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    probes, gallery = rng.normal(size=(23, 8)), rng.normal(size=(50, 8))
    ids, wanted = np.arange(50).astype(str), rng.integers(0, 50, 23).astype(str)
    exclude = rng.integers(-1, 50, 23)
    whole = identity_rank(probes, wanted, gallery, ids, exclude)
    for size in (1, 7, 23):
        monkeypatch.setattr(retrieval, "_CHUNK", size)
        np.testing.assert_array_equal(identity_rank(probes, wanted, gallery, ids, exclude), whole)


def test_a_tie_between_two_people_is_wrong_in_any_gallery_order() -> None:
    face, other = [1.0, 2.0, 3.0], [3.0, -1.0, 0.0]
    for ids, gallery in ((["a", "b", "c"], [face, face, other]), (["b", "a", "c"], [face, face, other])):
        assert identity_rank([face], ["a"], gallery, ids).tolist() == [2.0]
        assert identity_rank([face], ["a"], gallery, ids, ties_found=True).tolist() == [1.0]
    # Two equal rows of the wanted person are no tie.
    assert identity_rank([face], ["a"], [face, face, other], ["a", "a", "c"]).tolist() == [1.0]


def test_a_tie_in_float32_readings_is_seen_as_one() -> None:
    face = np.random.default_rng(0).normal(size=128).astype(np.float32)
    gallery = np.stack([face, face * np.float32(0.3)])
    assert identity_rank(face[None], ["a"], gallery, ["a", "b"]).tolist() == [2.0]


def test_top_5_counts_people_not_rows() -> None:
    # Ten frames of person x are all nearer than the only frame of the wanted person.
    angles = np.r_[np.linspace(0.01, 0.02, 10), 0.5, np.linspace(1.0, 1.5, 8)]
    gallery = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    ids = np.array(["x"] * 10 + ["wanted"] + [f"far{i}" for i in range(8)])
    rank = identity_rank([[1.0, 0.0]], ["wanted"], gallery, ids)
    assert rank.tolist() == [2.0]
    assert retrieved(rank, 1).tolist() == [0.0]
    assert retrieved(rank, 5).tolist() == [100.0]


def test_the_excluded_source_frame_is_not_found() -> None:
    gallery = np.array([[1.0, 0.0], [0.0, 1.0], [0.9, 0.1]])
    ids = np.array(["a", "a", "b"])
    assert identity_rank([[1.0, 0.0]], ["a"], gallery, ids, np.array([-1])).tolist() == [1.0]
    assert identity_rank([[1.0, 0.0]], ["a"], gallery, ids, np.array([0])).tolist() == [2.0]
    # Nothing is left of b when its only row is taken out: there is no answer to get right.
    assert np.isnan(identity_rank([[1.0, 0.0]], ["b"], gallery, ids, np.array([2]))).all()


@given(seed=st.integers(0, 2**32 - 1))
def test_one_person_in_two_clips_is_one_person_once_the_ids_say_so(seed: int) -> None:
    rng = np.random.default_rng(seed)
    people = rng.normal(size=(6, 8))
    clips = np.array([f"{i:03d}" for i in range(8)])  # 006 and 007 show the people of 000 and 001 once more
    who = np.array([0, 1, 2, 3, 4, 5, 0, 1])
    gallery = np.repeat(people[who], 3, axis=0) + rng.normal(0, 0.3, (24, 8))
    identity_map = {"006": "000", "007": "001"}
    ids = np.repeat(clips, 3)
    mapped = np.array([identity_map.get(clip, clip) for clip in ids])
    probes = people[who] + rng.normal(0, 0.6, (8, 8))
    wanted = np.array([identity_map.get(clip, clip) for clip in clips])
    rank = identity_rank(probes, wanted, gallery, mapped)
    np.testing.assert_array_equal(rank, brute_force_rank(probes, wanted, gallery, mapped))
    for k in (1, 5):
        hits = [100.0 * (r <= k) for r in brute_force_rank(probes, wanted, gallery, mapped)]
        assert retrieved(rank, k).tolist() == hits
    # Without the map the twin stands in the way: no rank gets better.
    assert (identity_rank(probes, clips, gallery, ids) >= rank).all()


def test_retrieved_keeps_missing_apart_from_wrong() -> None:
    np.testing.assert_array_equal(retrieved([1.0, 5.0, 6.0, np.nan], 5), [100.0, 100.0, 0.0, np.nan])
