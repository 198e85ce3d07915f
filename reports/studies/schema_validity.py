"""The schema of validity.json, version 1 (python -m bench.validity); older files did not state their version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field, JsonValue, model_validator

from reports.fields import Closed, Count, Interval, Measured, Name, Number

VERSION = 1


class Figure(Closed):
    """A figure of an instrument with its interval over people."""

    value: Measured
    ci95: Interval
    n: Count
    people: Count


Factors = dict[Name, dict[Name, Figure]]
"""Reading -> factor -> how far the factor alone moves the reading."""


class Instrument(Closed):
    """An instrument's figures by name; selectivity on rendered faces, stability on LFW's photos."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Figure] = Field(init=False)
    selectivity: Factors
    stability: Factors | None = None


class Verdict(Closed):
    """How good an instrument is at one reading, and why no better."""

    verdict: Literal["good", "fair", "bad", "unknown"]
    reasons: tuple[str, ...]


class Missed(Closed):
    """Pictures of one factor, and those in which no face was found."""

    expected: Count
    missed: Count


class Options(Closed):
    """What the command was asked for, and the rule of its verdicts."""

    people: Count
    size: Count
    seed: int
    lfw: bool
    rule: str


class About(Closed):
    """What an instrument is."""

    description: str
    licence: str
    weights_sha256: str | None
    crop: str
    parameters: dict[str, JsonValue]


class Validity(Closed):
    """One validity.json."""

    schema_version: Literal[1]
    command: str
    options: Options
    instruments: dict[Name, Instrument]
    verdicts: dict[Name, dict[Name, Verdict]]
    missed: dict[Name, Missed]
    about: dict[Name, About]
    seconds: Number

    @staticmethod
    def upgraded(content: Mapping[str, Any]) -> dict[str, Any]:
        """A file that states no version as one of version 1."""
        return {"schema_version": VERSION, **content}

    @model_validator(mode="after")
    def _known(self) -> Validity:
        for part in ("verdicts", "about"):
            for name in getattr(self, part):
                if name not in self.instruments:
                    raise ValueError(f"{part}.{name} is not among the instruments")
        return self
