"""The runs of a study: trained round robin, taken up where they were, each with its held-out pairs kept step by step.

OUT/pairs.safetensors                          the held-out pairs: pictures uint8 [n, s, s, 3], people int64 [n]
OUT/references/<embedder>.safetensors          its L_id of nothing swapped and of another photo of the source
OUT/runs/<arm>/seed<k>/                        a folder of smoothswap.training.loop.Run; smoothswap.train export reads it
OUT/runs/<arm>/seed<k>/held-out/NNNNNNN.safetensors     after N steps: swap uint8 [n, s, s, 3], id and chg float32 [n]
OUT/runs/<arm>/seed<k>/diverged.json           where training diverged, and why
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.ablation.plan import Arm, Study
from reports.results import write_atomic
from smoothswap.checkpoint import read_tensors, write_tensors
from smoothswap.losses.swapper import identity_losses
from smoothswap.pixels import Images
from smoothswap.tensors import to_pixels
from smoothswap.training.loop import Run, TrainingError
from smoothswap.training.runs import provenance_of, swapper_run
from smoothswap.training.swapper import Pairs, SwapperTask

HELD_OUT = "held-out"
DIVERGED = "diverged.json"
JUDGED = "judged.safetensors"  # see judge.judge_run
State = Literal["new", "begun", "done", "diverged"]


@dataclass(frozen=True, eq=False)
class Measured:
    """Held-out pairs of a run after `step` steps: identity, change float64 [n] (L_id, L_chg), swaps uint8 [n, s, s, 3]."""

    step: int
    identity: NDArray[np.float64]
    change: NDArray[np.float64]
    swaps: Images


def state(folder: Path, steps: int) -> tuple[State, int]:
    """What became of a run, and after how many steps (of its last checkpoint).

    Args:
        folder: The run's, there or not.
        steps: Of the whole run; a checkpoint of as many is "done". 0: not known yet, so nothing is.

    Returns:
        The state, and the steps: 0 without a checkpoint.

    Raises:
        CheckpointError: For a damaged checkpoint.
    """
    checkpoint = folder / "checkpoint.safetensors"
    done = int(read_tensors(checkpoint)[1]["step"]) if checkpoint.is_file() else 0
    if (folder / DIVERGED).is_file():
        return "diverged", done
    return ("done" if 0 < steps <= done else "begun" if done else "new"), done


def train_run(
    study: Study, arm: Arm, seed: int, command: str, threads: int, checkpoint_seconds: float
) -> int | None:
    """Train one run to its end, from its checkpoint where there is one.

    One that diverges leaves its marker, and is not tried again as long as that lies there.

    Args:
        study: What the runs share; its steps must be known.
        arm: One of the study's.
        seed: Of the training.
        command: The command line, for the run's provenance.
        threads: CPU threads, for the provenance alone: nothing is set here.
        checkpoint_seconds: How often the state is saved.

    Returns:
        The signal that stopped it, its state saved; 0 where it went to its end or diverged; None for a run
        that was over already.

    Raises:
        CheckpointError: For a checkpoint that is damaged or of another embedder.
    """
    folder = study.folder(arm, seed)
    found, done = state(folder, study.steps)
    if found in ("done", "diverged"):
        return None
    drop_after(folder, done)
    loaded = study.embedders[arm.embedder]
    provenance = provenance_of(command, study.data, threads, study.device)
    rows = loaded.sources(study.data, study.device)
    run: Run = swapper_run(
        folder,
        study.config_of(arm, seed),
        study.data,
        loaded.where,
        provenance,
        found == "begun",
        device=study.device,
        sources=rows,
        checkpoint_seconds=checkpoint_seconds,
        validated=lambda step: keep(folder, step, run),
    )
    assert isinstance(run.task, SwapperTask)
    write_pairs(study, run.task)
    write_references(study, arm.embedder, run.task.pairs(), rows)
    try:
        run.train()
    except TrainingError as error:
        said = {"step": run.done, "message": str(error)}
        write_atomic(folder / DIVERGED, json.dumps(said, indent=1) + "\n")
        print(
            f"{arm.name}, seed {seed}: {error}. The study goes on without it; delete {folder} to try again",
            file=sys.stderr,
        )
    return run.stop_signal


def drop_after(folder: Path, step: int) -> None:
    """Remove what was measured after a checkpoint; those steps come again, as Log.cut does for the log.

    Where anything is removed, the judge's readings of the run go with it.

    Args:
        folder: The run's.
        step: That of the checkpoint, 0 without one.
    """
    for path in (folder / HELD_OUT).glob("*.safetensors"):
        if int(path.stem) > step:
            path.unlink()
            (folder / JUDGED).unlink(missing_ok=True)


def keep(folder: Path, step: int, run: Run) -> None:
    """Write down the held-out pairs of a validation.

    Args:
        folder: The run's.
        step: Steps done, which name the file.
        run: A run of the swapper whose task has just validated.
    """
    held = run.task.last_held_out if isinstance(run.task, SwapperTask) else None
    assert held is not None
    tensors = {"id": held.identity, "chg": held.change, "swap": pixels(held.swaps)}
    write_tensors(folder / HELD_OUT / f"{step:07d}.safetensors", tensors, {"step": step})


def pixels(images: Tensor) -> Tensor:
    """float [n, 3, s, s] in [-1, 1] -> uint8 [n, s, s, 3]."""
    return torch.from_numpy(to_pixels(images))


def measured(folder: Path) -> list[Measured]:
    """Every validation that a run has kept, by step."""
    found = []
    for path in sorted((folder / HELD_OUT).glob("*.safetensors")):
        tensors, scalars = read_tensors(path)
        found.append(
            Measured(
                int(scalars["step"]),
                tensors["id"].double().numpy(),
                tensors["chg"].double().numpy(),
                tensors["swap"].numpy(),
            )
        )
    return found


def write_pairs(study: Study, task: SwapperTask) -> None:
    """Write OUT/pairs.safetensors, unless it is there; `other` is the source's next photo.

    Args:
        study: Gives the folder and the faces.
        task: Of any of the runs: all have the same held-out pairs.
    """
    path, pairs, data = study.out / "pairs.safetensors", task.pairs(), study.data
    if path.is_file():
        return
    other = other_view(study, pairs)
    tensors = {
        "source": pixels(data.get(pairs.source, pairs.source_view)),
        "target": pixels(data.get(pairs.target, pairs.target_view)),
        "other": pixels(data.get(pairs.source, other)),
        "source_person": pairs.source,
        "target_person": pairs.target,
    }
    write_tensors(path, tensors, {"pairs": len(pairs.source)})


def write_references(study: Study, embedder: str, pairs: Pairs, rows: Tensor) -> None:
    """Write OUT/references/<embedder>.safetensors, unless it is there.

    It holds L_id, float32 [n], of the targets as they are ("untouched") and of the sources' other photos
    ("same").

    Args:
        study: Gives the folder and the faces.
        embedder: Its name in the study.
        pairs: The held-out ones.
        rows: Its embeddings of all photos, float32 [photos, d].
    """
    path = study.out / "references" / f"{embedder}.safetensors"
    if path.is_file():
        return
    photo = study.data.photo
    source = rows[photo(pairs.source, pairs.source_view)]
    target = rows[photo(pairs.target, pairs.target_view)]
    same = rows[photo(pairs.source, other_view(study, pairs))]
    write_tensors(
        path, {"untouched": identity_losses(target, source), "same": identity_losses(same, source)}, {}
    )


def other_view(study: Study, pairs: Pairs) -> Tensor:
    """The source's next photo, the first after the last; its only one where it has no other.

    Args:
        study: Gives how many photos each person has.
        pairs: Whose sources are meant.

    Returns:
        int64 [n], views as FaceData counts them.
    """
    return (pairs.source_view + 1) % study.data.counts[pairs.source]
