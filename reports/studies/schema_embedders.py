"""The schema of embedders.json, version 2 (python -m bench.embedders).

Version 1 did not say which group a figure belongs to; it is read as well, the group looked up by the figure's key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field, JsonValue, model_validator

from metrics.registry import ours
from metrics.spec import LAST
from reports.fields import Closed, Count, Interval, Measured, Name, Number, Open
from reports.versions import FURTHER

VERSION = 2


class Figure(Closed):
    """A figure of one embedder: of a group of networks that differ in their seed."""

    value: Measured
    ci95: Interval
    n: Count
    clusters: Count
    seeds: tuple[Measured, ...]
    error_people: Measured
    error_seeds: Measured
    unit: str
    higher_is_better: bool
    version: int


class Network(Open):
    """What is known of a network; `loss` where it is one of ours."""

    loss: str | None = None


class Embedder(Closed):
    """One column: its figures by key (`d_smooth`, `d_smooth@arc`), its networks, and the spectrum of its space."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Figure] = Field(init=False)
    networks: tuple[Network, ...]
    spectrum: tuple[Number, ...]

    @property
    def figures(self) -> Mapping[str, Figure]:
        """By key."""
        return self.__pydantic_extra__ or {}


class Difference(Closed):
    """Two embedders in one figure, a - b."""

    a: Name
    b: Name
    value: Measured
    ci95: Interval
    p: Measured
    p_holm: Measured
    separated: bool
    better: Name | None
    seeds: tuple[Count, Count]
    error_people: Measured
    error_seeds: Measured


class Definition(Closed):
    """What a figure is, in words (metrics.spec.Declared)."""

    title: Name
    group: Name
    order: int
    formula: str
    unit: str
    higher_is_better: bool
    source: str
    description: str
    options: str


class Paths(Closed):
    """Paths of rendered faces. curves: embedder, or "pixels" -> kind of path -> distance from the start at each point."""

    steps: Count
    count: Count
    kinds: tuple[Name, ...]
    curves: dict[Name, dict[Name, tuple[Number, ...]]]
    pixels: dict[Name, Figure]


class Strip(Closed):
    """One row of the picture: whom a network met between the two ends of a pair."""

    network: Name
    pair: Count
    people: tuple[str, ...]
    faces: Count
    different_people: Count


class Interpolations(Closed):
    """What the picture of Fig. 9 shows."""

    r: tuple[Number, ...]
    side: Count
    pairs: Count
    ends: tuple[tuple[str, str], ...]
    rows: tuple[Strip, ...]


class Faces(Closed):
    """A set of faces."""

    sha256: str
    photos: Count
    people: Count
    size: Count


class LeftOut(Closed):
    """Photos that some network could not read."""

    test: Count
    gallery: Count


class Data(Closed):
    """The faces that were read."""

    gallery: Faces
    test: Faces
    left_out: LeftOut


class Embedders(Closed):
    """One embedders.json."""

    schema_version: Literal[2]
    command: str
    embedders: dict[Name, Embedder]
    differences: dict[Name, dict[str, Difference]]
    definitions: dict[Name, Definition]
    paths: Paths | None
    interpolations: Interpolations
    probe: Network | None
    data: Data
    options: dict[str, JsonValue]
    environment: dict[str, JsonValue]
    seconds: Number

    @staticmethod
    def upgraded(content: Mapping[str, Any]) -> dict[str, Any]:
        """Version 1 as version 2; anything else as it is."""
        definitions = content.get("definitions")
        if content.get("schema_version") != 1 or not isinstance(definitions, Mapping):
            return dict(content)
        placed = {
            key: {**definition, **placed_as(key)} if isinstance(definition, Mapping) else definition
            for key, definition in definitions.items()
        }
        return {**content, "schema_version": VERSION, "definitions": placed}

    @model_validator(mode="after")
    def _defined(self) -> Embedders:
        for name, embedder in self.embedders.items():
            for key in embedder.figures:
                if key not in self.definitions:
                    raise ValueError(f"embedders.{name}.{key} has no definition")
        for key, pairs in self.differences.items():
            for pair, difference in pairs.items():
                if not {difference.a, difference.b} <= set(self.embedders):
                    raise ValueError(f"differences.{key}.{pair} is of embedders that are not in the file")
        return self


def placed_as(key: str) -> dict[str, Any]:
    """Group and order of a figure by its key.

    Args:
        key: A metric's, with or without an option: `d_smooth@arc`.

    Returns:
        {"group", "order"}.

    >>> placed_as("d_smooth@arc")["group"]
    'Smoothness'
    """
    spec = ours().get(key.partition("@")[0])
    if spec is None:
        return {"group": FURTHER, "order": LAST}
    return {"group": spec.group, "order": spec.order}
