"""A tiny set of drawn faces and a tiny run of the embedder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.tiny_models import TINY_EMBEDDER, settings


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """faces.npy of 12 people x 4 views at 16 px: a coloured disc on a random background, noise over both."""
    folder = tmp_path_factory.mktemp("faces")
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:16, :16] - 7.5
    array = np.empty((12, 4, 16, 16, 3), np.uint8)
    for person in range(12):
        skin, radius = rng.uniform(60, 230, 3), rng.uniform(4, 8)
        for view in range(4):
            picture = np.where((x**2 + y**2 < radius**2)[..., None], skin, rng.uniform(0, 255, 3))
            array[person, view] = (picture + rng.normal(0, 5, picture.shape)).clip(0, 255)
    np.save(folder / "faces.npy", array)
    (folder / "meta.json").write_text(json.dumps({"seed": 0}))
    return folder


@pytest.fixture(scope="session")
def embedder_run(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished tiny run of the embedder."""
    from smoothswap.train import main

    out = tmp_path_factory.mktemp("runs") / "embedder"
    arguments = [
        "embedder",
        "--data",
        str(faces),
        "--out",
        str(out),
        "--threads",
        "1",
        *settings(TINY_EMBEDDER),
    ]
    assert main(arguments) == 0
    return out
