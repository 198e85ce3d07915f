"""The whole protocol on real photographs (Labeled Faces in the Wild), read by a real recogniser."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from bench import make_ffpp
from bench.ffpp import __main__ as ffpp
from reports.results import load
from tests.support import ROOT

SHARED = Path(os.environ.get("SMOOTHSWAP_SHARED", ROOT.parent / "shared"))
LFW = SHARED / "data" / "lfw" / "lfw250_deepfunneled.tar"
RECOGNISER = SHARED / "data" / "weights" / "mobilefacenet_foamliu_112_128d.onnx"
PEOPLE = ("Serena_Williams", "Tony_Blair", "Kofi_Annan", "Jennifer_Lopez")


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (LFW.is_file() and RECOGNISER.is_file()):
        pytest.skip(
            "LFW is not at hand (set SMOOTHSWAP_SHARED to the folder that holds data/lfw and data/weights)"
        )
    folder = tmp_path_factory.mktemp("lfw")
    with tarfile.open(LFW) as tar:
        wanted = [f"images_deepfunneled/{name}/{name}_{i:04d}.jpg" for name in PEOPLE for i in range(1, 9)]
        for name in wanted:
            tar.extract(name, folder, filter="data")
    return folder / "images_deepfunneled"


@pytest.mark.slow
def test_the_scale_holds_on_real_people(people: Path, tmp_path: Path) -> None:
    root, out = tmp_path / "ffpp", tmp_path / "out"
    assert make_ffpp.main(["--from", str(people), "--out", str(root)]) == 0
    how = "--model classical --frames 3 --workers 1 --device cpu"
    read = ["--instruments", f"arcface:{RECOGNISER}?scale=128"]
    assert ffpp.main(["--data", str(root), "--out", str(out), *how.split(), *read]) == 0
    results = {
        name: load(out / name / "results.json") for name in ("copy-target", "classical", "copy-source")
    }
    for result in results.values():
        assert result.counts.expected == 12
        assert result.counts.expected == result.counts.used + sum(result.counts.failed.values())
    values = {name: result.metrics["id_retrieval"].value for name, result in results.items()}
    assert values["copy-target"] == 0
    assert values["copy-source"] == 100
    identity = {name: result.metrics["identity"].value or 0.0 for name, result in results.items()}
    assert identity["copy-target"] < 0.3 < identity["classical"] < identity["copy-source"]
