"""What a study trains: arms, seeds, one configuration and one number of steps, kept in OUT/study.json.

A study is taken up again only as it was begun; arms and seeds may be added, for they change no run that is there.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench.ablation.options import DEFAULTS
from bench.errors import DataError, UsageError, suggestion
from reports.results import write_atomic
from smoothswap import pretrained
from smoothswap.config import EmbedderConfig, SwapperConfig, fitted, flatten, load_preset, override
from smoothswap.data.faces import FaceData
from smoothswap.device import usable
from smoothswap.networks.embedder import Embedder
from smoothswap.plumbing.texts import read_json
from smoothswap.training.embedder import embed_all
from smoothswap.training.swapper import SwapperTask

STUDY = "study.json"
WARM, TIMED = 3, 16  # steps before the clock starts, and on it: one lazy R1 step among them by default
PER_RUN = ("lambda_id", "seed", "steps", "validate_every", "log_every")  # what the study sets itself


@dataclass(frozen=True)
class Arm:
    """An embedder's name and lambda_id."""

    embedder: str
    lambda_id: float

    @property
    def name(self) -> str:
        """As `--arms` writes it: smooth:4."""
        return f"{self.embedder}:{self.lambda_id:g}"

    @property
    def folder(self) -> str:
        """Its folder in OUT/runs: smooth-4."""
        return self.name.replace(":", "-")


@dataclass(eq=False)
class Loaded:
    """An embedder of the study. where: as the user named it; sources: embeddings of all photos, computed when asked for."""

    where: str
    network: Embedder
    config: EmbedderConfig
    fingerprint: str
    rows: Tensor | None = None

    def sources(self, data: FaceData, device: torch.device) -> Tensor:
        """Embeddings of all photos, as SwapperTask takes them; computed at the first call and kept.

        Args:
            data: The study's faces, the same at every call.
            device: Where the network is moved to and the rows lie.

        Returns:
            float32 [photos, d], in the order of the photos' numbers.
        """
        if self.rows is None:
            network = self.network.eval().to(device).to(memory_format=torch.channels_last)
            self.rows = embed_all(network, data, range(data.people))
        return self.rows


@dataclass(eq=False)
class Study:
    """Everything that the runs share. config: without what PER_RUN names; budget: as it was asked for and measured."""

    out: Path
    data: FaceData
    embedders: dict[str, Loaded]
    arms: list[Arm]
    seeds: list[int]
    config: SwapperConfig
    preset: str
    device: torch.device
    steps: int = 0
    validate_every: int = 0
    budget: dict[str, Any] = field(default_factory=dict)

    def runs(self) -> list[tuple[int, Arm]]:
        """(seed, arm) in the order of training: seed 0 of every arm first."""
        return [(seed, arm) for seed in self.seeds for arm in self.arms]

    def folder(self, arm: Arm, seed: int) -> Path:
        """Where the run of an arm and a seed lies, begun or not.

        Args:
            arm: One of the study's.
            seed: Of its training.

        Returns:
            OUT/runs/<arm>/seed<k>.
        """
        return self.out / "runs" / arm.folder / f"seed{seed}"

    def config_of(self, arm: Arm, seed: int) -> SwapperConfig:
        """The configuration of one run: the study's, and what PER_RUN names.

        Args:
            arm: Gives lambda_id.
            seed: Of the training.

        Returns:
            A copy, with the study's steps and validate_every; every step is logged.
        """
        values = {"lambda_id": arm.lambda_id, "seed": seed, "steps": self.steps}
        return override(self.config, values | {"validate_every": self.validate_every, "log_every": 1})


