"""A metric's numbers beside its value: under the other missing-face policy, and with the frames that have no source."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from reports.fields import Closed, Count, Interval, Measured, plain


class PolicyValue(Closed):
    """A metric's numbers under the other missing-face policy."""

    value: Measured
    ci95: Interval = None
    n: Count | None = None
    clusters: Count | None = None


class WithoutSource(PolicyValue):
    """A metric that needs no source, over the frames of its value and those whose source's clip is not there.

    missing: how many of these have no value.
    """

    n: Count
    clusters: Count
    missing: Count


def _policy(value: Any) -> Any:
    value = plain(value)
    return {"value": value} if isinstance(value, (int, float)) and not isinstance(value, bool) else value


OtherPolicy = Annotated[PolicyValue | None, BeforeValidator(_policy)]
