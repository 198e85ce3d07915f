"""ablation.json from what the runs left: curves, steps to marks, paired differences, stability.

Intervals are over pairs of held-out people, the seeds being given; the spread over seeds stands beside them. L_id under
different embedders is not compared: only arms of one embedder are, and all arms by the judge and by L_chg.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.ablation.plan import Arm
from bench.ablation.training import Measured
from metrics.statistics.curves import WINDOW, first_reach, spread, stability
from metrics.statistics.intervals import cluster_interval, paired_difference
from metrics.statistics.significance import holm, paired_test

Floats = NDArray[np.float64]
SHARES = (0.1, 0.25, 0.5)  # of the judge's way from nothing swapped to another photo of the source


@dataclass(frozen=True, eq=False)
class RunFound:
    """One run: validations by step; judged: step -> the judge's distances [n]; log: columns of metrics.csv."""

    arm: Arm
    seed: int
    validations: list[Measured]
    judged: dict[int, Floats]
    log: dict[str, Floats]
    state: str
    done: int

    @property
    def steps(self) -> list[int]:
        """The steps of its validations, ascending."""
        return [one.step for one in self.validations]


@dataclass(frozen=True, eq=False)
class References:
    """Per pair, float [n]: L_id of nothing swapped and of another photo, by embedder; the judge's; the pairs' clusters."""

    own: dict[str, tuple[Floats, Floats]]
    judge: tuple[Floats, Floats] | None
    clusters: NDArray[np.str_]


def read_log(path: Path) -> dict[str, Floats]:
    """Columns of a run's metrics.csv, float [rows], NaN where a cell is empty; {} where there is no log yet."""
    if not path.is_file():
        return {}
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["step"]]
    if not rows:
        return {}
    return {key: np.array([float(row[key] or "nan") for row in rows]) for key in rows[0] if key}


def common(runs: Sequence[RunFound], arms: Sequence[Arm]) -> tuple[int, list[int]]:
    """A step that every arm was validated at, and the seeds with which all arms were; (0, []) for none.

    The step with the most shared training, steps times seeds; of equal ones the later. So a seed that was
    just begun does not throw the comparison back, and one that is nearly done takes part.

    Args:
        runs: Of one arm and one seed each.
        arms: Who must share it, one or more.

    Returns:
        The step, and the seeds in ascending order.
    """
    shared: dict[int, list[int]] = {}
    for seed in sorted({run.seed for run in runs}):
        steps = [set(next((r.steps for r in runs if r.arm == arm and r.seed == seed), [])) for arm in arms]
        for step in set.intersection(*steps):
            shared.setdefault(step, []).append(seed)
    if not shared:
        return 0, []
    step = max(shared, key=lambda s: (s * len(shared[s]), s))
    return step, shared[step]


def figures(
    runs: Sequence[RunFound], references: References, marks: Sequence[float], clip: float
) -> dict[str, Any]:
    """The parts of ablation.json that are measured: arms, common, references, comparisons.

    Args:
        runs: Those of the study; what has no validation yet is left out.
        references: Of the same held-out pairs.
        marks: Identity losses (1 - cosine, own embedder) to count steps to.
        clip: The gradient norm that the trainings clipped at.

    Returns:
        As reports.studies.schema_ablation.Ablation has them. No comparisons where no step is shared.
    """
    runs = [run for run in runs if run.validations]
    arms = list(dict.fromkeys(run.arm for run in runs))
    step, seeds = common(runs, arms) if arms else (0, [])
    found = {arm: [run for run in runs if run.arm == arm] for arm in arms}
    chosen = {
        arm: [run for run in sorted(found[arm], key=lambda r: r.seed) if run.seed in seeds] for arm in arms
    }
    clusters = references.clusters
    return {
        "common": {"step": step, "seeds": seeds, "pairs": len(clusters), "clusters": len(set(clusters))},
        "references": {
            "own": {n: _ends(pair, clusters) for n, pair in references.own.items()},
            "judge": None if references.judge is None else _ends(references.judge, clusters),
        },
        "arms": {arm.name: _arm(arm, found[arm], chosen[arm], step, references, marks, clip) for arm in arms},
        "comparisons": comparisons(chosen, step, clusters, references.judge is not None) if seeds else [],
    }


