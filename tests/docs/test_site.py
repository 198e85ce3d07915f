"""The site builds offline from the pages, and nothing in it is to be warned of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pages import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "sphinx",
            "-q",
            "-W",
            "--keep-going",
            "docs",
            out / "html",
            "-d",
            out / "doctrees",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return out / "html"


@pytest.mark.slow
def test_the_site_builds_without_a_warning(site: Path) -> None:
    pages = [page.with_suffix(".html").name for page in (ROOT / "docs").glob("*.md")]
    assert all((site / page).is_file() for page in pages)


@pytest.mark.slow
def test_the_front_page_is_the_readme_and_loads_nothing_from_elsewhere(site: Path) -> None:
    front = (site / "index.html").read_text(encoding="utf-8")
    assert "What the committed model cannot do" in front
    assert 'href="results.html"' in front
    assert 'src="https://' not in front
    assert 'rel="stylesheet" href="https://' not in front


@pytest.mark.slow
def test_the_api_has_signatures_and_words(site: Path) -> None:
    text = (site / "api.html").read_text(encoding="utf-8")
    for name in ("smoothswap.swap_faces", "metrics.evaluate", "reports.results.load"):
        assert f'id="{name}"' in text
    assert "with the identity of the largest face" in text
