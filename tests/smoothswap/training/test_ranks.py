"""The trainers on two gloo ranks against one process: the same steps, and everybody stops together."""

from __future__ import annotations

import contextlib
import csv
import faulthandler
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from smoothswap import pretrained, train
from smoothswap.augment import AugmentOptions, augment
from smoothswap.checkpoint import read_tensors, write_tensors
from smoothswap.config import load_preset, override
from smoothswap.data.faces import FaceData
from smoothswap.networks.embedder import Embedder
from smoothswap.networks.options import EmbedderOptions
from smoothswap.training import distributed
from smoothswap.training.distributed import Draws, mixed_rows, strided_rows
from smoothswap.training.embedder import EmbedderTask
from smoothswap.training.loop import Run
from smoothswap.training.swapper import SwapperTask
from tests.support import ROOT
from tests.support.forks import FORKS
from tests.support.tiny_models import TINY_EMBEDDER, TINY_SWAPPER, settings

pytestmark = pytest.mark.slow  # processes that import torch
EMBEDDERS: dict[str, dict[str, Any]] = {
    "contrastive": {},
    "supcon_out": {"loss": "supcon_out"},
    "arcface": {"loss": "arcface"},
    "attacked": {"adversarial": 0.02},
    "chunks": {"chunk": 2, "adversarial": 0.02},
}
SWAPPERS: dict[str, dict[str, Any]] = {
    "swapper": {"discriminator.stddev_group": 2},  # two groups on each of two ranks
    "one group": {"discriminator.stddev_group": 4},
    "cut groups": {"discriminator.stddev_group": 3},  # 3 groups of 8 faces, 2 of 4: they cannot agree
}


class Doubles(FaceData):
    """The same faces in float64."""

    def load(self, photos: Tensor) -> Tensor:
        return super().load(photos).double()


def embedder_task(faces: str, **options: Any) -> EmbedderTask:
    """In float64, with BatchNorm fixed at statistics of its own: in train mode, it would see the rank's faces alone."""
    tiny = dict(v.split("=") for v in TINY_EMBEDDER) | {"precision": "float32", **options}
    task = EmbedderTask(override(load_preset("lite-64", "embedder"), tiny), Doubles(faces, 16), {})
    for module in task.modules.values():
        module.double()
    task.embedder(task.data.get(torch.arange(8), torch.zeros(8, dtype=torch.long)))
    task.embedder.eval().train = lambda mode=True: task.embedder  # type: ignore[method-assign,assignment]
    return task


def swapper_task(faces: str, **options: Any) -> SwapperTask:
    """In float64, without dropout, whose masks are each rank's own; it starts with a generator that changes pictures."""
    tiny = dict(v.split("=") for v in TINY_SWAPPER) | {
        **{"precision": "float32", "batch": 8, "adv_warmup": 0, "id_views": 1, "self_pairs": 3},
        **{"generator.dropout": 0.0, "generator.init_scale": 1.0, **options},
    }
    torch.manual_seed(3)
    embedder = Embedder(EmbedderOptions("lite", 16, 16, 8, width=8, blocks=(1, 1))).double()
    config = override(load_preset("lite-64", "swapper"), tiny)
    task = SwapperTask(config, Doubles(faces, 16), embedder, {})
    for module in task.modules.values():
        module.double()
    return task


def three_steps(name: str, faces: str) -> dict[str, Tensor]:
    """What three steps leave: values of each step and all weights. The discriminator's first has R1, its second not."""
    make: Any = embedder_task if name in EMBEDDERS else swapper_task
    task = make(faces, **(EMBEDDERS | SWAPPERS)[name])
    left = {
        f"step {i} {k}": torch.tensor(v, dtype=torch.float64)
        for i in range(3)
        for k, v in task.step(i).items()
    }
    left |= {f"{n}.{k}": v for n, m in task.modules.items() for k, v in m.state_dict().items()}
    return left | {"sampler": task.rng.get_state()}


