"""The hot paths of embeddings, and a swap as the benchmark makes it, each against a peer that does the same."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
import skimage.data
import torch
from scipy.spatial import geometric_slerp
from sklearn.metrics.pairwise import paired_cosine_distances, paired_euclidean_distances

from bench.swappers import create
from bench.swappers.apply import swap
from metrics.distances import cosine_distance, l2
from metrics.embedders.interpolation import STEPS, interpolation_count
from metrics.embedders.slerp import slerp
from metrics.embedders.smoothness import d_smooth
from smoothswap.faces.detect import Detector
from tests.support.speed_peers import Against, fixed_loop


@pytest.fixture(scope="module")
def pairs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(a, b [40, 128], gallery [3000, 128]): embeddings of 300 people, float64."""
    rng = np.random.default_rng(5)
    people = rng.normal(size=(300, 128))
    gallery = np.repeat(people, 10, axis=0) + 0.5 * rng.normal(size=(3000, 128))
    return people[:40], people[40:80], gallery


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def points(a: np.ndarray, b: np.ndarray) -> Iterator[np.ndarray]:
    """scipy's path of every pair, [len(STEPS), d] each."""
    for start, end in zip(unit(a), unit(b), strict=True):
        yield geometric_slerp(start, end, np.array(STEPS))


def test_slerp(against: Against, pairs: tuple[np.ndarray, ...]) -> None:
    """Nine points of each of 40 paths, against scipy's geometric_slerp in a loop over the pairs."""
    a, b, _ = pairs
    found = against(lambda: slerp(a, b, STEPS), lambda: list(points(a, b)))
    np.testing.assert_allclose(found, np.stack(list(points(a, b))), atol=1e-12)


def test_distances(against: Against, pairs: tuple[np.ndarray, ...]) -> None:
    """Cosine and L2 distances of 3,000 rows, against scikit-learn's."""
    rows = pairs[2]
    other = rows[::-1].copy()

    def ours() -> tuple[np.ndarray, np.ndarray]:
        return cosine_distance(rows, other), l2(rows, other)

    def peer() -> tuple[np.ndarray, np.ndarray]:
        return paired_cosine_distances(rows, other), paired_euclidean_distances(rows, other)

    for mine, theirs in zip(against(ours, peer), peer(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-10)


def test_interpolation_count(against: Against, pairs: tuple[np.ndarray, ...]) -> None:
    """Faces met by 40 paths among 3,000, against a product of every point with every face."""
    a, b, gallery = pairs

    def peer() -> list[int]:
        faces = unit(gallery)
        return [len(np.unique((path @ faces.T).argmax(axis=1))) for path in points(a, b)]

    assert against(lambda: interpolation_count(a, b, gallery), peer).images.tolist() == peer()


def test_d_smooth(against: Against, pairs: tuple[np.ndarray, ...]) -> None:
    """The gaps of 40 paths to 3,000 faces over the chords, against a loop over the pairs."""
    a, b, gallery = pairs

    def peer() -> float:
        faces, ratios = unit(gallery), []
        for path, start, end in zip(points(a, b), unit(a), unit(b), strict=True):
            near = faces[(path @ faces.T).argmax(axis=1)]
            ratios.append(np.linalg.norm(path - near, axis=1) / np.linalg.norm(start - end))
        return float(np.mean(ratios))

    assert against(lambda: d_smooth(a, b, gallery), peer).value == pytest.approx(peer(), rel=1e-9)


def test_embedding(against: Against) -> None:
    """One pass of the 64 px embedder over eight faces, against four plain convolutions of torch."""
    from smoothswap.config import load_preset
    from smoothswap.networks.embedder import Embedder

    options = load_preset("lite-64", "embedder").network
    network = Embedder(options).eval()
    x, kernel, y = torch.zeros(8, 3, 64, 64), torch.full((64, 64, 3, 3), 1e-3), torch.ones(4, 64, 64, 64)

    def peer() -> torch.Tensor:
        made = y
        for _ in range(4):
            made = torch.nn.functional.conv2d(made, kernel, padding=1)
        return made

    with torch.inference_mode():
        assert against(lambda: network(x), peer).shape == (8, options.dim)


def test_swapping(against: Against) -> None:
    """Four frames through cutting, the committed model and pasting back, against the fixed loop."""
    from bench.swappers.base import Task

    swapper = create("smoothswap", SimpleNamespace(truth="oracle"), "cpu")
    frame = np.ascontiguousarray(skimage.data.astronaut()[:280, 80:360])
    face = Detector().detect(frame)[0]
    tasks = [Task(None, i, np.roll(frame, i, axis=1), frame, face, face) for i in range(4)]
    made = against(lambda: swap(swapper, tasks), fixed_loop)
    assert [frame.shape for frame in made] == [frame.shape] * 4
    assert all(
        np.abs(image.astype(int) - task.target).mean() > 1 for image, task in zip(made, tasks, strict=True)
    )
