"""Two models of a report against each other: which words and which bold numbers their difference allows.

The one rule for all of them (bold, Findings, the headline, bench.compare):
- A family is one comparison of two models. It holds every metric that both have and that may be ranked, as the whole table
  shows them, and the lost frames: showing or asking for fewer metrics makes no family smaller.
- A metric with values of frames, of video too, is tested on the frames that both have, by exchanging the two models within
  whole pairs of people (metrics.statistics.significance.exchange_tests). One without, as the distances between sets of
  pictures, is tested by its two intervals, as though the two were independent.
- The p-values of a family are corrected by Holm. Two models are separated in a metric where the corrected p is at most
  LEVEL and the 95 % interval of the difference leaves 0 out. So all words of one comparison are right in 95 of 100 cases.

How often a false word comes of it on real frames: python -m bench.false_words.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import special

from metrics.statistics.intervals import GROUPS
from metrics.statistics.significance import Tested, exchange_tests, holm, paired_t_test
from reports.frames import FAILED, FrameTable, join
from reports.results import MetricValue, Results
from reports.run_files import RunFiles

LEVEL = 0.05  # of a whole family


@dataclass(frozen=True)
class Decided:
    """One metric of a family.

    Attributes:
        found: The mean of the first minus the second with its 95 % interval, and p of the test alone.
        adjusted: p after Holm's correction over the family.
        paired: Whether single frames of both were compared, or only two intervals.
    """

    found: Tested
    adjusted: float
    paired: bool

    @property
    def separated(self) -> bool:
        """Whether one of the two may be called better."""
        return self.adjusted <= LEVEL and self.found.separated

    def turned(self) -> Decided:
        """The same test of the second minus the first."""
        low, high = self.found.ci95
        return replace(self, found=replace(self.found, value=-self.found.value, ci95=(-high, -low)))


Family = Mapping[str, Decided]


def family(a: RunFiles, b: RunFiles) -> Family:
    """Every test of two models.

    Args:
        a: The first model.
        b: The one that is taken off it.

    Returns:
        Metric, or FAILED -> its test, in the order of a's results. Without those that have no interval on either side:
        they are no test.
    """
    shared = _shared(a.results, b.results)
    found: dict[str, tuple[Tested, bool]] = {}
    if a.table is not None and b.table is not None:
        here = {FAILED, *a.table.every_metric} & {FAILED, *b.table.every_metric}
        found = {key: (one, True) for key, one in _by_frame(a, b, [k for k in shared if k in here]).items()}
    for key, values in shared.items():
        if key not in found and None not in values and not _has_frames(a.table, b.table, key):
            one = _by_intervals(*values)  # type: ignore[arg-type]
            found |= {} if one is None else {key: (one, False)}
    adjusted = holm([one.p for one, _ in found.values()])
    tests = {
        key: Decided(one, float(p), paired)
        for (key, (one, paired)), p in zip(found.items(), adjusted, strict=True)
    }
    return {key: tests[key] for key in shared if key in tests}


class Families:
    """The families of the models of one table, each made once, when it is asked for."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], Family] = {}

    def of(self, a: RunFiles, b: RunFiles) -> Family:
        """Every test of two models.

        Args:
            a: The first model.
            b: The one that is taken off it; the models of one table have different names.

        Returns:
            Their family.
        """
        if (a.name, b.name) not in self._made:
            tests = family(a, b)
            self._made[a.name, b.name] = tests
            self._made[b.name, a.name] = {key: test.turned() for key, test in tests.items()}
        return self._made[a.name, b.name]

    def better(self, a: RunFiles, b: RunFiles, key: str) -> bool:
        """May a model be called better than another in a metric?

        Args:
            a: The first.
            b: The other.
            key: The metric, which both have.

        Returns:
            Whether they are separated, and the first lies on the better side.
        """
        test = self.of(a, b).get(key)
        if test is None or not test.separated:
            return False
        return (test.found.value > 0) == a.results.metrics[key].higher_is_better


def _shared(a: Results, b: Results) -> dict[str, tuple[MetricValue | None, MetricValue | None]]:
    """The metrics of a family with their two values, and FAILED without any."""
    both = {key: (a.metrics[key], b.metrics[key]) for key in a.metrics if key in b.metrics}
    kept: dict[str, tuple[MetricValue | None, MetricValue | None]] = {
        key: values for key, values in both.items() if all(m.value is not None and m.ranked for m in values)
    }
    return {**kept, FAILED: (None, None)}


def _has_frames(a: FrameTable | None, b: FrameTable | None, key: str) -> bool:
    return a is not None and b is not None and key in a.every_metric and key in b.every_metric


def _by_frame(a: RunFiles, b: RunFiles, keys: list[str]) -> dict[str, Tested]:
    """Key -> its paired test, for those with two pairs of people or more."""
    found: dict[str, Tested] = {}
    sums: dict[str, dict[str, float]] = {}
    for key in keys:
        values = [run.results.metrics.get(key) for run in (a, b)]
        first, second, people = join(a.table, b.table, key, values)  # type: ignore[arg-type]
        index, names = pd.factorize(people, sort=True)
        limits = (0.0, 100.0) if values[0] is None else values[0].range
        one = paired_t_test(first, second, index, limits)
        if one is not None:
            found[key] = one
            sums[key] = dict(zip(names, np.bincount(index, first - second), strict=True))
    if not found:
        return {}
    # Frames of video lie in a table of their own, whose pairs of people are the same ones.
    table = pd.DataFrame(sums).fillna(0.0).to_numpy(np.float64).T
    return {
        key: replace(one, p=float(p))
        for (key, one), p in zip(found.items(), exchange_tests(table), strict=True)
    }


def _by_intervals(a: MetricValue, b: MetricValue) -> Tested | None:
    """Two values that no frame has, by their intervals: p as though independent, the interval's ends as though opposed.

    So it leaves 0 out only where there is a gap between the two intervals.
    """
    if a.value is None or b.value is None or a.ci95 is None or b.ci95 is None:
        return None
    difference, clusters = a.value - b.value, min(a.clusters, b.clusters)
    if clusters < 2:
        return None
    # Of either interval the side that faces the other value.
    upper, lower = (a, b) if difference > 0 else (b, a)
    assert upper.value is not None
    assert lower.value is not None
    assert upper.ci95 is not None
    assert lower.ci95 is not None
    reaches = max(upper.value - upper.ci95[0], 0.0), max(lower.ci95[1] - lower.value, 0.0)
    freedom = min(clusters, GROUPS) - 1
    error = math.hypot(*reaches) / float(special.stdtrit(freedom, 0.975))
    p = 2.0 * float(special.stdtr(freedom, -abs(difference) / error)) if error > 0 else float(not difference)
    ends = (difference - sum(reaches), difference + sum(reaches))
    # Exchanging k pairs of people can give no smaller p, however far the two lie apart.
    return Tested(difference, ends, min(a.n, b.n), clusters, max(p, 2.0 ** (1 - clusters)))
