"""How far a swap has left the target, by hand and against the metrics of the source with the sides exchanged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from metrics import METRICS, MetricError, Sides, evaluate, frame_values
from metrics.frames.leaving import target_found
from tests.support.scenes import sides


def four_frames() -> Sides:
    """Swaps of a into b: b itself, a itself, between both, and nobody."""
    a, b, nobody = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]
    rows = np.array([b, a, [1.0, 1.0, 0.0], nobody])
    return Sides(
        swap={"identity": rows},
        source={"identity": np.array([a] * 4)},
        target={"identity": np.array([b] * 4)},
        wanted_id=np.array(["a"] * 4),
        target_id=np.array(["b"] * 4),
        clusters=np.array(["a+b"] * 4),
        gallery=np.array([a, b, [-1.0, -1.0, 0.0]]),
        gallery_ids=np.array(["a", "b", "c"]),
    )


def test_by_hand() -> None:
    """Between both sides, and where all three people are equally far, the tie goes against the swap each time."""
    s = four_frames()
    np.testing.assert_allclose(frame_values(s, "target_identity"), [1.0, 0.0, np.sqrt(0.5), 0.0], atol=1e-15)
    assert frame_values(s, "target_retrieval").tolist() == [100.0, 0.0, 100.0, 100.0]
    assert frame_values(s, "id_retrieval").tolist() == [0.0, 100.0, 0.0, 0.0]


def test_without_ties_it_is_retrieval_and_similarity_of_the_other_side() -> None:
    s = sides(seed=6)
    turned = replace(s, source=s.target, target=s.source, wanted_id=s.target_id, target_id=s.wanted_id)
    for key, other in (("target_identity", "identity"), ("target_retrieval", "id_retrieval")):
        np.testing.assert_array_equal(frame_values(s, key), frame_values(turned, other))
        assert not METRICS[key].higher_is_better


def test_the_ends_of_the_scale() -> None:
    assert evaluate(sides(swap="target"))["target_retrieval"].value == 100
    assert evaluate(sides(swap="target"))["target_identity"].value == pytest.approx(1)
    assert evaluate(sides(swap="source"))["target_retrieval"].value == 0
    assert abs(evaluate(sides(swap="truth"))["target_identity"].value) < 0.3


def test_without_a_gallery_it_is_one_clear_error() -> None:
    with pytest.raises(MetricError, match="needs a gallery"):
        target_found(replace(four_frames(), gallery=None, gallery_ids=None))
