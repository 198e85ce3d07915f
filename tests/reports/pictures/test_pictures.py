"""Pictures: kept to the pixel while there is room, reduced together when there is not, by any metric, each once."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reports.pictures import store
from reports.pictures.cases import BUDGET, MOST, Strip, arrange
from reports.pictures.encoding import css_size
from reports.pictures.films import films, sampled
from reports.pictures.store import CASES, Picture
from reports.table import RunFiles, Table, build
from tests.support.report_builders import face, picture


@pytest.fixture
def table(runs: list[RunFiles]) -> Table:
    return build(runs)


def decoded(uri: str) -> Image.Image:
    head, _, data = uri.partition(",")
    assert head in ("data:image/png;base64", "data:image/jpeg;base64")
    return Image.open(io.BytesIO(base64.b64decode(data, validate=True)))


def strips(given: list[Picture], table: Table) -> list[Strip]:
    return [strip for _, found in arrange(given, table).grid for strip in found]


def uris(found: list[Strip]) -> list[str]:
    return [shown.uri for strip in found for _, shown in strip.parts]


def by_metric(model: str, seed: int, metric: str, case: Any = "best", **changes: Any) -> Picture:
    return picture(
        model, case, seed, metric=metric, label=metric.title(), metric_text=f"{metric} {seed}", **changes
    )


def test_small_pictures_are_kept_to_the_pixel(table: Table) -> None:
    given = picture("smoothswap", "best", 3)
    made = arrange([given], table)
    [strip] = made.grid[0][1]
    assert made.storage == "lossless PNG, pixel for pixel"
    assert [name for name, _ in strip.parts] == ["source", "target", "swap", "truth"]
    for (_, shown), (_, image) in zip(strip.parts, given.parts, strict=True):
        np.testing.assert_array_equal(np.asarray(decoded(shown.uri)), image)
        assert (shown.width, shown.height, shown.pixelated) == (128, 128, True)


@pytest.mark.parametrize(
    ("size", "shown"), [(32, 128), (48, 96), (64, 128), (100, 100), (128, 128), (256, 128)]
)
def test_small_pictures_grow_by_whole_factors(size: int, shown: int) -> None:
    assert css_size(np.zeros((size, size, 3), np.uint8)) == (shown, shown, size < 100)


def test_oblong_pictures_keep_their_shape() -> None:
    assert css_size(np.zeros((300, 600, 3), np.uint8))[:2] == (128, 64)


def test_pictures_without_truth_have_three_parts(table: Table) -> None:
    [strip] = strips([picture("m", "best", 3, truth=False)], table)
    assert [name for name, _ in strip.parts] == ["source", "target", "swap"]


def test_too_many_bytes_are_reduced_for_all_alike(table: Table) -> None:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (256, 256, 3), np.uint8) for _ in range(24)]
    given = [picture("m", "worst", i, size=256, swap=noise[i]) for i in range(24)]
    made = arrange(given, table)
    found = [strip for _, group in made.grid for strip in group]
    assert made.storage.startswith("JPEG")
    assert sum(map(len, uris(found))) <= BUDGET
    assert {decoded(uri).format for uri in uris(found)} == {"JPEG"}
    assert len({decoded(uri).size for uri in uris(found)}) == 1
    mean = np.asarray(decoded(found[0].parts[0][1].uri), float).mean((0, 1))
    np.testing.assert_allclose(mean, found[0].picture.source.mean((0, 1)), atol=2)  # the same picture, RGB


def test_cases_beyond_the_most_are_counted(table: Table) -> None:
    made = arrange([picture("m", "best", 1, size=8)] * (MOST + 5), table)
    assert sum(len(found) for _, found in made.grid) == MOST
    assert made.storage.endswith("5 further cases are left out")


def test_a_frame_that_many_metrics_chose_is_there_once(table: Table) -> None:
    given = [
        by_metric("smoothswap", 5, "pose", "worst"),
        by_metric("smoothswap", 5, "identity"),
        by_metric("smoothswap", 9, "pose"),
        picture("smoothswap", "random", 5),
    ]
    made = arrange(given, table)
    [(_, found)] = made.grid
    assert (made.first, made.choosers) == ("identity", [("identity", "Identity"), ("pose", "Pose")])
    assert [(s.by, s.shown) for s in found] == [
        ({"identity": ("best", "identity 5"), "pose": ("worst", "pose 5")}, True),
        ({"": ("random", "cosine 0.88")}, True),
        ({"pose": ("best", "pose 9")}, False),
    ]
    assert [s.case for s in found] == [("best", "identity 5"), ("random", "cosine 0.88"), ("best", "pose 9")]
    # Stored are the pictures of what is not in sight, without those that are.
    assert set(made.stored) == {shown.number for _, shown in found[2].parts}
    assert found[0].parts == found[1].parts


def test_one_frame_may_be_two_cases_of_one_metric(table: Table) -> None:
    given = [by_metric("smoothswap", 5, "identity", case) for case in ("best", "median")]
    assert [s.case[0] for s in strips(given, table)] == ["best", "median"]


def test_metrics_give_way_where_there_is_no_room(table: Table) -> None:
    rng = np.random.default_rng(0)
    metrics = [*(f"metric{i}" for i in range(60)), "identity"]
    given = [
        by_metric("smoothswap", 3 * i + j, metric, case, swap=rng.integers(0, 256, (128, 128, 3), np.uint8))
        for i, metric in enumerate(metrics)
        for j, case in enumerate(("best", "median", "worst"))
    ]
    made = arrange(given, table, budget=400_000)
    assert made.first == "identity"
    assert 1 < len(made.choosers) < 61
    assert f"of 61 metrics {len(made.choosers)} have pictures, for want of room" in made.storage
    inline = sum(len(x.uri) for _, found in made.grid for s in found if s.shown for _, x in s.parts)
    assert inline + sum(map(len, made.stored.values())) <= 400_000


def test_what_cases_share_is_stored_once(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    parts = {
        part: rng.integers(0, 256, (64, 64, 3), np.uint8) for part in ("source", "target", "swap", "truth")
    }
    one = [by_metric("m", 1, "identity", **parts)]
    many = [by_metric("m", 1, f"metric{i}", **parts) for i in range(20)]
    single, packed = len(store.pack(one)), store.pack(many)
    assert len(packed) < single + 4000
    assert store.pack(many) == packed
    (tmp_path / "p.parquet").write_bytes(packed)
    back = store.read(tmp_path / "p.parquet")
    assert [p.metric for p in back] == [p.metric for p in many]
    assert back[0].swap is back[19].swap  # and held once
    np.testing.assert_array_equal(back[7].truth, parts["truth"])


def clip(model: str, case: Any, start: int, n: int, **changes: Any) -> list[Picture]:
    return [
        picture(
            model, case, start + i, scope="clip", clip=f"{start}", frame=10 * i, source=face(start), **changes
        )
        for i in range(n)
    ]


def test_films_stand_in_order_and_apart_from_frames(table: Table) -> None:
    given = [
        *clip("classical", "worst", 30, 3),
        *clip("classical", "best", 60, 4),
        picture("classical", "best", 1),
    ]
    [(name, found)] = films(given, table)
    assert name == "classical"
    assert [(film.case, len(film.columns), film.clip) for film in found] == [
        ("best", 4, "60"),
        ("worst", 3, "30"),
    ]
    assert [film.still is not None for film in found] == [True, True]
    assert [part for part, _ in found[0].rows] == ["target", "swap", "truth"]
    assert len(strips(given, table)) == 1
    moving = [
        Picture(**{**vars(p), "source": face(i)}) for i, p in enumerate(clip("classical", "best", 60, 4))
    ]
    [(_, [film])] = films(moving, table)
    assert film.still is None
    assert [part for part, _ in film.rows] == ["source", "target", "swap", "truth"]


def test_films_that_do_not_fit_are_left_out(table: Table) -> None:
    rng = np.random.default_rng(0)
    given = [
        Picture(**{**vars(p), "swap": rng.integers(0, 256, (128, 128, 3), np.uint8)})
        for i, case in enumerate(CASES[:3])
        for p in clip("smoothswap", case, 100 * i, 12)
    ]
    [(_, some)] = films(given, table, budget=80_000)
    assert [film.case for film in some] == ["best"]
    assert films(given, table, budget=100) == []


def test_long_clips_are_sampled_evenly() -> None:
    assert sampled(7) == list(range(7))
    found = sampled(120)
    assert len(found) == 12
    assert set(np.diff(found)) == {10}
    assert (found[0], found[-1]) == (5, 115)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"swap": face(1).astype(np.float32) / 255}, r"swap picture of m.*float32 \[64, 64, 3\]"),
        ({"source": face(1)[..., 0]}, r"source picture.*\[64, 64\]"),
        ({"truth": np.zeros((0, 4, 3), np.uint8)}, r"truth picture.*\[0, 4, 3\]"),
        ({"target": np.zeros((8, 8, 4), np.uint8)}, r"target picture.*\[8, 8, 4\]"),
        ({"case": "typical"}, "case 'typical'.*best, median, worst"),
    ],
)
def test_wrong_pictures_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        picture("m", **{"case": "best", "seed": 1, **changes})
