"""How a run begins: from nothing, where it stopped, or with the networks of another run or of weights (train --start)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from smoothswap import lineage, pretrained
from smoothswap.checkpoint import CheckpointError, load_module, read_tensors
from smoothswap.config import EmbedderConfig, SwapperConfig, flatten, from_json, load_preset
from smoothswap.errors import few
from smoothswap.training.embedder import EmbedderTask
from smoothswap.training.loop import Run
from smoothswap.training.swapper import SwapperTask

# What is kept of the provenance of a run that another one starts from.
KEPT = ("command", "data", "history", "embedder", "also", "answers", "start", "origin", "lineage")


def opened(
    out: Path, task: EmbedderTask | SwapperTask, resume: bool, start: Path | None, **of_run: Any
) -> Run:
    """The run of a task, ready to train: gone on with where it stopped, or begun.

    Args:
        out: The run's folder.
        task: Takes the state of the checkpoint, or of `start`; its provenance says from which training it
            began.
        resume: Whether to go on from the checkpoint in `out`.
        start: The run, or weights by name or path, whose networks are the first; None: those of `task`. It
            does not count where the run is resumed.
        **of_run: Options of Run.

    Returns:
        The run; train() does the steps.
    """
    run = Run(out, task, **of_run)
    if resume:
        _, stored = read_tensors(run.checkpoint)
        kept = stored["provenance"]
        task.provenance |= {k: v for k, v in kept.items() if k in ("start", "origin", "lineage")}
        if "lineage" not in kept:  # a checkpoint of an older version
            lineage.settle(task.provenance, flatten(task.config), task.part, task.data.names)
        run.resume()
    else:
        if start is not None:
            task.provenance["start"] = start_from(start, task)
        if isinstance(task, EmbedderTask):
            weights = pretrained.fingerprint(task.embedder)
            task.provenance["origin"] = lineage.origin(
                weights, task.provenance.get("data", {}), flatten(task.config)
            )
        lineage.settle(task.provenance, flatten(task.config), task.part, task.data.names)
        run.start()
    return run


def taken_up(checkpoint: Path, part: str) -> tuple[Any, dict[str, Any]]:
    """What a stopped run says of itself.

    Args:
        checkpoint: The file.
        part: "embedder" or "swapper", as the run must be.

    Returns:
        Its options, EmbedderConfig or SwapperConfig, and the scalars of its checkpoint.

    Raises:
        CheckpointError: The file is damaged, or of the other part.
    """
    _, stored = read_tensors(checkpoint)
    if stored.get("part") != part:
        raise CheckpointError(f"{checkpoint} belongs to a run of {stored.get('part')}, not {part}")
    return from_json(part, stored["config"]), stored


def say_other_preset(
    out: Path, preset: str, config: EmbedderConfig | SwapperConfig, given: Mapping[str, Any]
) -> None:
    """Say on standard error in what a run that is taken up differs from the preset that was named with --resume.

    Args:
        out: The run's folder.
        preset: A preset's name, or the path of a .toml file.
        config: The options with which the run goes on.
        given: Those that the command line sets besides, by dotted key.

    Raises:
        OptionError: There is no such preset.
    """
    own = flatten(config)
    named = flatten(load_preset(preset, "embedder" if isinstance(config, EmbedderConfig) else "swapper"))
    other = [key for key in own if own[key] != named[key] and key not in given and key != "precision"]
    if other:
        said = few([f"{key} {own[key]}, there {named[key]}" for key in other], most=3)
        print(
            f"warning: {out} goes on with the options that it was begun with, not with those of --preset {preset}: {said}; "
            "for these begin another run",
            file=sys.stderr,
        )


def start_from(run: Path, task: EmbedderTask | SwapperTask) -> dict[str, Any]:
    """Load the networks of another run's checkpoint, or of weights.

    Class weights that these have not got begin where their embedder has the people
    (EmbedderTask.begin_classes); weights have no discriminator, which then begins anew.

    Args:
        run: The folder of a run of the same part, or the name or path of weights.
        task: Takes the networks, of the same shapes; its optimisers and draws stay as they are.

    Returns:
        What is known of their training, for the provenance: steps, config, command, data, history, its teachers,
        its own start and its lineage; of weights their fingerprint too.

    Raises:
        CheckpointError: The run is one of the other part, or the networks have other shapes.
        WeightsError: There are no such weights, or their files are damaged.
    """
    checkpoint = run / "checkpoint.safetensors"
    if not checkpoint.is_file():
        return _start_from_weights(run, task)
    tensors, stored = read_tensors(checkpoint)
    if stored.get("part") != task.part:
        raise CheckpointError(
            f"--start {run} is a run of {stored.get('part')}, not {task.part}; name another"
        )
    for name, module in task.modules.items():
        if (
            isinstance(task, EmbedderTask)
            and name == "loss"
            and not any(k.startswith("loss.") for k in tensors)
        ):
            task.begin_classes()
        else:
            load_module(module, tensors, f"{name}.", checkpoint)
    known = {k: stored["provenance"].get(k) for k in KEPT}
    begun = {"steps": stored["step"], "config": stored["config"], **{k: v for k, v in known.items() if v}}
    if isinstance(task, EmbedderTask):
        begun["weights"] = pretrained.fingerprint(pretrained.load_embedder(run)[0])
    return {**begun, "lineage": lineage.for_training(begun, task.part).as_json()}


def _start_from_weights(name: Path, task: EmbedderTask | SwapperTask) -> dict[str, Any]:
    """As start_from, of weights by name or path: a swapper's generator, or an embedder (a swapper's own, too)."""
    network: torch.nn.Module
    modules: dict[str, torch.nn.Module]
    if isinstance(task, EmbedderTask):
        network, config = pretrained.load_embedder(name)
        known = {"config": flatten(config), **pretrained.training_of(name)}
        modules = {"embedder": task.embedder}
    else:
        network, card = pretrained.load(name).generator, pretrained.card(name)
        known = {k: card[k] for k in ("steps", "command", "data", "history", "answers", "start") if k in card}
        known["lineage"] = pretrained.lineage_of(name).as_json()
        modules = {"generator": task.generator, "average": task.average}
    for part, module in modules.items():
        load_module(module, {f"{part}.{k}": v for k, v in network.state_dict().items()}, f"{part}.", name)
    if isinstance(task, EmbedderTask):
        task.begin_classes()
    return {**known, "weights": pretrained.fingerprint(network)}
