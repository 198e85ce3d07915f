"""A trained embedder as an instrument, and the committed one as a judge of rendered faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bench.reading.crops import cut
from bench.reading.embedder import JUDGE
from bench.reading.instruments import available, create
from metrics.instruments import InstrumentError
from smoothswap import pretrained
from smoothswap.config import EmbedderConfig, flatten
from smoothswap.networks.embedder import Embedder
from smoothswap.networks.options import EmbedderOptions
from smoothswap.rendered.ffpp import Clip, render_clip


@pytest.fixture
def tiny(tmp_path: Path) -> tuple[Embedder, Path]:
    torch.manual_seed(0)
    options = EmbedderOptions(backbone="lite", size=32, hidden=8, dim=6, width=4)
    embedder = Embedder(options).eval()
    path = tmp_path / "tiny.safetensors"
    config = flatten(EmbedderConfig(network=options))
    pretrained.save(path, {"embedder": embedder}, {"part": "embedder", "config": {"embedder": config}})
    return embedder, path


def test_reads_what_the_network_says_whatever_the_batch(tiny: tuple[Embedder, Path]) -> None:
    embedder, path = tiny
    instrument = create(f"embedder:{path}")
    assert (instrument.name, instrument.crop.template, instrument.crop.size) == ("tiny", "ffhq", 32)
    crops = np.random.default_rng(0).integers(0, 256, (70, 32, 32, 3), np.uint8)
    read = instrument.read(crops, np.zeros((70, 68, 2), np.float32))["identity"]
    with torch.no_grad():
        wanted = embedder(torch.from_numpy(crops).permute(0, 3, 1, 2) / 127.5 - 1)
    assert np.allclose(read, wanted.numpy(), atol=1e-5)
    assert np.allclose(np.linalg.norm(read, axis=1), 1, atol=1e-5)


def test_bad_specs_and_crops_are_refused(tiny: tuple[Embedder, Path]) -> None:
    for spec, said in (
        ("embedder", "its name or .safetensors"),
        ("embedder:nobody", "no weights 'nobody'"),
        ("dlb", "did you mean"),
    ):
        with pytest.raises(InstrumentError, match=said):
            create(spec)
    with pytest.raises(InstrumentError, match="32"):
        create(f"embedder:{tiny[1]}").read(
            np.zeros((1, 64, 64, 3), np.uint8), np.zeros((1, 68, 2), np.float32)
        )
    assert {"embedder", "dlib", "anny"} <= {entry.name for entry in available()}


def test_the_judge_knows_people_it_never_saw() -> None:
    """Two moments of ten people: nearly everyone's second frame is nearest to their first."""
    judge = create(JUDGE)
    sides: list[list[np.ndarray]] = [[], []]
    for person in range(10):
        frames, rows = render_clip(Clip(person, person, 8, 128, 4))
        for side, i in zip(sides, (0, 7), strict=True):
            side.append(cut(frames[i], rows[i]["landmarks"].reshape(68, 2), judge.crop))
    first, second = (
        judge.read(np.stack(side), np.zeros((10, 68, 2), np.float32))["identity"] for side in sides
    )
    assert ((second @ first.T).argmax(1) == np.arange(10)).sum() >= 8
