"""The training loop that both parts share: steps, learning-rate schedule, log, checkpoints, pictures, signals."""

from __future__ import annotations

import csv
import io
import json
import math
import signal
import sys
import time
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Generator as Rng
from torch import nn
from torch.optim import Optimizer
from tqdm import tqdm

from smoothswap.checkpoint import (
    CheckpointError,
    load_module,
    load_optimiser,
    optimiser_tensors,
    read_tensors,
    write_atomic,
    write_tensors,
)
from smoothswap.presets import EmbedderConfig, SwapperConfig, flatten

CHECKPOINT_SECONDS = 180.0


class TrainingError(RuntimeError):
    """Training cannot go on; the message says at which step, why, and where the state lies."""


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
    def config(self) -> EmbedderConfig | SwapperConfig: ...

    def step(self, step: int) -> dict[str, float]: ...

    def validate(self) -> dict[str, float]: ...

    def picture(self) -> np.ndarray | None: ...

    def finish(self) -> None: ...


def schedule(step: int, config: EmbedderConfig | SwapperConfig) -> float:
    """Factor on the learning rate at `step` (0-based): linear warm-up, constant, then decay over the last share."""
    c = config
    if step < c.warmup:
        return (step + 1) / c.warmup
    start = c.steps * (1 - c.decay_share)
    if c.decay == "none" or step < start:
        return 1.0
    done = min(1.0, (step + 1 - start) / max(c.steps - start, 1))
    if c.decay not in ("linear", "cosine"):
        raise ValueError(f"decay is {c.decay!r}; choose one of cosine, linear, none")
    fall = done if c.decay == "linear" else (1 - math.cos(math.pi * done)) / 2
    return 1 - (1 - c.lr_final) * fall


