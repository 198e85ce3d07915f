"""The training loop that both parts share: steps, learning-rate schedule, log, checkpoints, pictures, signals."""

from __future__ import annotations

import json
import math
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Generator as Rng
from torch import Tensor, nn
from torch.optim import Optimizer
from tqdm import tqdm

from smoothswap.checkpoint import (
    CheckpointError,
    DiskError,
    load_module,
    load_optimiser,
    not_finite,
    optimiser_tensors,
    read_tensors,
    write_atomic,
    write_tensors,
)
from smoothswap.config import EmbedderConfig, SwapperConfig, flatten
from smoothswap.errors import UsageError
from smoothswap.plumbing.first import SIGNALS
from smoothswap.training import distributed
from smoothswap.training.log import Log

CHECKPOINT_SECONDS = 180.0


class TrainingError(RuntimeError):
    """Training diverged; the message says at which step, why, and where the state lies."""


class NotFinite(ArithmeticError):
    """A loss or a gradient norm became NaN or infinite, before the weights were touched."""


class Task(Protocol):
    """What the loop needs to know of a part: its state by name, one step, validation and pictures."""

    part: str
    modules: dict[str, nn.Module]
    optimisers: dict[str, Optimizer]
    rng: Rng
    provenance: dict[str, Any]
    memory: dict[str, float]  # scalars that outlive a step
    columns: tuple[str, ...]
    validation_columns: tuple[str, ...]

    @property
    def config(self) -> EmbedderConfig | SwapperConfig:
        """The options of the training."""

    def step(self, step: int) -> dict[str, float]:
        """One step of all optimisers; the columns of the log."""

    def validate(self) -> dict[str, float]:
        """Scores on the people held out; the validation columns of the log."""

    def picture(self) -> np.ndarray | None:
        """A picture of the state, uint8 [h, w, 3], or None where there is nothing to see."""

    def finish(self) -> None:
        """What is done once, after the last step."""


DECAYS = ("none", "cosine", "linear")


def schedule(step: int, config: EmbedderConfig | SwapperConfig) -> float:
    """Factor on the learning rate: linear warm-up, constant, then decay over the last share of the steps.

    Args:
        step: The step to be taken, from 0.
        config: Its steps, warmup, decay, decay_share and lr_final count.

    Returns:
        1 while it is constant; with a decay, lr_final at the last step.

    Raises:
        UsageError: An unknown decay.
    """
    c = config
    if c.decay not in DECAYS:
        raise UsageError(f"decay is {c.decay!r}; choose one of {', '.join(DECAYS)}")
    if step < c.warmup:
        return (step + 1) / c.warmup
    start = c.steps * (1 - c.decay_share)
    if c.decay == "none" or step < start:
        return 1.0
    done = min(1.0, (step + 1 - start) / max(c.steps - start, 1))
    fall = done if c.decay == "linear" else (1 - math.cos(math.pi * done)) / 2
    return 1 - (1 - c.lr_final) * fall


