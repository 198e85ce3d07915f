"""Errors against the true swap, which is known where the scene is rendered, and where the target itself is the answer.

The reading of the swap is compared with the same instrument's reading of the true swap's frame, so that the
instrument's own bias cancels: the oracle scores 0.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from jaxtyping import Float, Float64

from metrics.distances import Floats, between
from metrics.frames.readings import (
    DISTANCES,
    LABELS,
    OTHER,
    UNITS,
    VERSIONS,
    WANTED,
    WORDS,
    unwanted_side,
)
from metrics.sides import MetricError, Sides
from metrics.spec import TRUTH, Metric


def reading_error(sides: Sides, reading: str) -> Float64[np.ndarray, " n"]:
    """Distance of the swap's reading to the truth's.

    Args:
        sides: What was read.
        reading: Its name.

    Returns:
        float [n], cosine distance of identity, radians of pose, else L2.

    Raises:
        MetricError: Where no truth is known.
    """
    return error(sides, reading, sides.swap[reading])


def error(sides: Sides, reading: str, rows: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, " n"]:
    """Distance of any rows of a reading to the truth's, as in reading_error.

    Args:
        sides: What was read.
        reading: The reading's name.
        rows: float [n, d].

    Returns:
        float [n].

    Raises:
        MetricError: Where no truth is known.
    """
    if sides.truth is None or reading not in sides.truth:
        raise MetricError(
            f"no truth of {reading!r} is known; truth_* metrics need data with the true swap, --self or --cycle"
        )
    return between(reading, rows, sides.truth[reading])


def pixel_error(sides: Sides) -> Float64[np.ndarray, " n"]:
    """Mean absolute difference of swap and true swap over the face box.

    Args:
        sides: What was read.

    Returns:
        float [n], grey levels 0..255.

    Raises:
        MetricError: Where no pixel error is known.
    """
    if sides.truth is None or "pixel_error" not in sides.truth:
        raise MetricError(
            "no pixel error is known; truth_pixel needs data with the true swap, --self or --cycle"
        )
    return np.asarray(sides.truth["pixel_error"], dtype=np.float64)


def _unwanted(sides: Sides, reading: str) -> Floats:
    # Where the target is the truth its reading would be no error at all.
    return error(sides, reading, sides.source[reading] if sides.own_truth else unwanted_side(reading, sides))


def _white(sides: Sides) -> Floats:
    return np.full(len(sides), 255.0)


def _spec(reading: str, order: int) -> Metric:
    formulas = {
        "identity": "1 - cos(identity(swap), identity(true swap))",
        "pose": "angle(R_swap, R_true swap)",
    }
    distance = DISTANCES.get(reading, "L2 distance")
    return Metric(
        key=f"truth_{reading}",
        label=f"{LABELS[reading]} error",
        group=TRUTH,
        order=order,
        formula=formulas.get(reading, f"|{reading}(swap) - {reading}(true swap)|"),
        description=(
            f"{distance[0].upper()}{distance[1:]} between the {WORDS[reading]} read from the swap and read from "
            "the true swap by the same instrument. 0: the right answer."
        ),
        unit=UNITS[reading],
        range=(0.0, {"identity": 2.0, "pose": math.pi}.get(reading, math.inf)),
        higher_is_better=False,
        reads=(reading,),
        version=VERSIONS.get(reading, 1),
        per_frame=partial(reading_error, reading=reading),
        if_missing=partial(_unwanted, reading=reading),
        missing=f"error of the {OTHER[WANTED[reading]]}; with --self and --cycle of the source",
        needs_truth=True,
        needs_source=False,
        source="ours",
    )


METRICS = (
    Metric(
        key="truth_pixel",
        label="Pixel error",
        group=TRUTH,
        order=300,
        formula="mean |swap - true swap|",
        description=(
            "Mean absolute difference between the swap and the true swap over the face box of the "
            "target frame, in grey levels, of every frame that was swapped, also where no face is found in it. "
            "0: the right answer."
        ),
        unit="grey levels",
        range=(0.0, 255.0),
        higher_is_better=False,
        reads=(),
        per_frame=pixel_error,
        if_missing=_white,
        missing="255",
        headline=True,
        needs_truth=True,
        needs_source=False,
        source="ours",
        version=2,
    ),
    _spec("identity", 301),
    _spec("shape", 302),
    _spec("expression", 303),
    _spec("pose", 304),
)
