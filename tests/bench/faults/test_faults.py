"""The kinds of faults, a few of each: what is expected of them is what happens. The long form is bench.faults."""

from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.errors import UsageError
from bench.faults import disks, kills, names, weights
from reports.__main__ import main as reports
from smoothswap.plumbing import pickled
from smoothswap.plumbing.names import refuse_name
from smoothswap.plumbing.packed import PickledError, packed
from smoothswap.plumbing.tensors import opened
from tests.support import made_runs

MODELS = ("a", "b")


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An older run, and a newer one of the same models."""
    folder = tmp_path_factory.mktemp("runs")
    for name, day in (("old", 24), ("new", 25)):

        def change(content: dict[str, Any], day: int = day) -> None:
            content["run"]["started"] = f"2026-11-{day}T12:00:00+00:00"

        for model in MODELS:
            share = 0.3 if model == "a" else 0.7
            made_runs.write(folder / name, model, made_runs.blend(share), pairs=4, change=change)
        (folder / name / "report.html").write_text(name)
    return folder / "old", folder / "new"


@pytest.mark.parametrize("fault", kills.FAULTS[:2], ids=lambda fault: fault.name)
def test_a_run_that_is_killed_while_it_replaces_another_mixes_nothing(
    fault: kills.KillFault, two_runs: tuple[Path, Path], tmp_path: Path
) -> None:
    old, new = two_runs
    killed = 0
    for seed in range(6):
        run = tmp_path / str(seed) / "run"
        shutil.copytree(old, run)
        killed += fault.inject(run, new, seed)
        assert kills.seen(run, MODELS) in fault.allowed
    assert killed


def test_a_mixture_is_seen_and_refused(
    two_runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = two_runs
    run = tmp_path / "run"
    shutil.copytree(old, run)
    shutil.copytree(new / "b", run / "b", dirs_exist_ok=True)
    assert kills.seen(run, MODELS) == "mixture"  # of the same originals: named
    assert reports([str(run), "--format", "md"]) == 0
    assert "holds models of 2 runs" in capsys.readouterr().err
    made_runs.write(tmp_path / "other", "b", made_runs.blend(), pairs=3)
    shutil.copytree(tmp_path / "other" / "b", run / "b", dirs_exist_ok=True)
    assert kills.seen(run, MODELS) == "refused"
    assert reports([str(run), "--format", "md"]) == 3
    assert "two runs" in capsys.readouterr().err


@pytest.mark.parametrize("fault", weights.FAULTS, ids=lambda fault: fault.name)
def test_forged_weights_end_in_content_or_one_error(fault: weights.WeightsFault, tmp_path: Path) -> None:
    said, marker = [], tmp_path / "ran"
    for seed in range(12):
        try:
            opened(packed(pickled.read_pickled(fault.forge(seed, str(marker)))))
        except PickledError as error:
            said.append(str(error))
    assert all(text and "\n" not in text for text in said)
    assert len(said) == 12 or fault.outcome == "either"
    assert not marker.exists()


@pytest.mark.parametrize("fault", names.FAULTS, ids=lambda fault: fault.name)
def test_a_hostile_name_is_no_models(fault: names.NameFault) -> None:
    for seed in range(8):
        name = fault.draw(seed)
        if fault.model == "refused":
            with pytest.raises(UsageError, match="cannot be called"):
                refuse_name(name, "a model")
        else:
            refuse_name(unicodedata.normalize("NFC", name), "a model")


def test_a_full_disk_is_one_line_and_leaves_no_part(tmp_path: Path) -> None:
    fault = next(fault for fault in disks.FAULTS if fault.how == "largest")
    torch.save({"w": torch.zeros(20_000)}, tmp_path / "net.pth")
    done = fault.run(["smoothswap.convert", str(tmp_path / "net.pth")], tmp_path, seed=0)
    assert disks.said_in_one_line(done), done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["net.pth"]
    assert not disks.left_behind(tmp_path)
