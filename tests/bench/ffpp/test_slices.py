"""Slices against plain loops: who is in them, and what their means are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.spatial.transform import Rotation

from bench.ffpp import slices
from bench.ffpp.protocol import Protocol
from metrics import METRICS
from reports.results import MetricValue
from reports.slices import Slices

PAIRS = 30


def metric(key: str, policy: str) -> MetricValue:
    spec = METRICS[key]
    return MetricValue.model_validate(
        {
            "value": 0.5, "n": 1, "clusters": 1, "unit": spec.unit, "higher_is_better": spec.higher_is_better,
            "version": spec.version, "missing_policy": policy, "label": spec.label, "group": spec.group,
            "order": spec.order, "range": [end if np.isfinite(end) else None for end in spec.range],
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def tables() -> tuple[pa.Table, pa.Table]:
    """30 pairs of 15 pairs of people, two frames each, of which some are lost."""
    random = np.random.default_rng(0)
    clips = [f"p{i:02d}" for i in range(PAIRS)]
    clusters = [f"c{i // 2:02d}" for i in range(PAIRS)]
    turned = random.uniform(0, 40, PAIRS)
    turned[7] = np.nan
    pairs = pa.table(
        {
            "clip": clips, "target": clips, "source": clips, "cluster": clusters,
            "column/light": [("dim", "bright", "")[i % 3] for i in range(PAIRS)],
            "column/age": [str(20 + i // 2) for i in range(PAIRS)],
            "column/level": [str(i % 4) for i in range(PAIRS)],
            "column/name": clips,
            "read/target_pose": pa.array([None if np.isnan(x) else x for x in turned], pa.float64()),
        }
    )  # fmt: skip
    n = 2 * PAIRS
    lost = random.uniform(size=n) < 0.2
    values = random.uniform(size=n)
    frames = {
        "clip": np.repeat(clips, 2), "cluster": np.repeat(clusters, 2), "posed": [True] * n,
        "status": np.where(lost, "no_face", "ok"),
        "metric/identity": [None if gone else x for gone, x in zip(lost, values, strict=True)],
        "missing/identity": [-1.0 if gone else None for gone in lost],
        "metric/id_retrieval": [None if gone else 100.0 * (x > 0.5) for gone, x in zip(lost, values, strict=True)],
        "missing/id_retrieval": [0.0 if gone else None for gone in lost],
    }  # fmt: skip
    return pairs, pa.table(frames)


@pytest.fixture(scope="module")
def made(tables: tuple[pa.Table, pa.Table]) -> Slices:
    metrics = {
        "identity": metric("identity", "exclude"),
        "id_retrieval": metric("id_retrieval", "count_as_wrong"),
    }
    return slices.sliced("mine", *tables, metrics, Protocol())


def of(made: Slices, key: str) -> Any:
    return next(axis for axis in made.axes if axis.key == key)


def test_a_column_of_words_has_a_slice_for_each(made: Slices) -> None:
    axis = of(made, "column/light")
    assert [(one.label, one.pairs, one.frames) for one in axis.slices] == [
        ("bright", 10, 20),
        ("dim", 10, 20),
    ]
    assert axis.without == 10


def test_few_numbers_are_categories_and_many_are_thirds(
    made: Slices, tables: tuple[pa.Table, pa.Table]
) -> None:
    assert [one.label for one in of(made, "column/level").slices] == ["0", "1", "2", "3"]
    age = of(made, "column/age")
    assert (age.kind, [one.label for one in age.slices]) == ("number", ["20 to 24", "25 to 29", "30 to 34"])
    turned = of(made, "read/target_pose")
    assert turned.without == 1
    known = sorted(x for x in tables[0]["read/target_pose"].to_pylist() if x is not None)
    assert [(one.low, one.high) for one in turned.slices] == [
        (known[0], known[9]), (known[10], known[18]), (known[19], known[28]),
    ]  # fmt: skip


def test_a_column_of_names_is_not_sliced(made: Slices) -> None:
    assert of(made, "column/name").slices == ()
    assert "30 different values" in of(made, "column/name").note


def test_means_are_those_of_a_plain_loop(made: Slices, tables: tuple[pa.Table, pa.Table]) -> None:
    pairs, frames = (table.to_pylist() for table in tables)
    inside = {row["clip"] for row in pairs if row["column/light"] == "dim"}
    rows = [row for row in frames if row["clip"] in inside]
    dim = of(made, "column/light").slices[1]
    known = [row["metric/identity"] for row in rows if row["status"] == "ok"]
    assert dim.used == dim.metrics["identity"].n == len(known)
    assert dim.metrics["identity"].value == pytest.approx(sum(known) / len(known))
    hits = [row["metric/id_retrieval"] or 0.0 for row in rows]
    assert dim.metrics["id_retrieval"].n == 20, "a lost face is a miss here too"
    assert dim.metrics["id_retrieval"].value == pytest.approx(sum(hits) / 20)
    assert dim.clusters == len({row["cluster"] for row in rows})
    low, high = dim.metrics["id_retrieval"].ci95
    assert 0 <= low < dim.metrics["id_retrieval"].value < high <= 100


def test_the_turn_of_a_head_is_the_angle_of_its_rotation() -> None:
    for vector in ([0.1, -0.4, 0.2], [0, 0, 0], [0, 3.5, 0], [5.0, 0.2, 0.1]):
        expected = np.degrees(Rotation.from_rotvec(vector).magnitude())
        assert slices._turn(np.array(vector, np.float32)) == pytest.approx(expected, abs=1e-4)
    assert np.isnan(slices._turn(None))


def test_equal_values_stay_together() -> None:
    parts = list(slices._parted(np.array([1.0, 1.0, 1.0, 1.0, 5.0, np.nan])))
    assert [int(part.sum()) for part in parts] == [4, 0, 1]
    assert not list(slices._parted(np.array([np.nan])))