def _ends(pair: tuple[Floats, Floats], clusters: NDArray[np.str_]) -> dict[str, Any]:
    return {
        "untouched": _estimate(pair[0], clusters),
        "same_person": _estimate(pair[1], clusters),
        "unread": int(np.isnan(pair[0] + pair[1]).sum()),
    }


def _estimate(values: Floats, clusters: NDArray[np.str_]) -> dict[str, Any]:
    """Mean over pairs with its 95 % interval; null for none."""
    low, high = cluster_interval(values, clusters)
    n = int((~np.isnan(values)).sum())
    return {
        "value": float(np.nanmean(values)) if n else None,
        "ci95": [low, high] if np.isfinite([low, high]).all() else None,
        "n": n,
    }


def _arm(
    arm: Arm,
    runs: list[RunFound],
    chosen: list[RunFound],
    step: int,
    references: References,
    marks: Sequence[float],
    clip: float,
) -> dict[str, Any]:
    steps = sorted(set.intersection(*(set(run.steps) for run in runs)))
    judge = references.judge
    curve: dict[str, Any] = {"step": steps}
    values: dict[str, Callable[[RunFound, int], Floats]] = {"val_id": own_identity, "val_chg": change}
    if judge is not None:
        values |= {"judge_id": judged, "judge_share": lambda run, at: share_of(judged(run, at), judge)}
    for name, value in values.items():
        if steps:
            mean, low, high = spread([[float(np.nanmean(value(r, s))) for s in steps] for r in runs])
            curve[name] = {"mean": mean.tolist(), "low": low.tolist(), "high": high.tolist()}
    by_id = {str(run.seed): (run.steps, [float(v.identity.mean()) for v in run.validations]) for run in runs}
    result = {
        "lambda_id": arm.lambda_id,
        "embedder": arm.embedder,
        "seeds": [run.seed for run in runs],
        "runs": {str(run.seed): {"state": run.state, "steps": run.done} for run in runs},
        "curve": curve,
        "spread": "low and high are the least and the greatest seed",
        "steps_to": {f"{mark:g}": reached(by_id, mark) for mark in marks},
        "stability": {str(run.seed): steadiness(run, clip) for run in runs},
    }
    if judge is not None:
        by_share = {
            str(r.seed): (r.steps, [1 - float(np.nanmean(share_of(judged(r, s), judge))) for s in r.steps])
            for r in runs
        }
        result["steps_to_judge_share"] = {f"{s:g}": reached(by_share, 1 - s) for s in SHARES}
    if chosen:
        at_common = {
            name: _estimate(np.mean([value(run, step) for run in chosen], axis=0), references.clusters)
            for name, value in values.items()
        }
        result["at_common_step"] = at_common
    return result


def own_identity(run: RunFound, step: int) -> Floats:
    """L_id of each pair at a step, under the run's own embedder.

    Args:
        run: A run that was validated then.
        step: One of run.steps.

    Returns:
        float64 [n] in 0..2.
    """
    return next(one.identity for one in run.validations if one.step == step)


def change(run: RunFound, step: int) -> Floats:
    """L_chg of each pair at a step.

    Args:
        run: A run that was validated then.
        step: One of run.steps.

    Returns:
        float64 [n], mean squared difference of swap and target, pixels in [-1, 1].
    """
    return next(one.change for one in run.validations if one.step == step)


def judged(run: RunFound, step: int) -> Floats:
    """The judge's distance of each pair at a step.

    Args:
        run: A run that the judge has read.
        step: One of run.steps.

    Returns:
        float64 [n] in 0..2, 1 - cosine of the swap to its source's photo; NaN where unread.
    """
    return run.judged[step]


def share_of(distances: Floats, judge: tuple[Floats, Floats]) -> Floats:
    """Distances on the judge's scale.

    Args:
        distances: float64 [n], of swaps to their source's photo.
        judge: Of the same pairs nothing swapped and another photo of the source, float64 [n] each. The ends of the scale
            are their means over the pairs that the judge could read.

    Returns:
        float64 [n]: 0 as far from the source as nothing swapped is on average, 1 as near as another photo of the source;
        NaN where the judge could not read.
    """
    read = ~np.isnan(judge[0] + judge[1])
    untouched, same = float(judge[0][read].mean()), float(judge[1][read].mean())
    return np.asarray(np.where(read, (untouched - distances) / (untouched - same), np.nan))


