"""slices.json: a model's metrics over parts of a pair list, by its columns and by how the faces are shown.

    {"schema_version": 1, "model": ..., "few": 10,
     "axes": [{"key": "column/lighting" or "read/target_pose", "title", "kind": "category" or "number", "unit", "note",
               "without": pairs without a value,
               "slices": [{"label", "low", "high", "pairs", "clusters", "frames", "used",
                           "metrics": {key: {value, ci95, n, clusters}}}]}]}

Many slices are many comparisons: nothing is ranked by them, and no word rests on them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from reports.fields import Closed, Count, Interval, Measured, Name, Number
from reports.results import ResultsError, explain
from smoothswap.plumbing.texts import TextError, read_json

MAX_BYTES = 32 * 2**20
FEW = 10
"""Pairs of people under which a slice says little: intervals of so few are wide, and may still be too narrow."""


class SliceValue(Closed):
    """A metric over the frames of a slice, as MetricValue has it over all."""

    value: Measured
    ci95: Interval = None
    n: Count
    clusters: Count


class Slice(Closed):
    """Some pairs of a run.

    label: the value of their category, or the range of their numbers. low, high: the least and the greatest number; None:
        a category. pairs: lines of the list; clusters: pairs of people among them; frames: expected; used: scored.
    """

    label: Name
    low: Number | None = None
    high: Number | None = None
    pairs: Count
    clusters: Count
    frames: Count
    used: Count
    metrics: dict[Name, SliceValue] = Field(max_length=200)


class Axis(Closed):
    """What the pairs are parted by. without: how many have no value and are in no slice. note: what else is to be known."""

    key: Name
    title: Name
    kind: Literal["category", "number"]
    unit: str = Field(default="", max_length=40)
    note: str = Field(default="", max_length=500)
    without: Count = 0
    slices: tuple[Slice, ...] = Field(default=(), max_length=100)


class Slices(Closed):
    """One slices.json. few: under how many pairs of people a slice is called so."""

    schema_version: Literal[1] = 1
    model: Name
    few: Count = FEW
    axes: tuple[Axis, ...] = Field(default=(), max_length=200)

    def to_json(self) -> str:
        """The text of slices.json."""
        return json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_slices(path: Path) -> Slices | None:
    """Read and check a slices.json.

    Args:
        path: The file.

    Returns:
        Its content; None where there is no file.

    Raises:
        ResultsError: It is damaged; the message names the file and the field.
    """
    if not path.is_file():
        return None
    try:
        return Slices.model_validate(read_json(path, MAX_BYTES))
    except OSError as error:
        raise ResultsError(f"cannot read {path}: {error.strerror}") from error
    except TextError as error:
        raise ResultsError(
            f"{path} is no slices.json: {error}; python -m bench.rescore makes it again"
        ) from None
    except ValidationError as error:
        raise ResultsError(f"{path}: {explain(error)}; python -m bench.rescore makes it again") from None


@dataclass(frozen=True)
class Line:
    """A slice in the report: its label, and of each model the slice, None where it has none of that label."""

    label: str
    models: tuple[tuple[str, Slice | None], ...]

    @property
    def first(self) -> Slice:
        """The slice of the first model that has one: its pairs are those of all."""
        return next(found for _, found in self.models if found is not None)


@dataclass(frozen=True)
class Part:
    """An axis in the report, over all models. few: under how many pairs of people a slice is called so."""

    axis: Axis
    lines: tuple[Line, ...]
    few: int = FEW


def parts(models: Sequence[tuple[str, Slices | None]]) -> list[Part]:
    """The slices of several models side by side.

    Args:
        models: Each one's name and slices; None: it has none.

    Returns:
        One part an axis that any model was sliced by, in the order of the models.
    """
    axes = {axis.key: axis for _, slices in reversed(models) if slices for axis in slices.axes}
    few = max((slices.few for _, slices in models if slices), default=FEW)
    found = []
    for key, axis in axes.items():
        of = {
            name: {one.label: one for other in slices.axes if other.key == key for one in other.slices}
            for name, slices in models
            if slices
        }
        labels = dict.fromkeys(label for slices_of in of.values() for label in slices_of)
        lines = [
            Line(label, tuple((name, slices_of.get(label)) for name, slices_of in of.items()))
            for label in labels
        ]
        found.append(Part(axis, tuple(lines), few))
    return found
