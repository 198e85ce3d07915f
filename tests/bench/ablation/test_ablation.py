"""A study of tiny arms from end to end: resuming, what is compared with what, and what is refused."""

from __future__ import annotations

import csv
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bench.ablation.__main__ import main
from bench.ablation.measures import RunFound, common, comparisons, reached, share_of
from bench.ablation.plan import Arm, parse_arms, steps_for
from bench.ablation.training import Measured, state
from bench.errors import UsageError
from smoothswap.checkpoint import read_tensors
from smoothswap.train import main as train
from smoothswap.training.loop import NotFinite, Run
from smoothswap.training.swapper import SwapperTask
from tests.support.tiny_models import TINY_EMBEDDER, TINY_SWAPPER, settings

OWN = ("steps=", "log_every=", "validate_every=")
TINY = settings([v for v in TINY_SWAPPER if not v.startswith(OWN)] + ["held_out=0.5"])


@pytest.fixture(scope="module")
def others(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An ArcFace twin of the tiny embedder, and a judge that trains no arm."""
    folder = tmp_path_factory.mktemp("others")
    for name, more in (("arc", ["loss=arcface"]), ("judge", ["seed=5"])):
        arguments = ["embedder", "--data", str(faces), "--out", str(folder / name), "--threads", "1"]
        assert train([*arguments, *settings([*TINY_EMBEDDER, *more])]) == 0
    assert train(["export", "--run", str(folder / "judge"), "--name", "judge", "--to", str(folder)]) == 0
    return {"arc": folder / "arc", "judge": folder / "judge.safetensors"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studies")


@pytest.fixture(scope="module")
def study(faces: Path, embedder_run: Path, others: dict[str, Path], folder: Path) -> Callable[..., int]:
    """study("name", *options): a study of two arms and two seeds, six steps each, in folder / name."""

    def call(out: str, *options: str, budget: tuple[str, str] = ("--steps", "6")) -> int:
        return main(
            [
                "--data",
                str(faces),
                "--embedder",
                f"smooth={embedder_run}",
                "--embedder",
                f"arc={others['arc']}",
                "--arms",
                "smooth:4,arc:16",
                "--out",
                str(folder / out),
                "--validations",
                "3",
                *budget,
                "--judge",
                f"embedder:{others['judge']}",
                "--device",
                "cpu",
                *TINY,
                *options,
            ]
        )

    return call


@pytest.fixture(scope="module")
def straight(study: Callable[..., int], folder: Path) -> Path:
    """A study that nothing interrupted."""
    assert study("straight") == 0
    return folder / "straight"


def result(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "ablation.json").read_text())
    return found


def log(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_study_from_end_to_end(straight: Path) -> None:
    found = result(straight)
    assert list(found["arms"]) == ["smooth:4", "arc:16"]
    assert found["common"] == {"step": 6, "seeds": [0, 1], "pairs": 96, "clusters": 15}
    for name, arm in found["arms"].items():
        logs = [log(straight / "runs" / name.replace(":", "-") / f"seed{seed}") for seed in (0, 1)]
        assert [len(rows) for rows in logs] == [6, 6]  # every step's norm and loss
        assert arm["curve"]["step"] == [2, 4, 6]
        for metric in ("val_id", "val_chg"):  # as training itself wrote them down
            written = np.array([[float(rows[i][metric]) for i in (1, 3, 5)] for rows in logs])
            np.testing.assert_allclose(arm["curve"][metric]["mean"], written.mean(0), rtol=2e-5)
            np.testing.assert_allclose(arm["curve"][metric]["low"], written.min(0), rtol=2e-5)
        assert arm["steps_to"]["0.5"]["seeds"].keys() == {"0", "1"}
    kinds = {(one["a"], one["b"], one["metric"]) for one in found["comparisons"]}
    assert kinds == {("smooth:4", "arc:16", "val_chg"), ("smooth:4", "arc:16", "judge_id")}
    assert (straight / "ablation.html").stat().st_size < 1_000_000
    assert (straight / "pictures" / "arc-16.webp").is_file()
    batches = [log(straight / "runs" / arm / "seed0")[0] for arm in ("smooth-4", "arc-16")]
    assert batches[0]["d"] == batches[1]["d"]  # the same generator, faces and draws in the first step
    assert batches[0]["id"] != batches[1]["id"]


def stop_after(steps: int, run: Callable[[], int]) -> None:
    """Run in this process and raise SIGTERM after so many steps of all runs together."""
    original, done = Run._step, 0

    def step(self: Run) -> dict[str, float]:
        nonlocal done
        values, done = original(self), done + 1
        if done == steps:
            os.kill(os.getpid(), signal.SIGTERM)
        return values

    Run._step = step  # type: ignore[method-assign]
    try:
        assert run() == 128 + signal.SIGTERM
    finally:
        Run._step = original  # type: ignore[method-assign]


def test_a_stopped_study_goes_on_and_ends_the_same(
    study: Callable[..., int], straight: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stop_after(9, lambda: study("broken"))  # in the second run, half way
    assert study("broken", "--dry-run") == 0
    said = capsys.readouterr().out
    assert "smooth:4, seed 0: done, 6 steps" in said
    assert "arc:16, seed 0: begun, 3 steps" in said
    assert "smooth:4, seed 1: new" in said
    broken = folder / "broken"
    assert main(["--out", str(broken), "--report"]) == 0  # what there is: a common step of seed 0
    assert result(broken)["common"]["seeds"] == [0]
    assert result(broken)["common"]["step"] == 2
    assert any("Not begun: smooth:4 seed 1, arc:16 seed 1" in line for line in result(broken)["conclusions"])
    stale = broken / "runs" / "arc-16" / "seed0" / "held-out" / "0000004.safetensors"
    stale.write_bytes(b"measured after the checkpoint, by a run that was killed")
    assert main(["--out", str(broken), "--resume", "--device", "cpu"]) == 0
    for part in ("arms", "comparisons", "common", "references"):
        assert result(broken)[part] == result(straight)[part]
    before = {p: p.stat().st_mtime_ns for p in broken.rglob("checkpoint.safetensors")}
    assert len(before) == 4
    more = ["--resume", "--seeds", "3", "--arms", "smooth:4", "--device", "cpu"]
    assert main(["--out", str(broken), *more]) == 0  # one seed more
    assert {p: p.stat().st_mtime_ns for p in before} == before  # finished runs are left alone
    assert result(broken)["common"]["seeds"] == [0, 1, 2]


def test_minutes_become_one_number_of_steps(study: Callable[..., int], folder: Path) -> None:
    budget = ("--minutes", "0.004")
    assert study("timed", "--seeds", "1", "--judge", "none", budget=budget) == 0
    plan = json.loads((folder / "timed" / "study.json").read_text())
    speeds = plan["budget"]["timed"].values()
    assert set(plan["budget"]["timed"]) == {"smooth", "arc"}
    assert plan["steps"] == steps_for(0.004, list(speeds), 3)
    for run in (folder / "timed").glob("runs/*/seed0/checkpoint.safetensors"):
        assert read_tensors(run)[1]["step"] == plan["steps"]
    assert study("timed", "--seeds", "1", "--judge", "none", budget=budget) == 0  # not timed anew
    assert json.loads((folder / "timed" / "study.json").read_text())["budget"] == plan["budget"]
    slow, fast = (
        {"step_seconds": 0.5, "validation_seconds": 2.0},
        {"step_seconds": 0.1, "validation_seconds": 1.0},
    )
    assert steps_for(1, [fast, slow], 5) == 100


def test_a_run_of_unknown_length_is_not_done(tmp_path: Path) -> None:
    assert state(tmp_path, 0) == ("new", 0)  # --dry-run --minutes M: the steps are not timed yet


def test_an_arm_that_diverges_does_not_end_the_study(
    study: Callable[..., int], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = SwapperTask.step

    def step(self: SwapperTask, number: int) -> dict[str, float]:
        if self.config.lambda_id == 16 and number == 4:
            raise NotFinite("id is nan")
        return original(self, number)

    monkeypatch.setattr(SwapperTask, "step", step)
    assert study("hot", "--seeds", "1", "--judge", "none", "--checkpoint-seconds", "0") == 0
    found = result(folder / "hot")
    states = {one["arm"]: one["state"] for one in found["planned"]}
    assert states == {"smooth:4": "done", "arc:16": "diverged"}
    assert found["common"]["step"] == 4
    assert any(line.startswith("Diverged") and "arc:16 seed 0" in line for line in found["conclusions"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--arms", "smoth:4"], "Did you mean 'smooth'?"),
        (["--arms", "smooth:four"], "is not NAME:LAMBDA"),
        (["--arms", "smooth:4,smooth:4.0"], "an arm comes twice"),
        (["--set", "seed=3"], "the study sets it itself"),
        (["--set", "generator.identity_dim=9"], "gives 8 numbers at 16 px, the generator takes 9"),
        (["--marks", "0.5,x"], "--marks 0.5,x: expected identity losses"),
        (["--embedder", "smooth=elsewhere"], "two embedders are called 'smooth'"),
    ],
)
def test_wrong_requests_are_one_line(
    options: list[str], message: str, study: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert study("wrong", *options) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert message in said[-1]
    assert said[-1].startswith("error: ")


def test_another_study_does_not_mix_with_the_one_there(
    study: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = ("--seeds", "1", "--arms", "smooth:4", "--judge", "none")
    assert study("there", *one, budget=("--steps", "2")) == 0
    assert study("there", *one, "--set", "lr=1e-3", budget=("--steps", "2")) == 2
    assert "holds another study: lr is 0.001, was 0.0005" in capsys.readouterr().err
    assert study("there", *one, budget=("--steps", "8")) == 2
    assert "--steps 8 against 2" in capsys.readouterr().err
    assert main(["--out", str(tmp_path / "none"), "--resume"]) == 2
    assert "holds no study.json" in capsys.readouterr().err


def test_an_arms_own_embedder_is_no_judge(
    study: Callable[..., int], embedder_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(["export", "--run", str(embedder_run), "--name", "own", "--to", str(tmp_path)]) == 0
    own = f"embedder:{tmp_path / 'own.safetensors'}"
    assert study("own", "--seeds", "1", "--judge", own, budget=("--steps", "1")) == 2
    assert "is the embedder of an arm" in capsys.readouterr().err


def made(arm: Arm, seed: int, values: dict[int, np.ndarray]) -> RunFound:
    swaps = np.zeros((1, 2, 2, 3), np.uint8)
    validations = [Measured(step, v, v / 10, swaps) for step, v in values.items()]
    return RunFound(arm, seed, validations, dict(values), {}, "done", max(values))


def test_the_common_step_is_the_one_with_most_shared_training() -> None:
    a, b = Arm("smooth", 4), Arm("arc", 4)
    x = np.ones(3)

    def runs(last: dict[tuple[Arm, int], int]) -> list[RunFound]:
        return [made(arm, s, dict.fromkeys(range(10, n + 1, 10), x)) for (arm, s), n in last.items()]

    assert common(runs({(a, 0): 100, (b, 0): 100, (a, 1): 10, (b, 1): 10}), [a, b]) == (100, [0])
    assert common(runs({(a, 0): 100, (b, 0): 100, (a, 1): 100, (b, 1): 80}), [a, b]) == (80, [0, 1])
    assert common(runs({(a, 0): 50, (b, 0): 40}), [a, b]) == (40, [0])
    assert common(runs({(a, 0): 50, (b, 1): 40}), [a, b]) == (0, [])


def test_only_what_compares_is_compared_and_seeds_must_agree() -> None:
    rng = np.random.default_rng(0)
    a, b, c = Arm("smooth", 1), Arm("smooth", 4), Arm("arc", 4)
    base, clusters = rng.normal(1, 0.2, 60), np.arange(60).astype(str)
    shift = {a: (0, 0), b: (-0.3, -0.2), c: (0.5, -0.1)}  # c: the seeds disagree
    chosen = {arm: [made(arm, s, {5: base + d}) for s, d in enumerate(of)] for arm, of in shift.items()}
    found = {(one["a"], one["b"], one["metric"]): one for one in comparisons(chosen, 5, clusters, True)}
    assert ("smooth:1", "smooth:4", "val_id") in found
    assert ("smooth:1", "arc:4", "val_id") not in found  # other embedders, other scales
    ours = found["smooth:1", "smooth:4", "judge_id"]
    assert ours["difference"] == pytest.approx(-0.25)
    assert list(ours["by_seed"].values()) == pytest.approx([-0.3, -0.2])
    assert ours["separated"]
    assert ours["agreed"]
    other = found["smooth:1", "arc:4", "judge_id"]
    assert other["separated"]
    assert not other["agreed"]
    assert all(one["p_holm"] >= one["p"] for one in found.values())


def test_marks_and_shares() -> None:
    assert reached({"0": ([1, 2], [1.0, 0.5]), "1": ([1, 2], [1.0, 0.0])}, 0.5) == {
        "seeds": {"0": 2.0, "1": 1.5},
        "reached": 2,
        "mean": 1.75,
        "low": 1.5,
        "high": 2.0,
    }
    assert reached({"0": ([1, 2], [1.0, 0.5]), "1": ([1], [1.0])}, 0.5)["mean"] is None
    untouched, same = np.array([1.0, 0.8, np.nan]), np.array([0.2, 0.4, 0.1])
    assert share_of(untouched, (untouched, same))[:2].mean() == pytest.approx(0)
    assert share_of(same, (untouched, same))[:2].mean() == pytest.approx(1)
    assert np.isnan(share_of(same, (untouched, same))[2])


def test_arms_are_read_in_order() -> None:
    named = {"smooth": "a", "arc": "b"}
    assert [arm.name for arm in parse_arms("smooth:1, arc:16,smooth:4.5", named)] == [
        "smooth:1",
        "arc:16",
        "smooth:4.5",
    ]
    with pytest.raises(UsageError, match="there is no arm"):
        parse_arms(" , ", named)


def test_the_same_seed_gives_every_arm_the_same_pairs(faces: Path) -> None:
    from smoothswap.data.faces import FaceData

    pairs = [
        SwapperTask.pairs(_Shell(FaceData(faces, 16, 0.5)))  # type: ignore[arg-type]
        for _ in range(2)
    ]
    assert torch.equal(pairs[0].source, pairs[1].source)
    assert (pairs[0].source != pairs[0].target).all()
    assert (pairs[0].source >= 6).all()  # of 12 people, the last six are held out


class _Shell:
    def __init__(self, data: object) -> None:
        self.data = data
