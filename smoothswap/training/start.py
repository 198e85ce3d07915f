"""How a run begins: from nothing, where it stopped, or with the networks of another run or of weights (train --start)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from smoothswap import pretrained
from smoothswap.checkpoint import CheckpointError, load_module, read_tensors
from smoothswap.training.embedder import EmbedderTask
from smoothswap.training.loop import Run
from smoothswap.training.swapper import SwapperTask


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
        task.provenance |= {k: v for k, v in stored["provenance"].items() if k == "start"}
        run.resume()
    else:
        if start is not None:
            task.provenance["start"] = start_from(start, task)
        run.start()
    return run


def start_from(run: Path, task: EmbedderTask | SwapperTask) -> dict[str, Any]:
    """Load the networks of another run's checkpoint, or of weights.

    Class weights that these have not got begin where their embedder has the people
    (EmbedderTask.begin_classes); weights have no discriminator, which then begins anew.

    Args:
        run: The folder of a run of the same part, or the name or path of weights.
        task: Takes the networks, of the same shapes; its optimisers and draws stay as they are.

    Returns:
        What is known of their training, for the provenance: steps, config, command, data, history and its own
        start, or of weights their fingerprint in place of config.

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
    known = {k: stored["provenance"].get(k) for k in ("command", "data", "history", "embedder", "start")}
    return {"steps": stored["step"], "config": stored["config"], **{k: v for k, v in known.items() if v}}


def _start_from_weights(name: Path, task: EmbedderTask | SwapperTask) -> dict[str, Any]:
    """As start_from, of weights by name or path: a swapper's generator, or an embedder (a swapper's own, too)."""
    network: torch.nn.Module
    modules: dict[str, torch.nn.Module]
    if isinstance(task, EmbedderTask):
        network, known = pretrained.load_embedder(name)[0], pretrained.training_of(name)
        modules = {"embedder": task.embedder}
    else:
        network = pretrained.load(name).generator
        known = {
            k: v
            for k, v in pretrained.card(name).items()
            if k in ("steps", "command", "data", "history", "start")
        }
        modules = {"generator": task.generator, "average": task.average}
    for part, module in modules.items():
        load_module(module, {f"{part}.{k}": v for k, v in network.state_dict().items()}, f"{part}.", name)
    if isinstance(task, EmbedderTask):
        task.begin_classes()
    return {"weights": pretrained.fingerprint(network), **known}
