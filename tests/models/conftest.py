"""A tiny set of drawn faces, and tiny configurations of both parts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

TINY_EMBEDDER = (
    "network.size=16 network.width=8 network.blocks=[1,1] network.hidden=16 network.dim=8 people=4 photos=2 "
    "steps=6 warmup=2 log_every=1 validate_every=3"
).split()
TINY_SWAPPER = (
    "generator.size=16 generator.width=8 generator.channel_multipliers=[1,2] generator.identity_dim=8 "
    "generator.dropout=0.1 discriminator.size=16 discriminator.channel_base=128 batch=3 steps=6 r1_every=2 "
    "log_every=1 validate_every=3 adv_warmup=2"
).split()


def settings(values: list[str]) -> list[str]:
    """--set arguments of the command line."""
    return [part for value in values for part in ("--set", value)]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


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
    arguments = ["embedder", "--data", str(faces), "--out", str(out), "--threads", "1", *settings(TINY_EMBEDDER)]
    assert main(arguments) == 0
    return out