class Run:
    """A folder with one training run: config.json, metrics.csv, checkpoint.safetensors, samples/NNNNNN.png.

    Of many ranks all call the same methods; rank 0 alone writes, and the others read its folder when they resume.
    validated: called on rank 0 after every validation with the steps done.
    """

    def __init__(
        self,
        out: Path,
        task: Task,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
        tensorboard: bool = False,
        validated: Callable[[int], None] | None = None,
    ) -> None:
        self.validated = validated
        self.out, self.task, self.done, self.seconds = out, task, 0, 0.0
        self.checkpoint_seconds = checkpoint_seconds
        self.log = Log(out, ["step", "seconds", *task.columns, *task.validation_columns], tensorboard)
        self.scores: dict[str, float] = {}
        self.stop_signal = 0  # what all ranks stopped on
        self._signal = 0  # what this process was sent

    @property
    def checkpoint(self) -> Path:
        """The file that a stopped run goes on from."""
        return self.out / "checkpoint.safetensors"

    def start(self) -> None:
        """A new folder. Raises UsageError when a run lives there already."""
        distributed.lead(self._refuse_to_overwrite)
        distributed.agree(self.task.modules)
        distributed.lead(self._prepare)

    def _refuse_to_overwrite(self) -> None:
        if self.checkpoint.exists():
            raise UsageError(f"{self.out} holds a run at some step; add --resume, or choose another --out")

    def resume(self) -> None:
        """Take up everything from the checkpoint: models, EMA, optimisers, RNG states, step; cut the log to it.

        The sampler has no position of its own: batches are drawn from the generator whose state is kept.
        """
        tensors, scalars = read_tensors(self.checkpoint)
        if scalars.get("part") != self.task.part:
            raise CheckpointError(
                f"{self.checkpoint} belongs to a run of {scalars.get('part')}, not {self.task.part}"
            )
        for name, module in self.task.modules.items():
            load_module(module, tensors, f"{name}.", self.checkpoint)
        for name, optimiser in self.task.optimisers.items():
            load_optimiser(name, optimiser, tensors)
        self.task.rng.set_state(tensors["rng.sampling"])
        own = tensors.get(_of_rank("rng.torch", distributed.rank()))
        if own is not None:  # a rank that the run had not before keeps its seed
            torch.set_rng_state(own)
        if _of_rank("rng.cuda", distributed.rank()) in tensors and torch.cuda.is_available():
            torch.cuda.set_rng_state(tensors[_of_rank("rng.cuda", distributed.rank())])
        self.done, self.seconds, self.scores = scalars["step"], scalars["seconds"], scalars["scores"]
        self.task.memory.update(scalars.get("memory", {}))
        distributed.lead(self._prepare)

    def _prepare(self) -> None:
        known = {
            "part": self.task.part,
            "config": flatten(self.task.config),
            "provenance": self.task.provenance,
        }
        write_atomic(self.out / "config.json", (json.dumps(known, indent=1) + "\n").encode())
        self.log.cut(self.done)

    def save(self, path: Path | None = None) -> None:
        """Everything that resume() needs, in one file, atomically. Raises DiskError; the file before it stays."""
        states = {"rng.torch": torch.get_rng_state()}
        if torch.cuda.is_initialized():
            states["rng.cuda"] = torch.cuda.get_rng_state()
        every = {
            _of_rank(name, rank): state
            for name, own in states.items()
            for rank, state in enumerate(distributed.of_all_ranks(own))
        }
        distributed.lead(lambda: self._write(path or self.checkpoint, every))

    def _write(self, path: Path, states: dict[str, Tensor]) -> None:
        tensors = {f"{n}.{k}": v for n, m in self.task.modules.items() for k, v in m.state_dict().items()}
        for name, optimiser in self.task.optimisers.items():
            tensors |= optimiser_tensors(name, optimiser)
        tensors |= {"rng.sampling": self.task.rng.get_state()} | states
        scalars = {
            "part": self.task.part,
            "step": self.done,
            "seconds": round(self.seconds, 3),
            "scores": self.scores,
        }
        scalars |= {"config": flatten(self.task.config), "provenance": self.task.provenance}
        scalars["memory"] = self.task.memory
        write_tensors(path, tensors, scalars)

    def train(self, minutes: float | None = None) -> None:
        """Steps until config.steps, until `minutes` of wall time are over, or until a signal; then save.

        Raises TrainingError when a loss, a weight or a score is not finite (the state is saved as diverged.safetensors, and
        no checkpoint is replaced by such), and DiskError when something cannot be written. What any rank meets stops all of
        them, at the same step.
        """
        config, begin, base = self.task.config, time.monotonic(), self.seconds
        last_save, saved = begin, self.done
        heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        handlers = {number: signal.signal(number, self._on_signal) for number in heard}
        bar = tqdm(
            total=config.steps,
            initial=self.done,
            file=sys.stderr,
            mininterval=2,
            unit="step",
            dynamic_ncols=True,
            disable=distributed.rank() > 0,
        )
        try:
            distributed.lead(partial(self.log.open, self.done))
            while self.done < config.steps:
                now = time.monotonic()
                self.stop_signal, over, due = distributed.highest(
                    self._signal,
                    minutes is not None and now - begin >= minutes * 60,
                    self.done > saved and now - last_save >= self.checkpoint_seconds,
                )
                if self.stop_signal or over:
                    break
                if due:
                    self._refuse_not_finite()
                    self.save()
                    last_save, saved = time.monotonic(), self.done
                values = self._step()
                self.seconds = base + time.monotonic() - begin
                if self._is_validated():
                    self._refuse_not_finite()
                distributed.lead(partial(self._report, values, bar))
                bar.update()
            self._refuse_not_finite()
            if self.done >= config.steps:
                self.task.finish()
                self._refuse_not_finite()
                distributed.lead(self._score)
                self._refuse_not_finite()
            self.save()
        finally:
            bar.close()
            self.log.close()
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def _report(self, values: dict[str, float], bar: Any) -> None:
        """Log and, when due, validation and pictures of the step that was just done."""
        config, validate = self.task.config, self._is_validated()
        if validate:
            self._score()
            shown = "  ".join(f"{k} {v:.4g}" for k, v in self.scores.items())
            bar.write(f"step {self.done}: {shown}", file=sys.stderr)
            grid = self.task.picture()
            if grid is not None:
                self.log.picture(self.done, grid)
        if self.done % config.log_every == 0 or validate:
            self.log.row(self.done, self.seconds, values | (self.scores if validate else {}))
            bar.set_postfix_str(" ".join(f"{k} {v:.3g}" for k, v in values.items()), refresh=False)

    def _is_validated(self) -> bool:
        """Whether the step that was just done is followed by a validation."""
        return self.done % self.task.config.validate_every == 0 or self.done == self.task.config.steps

    def _refuse_not_finite(self) -> None:
        """Raise TrainingError for weights or scores that are not, which a loss says only at the next step."""
        named = [
            f"{module}.{name}"
            for module, network in self.task.modules.items()
            for name in not_finite(network.state_dict())
        ]
        named += [f"the score {name}" for name, value in self.scores.items() if not math.isfinite(value)]
        if distributed.highest(bool(named))[0]:
            more = f" and {len(named) - 1} more" if len(named) > 1 else ""
            what = f"{named[0]}{more}" if named else "another rank's weights"
            raise self._diverged(f"{what} not finite after step {self.done}", "the state is")

    def _diverged(self, what: str, state: str) -> TrainingError:
        """The state is saved apart, and the error says where."""
        bad = self.out / "diverged.safetensors"
        state = f"{state} in {bad}"
        try:
            self.save(bad)
        except DiskError as full:
            state = f"the state is lost: {full}"
        good = (
            f"the last checkpoint is {self.checkpoint}" if self.checkpoint.exists() else "no checkpoint yet"
        )
        return TrainingError(
            f"{what}; {state}, {good}. "
            "Resume with a lower rate, such as --set lr=1e-4, or a stronger --set clip"
        )

    def _score(self) -> None:
        self.scores = self.task.validate()
        if self.validated is not None:
            self.validated(self.done)

    def _step(self) -> dict[str, float]:
        factor = schedule(self.done, self.task.config)
        for optimiser in self.task.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = group["initial_lr"] * factor
        try:
            values = self.task.step(self.done)
        except NotFinite as error:
            raise self._diverged(f"{error} at step {self.done + 1}", "the state before it is") from None
        self.done += 1
        return values

    def _on_signal(self, number: int, _frame: object) -> None:
        self._signal = number  # the loop ends after this step and saves


def _of_rank(name: str, rank: int) -> str:
    """Under which a rank's own state is kept; rank 0's name is that of a process alone."""
    return f"{name}.{rank}" if rank else name


def finite(**values: float) -> None:
    """Raise NotFinite naming the first value that is NaN or infinite."""
    for name, value in values.items():
        if not math.isfinite(value):
            raise NotFinite(f"{name} is {value}")
