"""A synthetic face, a smooth picture and real photos: what the tests of this folder share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def lfw_tar(shared_data: Path) -> Path:
    """The archive of Labeled Faces in the Wild at 250 x 250, where it is at hand."""
    path = shared_data / "lfw" / "lfw250_deepfunneled.tar"
    if not path.is_file():
        pytest.skip("Labeled Faces in the Wild is not among the real data")
    return path


@pytest.fixture
def landmarks() -> np.ndarray:
    """68 points of a plausible upright face about 100 pixels wide around (120, 130), with uneven decimals."""
    angle = np.linspace(np.pi, 0, 17)
    jaw = np.stack([120 + 52 * np.cos(angle), 120 + 66 * np.sin(angle)], 1)
    brows = [(76 + 7 * i, 98 - (i % 3)) for i in range(5)] + [(136 + 7 * i, 97 - (i % 2)) for i in range(5)]
    nose = [(120 + 0.3 * i, 108 + 8 * i) for i in range(4)] + [(110 + 5 * i, 138 + i % 2) for i in range(5)]
    eyes = [
        (centre + 9 * np.cos(a), 110.7 + 4 * np.sin(a))
        for centre in (98.3, 141.9)
        for a in np.pi * (1 + np.arange(6) / 3)
    ]
    mouth = [(120.4 + 20 * np.cos(a), 158.2 + 8 * np.sin(a)) for a in np.pi * (1 + np.arange(12) / 6)]
    lips = [(120.4 + 13 * np.cos(a), 158.2 + 3 * np.sin(a)) for a in np.pi * (1 + np.arange(8) / 4)]
    return np.concatenate([jaw, brows, nose, eyes, mouth, lips])