def command(faces: str, embedder: str, out: str, *more: str) -> list[str]:
    fixed = ["swapper", "--data", faces, "--embedder", embedder, "--threads", "1", "--device", "cpu"]
    return [*fixed, "--out", out, *settings([*TINY_SWAPPER, "batch=4"]), *more]


def said_by(arguments: list[str]) -> list[Any]:
    """Exit code and standard error of the command in this process."""
    error = io.StringIO()
    with contextlib.redirect_stderr(error):
        return [train.main(arguments), error.getvalue()]


def work(rank: int, folder: str, faces: str, embedder: str) -> None:
    """What one of two ranks does, and the notes that it leaves."""
    faulthandler.enable()  # an abort in a library then tells where
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    distributed.leave = lambda: None  # type: ignore[assignment]  # the group is used again
    for name in EMBEDDERS | SWAPPERS:
        write_tensors(Path(folder, f"{name}.{rank}"), three_steps(name, faces), {})
    notes: dict[str, Any] = {"mask": torch.rand(3).tolist()}  # the last task has parted the ways
    notes["straight"] = said_by(command(faces, embedder, f"{folder}/straight"))
    original = Run._step

    def step(run: Run) -> dict[str, float]:
        values = original(run)
        if run.done == 3 and rank == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return values

    Run._step = step  # type: ignore[method-assign]
    notes["stopped"] = said_by(command(faces, embedder, f"{folder}/broken"))
    Run._step = original  # type: ignore[method-assign]
    notes["resumed"] = said_by(command(faces, embedder, f"{folder}/broken", "--resume"))
    notes["nan"] = said_by(command(faces, embedder, f"{folder}/nan", "--set", "lambda_chg=1e300"))
    notes["odd"] = said_by(command(faces, embedder, f"{folder}/odd", "--set", "batch=3"))
    notes["again"] = said_by(command(faces, embedder, f"{folder}/straight"))
    if rank == 0:

        def full(_file: int) -> None:
            raise OSError(28, "No space left on device")

        os.fsync = full  # type: ignore[assignment]
    notes["full"] = said_by(command(faces, embedder, f"{folder}/broken", "--resume", "--steps", "9"))
    Path(folder, f"notes.{rank}").write_text(json.dumps(notes))
    dist.destroy_process_group()
    sys.stderr.flush()
    os._exit(0)  # all is written; one CI run aborted ("terminate called") where the interpreter is taken down


