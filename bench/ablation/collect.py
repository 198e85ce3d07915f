"""From a study's folder to what ablation.json says of it, and to the pictures at fixed steps (Fig. 8)."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bench.ablation.judge import Judge, judge_run
from bench.ablation.measures import References, RunFound, figures, read_log
from bench.ablation.plan import Arm, Study
from bench.ablation.training import measured, state
from bench.errors import DataError
from smoothswap.checkpoint import read_tensors
from smoothswap.config import flatten
from smoothswap.pixels import Images
from smoothswap.pretrained import training_of

PICTURED, AT = 6, 5  # pairs and steps of a grid


def collect(
    study: Study, judge_spec: str, marks: list[float]
) -> tuple[dict[str, Any], list[tuple[str, list[int], Images]]]:
    """Measure every run that was validated at least once.

    Args:
        study: What was trained; its folder holds the runs.
        judge_spec: An identity instrument as --judge names it, or "none".
        marks: Identity losses (1 - cosine, own embedder) to count steps to.

    Returns:
        What ablation.json says of the study and its figures, and the pictures: see `grids`.

    Raises:
        DataError: Where nothing was validated yet.
        UsageError: For a judge that reads no identity, finds no face, or is the embedder of an arm.
        InstrumentError: For a judge that cannot be had.
    """
    path = study.out / "pairs.safetensors"
    if not path.is_file():
        raise DataError(f"{study.out} holds no held-out pairs yet; train first (without --report)")
    pairs, _ = read_tensors(path)
    pictures = {k: pairs[k].numpy() for k in ("source", "target", "other")}
    judge = None
    if judge_spec != "none":
        judge = Judge(judge_spec, pictures, [one.fingerprint for one in study.embedders.values()])
    runs, planned = [], []
    for seed, arm in study.runs():
        folder = study.folder(arm, seed)
        what, done = state(folder, study.steps)
        planned.append({"arm": arm.name, "seed": seed, "state": what, "steps": done})
        validations = measured(folder)
        if not validations:
            continue
        judged = {} if judge is None else judge_run(judge, folder)
        runs.append(RunFound(arm, seed, validations, judged, read_log(folder / "metrics.csv"), what, done))
    if not runs:
        raise DataError(f"{study.out} holds no validation yet; train first (without --report)")
    references = References(
        {name: _reference(study, name) for name in dict.fromkeys(run.arm.embedder for run in runs)},
        None if judge is None else (judge.scale.untouched, judge.scale.same),
        _clusters(pairs["source_person"], pairs["target_person"]),
    )
    about = {
        "steps": study.steps,
        "validate_every": study.validate_every,
        "budget": study.budget,
        "planned": planned,
        "preset": study.preset,
        "device": study.device.type,
        "torch": torch.__version__,
        "config": json.loads(json.dumps(flatten(study.config))),  # lists for tuples
        "data": study.data.about(),
        "embedders": {
            name: {
                "loss": one.config.loss,
                "dim": one.config.network.dim,
                "fingerprint": one.fingerprint,
                "training": training_of(one.where),
            }
            for name, one in study.embedders.items()
        },
        "judge": None if judge is None else judge.about(),
        "change_unit": "mean squared difference of pixels in [-1, 1]",
    }
    found: dict[str, Any] = {**about, **figures(runs, references, marks, study.config.clip)}
    return found, grids(runs, pictures["source"], pictures["target"], found["common"])


def _reference(study: Study, embedder: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    tensors, _ = read_tensors(study.out / "references" / f"{embedder}.safetensors")
    return tensors["untouched"].double().numpy(), tensors["same"].double().numpy()


def _clusters(source: torch.Tensor, target: torch.Tensor) -> NDArray[np.str_]:
    """The unordered pair of people of each held-out pair, str [n]."""
    people = torch.stack([source, target]).sort(0).values
    return np.array([f"{a}+{b}" for a, b in people.T.tolist()])


def grids(
    runs: list[RunFound], source: Images, target: Images, shared: dict[str, Any]
) -> list[tuple[str, list[int], Images]]:
    """For every arm the first PICTURED pairs at about AT steps, equally far apart, up to the common step.

    The pairs are the first ones of validation, whatever they look like; the seed is the least that all arms
    share.

    Args:
        runs: Those of all arms, each validated at the common step.
        source: uint8 [n, s, s, 3] RGB, photos of the sources of the held-out pairs.
        target: uint8 [n, s, s, 3] RGB, their targets.
        shared: "step" and "seeds" that `common` found.

    Returns:
        Of each arm its name, the steps, and uint8 [pairs, 2 + steps, s, s, 3]: source, target, the swap after
        each of the steps. [] where no seed is shared.
    """
    if not shared["seeds"]:
        return []
    seed, shown = shared["seeds"][0], min(PICTURED, len(source))
    arms: list[Arm] = list(dict.fromkeys(run.arm for run in runs))
    of = {arm: next(run for run in runs if run.arm == arm and run.seed == seed) for arm in arms}
    steps = sorted(
        s for s in set.intersection(*(set(run.steps) for run in of.values())) if s <= shared["step"]
    )
    chosen = sorted({steps[round(i)] for i in np.linspace(0, len(steps) - 1, min(AT, len(steps)))})
    found = []
    for arm, run in of.items():
        by = {one.step: one.swaps[:shown] for one in run.validations}
        columns = [source[:shown], target[:shown], *(by[step] for step in chosen)]
        found.append((arm.name, chosen, np.stack(columns, axis=1)))
    return found