def reached(curves: dict[str, tuple[list[int], list[float]]], mark: float) -> dict[str, Any]:
    """Steps to a mark by seed; mean, low and high over seeds where all of them reached it.

    Args:
        curves: By seed the steps, ascending, and the losses there.
        mark: A loss, reached where a curve is at or under it.

    Returns:
        seeds: steps by seed, linear between validations, None for one that never came so low; reached: how
        many did; mean, low, high: None unless all did.

    Examples:
        >>> found = reached({"0": ([100, 200], [1.0, 0.5]), "1": ([100, 200], [1.0, 0.8])}, 0.75)
        >>> found["seeds"], found["reached"], found["mean"]
        ({'0': 150.0, '1': None}, 1, None)
    """
    seeds = {seed: first_reach(steps, losses, mark) for seed, (steps, losses) in curves.items()}
    known = [step for step in seeds.values() if step is not None]
    whole = len(known) == len(seeds) and known
    return {
        "seeds": seeds,
        "reached": len(known),
        "mean": float(np.mean(known)) if whole else None,
        "low": min(known) if whole else None,
        "high": max(known) if whole else None,
    }


def steadiness(run: RunFound, clip: float) -> dict[str, float] | None:
    """How evenly a run's L_id and its generator's gradient norm went, over the whole log.

    Args:
        run: With a log of every step, columns "id" and "grad_norm".
        clip: The norm that gradients were clipped at.

    Returns:
        The fields of metrics.statistics.curves.Stability; None for a log of at most 2 WINDOW steps.
    """
    if len(run.log.get("id", ())) <= 2 * WINDOW:
        return None
    return asdict(stability(run.log["id"], run.log["grad_norm"], clip))


def comparisons(
    chosen: dict[Arm, list[RunFound]], step: int, clusters: NDArray[np.str_], with_judge: bool
) -> list[dict[str, Any]]:
    """Every two arms in everything that compares, b - a, over the held-out pairs; all are one Holm family.

    A pair's value is its mean over the shared seeds. agreed: whether the difference has one sign in every
    seed. separated: corrected p at most 0.05, and an interval without 0.

    Args:
        chosen: Of each arm the runs with the shared seeds, by seed.
        step: The common step.
        clusters: str [n], of each held-out pair the two people: the independent unit.
        with_judge: Whether the judge's distances are compared too.

    Returns:
        One entry for two arms and a metric, as reports.studies.schema_ablation.Comparison has it: val_chg and
        judge_id of any two arms, val_id of arms with one embedder.
    """
    found: list[dict[str, Any]] = []
    for a, b in itertools.combinations(chosen, 2):
        values: dict[str, Callable[[RunFound, int], Floats]] = {"val_chg": change}
        if a.embedder == b.embedder:
            values["val_id"] = own_identity
        if with_judge:
            values["judge_id"] = judged
        for metric, value in values.items():
            one, two = (np.array([value(run, step) for run in chosen[arm]]) for arm in (a, b))
            first, second = one.mean(axis=0), two.mean(axis=0)
            difference = paired_difference(second, first, clusters)
            by_seed = np.nanmean(two - one, axis=1)
            known = np.isfinite(difference.ci95).all()
            found.append(
                {
                    "a": a.name,
                    "b": b.name,
                    "metric": metric,
                    "difference": difference.value,
                    "ci95": list(difference.ci95) if known else None,
                    "n": difference.n,
                    "clusters": difference.clusters,
                    "p": paired_test(second, first, clusters),
                    "by_seed": {str(run.seed): float(d) for run, d in zip(chosen[a], by_seed, strict=True)},
                    "agreed": bool((by_seed > 0).all() or (by_seed < 0).all()),
                }
            )
    for entry, p in zip(found, holm([entry["p"] for entry in found]), strict=True):
        ends = entry["ci95"]
        entry["p_holm"] = float(p)
        entry["separated"] = bool(p <= 0.05 and ends and (ends[0] > 0 or ends[1] < 0))
    return found
