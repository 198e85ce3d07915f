"""The hot paths, each against a peer that does the same, or a fixed loop where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from skimage.transform import SimilarityTransform, warp

from bench.verify import intervals
from metrics.frames.retrieval import identity_rank
from metrics.statistics.intervals import cluster_interval
from smoothswap.faces.align import (
    arcface_crop,
    arcface_template,
    ffhq_affine,
    ffhq_crop,
    five_points,
    umeyama,
)
from smoothswap.faces.detect import Detector
from smoothswap.faces.paste import paste_back
from smoothswap.media.video import read_even, write_video
from tests.support.speed_peers import Against, fixed_loop


@pytest.fixture(scope="module")
def face() -> tuple[np.ndarray, np.ndarray]:
    """(frame uint8 [280, 280, 3], landmarks float32 [68, 2]): Eileen Collins, public domain."""
    frame = np.ascontiguousarray(skimage.data.astronaut()[:280, 80:360])
    return frame, Detector().detect(frame)[0].landmarks


def test_frame_reading(against: Against, tmp_path: Path) -> None:
    """Ten even frames of a clip, against OpenCV's decoder reading the clip through."""
    rng = np.random.default_rng(0)
    base = cv2.resize(rng.integers(0, 255, (9, 9, 3), np.uint8), (256, 256), interpolation=cv2.INTER_CUBIC)
    frames = [np.ascontiguousarray(np.roll(base, 3 * i, axis=1)) for i in range(30)]
    path = tmp_path / "clip.mp4"
    write_video(path, frames, lossless=True)

    def peer() -> list[np.ndarray]:
        video, seen = cv2.VideoCapture(str(path)), []
        while (read := video.read())[0]:
            seen.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB))
        return seen

    found, others = against(lambda: read_even(path, 10), peer), peer()
    assert found.count == len(others) == 30
    assert all(
        np.abs(a.astype(int) - others[n]).mean() < 3 for n, a in zip(found.indices, found.frames, strict=True)
    )


def test_alignment_arcface(against: Against, face: Any) -> None:
    """A crop of 112 px, against scikit-image's warp by the same similarity."""
    frame, landmarks = face
    matrix = np.vstack([umeyama(five_points(landmarks), arcface_template()), [0, 0, 1]])
    inverse = SimilarityTransform(matrix=matrix).inverse
    peer = lambda: warp(frame, inverse, output_shape=(112, 112), order=1, preserve_range=True)  # noqa: E731
    found = against(lambda: arcface_crop(frame, landmarks), peer)
    assert np.abs(found.astype(float) - peer())[8:-8, 8:-8].mean() < 3


def test_alignment_ffhq(against: Against, face: Any) -> None:
    """FFHQ's own resampling to 256 px, against one warp of scikit-image's to that size."""
    frame, landmarks = face
    inverse = SimilarityTransform(matrix=np.vstack([ffhq_affine(landmarks, 256), [0, 0, 1]])).inverse
    peer = lambda: warp(frame, inverse, output_shape=(256, 256), order=1, preserve_range=True, mode="reflect")  # noqa: E731
    found, _ = against(lambda: ffhq_crop(frame, landmarks, 256), peer)
    assert np.abs(found.astype(float) - peer())[40:-40, 40:-40].mean() < 6


def test_paste_back(against: Against, face: Any) -> None:
    """A crop back into its frame, against scikit-image's warp of the crop to the frame."""
    frame, landmarks = face
    crop, affine = ffhq_crop(frame, landmarks, 128)[0], ffhq_affine(landmarks, 128)
    place = SimilarityTransform(matrix=np.vstack([affine, [0, 0, 1]]))
    peer = lambda: warp(crop, place, output_shape=frame.shape[:2], order=1, preserve_range=True)  # noqa: E731
    found = against(lambda: paste_back(frame, crop, affine), peer)
    assert np.abs(found.astype(int) - frame).mean() < 3  # its own crop changes a frame little


def test_retrieval(against: Against) -> None:
    """Ranks of 300 probes among 1,000 faces of 100 people, against a loop over the probes."""
    rng = np.random.default_rng(1)
    ids = np.repeat([f"{i:03d}" for i in range(100)], 10)
    people = rng.normal(size=(100, 128))
    gallery = np.repeat(people, 10, axis=0) + rng.normal(size=(1000, 128))
    wanted = np.array([f"{i % 100:03d}" for i in range(300)])
    probes = people[np.arange(300) % 100] + 3 * rng.normal(size=(300, 128))

    def peer() -> np.ndarray:
        g = gallery / np.linalg.norm(gallery, axis=1, keepdims=True)
        ranks = []
        for probe, own in zip(probes, wanted, strict=True):
            best = np.full(100, -2.0)
            np.maximum.at(best, np.arange(1000) // 10, g @ (probe / np.linalg.norm(probe)))
            ranks.append((best >= best[int(own)] - 1e-6).sum())
        return np.array(ranks)

    assert (against(lambda: identity_rank(probes, wanted, gallery, ids), peer) == peer()).all()


def test_bootstrap(against: Against) -> None:
    """An interval over 70 clusters, against the BCa bootstrap of bench.verify."""
    rng = np.random.default_rng(2)
    clusters = np.repeat([f"{i:02d}" for i in range(70)], 20)
    values = rng.gamma(2, size=1400) + np.repeat(rng.normal(size=70), 20)
    peer = lambda: intervals.interval(values, clusters, None)  # noqa: E731
    found = against(lambda: cluster_interval(values, clusters), peer)
    room = 0.1 * (found[1] - found[0])
    assert all(low - room <= end <= high + room for end, (low, high) in zip(found, peer(), strict=True))


def test_rendering(against: Against) -> None:
    """A face of 64 px with four rays a pixel and shadows, against the fixed loop."""
    from smoothswap.rendered.head import load_head
    from smoothswap.rendered.motion import Motion
    from smoothswap.rendered.people import sample_identity, sample_styling
    from smoothswap.rendered.render import Actor
    from smoothswap.rendered.scene import sample_scene

    rng = np.random.default_rng(3)
    actor, scene = Actor(sample_identity(rng), sample_styling(rng)), sample_scene(rng, 64)
    state = Motion(rng, load_head()).at(1.0)
    image = against(lambda: actor.shot(state, scene).image, fixed_loop)
    assert image.shape == (64, 64, 3)
    assert image.std() > 10


def test_generator(against: Against) -> None:
    """One pass of the 64 px generator, against four plain convolutions of torch."""
    from smoothswap.config import load_preset
    from smoothswap.networks.generator import Generator

    options = load_preset("lite-64", "swapper").generator
    network = Generator(options).eval()
    x, z = (
        torch.zeros(4, 3, 64, 64),
        torch.nn.functional.normalize(torch.ones(4, options.identity_dim), dim=1),
    )
    kernel = torch.full((64, 64, 3, 3), 1e-3)
    y = torch.ones(4, 64, 64, 64)

    def peer() -> torch.Tensor:
        made = y
        for _ in range(4):
            made = torch.nn.functional.conv2d(made, kernel, padding=1)
        return made

    with torch.inference_mode():
        assert against(lambda: network(x, z), peer).shape == (4, 3, 64, 64)


def test_report_page(against: Against) -> None:
    """The whole page of five models with their plots, against the fixed loop."""
    from reports.html import render
    from reports.results import Results
    from reports.table import RunFiles
    from tests.support.report_builders import MODELS, content

    runs = [RunFiles(Results.model_validate(content(model))) for model in MODELS]
    assert "</html>" in against(lambda: render(runs), fixed_loop)
