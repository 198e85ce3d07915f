"""The schema of ablation.json, version 1 (python -m bench.ablation)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue, model_validator

from reports.fields import Closed, Count, Interval, Measured, Name, Number, Open
from reports.studies.schema import Estimate

State = Literal["new", "begun", "done", "diverged"]


class Planned(Closed):
    """One run of the plan and how far it came."""

    arm: Name
    seed: int
    state: State
    steps: Count


class Embedder(Closed):
    """The embedder of some arms. training: what its file says of its training."""

    loss: str
    dim: Count
    fingerprint: str
    training: JsonValue


class Judge(Open):
    """The instrument that no arm was trained with."""

    name: Name
    description: str
    weights_sha256: str | None
    licence: str


class Common(Closed):
    """The step with the most training that all arms share, and the seeds that share it: what is compared."""

    step: Count
    seeds: tuple[int, ...]
    pairs: Count
    clusters: Count


class Ends(Closed):
    """The ends of a scale of distances to the source: nothing swapped, and another photo of the source."""

    untouched: Estimate
    same_person: Estimate
    unread: Count


class References(Closed):
    """By embedder, and the judge's."""

    own: dict[Name, Ends]
    judge: Ends | None


class Spread(Closed):
    """Mean, least and greatest over seeds, at each step of a curve."""

    mean: tuple[Number, ...]
    low: tuple[Number, ...]
    high: tuple[Number, ...]


class Curve(Closed):
    """An arm over its steps: as many numbers in each spread as steps."""

    step: tuple[Count, ...] = Field(min_length=1)
    val_id: Spread | None = None
    val_chg: Spread | None = None
    judge_id: Spread | None = None
    judge_share: Spread | None = None

    @model_validator(mode="after")
    def _lengths(self) -> Curve:
        for name in ("val_id", "val_chg", "judge_id", "judge_share"):
            for part, values in getattr(self, name) or ():
                if len(values) != len(self.step):
                    raise ValueError(f"{name}.{part} has {len(values)} numbers for {len(self.step)} steps")
        return self


class Reached(Closed):
    """Steps until a mark, by seed; None where a seed did not reach it. mean, low, high: where all did."""

    seeds: dict[str, Number | None]
    reached: Count
    mean: Number | None
    low: Number | None
    high: Number | None


class Stability(Closed):
    """How evenly a training went (metrics.statistics.curves.Stability)."""

    steps: Count
    spikes_per_1000: Number
    grad_p50: Number
    grad_p95: Number
    grad_p99: Number
    ratio: Measured
    clipped: Number


class Run(Closed):
    """One seed of an arm."""

    state: State
    steps: Count


class Arm(Closed):
    """An embedder with a weight of its loss, over its seeds."""

    lambda_id: Number
    embedder: Name
    seeds: tuple[int, ...]
    runs: dict[str, Run]
    curve: Curve
    spread: str
    steps_to: dict[str, Reached]
    stability: dict[str, Stability | None]
    steps_to_judge_share: dict[str, Reached] | None = None
    at_common_step: dict[str, Estimate] | None = None


class Comparison(Closed):
    """Two arms in one metric, b - a, over the held-out pairs."""

    a: Name
    b: Name
    metric: Name
    difference: Measured
    ci95: Interval
    n: Count
    clusters: Count
    p: Measured
    by_seed: dict[str, Measured]
    agreed: bool
    p_holm: Measured
    separated: bool


class Uncertainty(Closed):
    """Of curves that were read off a figure."""

    identity: Number
    change: Number


class QuotedCurve(Closed):
    """A curve of the paper (reports.paper.figure_7)."""

    name: Name
    embedder: Name
    lambda_id: Number
    identity: tuple[Number, ...]
    change: tuple[Number, ...]
    uncertain: tuple[Count, ...]


class Quoted(Closed):
    """What the paper printed: never ranked with what was measured."""

    source: str
    steps: tuple[Count, ...]
    uncertainty: Uncertainty
    curves: tuple[QuotedCurve, ...]


class Ablation(Closed):
    """One ablation.json. data, config, budget: as the trainings state them."""

    schema_version: Literal[1]
    kind: Literal["ablation"]
    command: str
    made: str
    steps: Count
    validate_every: Count
    budget: dict[str, JsonValue]
    planned: tuple[Planned, ...]
    preset: str
    device: str
    torch: str
    config: dict[str, JsonValue]
    data: dict[str, JsonValue]
    embedders: dict[Name, Embedder]
    judge: Judge | None
    change_unit: str
    common: Common
    references: References
    arms: dict[Name, Arm]
    comparisons: tuple[Comparison, ...]
    quoted: Quoted
    conclusions: tuple[str, ...]

    @model_validator(mode="after")
    def _known(self) -> Ablation:
        marks = {frozenset(arm.steps_to) for arm in self.arms.values()}
        if len(marks) > 1:
            raise ValueError("the arms' steps_to are of different marks")
        for name, arm in self.arms.items():
            if arm.embedder not in self.embedders:
                raise ValueError(f"arms.{name}.embedder {arm.embedder} is not among the embedders")
            if lost := [seed for seed in arm.stability if seed not in arm.runs]:
                raise ValueError(f"arms.{name}.stability has the seed {lost[0]}, which is not among its runs")
            if self.judge and arm.steps_to_judge_share is None:
                raise ValueError(f"arms.{name}.steps_to_judge_share is not there, and there is a judge")
        if (self.judge is None) != (self.references.judge is None):
            raise ValueError("references.judge and judge: there is one without the other")
        for i, comparison in enumerate(self.comparisons):
            if not {comparison.a, comparison.b} <= set(self.arms):
                raise ValueError(f"comparisons.{i} is of arms that are not in the file")
        return self
