"""Instruments examined on rendered faces with known truth: agreement, error, selectivity, noise floor, missed faces."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation
from tqdm import tqdm

from bench.reading.reader import Reader, Reading
from bench.validity.samples import FACTORS, OWN, Sample, person_samples
from metrics.distances import between
from metrics.statistics.agreement import (
    Estimate,
    median_over_people,
    rank_correlation,
    ratio_of_medians,
    same_person_auc,
)

PAIRS = 6000  # of free pictures, drawn once: enough for a correlation, few enough for a jackknife


@dataclass(frozen=True)
class Examined:
    """Free pictures and series of `people` persons with what was read; rows of samples and readings belong together."""

    samples: list[Sample]
    readings: list[Reading]

    def rows(self, factor: str) -> npt.NDArray[np.intp]:
        """Rows of the samples of one factor ("free", "base" or one of FACTORS), person by person."""
        return np.array([i for i, s in enumerate(self.samples) if s.factor == factor], np.intp)

    def read(self, key: str) -> npt.NDArray[np.float64]:
        """What an instrument read, "<instrument>/<reading>": float [n, d], NaN where no face was found."""
        found = [reading.values.get(key) for reading in self.readings]
        width = next((len(v) for v in found if v is not None), 1)
        return np.array([np.full(width, np.nan) if v is None else v for v in found], np.float64)

    def missed(self) -> dict[str, dict[str, int]]:
        """By factor: pictures expected and those in which no face was found."""
        counts = {}
        for factor in ("free", "base", *FACTORS):
            rows = self.rows(factor)
            lost = sum(self.readings[i].status != "ok" for i in rows)
            counts[factor] = {"expected": len(rows), "missed": lost}
        return counts


def examine(instruments: Sequence[str], people: int, size: int, seed: int) -> Examined:
    """Render people and read every picture with the benchmark's own detection, choice of face and crops.

    Args:
        instruments: As bench.reading.instruments names them.
        people: How many.
        size: Side of a picture, pixels.
        seed: Of the people.

    Returns:
        Samples and readings, person by person.

    Raises:
        InstrumentError: For an instrument that cannot be made or cannot read its crops.
    """
    reader = Reader(instruments, "largest")
    samples: list[Sample] = []
    readings: list[Reading] = []
    bar = tqdm(range(people), desc="examining on rendered people", unit="person", file=sys.stderr)
    for person in bar:
        made = person_samples(person, size, seed)
        samples += made
        for sample in made:  # one by one: no picture's face is tracked from another's
            readings += reader.originals([sample.image])
    return Examined(samples, readings)


def distance(reading: str, a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The distance that the metrics take between two readings: cosine for identity, angle for pose, L2 for the rest.

    Args:
        reading: "identity" or another.
        a: float [n, d].
        b: float [n, d].

    Returns:
        float64 [n]: 0 to 2 for identity, 0 to pi for pose, else in the reading's unit; NaN where either side is.
    """
    return between(reading, a, b)


def figures(examined: Examined, instrument: str, reads: Sequence[str], seed: int) -> dict[str, Any]:
    """All figures of one instrument.

    Selectivity is the median change of a reading when one factor alone changes, over its median change when
    the factor that it is meant for changes as much as two drawn faces differ in it: 0 is blind to the factor,
    1 as moved by it. The factor "again" (the same scene, the camera moved by less than a pixel, fresh noise)
    is the noise floor.

    Args:
        examined: What was read.
        instrument: Its name.
        reads: Its readings.
        seed: Of the pairs, and of the intervals of the selectivity.

    Returns:
        name -> Estimate: of each reading an AUC (0 to 1), of all but identity the rank correlation of
        distances with the truth's, of pose an error in degrees; "selectivity": reading -> factor -> Estimate.
    """
    found: dict[str, Any] = {"selectivity": {}}
    free = examined.rows("free")
    person = np.array([examined.samples[i].person for i in free])
    first, second = _pairs(person, seed)
    other = person[first] != person[second]
    for reading in reads:
        values = examined.read(f"{instrument}/{reading}")
        apart = distance(reading, values[free[first]], values[free[second]])
        # Expression and pose are drawn whoever the person is: read well, they cannot tell people apart.
        found[f"{reading}_auc"] = same_person_auc(apart, ~other, person[first], person[second])
        if reading != "identity":
            truth = np.array([getattr(examined.samples[i], reading) for i in free], np.float64)
            true = between(reading, truth[first], truth[second])
            found[f"{reading}_rank_correlation"] = rank_correlation(
                apart[other], true[other], person[first][other], person[second][other]
            )
        if reading == "pose":
            found["pose_median_error_deg"] = _pose_error(values[free], truth, person)
        base = values[examined.rows("base")]
        moved = {f: distance(reading, base, values[examined.rows(f)]) for f in FACTORS}
        own = moved[OWN[reading]]
        found["selectivity"][reading] = {
            factor: ratio_of_medians(moved[factor], own, seed) for factor in FACTORS if factor != OWN[reading]
        }
    return found


def _pairs(person: npt.NDArray[np.intp], seed: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """All pairs of one person's pictures, and PAIRS of different people's."""
    a, b = np.triu_indices(len(person), 1)
    same = person[a] == person[b]
    rng = np.random.default_rng(seed)
    others = np.flatnonzero(~same)
    kept = np.sort(rng.choice(others, min(PAIRS, len(others)), replace=False))
    chosen = np.concatenate([np.flatnonzero(same), kept])
    return a[chosen], b[chosen]


def _pose_error(
    read: npt.NDArray[np.float64], truth: npt.NDArray[np.float64], person: npt.NDArray[np.intp]
) -> Estimate:
    """Median geodesic angle, degrees, between axis-angle readings and the truth."""
    degrees = np.full(len(read), np.nan)
    seen = np.isfinite(read).all(1)
    away = Rotation.from_rotvec(read[seen]).inv() * Rotation.from_rotvec(truth[seen])
    degrees[seen] = np.degrees(away.magnitude())
    return median_over_people(degrees, person)
