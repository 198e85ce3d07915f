"""Embedders trained on the spot for bench.embedders: one run of smoothswap.train for each loss and seed.

OUT/embedders/<loss>-<seed> is an ordinary run. A finished one is passed over, one that was stopped goes on from its
last checkpoint, so the same command may be given again after a kill. Seeds are the outer loop: after the first round
there is one network of each loss.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import EndedEarly, UsageError, suggestion
from smoothswap.checkpoint import CheckpointError, read_tensors

LOSSES = ("contrastive", "supcon_out", "supcon_in", "arcface", "cosface", "softmax")


@dataclass(frozen=True)
class Job:
    """One training: its loss, its seed and its folder."""

    loss: str
    seed: int
    folder: Path


def jobs(options: argparse.Namespace) -> list[Job]:
    """What --train and --seeds ask for. Raises UsageError for an unknown loss, or one named twice."""
    losses = [loss.strip() for loss in (options.train or "").split(",") if loss.strip()]
    for loss in losses:
        if loss not in LOSSES:
            raise UsageError(
                f"--train {loss}: unknown loss.{suggestion(loss, LOSSES)} Losses: {', '.join(LOSSES)}"
            )
    if len(set(losses)) < len(losses):
        raise UsageError(
            f"--train {options.train} names a loss twice; --seeds trains several networks of each"
        )
    return [
        Job(loss, seed, options.out / "embedders" / f"{loss}-{seed}")
        for seed in range(options.seeds)
        for loss in losses
    ]


def arguments(job: Job, options: argparse.Namespace) -> list[str]:
    """The command line of smoothswap.train for one job; --set LOSS.KEY=VALUE holds for that loss alone.

    Args:
        job: The training.
        options: What `parser` gave: set, preset, data, threads, device, steps.

    Returns:
        Words, for smoothswap.train.main. A run that lies there is resumed.
    """
    own = [f"loss={job.loss}", f"seed={job.seed}"]
    for item in options.set:
        head, dot, rest = item.partition(".")
        if dot and head in LOSSES:
            own += [rest] if head == job.loss else []
        else:
            own.append(item)
    words = ["embedder", "--preset", options.preset, "--data", str(options.data), "--out", str(job.folder)]
    words += ["--resume", "--threads", str(options.threads), "--device", options.device]
    words += ["--steps", str(options.steps)] if options.steps is not None else []
    return words + [word for item in own for word in ("--set", item)]


def finished(job: Job) -> bool:
    """Whether a whole run lies in the folder; one with fewer steps than its own plan is not."""
    try:
        _, stored = read_tensors(job.folder / "checkpoint.safetensors")
        return bool(stored["step"] >= stored["config"]["steps"])
    except (CheckpointError, KeyError):
        return False


def train_all(wanted: Sequence[Job], options: argparse.Namespace) -> None:
    """Train what is not finished, one after another. A finished run of fewer steps than --steps goes on.

    Args:
        wanted: What `jobs` gave, in order.
        options: What `parser` gave.

    Raises:
        EndedEarly: Where one does, with its exit code: 128 + n for signal n.
    """
    from smoothswap import train

    for number, job in enumerate(wanted, 1):
        said = f"training {number} of {len(wanted)}: {job.loss}, seed {job.seed}"
        planned = options.steps
        if finished(job) and (planned is None or _steps(job) >= planned):
            print(f"{said}: finished already", file=sys.stderr)
            continue
        print(said, file=sys.stderr)
        code = train.main(arguments(job, options))
        if code:
            again = "; give the same command again, it goes on where it was" if code > 128 else ""
            raise EndedEarly(
                code, f"the training of {job.loss}, seed {job.seed}, ended with code {code}{again}"
            )


def _steps(job: Job) -> int:
    return int(read_tensors(job.folder / "checkpoint.safetensors")[1]["step"])