def parse_embedders(given: list[str]) -> dict[str, str]:
    """{"smooth": "runs/smooth"} from ["smooth=runs/smooth"]. Raises UsageError."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, where = text.partition("=")
        if not equals or not where or not re.fullmatch(r"[\w.+]{1,32}", name):
            raise UsageError(f"--embedder {text}: expected NAME=FOLDER, as smooth=runs/smooth")
        if name in found:
            raise UsageError(f"two embedders are called {name!r}; give one of them another name")
        found[name] = where
    return found


def parse_arms(text: str, embedders: dict[str, str]) -> list[Arm]:
    """Arms from "smooth:4,arc:16".

    Args:
        text: NAME:LAMBDA,... as --arms has it.
        embedders: The known ones by name.

    Returns:
        The arms in the order given.

    Raises:
        UsageError: For an unknown embedder, a lambda_id that is no positive number, an arm twice, or none at
            all.

    Examples:
        >>> [arm.folder for arm in parse_arms("smooth:4, arc:0.5", {"smooth": "runs/s", "arc": "runs/a"})]
        ['smooth-4', 'arc-0.5']
    """
    arms = []
    for item in filter(None, map(str.strip, text.split(","))):
        name, _, number = item.partition(":")
        if name not in embedders:
            raise UsageError(
                f"the arm {item!r} needs --embedder {name}=FOLDER.{suggestion(name, embedders)} "
                f"Embedders: {', '.join(embedders) or 'none'}"
            )
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value > 0):
            raise UsageError(f"the arm {item!r} is not NAME:LAMBDA with a lambda_id above 0, as {name}:4")
        arms.append(Arm(name, value))
    if not arms or len({arm.name for arm in arms}) < len(arms):
        raise UsageError(f"--arms {text}: " + ("an arm comes twice" if arms else "there is no arm"))
    return arms


def stored_study(out: Path) -> dict[str, Any] | None:
    """OUT/study.json, None where there is none. Raises DataError for a damaged one."""
    path = out / STUDY
    if not path.is_file():
        return None
    try:
        found = read_json(path)
        if not {"options", "steps", "config", "data_sha256", "embedders"} <= found.keys():
            raise ValueError("parts of it are missing")
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(f"{path} cannot be read ({error}); restore it, or start another --out") from None
    return dict(found)


def prepare(options: argparse.Namespace) -> Study:
    """The study that the options ask for, checked against the one in OUT.

    Raises UsageError and DataError; what smoothswap raises for data, presets and weights are ValueErrors too.
    """
    before = stored_study(options.out)
    again = options.resume or options.report
    if again and before is None:
        raise UsageError(f"{options.out} holds no {STUDY}; start the study with --data and --embedder")
    known = before["options"] if again and before is not None else DEFAULTS
    for key, value in known.items():
        if getattr(options, key) in (None, []):
            setattr(options, key, value)
    if options.data is None or not options.embedder:
        raise UsageError("a new study needs --data and at least one --embedder NAME=FOLDER")
    named = parse_embedders(options.embedder)
    arms = parse_arms(options.arms, named)
    settings = dict(_setting(item) for item in options.set)
    if own := [key for key in PER_RUN if key in settings]:
        raise UsageError(
            f"--set {own[0]}: the study sets it itself (--arms, --seeds, --steps, --validations)"
        )
    device = torch.device(usable(options.device))
    config = fitted(load_preset(options.preset, "swapper"), settings, device.type)
    loaded = {}
    for name, where in named.items():
        network, of = pretrained.load_embedder(where)
        loaded[name] = Loaded(where, network, of, pretrained.fingerprint(network))
        if (of.network.dim, of.network.size) != (config.generator.identity_dim, config.generator.size):
            raise UsageError(
                f"the embedder {name} gives {of.network.dim} numbers at {of.network.size} px, the generator takes "
                f"{config.generator.identity_dim} at {config.generator.size}; one generator needs embedders of one size"
            )
    data = FaceData(options.data, config.generator.size, config.held_out)
    study = Study(options.out, data, loaded, arms, list(range(options.seeds)), config, options.preset, device)
    _budget(study, options, before)
    return study


def _setting(item: str) -> tuple[str, str]:
    key, equals, value = item.partition("=")
    if not equals:
        raise UsageError(f"--set {item}: expected KEY=VALUE")
    return key, value


def _budget(study: Study, options: argparse.Namespace, before: dict[str, Any] | None) -> None:
    """Set steps and validate_every: from OUT/study.json, from --steps, or by timing for --minutes; and keep them."""
    config = {k: v for k, v in flatten(study.config).items() if k not in PER_RUN}
    now = {
        "data_sha256": study.data.sha256(),
        "config": json.loads(json.dumps(config)),
        "embedders": {name: one.fingerprint for name, one in study.embedders.items()},
    }
    if before is not None:
        _same(options, before, now)
        study.steps, study.validate_every = before["steps"], before["validate_every"]
        study.budget = before["budget"]
        now["embedders"] = before["embedders"] | now["embedders"]
    elif options.dry_run and options.minutes is not None:
        study.budget = {"minutes": options.minutes}
    elif options.steps is not None:
        study.steps, study.budget = options.steps, {"steps": options.steps}
    elif options.minutes is not None:
        if not options.minutes > 0:
            raise UsageError(f"--minutes {options.minutes:g}: expected more than 0")
        speeds = {name: speed(study, name) for name in dict.fromkeys(a.embedder for a in study.arms)}
        study.steps = steps_for(options.minutes, list(speeds.values()), options.validations)
        study.budget = {"minutes": options.minutes, "timed": speeds}
    else:
        raise UsageError("a new study needs a budget: --steps N or --minutes M")
    if before is None:
        study.validate_every = max(1, study.steps // options.validations)
    if not options.dry_run:
        plan = {"options": {key: getattr(options, key) for key in DEFAULTS}, "steps": study.steps}
        plan |= {"validate_every": study.validate_every, "budget": study.budget, **now}
        write_atomic(study.out / STUDY, json.dumps(plan, indent=1) + "\n")


def _same(options: argparse.Namespace, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise where the study asked for is not the one in OUT."""
    said = []
    if now["data_sha256"] != before["data_sha256"]:
        said.append(f"--data {options.data} holds other faces")
    said += [
        f"{key} is {value!r}, was {before['config'].get(key)!r}"
        for key, value in now["config"].items()
        if value != before["config"].get(key)
    ]
    said += [
        f"the embedder {name} is another network"
        for name, mark in now["embedders"].items()
        if before["embedders"].get(name, mark) != mark
    ]
    asked = {"steps": options.steps, "minutes": options.minutes}
    said += [
        f"--{key} {value:g} against {before['budget'].get(key, 'none')}"
        for key, value in asked.items()
        if value is not None and value != before["budget"].get(key)
    ]
    if said:
        raise UsageError(f"{options.out} holds another study: {'; '.join(said)}. Choose another --out")


