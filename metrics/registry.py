"""Every metric by its key in results.json: what it means, its unit, direction and how one frame is scored."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from metrics import truth
from metrics.distances import Floats, cosine_distance, cosine_similarity, l2, relative
from metrics.retrieval import identity_rank, retrieved
from metrics.sides import MetricError, Sides


@dataclass(frozen=True)
class Metric:
    """A pure function of readings. `per_frame(sides)` gives float [n], NaN where a frame has no value.

    `missing_value` is what a frame without a value scores under "count_as_wrong"; None: it cannot be counted,
    and such frames are always left out. `version` grows whenever the same readings would give another number.
    """

    key: str
    title: str
    group: str  # "identity", "shape", "attributes" or "truth": the report's column groups
    description: str
    unit: str
    range: tuple[float, float]
    higher_is_better: bool
    reads: tuple[str, ...]
    per_frame: Callable[[Sides], Floats]
    needs_truth: bool = False
    needs_gallery: bool = False
    missing_value: float | None = None
    version: int = 1
    cluster: str = "pair"


_WANTED = {"identity": "source", "shape": "source", "expression": "target", "pose": "target"}
_UNITS = {
    "identity": "cosine distance",
    "shape": "L2 of shape parameters",
    "expression": "L2 of expression parameters",
    "pose": "rad",
}
_WORDS = {
    "identity": "identity embedding",
    "shape": "face-shape parameters",
    "expression": "expression parameters",
    "pose": "head rotation (axis-angle, radians)",
}
_INF = float("inf")


def _retrieval(k: int, sides: Sides) -> Floats:
    if sides.gallery is None or sides.gallery_ids is None:
        raise MetricError("ID retrieval needs a gallery of real faces; give gallery and gallery_ids")
    rank = identity_rank(
        sides.swap["identity"], sides.wanted_id, sides.gallery, sides.gallery_ids, sides.gallery_exclude
    )
    return retrieved(rank, k)


def _identity(sides: Sides) -> Floats:
    return cosine_similarity(sides.swap["identity"], sides.source["identity"])


def _to_wanted(reading: str, sides: Sides) -> Floats:
    wanted = sides.source if _WANTED[reading] == "source" else sides.target
    return l2(sides.swap[reading], wanted[reading])


def _relative(reading: str, sides: Sides) -> Floats:
    distance = cosine_distance if reading == "identity" else l2
    to_source = distance(sides.swap[reading], sides.source[reading])
    to_target = distance(sides.swap[reading], sides.target[reading])
    if _WANTED[reading] == "source":
        return relative(to_source, to_target)
    return relative(to_target, to_source)


def _group(reading: str) -> str:
    return reading if reading in ("identity", "shape") else "attributes"


def _retrieval_metric(key: str, title: str, k: int) -> Metric:
    among = "the nearest one" if k == 1 else f"among the {k} nearest people (people, not pictures)"
    return Metric(
        key, title, "identity",
        f"Share of swapped frames for which, among the real faces of everybody in the gallery, the source "
        f"person is {among} by cosine similarity of the identity embedding. Ties count as wrong, and so does "
        f"a swap in which no face is found, unless the missing policy is 'exclude'.",
        "%", (0.0, 100.0), True, ("identity",), partial(_retrieval, k), needs_gallery=True, missing_value=0.0,
    )  # fmt: skip


def _distance_metric(reading: str) -> Metric:
    side = _WANTED[reading]
    return Metric(
        reading, reading.capitalize(), _group(reading),
        f"L2 distance between the {_WORDS[reading]} of the swap and of the {side}, whose {reading} it should "
        f"have. Mean over frames; frames without a reading are left out.",
        _UNITS[reading], (0.0, _INF), False, (reading,), partial(_to_wanted, reading),
    )  # fmt: skip


def _relative_metric(reading: str) -> Metric:
    side = _WANTED[reading]
    other = "target" if side == "source" else "source"
    return Metric(
        f"{reading}_r", f"{reading.capitalize()}-R", _group(reading),
        f"d({side}) / (d(source) + d(target)) with d the "
        f"{'cosine' if reading == 'identity' else 'L2'} distance of the {_WORDS[reading]} of the swap to "
        f"each side. 0: exactly the {side}, 0.5: halfway, 1: exactly the {other}.",
        "ratio", (0.0, 1.0), False, (reading,), partial(_relative, reading),
    )  # fmt: skip


def _truth_metric(reading: str) -> Metric:
    name = "Cosine" if reading == "identity" else "L2"
    return Metric(
        f"truth_{reading}", f"{reading.capitalize()} error", "truth",
        f"{name} distance between the {_WORDS[reading]} read from the swap and read from the true swap by "
        f"the same instrument. 0: the right answer. Rendered data only.",
        _UNITS[reading], (0.0, 2.0 if reading == "identity" else _INF), False, (reading,),
        partial(_truth_error, reading), needs_truth=True,
    )  # fmt: skip


def _truth_error(reading: str, sides: Sides) -> Floats:
    return truth.reading_error(sides, reading)


_ALL = (
    _retrieval_metric("id_retrieval", "ID retrieval", 1),
    _retrieval_metric("id_retrieval_top5", "ID retrieval top-5", 5),
    Metric(
        "identity", "Identity", "identity",
        "Cosine similarity of the identity embeddings of the swap and of the source face. 1: the same "
        "direction, 0: unrelated. Mean over frames; frames without a reading are left out.",
        "cosine similarity", (-1.0, 1.0), True, ("identity",), _identity,
    ),
    _relative_metric("identity"),
    _distance_metric("shape"),
    _relative_metric("shape"),
    _distance_metric("expression"),
    _relative_metric("expression"),
    _distance_metric("pose"),
    _relative_metric("pose"),
    Metric(
        "truth_pixel", "Pixel error", "truth",
        "Mean absolute difference between the swap and the true swap over the face box of the target frame, "
        "in grey levels. 0: the right answer. Rendered data only.",
        "grey levels", (0.0, 255.0), False, (), truth.pixel_error, needs_truth=True,
    ),
    *(_truth_metric(reading) for reading in ("shape", "expression", "pose", "identity")),
)  # fmt: skip

METRICS: dict[str, Metric] = {metric.key: metric for metric in _ALL}
"""In the order of the report's columns."""


def get(key: str) -> Metric:
    """The metric of that key. Raises MetricError with the nearest known key."""
    if key in METRICS:
        return METRICS[key]
    near = difflib.get_close_matches(key, METRICS, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(METRICS)}"
    raise MetricError(f"unknown metric {key!r}; {hint}")
