"""Pictures: kept to the pixel while there is room, reduced together when there is not, refused when wrong."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from report_builders import face, picture

from reports.pictures import BUDGET, MOST, Embedded, embed


def decoded(uri: str) -> Image.Image:
    head, _, data = uri.partition(",")
    assert head in ("data:image/png;base64", "data:image/jpeg;base64")
    return Image.open(io.BytesIO(base64.b64decode(data, validate=True)))


def uris(embedded: list[Embedded]) -> list[str]:
    return [part[1] for case in embedded for part in case.parts]


def test_small_pictures_are_kept_to_the_pixel() -> None:
    given = picture("m", "best", 3)
    [shown], storage = embed([given])
    assert storage == "lossless PNG, pixel for pixel"
    assert [part[0] for part in shown.parts] == ["source", "target", "swap", "truth"]
    for (_, uri, width, height, pixelated), (_, image) in zip(shown.parts, given.parts, strict=True):
        np.testing.assert_array_equal(np.asarray(decoded(uri)), image)
        assert (width, height, pixelated) == (128, 128, True)


@pytest.mark.parametrize(
    ("size", "shown"), [(32, 128), (48, 96), (64, 128), (100, 100), (128, 128), (256, 128)]
)
def test_small_pictures_grow_by_whole_factors(size: int, shown: int) -> None:
    [case], _ = embed([picture("m", "best", 3, size=size)])
    assert case.parts[0][2:] == (shown, shown, size < 100)


def test_oblong_pictures_keep_their_shape() -> None:
    [case], _ = embed([picture("m", "best", 3, swap=np.zeros((300, 600, 3), np.uint8))])
    assert case.parts[2][2:4] == (128, 64)


def test_pictures_without_truth_have_three_parts() -> None:
    [case], _ = embed([picture("m", "best", 3, truth=False)])
    assert [part[0] for part in case.parts] == ["source", "target", "swap"]


def test_too_many_bytes_are_reduced_for_all_alike() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    given = [picture("m", "worst", i, size=256, swap=noise) for i in range(24)]
    embedded, storage = embed(given)
    assert storage.startswith("JPEG")
    assert sum(map(len, uris(embedded))) <= BUDGET
    assert {decoded(uri).format for uri in uris(embedded)} == {"JPEG"}
    assert len({decoded(uri).size for uri in uris(embedded)}) == 1
    mean = np.asarray(decoded(embedded[0].parts[0][1]), float).mean((0, 1))
    np.testing.assert_allclose(mean, given[0].source.mean((0, 1)), atol=2)  # still the same picture, RGB


def test_cases_beyond_the_most_are_counted() -> None:
    embedded, storage = embed([picture("m", "best", 1, size=8)] * (MOST + 5))
    assert len(embedded) == MOST
    assert storage.endswith("5 further cases are left out")


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
