"""Tampering, a few of each kind: bench.verify names what is not harmless. The long form is the campaign's."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.faults import tampering
from bench.faults.tampered import Run
from reports.run_files import RunFiles
from tests.support import made_runs

MODELS = ("copy-target", "mine")
DRAWN = np.random.default_rng(18).permutation(len(tampering.FAULTS))[:28]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two pairs of people and two models, with a page of both."""
    out = tmp_path_factory.mktemp("runs") / "run"

    def named(content: dict[str, Any]) -> None:
        content.update(models=list(MODELS), page="report.html")
        content["run"]["command"] = "python -m bench.ffpp"

    made_runs.write(out, "copy-target", lambda s, t: t.copy(), reference=True, pairs=2, change=named)
    made_runs.write(out, "mine", made_runs.blend(), noise=1, lost=(3,), pairs=2, change=named)
    made_runs.unread_page(out, [RunFiles.read(out / name) for name in MODELS])
    return out


def test_there_are_enough_kinds_and_the_run_itself_is_sound(whole: Path) -> None:
    assert len(tampering.kinds) == len(tampering.FAULTS) >= 78
    assert tampering.violations(whole) == []
    assert all(fault.harmless == "" or fault.harmless[0].islower() for fault in tampering.FAULTS)


@pytest.mark.parametrize("mended", [False, True], ids=("hashes alone", "hashes mended"))
def test_tampering_is_named(mended: bool, whole: Path, tmp_path: Path) -> None:
    tried, passed = 0, []
    for fault in (tampering.FAULTS[i] for i in DRAWN):
        run = Run(shutil.copytree(whole, tmp_path / fault.name), "mine")
        if not fault.fits(run):
            continue
        try:
            fault.inject(run, mended)
        except (LookupError, StopIteration, ValueError):
            continue  # what this little run has not
        tried += 1
        found = tampering.violations(run.folder)
        if found is None or not (found or fault.harmless):
            passed.append(fault.name)
    assert passed == []
    assert tried >= 16


@pytest.mark.parametrize(
    "name", ["a model left out", "the page left out", "words of the page", "the page emptied"]
)
def test_what_is_gone_is_named(name: str, whole: Path, tmp_path: Path) -> None:
    run = Run(shutil.copytree(whole, tmp_path / "run"), "mine")
    if name == "words of the page":
        page = run.folder / "report.html"
        page.write_text(page.read_text() + " (best)")
    else:
        tampering.kinds[name](run, True)
    assert any(said.startswith(("page: ", "run: ")) for said in tampering.violations(run.folder) or ())
