"""The recount of bench.verify and the metrics give the same numbers of the same readings, each with its own code."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bench.verify.meaning import MEANING, PIXELS, VIDEO
from bench.verify.pictures import SETS, UNIT, distance
from bench.verify.recount import Tables, if_lost, per_frame
from metrics import Metric, Sides, frame_values
from metrics.pictures.distances import frechet_distance, kernel_distance
from metrics.registry import ours
from metrics.spec import PictureMetric
from tests.support.scenes import WIDTHS, read_for, sides


def lists(rows: np.ndarray) -> list[list[float] | None]:
    return [None if np.isnan(row).any() else row.tolist() for row in rows]


def tables_of(s: Sides) -> Tables:
    """The readings as a run stores them: each frame's target and source in originals.parquet, the truth as the oracle's."""
    n = len(s)
    frames = pd.DataFrame(
        {
            "clip": s.clips,
            "frame": s.frames,
            "target": s.target_id,
            "source": s.wanted_id,
            "source_frame": np.arange(n),
            "status": "ok",
        }
    )
    truth = frames.copy()
    originals = pd.DataFrame(
        {
            "clip": np.concatenate([s.target_id, s.wanted_id]),
            "status": "ok",
            "frame": np.concatenate([s.frames, np.arange(n) + 1000]),
        }
    )
    frames["source_frame"] += 1000
    for name in WIDTHS:
        frames[f"swap/test/{name}"] = lists(s.swap[name])
        truth[f"swap/test/{name}"] = lists(s.truth[name])  # type: ignore[index]
        originals[f"original/test/{name}"] = lists(np.concatenate([s.target[name], s.source[name]]))
    return Tables(frames, originals, truth, {"gallery": "all"})


FRAMES = {key: metric for key, metric in ours().items() if isinstance(metric, Metric)}
SETS_OF_PICTURES = {key: metric for key, metric in ours().items() if isinstance(metric, PictureMetric)}


def test_every_metric_is_taught_to_the_verifier() -> None:
    untaught = [key for key in FRAMES if key not in MEANING]
    assert not untaught, (
        f"metrics {', '.join(untaught)} are not taught to bench.verify: say what they mean in bench/verify/meaning.py "
        "(MEANING: unit and direction; VIDEO, if it needs frames in a row) and write their arithmetic in "
        "bench/verify/recount.py (reading_of: what it reads; then _valued or _moved), apart from the metrics package"
    )
    sets = [key for key in SETS_OF_PICTURES if key not in SETS]
    assert not sets, (
        f"metrics {', '.join(sets)} are not taught to bench.verify: write their arithmetic in bench/verify/pictures.py "
        "(SETS: column and unit; then _DISTANCES), apart from the metrics package"
    )
    gone = [key for key in (*MEANING, *SETS) if key not in ours()]
    assert not gone, f"bench/verify still teaches {', '.join(gone)}, which no module of metrics declares"


def test_what_the_verifier_was_taught_is_what_the_metrics_declare() -> None:
    for key, (unit, up) in MEANING.items():
        metric = FRAMES[key]
        assert (unit, up) == (metric.unit, metric.higher_is_better), (
            f"{key}: its spec and MEANING of bench/verify/meaning.py state another unit or direction"
        )
        assert (key in VIDEO) == metric.needs_clips, f"{key}: VIDEO of bench/verify/meaning.py"
    for key, columns in SETS.items():
        metric = SETS_OF_PICTURES[key]
        taught = (max(map(int, columns)), columns[metric.version], UNIT)
        assert taught == (metric.version, f"picture/{metric.network}", metric.unit), (
            f"{key}: bench/verify/pictures.py"
        )
        assert not metric.higher_is_better


@pytest.mark.parametrize("key", [key for key in MEANING if key not in PIXELS])
def test_every_metric_is_recounted_with_what_a_lost_face_counts_as(key: str) -> None:
    s = read_for(sides(seed=8), key)
    for reading in s.swap.values():
        reading[::7] = np.nan
    tables = tables_of(s)
    assert tables.posed.all()
    found = per_frame(tables, key, "test")
    assert found is not None
    np.testing.assert_allclose(found[0], frame_values(s, key), rtol=1e-9, atol=1e-9)
    cost = if_lost(tables, key, "test")
    counted = np.where(np.isnan(found[0]), cost, found[0])
    np.testing.assert_allclose(counted, frame_values(s, key, "count_everywhere"), rtol=1e-9, atol=1e-9)


def test_sets_of_pictures_are_recounted() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(40, 6)), rng.normal(0.3, 2, size=(40, 6))
    assert distance("fid", x, y) == pytest.approx(frechet_distance(x, y), rel=1e-9)
    assert distance("kid", x, y) == pytest.approx(kernel_distance(x, y), rel=1e-9)
    few = rng.normal(size=(4, 6))  # fewer pictures than features: covariances without full rank
    assert distance("filter_bank_distance", few, y[:4]) == pytest.approx(
        frechet_distance(few, y[:4]), rel=1e-6
    )
