"""The wheel holds every file that the packages read: weights, presets, templates, baselines, marks of types."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support import ROOT

PACKAGES = ("bench", "smoothswap", "metrics", "reports")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    """The wheel of a copy of this tree, built without the network. Weights are only names there."""
    tree, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    for weights in tree.rglob("*.safetensors"):
        weights.write_bytes(b"")  # of the files only the names are looked at
    program = "import sys; from setuptools.build_meta import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", program, str(out)], cwd=tree, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (file,) = out.glob("*.whl")
    return zipfile.Path(file)


def test_every_file_of_the_packages_is_in_the_wheel(wheel: zipfile.Path) -> None:
    inside = set(wheel.root.namelist())
    wanted = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"smoothswap/weights/recipe.toml", "reports/templates/report.html.j2"} <= wanted
    assert wanted - inside == set()
    assert not [name for name in inside if name.startswith(("tests/", "results/", "docs/"))]


def test_the_wheel_names_the_console_command(wheel: zipfile.Path) -> None:
    (entry_points,) = [n for n in wheel.root.namelist() if n.endswith("entry_points.txt")]
    assert "smoothswap-bench = bench.console:main" in wheel.root.read(entry_points).decode()
    assert Path(entry_points).parts[0].startswith("smoothswap_bench-0.1.0")