class Run:
    """A folder with one training run: config.json, metrics.csv, checkpoint.safetensors, samples/NNNNNN.png."""

    def __init__(self, out: Path, task: Task) -> None:
        self.out, self.task, self.done, self.seconds = out, task, 0, 0.0
        self.header = ["step", "seconds", *task.columns, *task.validation_columns]
        self.scores: dict[str, float] = {}
        self.stop_signal = 0

    @property
    def checkpoint(self) -> Path:
        return self.out / "checkpoint.safetensors"

    def start(self) -> None:
        """A new folder. Raises TrainingError when a run lives there already."""
        if self.checkpoint.exists():
            raise TrainingError(f"{self.out} holds a run at some step; add --resume, or choose another --out")
        self.out.mkdir(parents=True, exist_ok=True)
        self._write_config()
        write_atomic(self.out / "metrics.csv", (",".join(self.header) + "\r\n").encode())

    def resume(self) -> None:
        """Take up everything from the checkpoint: models, EMA, optimisers, RNG states, step; cut the log to it."""
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
        torch.set_rng_state(tensors["rng.torch"])
        self.done, self.seconds, self.scores = scalars["step"], scalars["seconds"], scalars["scores"]
        self.task.memory.update(scalars.get("memory", {}))
        self._write_config()
        log = self.out / "metrics.csv"
        rows = log.read_text().splitlines() if log.is_file() else []
        kept = [",".join(self.header)] + [
            r for r in rows[1:] if r[:1].isdigit() and int(r.split(",")[0]) <= self.done
        ]
        write_atomic(log, ("\r\n".join(kept) + "\r\n").encode())

    def save(self, path: Path | None = None) -> None:
        """Everything that resume() needs, in one file, atomically."""
        tensors = {f"{n}.{k}": v for n, m in self.task.modules.items() for k, v in m.state_dict().items()}
        for name, optimiser in self.task.optimisers.items():
            tensors |= optimiser_tensors(name, optimiser)
        tensors |= {"rng.sampling": self.task.rng.get_state(), "rng.torch": torch.get_rng_state()}
        scalars = {
            "part": self.task.part,
            "step": self.done,
            "seconds": round(self.seconds, 3),
            "scores": self.scores,
        }
        scalars |= {"config": flatten(self.task.config), "provenance": self.task.provenance}
        scalars["memory"] = self.task.memory
        write_tensors(path or self.checkpoint, tensors, scalars)

    def train(self, minutes: float | None = None) -> None:
        """Steps until config.steps, until `minutes` of wall time are over, or until SIGTERM or SIGINT; then save.

        Raises TrainingError when a loss is not finite (the state is saved as diverged.safetensors).
        """
        config, begin, base = self.task.config, time.monotonic(), self.seconds
        last_save = begin
        handlers = {s: signal.signal(s, self._on_signal) for s in (signal.SIGTERM, signal.SIGINT)}
        bar = tqdm(
            total=config.steps,
            initial=self.done,
            file=sys.stderr,
            mininterval=2,
            unit="step",
            dynamic_ncols=True,
        )
        try:
            with (self.out / "metrics.csv").open("a", newline="") as log:
                writer = csv.DictWriter(log, self.header, restval="")
                while self.done < config.steps and not self.stop_signal:
                    if minutes is not None and time.monotonic() - begin >= minutes * 60:
                        break
                    values = self._step()
                    self.seconds = base + time.monotonic() - begin
                    last = self.done == config.steps
                    row: dict[str, Any] = {"step": self.done, "seconds": f"{self.seconds:.1f}"}
                    row |= {k: f"{v:.6g}" for k, v in values.items()}
                    if self.done % config.validate_every == 0 or last:
                        self.scores = self.task.validate()
                        row |= {k: f"{v:.6g}" for k, v in self.scores.items()}
                        shown = "  ".join(f"{k} {v:.4g}" for k, v in self.scores.items())
                        bar.write(f"step {self.done}: {shown}", file=sys.stderr)
                        self._picture()
                    if (
                        self.done % config.log_every == 0
                        or last
                        or (self.scores and len(row) > len(values) + 2)
                    ):
                        writer.writerow(row)
                        log.flush()
                        bar.set_postfix_str(
                            " ".join(f"{k} {v:.3g}" for k, v in values.items()), refresh=False
                        )
                    bar.update()
                    if time.monotonic() - last_save >= CHECKPOINT_SECONDS:
                        self.save()
                        last_save = time.monotonic()
            if self.done >= config.steps:
                self.task.finish()
                self.scores = self.task.validate()
            self.save()
        finally:
            bar.close()
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def _step(self) -> dict[str, float]:
        factor = schedule(self.done, self.task.config)
        for optimiser in self.task.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = group["initial_lr"] * factor
        try:
            values = self.task.step(self.done)
        except NotFinite as error:
            bad = self.out / "diverged.safetensors"
            self.save(bad)
            good = (
                f"the last checkpoint is {self.checkpoint}"
                if self.checkpoint.exists()
                else "no checkpoint yet"
            )
            raise TrainingError(
                f"{error} at step {self.done + 1}; the state before it is in {bad}, {good}. "
                "Resume with a lower rate, such as --set lr=1e-4, or a stronger --set clip"
            ) from None
        self.done += 1
        return values

    def _on_signal(self, number: int, _frame: object) -> None:
        self.stop_signal = number  # the loop ends after this step and saves

    def _picture(self) -> None:
        grid = self.task.picture()
        if grid is not None:
            content = io.BytesIO()
            Image.fromarray(grid).save(content, "PNG")
            (self.out / "samples").mkdir(exist_ok=True)
            write_atomic(self.out / "samples" / f"{self.done:06d}.png", content.getvalue())

    def _write_config(self) -> None:
        known = {
            "part": self.task.part,
            "config": flatten(self.task.config),
            "provenance": self.task.provenance,
        }
        write_atomic(self.out / "config.json", (json.dumps(known, indent=1) + "\n").encode())


def finite(**values: float) -> None:
    """Raise NotFinite naming the first value that is NaN or infinite."""
    for name, value in values.items():
        if not math.isfinite(value):
            raise NotFinite(f"{name} is {value}")
