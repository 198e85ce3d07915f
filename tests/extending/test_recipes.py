"""The five recipes of docs/extending, carried out: a package is built, installed and used through the project's commands.

Nothing of the project is edited: what the package brings has to appear wherever the project's own things do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from reports.results import load
from tests.support import ROOT
from tests.support.ffpp_trees import TINTS, face_frame
from tests.support.tiny_models import TINY_SWAPPER, settings

PLUGIN = Path(__file__).parent / "plugin"
PAGES = {
    "metric": "metric.py",
    "instrument": "instrument.py",
    "data-set": "dataset.py",
    "swapper": "swapper.py",
    "injection": "injection.py",
}


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package in it, as pip installs it."""
    source = tmp_path_factory.mktemp("plugin")
    for path in PLUGIN.rglob("*"):
        if path.suffix in (".py", ".toml"):
            place = source / path.relative_to(PLUGIN)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    target = tmp_path_factory.mktemp("site")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    subprocess.run([*pip, "--target", str(target), str(source)], check=True, timeout=120)
    return target


def python(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run with the package installed, from the project's folder."""
    environment = os.environ | {"PYTHONPATH": str(installed), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="session")
def run(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Portraits of four people through the package's swapper, read by its instrument and scored by its metric."""
    people, out = tmp_path_factory.mktemp("portraits"), tmp_path_factory.mktemp("run")
    for name in TINTS:
        cv2.imwrite(str(people / f"{name}.png"), face_frame(name)[..., ::-1])
    done = python(
        installed,
        *("-m", "bench.ffpp", "--data", f"portraits:{people}", "--model", "average"),
        *("--instruments", "thumbnail?grey=no", "--workers", "2", "--frames", "1", "--out", str(out)),
    )
    assert done.returncode == 0, done.stderr
    assert "To target" in done.stdout
    return out


def test_a_data_set_of_another_kind_is_scored(run: Path) -> None:
    results = load(run / "average" / "results.json")
    data = results.run.data.model_dump()
    assert (data["kind"], data["clips"], data["originals"]) == ("portraits", 4, 4)
    protocol = results.run.protocol.model_dump()
    assert (protocol["sequences"], protocol["compression"]) == ("other", "as_is")
    assert (results.counts.expected, results.counts.used) == (4, 4)
    # The gallery knows everybody: the source's own face is found in its copy.
    assert load(run / "copy-source" / "results.json").metrics["id_retrieval"].value == 100


def test_a_run_of_other_data_verifies_and_is_scored_again(installed: Path, run: Path) -> None:
    verified = python(installed, "-m", "bench.verify", str(run), "--json")
    assert json.loads(verified.stdout)["violations"] == []
    before = load(run / "average" / "results.json").metrics
    assert python(installed, "-m", "bench.rescore", str(run)).returncode == 0
    assert load(run / "average" / "results.json").metrics == before


def test_an_instrument_with_a_crop_of_its_own_reads(installed: Path, run: Path) -> None:
    stated = load(run / "average" / "results.json").run.instruments
    [thumbnail] = [info.model_dump() for info in stated if info.name == "thumbnail"]
    assert thumbnail["crop"] == {"template": "landmark_box", "size": 64}
    assert thumbnail["parameters"] == {"grey": False}
    refused = python(installed, "-m", "bench.ffpp", "--instruments", "thumbnail?gray=yes", "--dry-run")
    assert refused.returncode == 2
    assert "thumbnail has no option 'gray'; did you mean 'grey'?" in refused.stderr


def test_a_metric_appears_in_results_table_and_report(run: Path) -> None:
    metrics = load(run / "average" / "results.json").metrics
    assert metrics["target_similarity"].label == "To target"
    assert load(run / "copy-target" / "results.json").metrics["target_similarity"].value == pytest.approx(1)
    assert "To target" in (run / "report.html").read_text()
    # Where the package is not installed the result still says what it is.
    page = subprocess.run(
        [sys.executable, "-m", "reports", str(run), "--format", "md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "To target" in page.stdout


def test_everything_is_listed(installed: Path) -> None:
    listed = python(installed, "-m", "bench.list").stdout
    for name in ("average", "thumbnail", "portraits", "target_similarity"):
        assert f"\n  {name} " in listed


def test_a_way_in_for_identity_trains(
    installed: Path, faces: Path, embedder_run: Path, tmp_path: Path
) -> None:
    command = ["-m", "smoothswap.train", "swapper", "--data", str(faces), "--embedder", str(embedder_run)]
    done = python(
        installed,
        *(*command, "--out", str(tmp_path / "run"), "--threads", "1", *settings(TINY_SWAPPER)),
        *("--set", "generator.identity_injection=gate", "--steps", "2"),
    )
    assert done.returncode == 0, done.stderr
    refused = python(
        installed, *command, "--out", str(tmp_path / "other"), "--set", "generator.identity_injection=gaet"
    )
    assert refused.returncode == 2
    assert "choose one of add, adalin, map, gate" in refused.stderr


def test_a_way_in_starts_as_the_identity(installed: Path) -> None:
    code = """
import torch
from smoothswap.networks.generator import Generator
from smoothswap.networks.options import GeneratorOptions
options = GeneratorOptions(size=16, width=8, channel_multipliers=(1, 2), identity_dim=6, identity_injection="gate")
generator, target = Generator(options), torch.rand(2, 3, 16, 16)
assert torch.equal(generator(target, torch.nn.functional.normalize(torch.randn(2, 6), dim=1)), target)
"""
    done = python(installed, "-c", code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("group", "broken", "command", "said"),
    [
        ("smoothswap.metrics", "swap_plugin.metric:NONE", ["bench.list"], "swap_plugin.metric:NONE"),
        ("smoothswap.instruments", "no_such_package:X", ["bench.list"], "No module named 'no_such_package'"),
        ("smoothswap.datasets", "no_such_package:X", ["bench.ffpp", "--data", "broken:/"], "no_such_package"),
        (
            "smoothswap.models",
            "no_such_package:X",
            ["bench.ffpp", "--model", "broken", "--data", "."],
            "no_such_package",
        ),
    ],
)
def test_a_broken_package_is_one_line_that_names_it(
    installed: Path, tmp_path: Path, group: str, broken: str, command: list[str], said: str
) -> None:
    if group == "smoothswap.models":
        command = [*command[:-1], str(tmp_path)]
        (tmp_path / "original_sequences" / "youtube" / "c23" / "videos").mkdir(parents=True)
        (tmp_path / "splits").mkdir()
        (tmp_path / "splits" / "test.json").write_text('[["000", "001"]]')
    folder = tmp_path / "site" / "broken-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(f"[{group}]\nbroken = {broken}\n")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(installed), str(tmp_path / "site")])}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1
    assert said in lines[0]
    assert "broken" in lines[0]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_the_file_that_is_tested(page: str) -> None:
    text = (ROOT / "docs" / "extending" / f"{page}.md").read_text()
    assert f"tests/extending/plugin/swap_plugin/{PAGES[page]}" in text
