"""Fields that the schemas of results.json and of the studies share: numbers that JSON can hold, names on one line."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue


def plain(value: Any) -> Any:
    """NumPy scalars become Python numbers, so that callers need no casts."""
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value


def _nan_is_missing(value: Any) -> Any:
    value = plain(value)
    return None if isinstance(value, float) and math.isnan(value) else value


def _no_interval(value: Any) -> Any:
    """An interval with a NaN end is no interval."""
    if isinstance(value, (tuple, list)) and any(_nan_is_missing(end) is None for end in value):
        return None
    return value


def _printable(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("must be printable text on one line")
    return text


def _ordered(ends: tuple[float, float] | None) -> tuple[float, float] | None:
    if ends is not None and ends[0] > ends[1]:
        raise ValueError(f"the low end {ends[0]} is above the high end {ends[1]}")
    return ends


Count = Annotated[int, BeforeValidator(plain), Field(strict=True, ge=0)]
Number = Annotated[float, BeforeValidator(plain), Field(strict=True, allow_inf_nan=False)]
Measured = Annotated[Number | None, BeforeValidator(_nan_is_missing)]
Interval = Annotated[tuple[Number, Number] | None, BeforeValidator(_no_interval), AfterValidator(_ordered)]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Closed(BaseModel):
    """Every key is known: a misspelt one is an error, not a silent loss."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Open(BaseModel):
    """Known keys are checked, further JSON keys are kept and shown in the report's provenance."""

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())
    __pydantic_extra__: dict[str, JsonValue] = Field(init=False)


class Seen(Closed):
    """How many of a run's people an instrument or a model of ours was shown while training (validation included).

    seen: those who certainly were; unknown: those of whom it cannot be told.
    """

    who: Name
    role: Literal["instrument", "model"]
    people: Count
    seen: Count
    unknown: Count = 0

    def __str__(self) -> str:
        if self.unknown and not self.seen:
            return f"{self.who} unknown"
        least = "at least " if self.unknown else ""
        return f"{self.who} {least}{self.seen} of {self.people}"
