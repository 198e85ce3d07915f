"""A run of the swapper put together: its embedders, its record of them, and the files that an export wants."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from smoothswap import pretrained
from smoothswap.checkpoint import CheckpointError, read_tensors
from smoothswap.config import EmbedderConfig, SwapperConfig, flatten
from smoothswap.data.answers import Answers
from smoothswap.data.faces import FaceData
from smoothswap.networks.embedder import Embedder
from smoothswap.training import distributed
from smoothswap.training.loop import Run
from smoothswap.training.start import opened
from smoothswap.training.swapper import SwapperTask


def provenance_of(command: str, data: FaceData, threads: int, device: torch.device) -> dict[str, Any]:
    """What a checkpoint and its card say of a training, an object for JSON; `history` is empty at first.

    Args:
        command: The command line, quoted as for a shell.
        data: The faces; their hash, counts and meta.json are kept.
        threads: CPU threads of each process.
        device: Of this process; its type is kept, not its number.
    """
    return {
        "command": command,
        "data": data.about(),
        "threads": threads,
        "device": device.type,
        "ranks": distributed.world(),
        "torch": torch.__version__,
        "history": [],
    }


def known_embedder(name: str | Path) -> tuple[Embedder, EmbedderConfig, dict[str, Any]]:
    """An embedder (as pretrained.load_embedder names it), its options, and what provenance says of it."""
    network, config = pretrained.load_embedder(name)
    about = {
        "config": flatten(config),
        "weights": pretrained.fingerprint(network),
        "training": pretrained.training_of(name),
    }
    return network, config, about


def swapper_run(  # noqa: PLR0913  # what bench.ablation and the command choose between them
    out: Path,
    config: SwapperConfig,
    data: FaceData,
    embedder: str | Path,
    provenance: dict[str, Any],
    resume: bool,
    judge: Embedder | None = None,
    device: torch.device | str = "cpu",
    sources: Tensor | None = None,
    also: Sequence[str | Path] = (),
    answers: Sequence[str | Path] = (),
    start: Path | None = None,
    **of_run: Any,
) -> Run:
    """A run of the swapper against an embedder, which is kept beside it for export; ready to train.

    Args:
        out: The run's folder.
        config: Options; those of the generator fit the embedder's size and dim.
        data: Faces of the generator's size.
        embedder: A run's folder, weights' name or path, as pretrained.load_embedder takes it.
        provenance: From provenance_of; what is said of the embedders is written into it.
        resume: Whether to go on from the checkpoint in `out`.
        judge: A second embedder, for validation only.
        device: Where the networks lie.
        sources: Embeddings of all photos, [photos, d], as for SwapperTask; None: computed.
        also: Further embedders of L_id, which is the mean over all.
        answers: Folders of swaps of these people whose answer is known (data.answers).
        start: The run, or weights, whose networks are the first; None: new ones.
        **of_run: Options of Run.

    Raises:
        CheckpointError: The checkpoint is of other embedders or answers.
        DataError: A folder of answers that cannot be used.
        UsageError: A run would be overwritten.
    """
    network, embedder_config, provenance["embedder"] = known_embedder(embedder)
    others = [known_embedder(name) for name in also]
    provenance["also"] = [about for _, _, about in others]
    known = [Answers(folder, data) for folder in answers]
    if known:
        provenance["answers"] = [one.about() for one in known]
    if resume:
        kept = read_tensors(out / "checkpoint.safetensors")[1]["provenance"]
        if kept["embedder"]["weights"] != provenance["embedder"]["weights"]:
            raise CheckpointError(f"{embedder} is not the embedder that {out} was trained with")
        if [o["weights"] for o in kept.get("also", [])] != [o["weights"] for o in provenance["also"]]:
            raise CheckpointError(f"--also names other embedders than those that {out} was trained with")
        if [a["sha256"] for a in kept.get("answers", [])] != [
            a["sha256"] for a in provenance.get("answers", [])
        ]:
            raise CheckpointError(f"--answers names other folders than those that {out} was trained with")
    task = SwapperTask(
        config, data, network, provenance, judge, device, [other for other, _, _ in others], sources, known
    )
    run = opened(out, task, resume, start, **of_run)
    distributed.lead(lambda: write_embedder(out, network, embedder_config))
    return run


def write_embedder(out: Path, embedder: Embedder, config: EmbedderConfig) -> None:
    """Keep the frozen embedder beside the swapper's checkpoint, for export.

    Args:
        out: The run's folder; the files are embedder.safetensors and its card.
        embedder: The network.
        config: Its options.
    """
    about = {"part": "embedder", "config": {"embedder": flatten(config)}}
    pretrained.save(out / "embedder.safetensors", {"embedder": embedder}, about)