@pytest.fixture(scope="module")
def two_ranks(faces: Path, embedder_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranks")
    arguments = (str(folder), str(faces), str(embedder_run))
    ranks = [FORKS.Process(target=work, args=(rank, *arguments)) for rank in range(2)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join()
    assert [process.exitcode for process in ranks] == [0, 0]
    return folder


@pytest.fixture(scope="module")
def notes(two_ranks: Path) -> list[dict[str, Any]]:
    return [json.loads((two_ranks / f"notes.{rank}").read_text()) for rank in range(2)]


@pytest.mark.parametrize("name", [*EMBEDDERS, "swapper", "one group"])
def test_two_ranks_take_the_steps_of_one(name: str, two_ranks: Path, faces: Path) -> None:
    one = three_steps(name, str(faces))
    for rank in range(2):
        two = read_tensors(two_ranks / f"{name}.{rank}")[0]
        assert two.keys() == one.keys()
        assert torch.equal(two["sampler"], one["sampler"])
        for key, value in one.items():
            torch.testing.assert_close(
                two[key], value, rtol=1e-9, atol=1e-9, msg=lambda m, k=key: f"{k}: {m}"
            )


def test_groups_that_ranks_cut_have_other_statistics(two_ranks: Path, faces: Path) -> None:
    one, two = three_steps("cut groups", str(faces)), read_tensors(two_ranks / "cut groups.0")[0]
    assert abs(one["step 0 d"] - two["step 0 d"]) > 1e-6
    for key in ("id", "chg"):  # the first forward of the generator knows no groups
        assert two[f"step 0 {key}"] == pytest.approx(one[f"step 0 {key}"].item(), abs=1e-12)


def test_ranks_draw_dropout_of_their_own(notes: list[dict[str, Any]]) -> None:
    assert notes[0]["mask"] != notes[1]["mask"]


def test_a_signal_to_one_rank_stops_both_and_they_resume_bit_for_bit(
    two_ranks: Path, notes: list[dict[str, Any]]
) -> None:
    assert [note["stopped"][0] for note in notes] == [128 + signal.SIGTERM] * 2
    assert [note["resumed"][0] for note in notes] == [note["straight"][0] for note in notes] == [0, 0]
    assert "3 of 6 steps" in notes[0]["stopped"][1]
    states = [read_tensors(two_ranks / run / "checkpoint.safetensors")[0] for run in ("straight", "broken")]
    assert states[0].keys() == states[1].keys() >= {"rng.torch", "rng.torch.1"}
    assert [k for k, v in states[0].items() if not torch.equal(v, states[1][k])] == []
    curves = []
    for run in ("straight", "broken"):
        with (two_ranks / run / "metrics.csv").open() as file:
            curves.append([{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)])
    assert curves[0] == curves[1]
    assert [row["step"] for row in curves[0]] == list("123456")


def test_rank_0_alone_speaks(notes: list[dict[str, Any]]) -> None:
    assert [note["nan"][0] for note in notes] == [3, 3]
    assert "is nan at step 1; the state before it is in" in notes[0]["nan"][1]
    assert [note["again"][0] for note in notes] == [2, 5]
    assert "holds a run at some step; add --resume" in notes[0]["again"][1]
    for name in ("straight", "stopped", "resumed", "nan", "again", "full"):
        assert notes[1][name][1] == "", name
    assert [note["odd"][0] for note in notes] == [2, 2]
    assert "batch=3 does not part evenly over 2 ranks; choose a multiple of 2" in notes[0]["odd"][1]
    assert notes[1]["odd"][1].startswith("rank 1: error: batch=3")


def test_a_full_disk_of_rank_0_stops_both(two_ranks: Path, notes: list[dict[str, Any]]) -> None:
    assert [note["full"][0] for note in notes] == [4, 5]
    assert "error: cannot write" in notes[0]["full"][1]
    assert read_tensors(two_ranks / "broken" / "checkpoint.safetensors")[1]["step"] == 6


def test_torchrun_trains_on_two_ranks(faces: Path, tmp_path: Path) -> None:
    launcher = [
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "smoothswap.train",
    ]
    options = ["--data", str(faces), "--out", str(tmp_path / "run"), "--threads", "1", "--device", "cpu"]
    done = subprocess.run(
        [sys.executable, *launcher, "embedder", *options, *settings(TINY_EMBEDDER)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run" / "config.json").read_text())["provenance"]["ranks"] == 2
    assert len((tmp_path / "run" / "metrics.csv").read_text().splitlines()) == 7
    assert done.stderr.count("6 of 6 steps") == 1
    pretrained.load_embedder(tmp_path / "run")


def test_rows_of_all_ranks_are_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = torch.rand(8, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    views = augment(whole, AugmentOptions(), torch.Generator().manual_seed(1))
    for ranks in (1, 2, 4):
        for draw in (strided_rows, lambda n: mixed_rows(n, 5)):
            seen = torch.empty_like(whole)
            for rank in range(ranks):
                monkeypatch.setattr(distributed, "world", lambda ranks=ranks: ranks)
                monkeypatch.setattr(distributed, "rank", lambda rank=rank: rank)
                rows = draw(8)
                assert len(rows) == 8 // ranks
                own = Draws(torch.Generator().manual_seed(1), rows, 8)
                seen[rows] = augment(whole[rows], AugmentOptions(), own)
            torch.testing.assert_close(seen, views, rtol=0, atol=1e-6)
    assert not torch.equal(mixed_rows(8, 5), mixed_rows(8, 6))