def speed(study: Study, embedder: str) -> dict[str, float]:
    """Time of a step and of a validation against an embedder, measured on a training that is thrown away.

    Args:
        study: Gives faces, configuration and device.
        embedder: Its name there.

    Returns:
        step_seconds: mean of TIMED steps after WARM others; validation_seconds: of one validation.
    """
    loaded = study.embedders[embedder]
    config = override(study.config, {"steps": WARM + TIMED, "seed": 0})
    rows = loaded.sources(study.data, study.device)
    task = SwapperTask(config, study.data, loaded.network, {}, None, study.device, sources=rows)
    for step in range(WARM):
        task.step(step)
    begin = time.monotonic()
    for step in range(WARM, WARM + TIMED):
        task.step(step)
    middle = time.monotonic()
    task.validate()
    end = time.monotonic()
    return {"step_seconds": (middle - begin) / TIMED, "validation_seconds": end - middle}


def steps_for(minutes: float, speeds: list[dict[str, float]], validations: int) -> int:
    """Steps that fit into a run's time at the slowest of the speeds, its validations taken off.

    Args:
        minutes: For one run.
        speeds: What `speed` measured against each embedder, in seconds.
        validations: How many a run has.

    Returns:
        The steps, at least 1.

    Examples:
        >>> steps_for(10, [{"step_seconds": 0.5, "validation_seconds": 1.0}], validations=60)
        1080
    """
    step = max(one["step_seconds"] for one in speeds)
    validation = max(one["validation_seconds"] for one in speeds)
    return max(1, int((minutes * 60 - validations * validation) / step))
