"""Every metric of frames by its key in results.json: its meaning, unit, direction and how a frame is scored."""

from __future__ import annotations

import difflib
import math
from functools import partial

import numpy as np

from metrics.distances import Floats, cosine_distance, cosine_similarity, l2, relative
from metrics.frames import temporal, truth
from metrics.frames.retrieval import identity_rank, retrieved
from metrics.frames.table_1 import ARC, ARC_R, POSE_HN, R_FORM, TABLE_1, VGG, VGG_R
from metrics.sides import MetricError, Sides
from metrics.spec import Metric

_WANTED = {"identity": "source", "shape": "source", "expression": "target", "pose": "target"}
_OTHER = {"source": "target", "target": "source"}
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
_OURS = "ours"


def _constant(value: float, sides: Sides) -> Floats:
    return np.full(len(sides), value)


def _wanted_side(reading: str, sides: Sides) -> Floats:
    return sides.source[reading] if _WANTED[reading] == "source" else sides.target[reading]  # type: ignore[return-value]


def _unwanted_side(reading: str, sides: Sides) -> Floats:
    return sides.target[reading] if _WANTED[reading] == "source" else sides.source[reading]  # type: ignore[return-value]


def _retrieval(k: int, sides: Sides) -> Floats:
    if sides.gallery is None or sides.gallery_ids is None:
        raise MetricError("ID retrieval needs a gallery of real faces; give gallery and gallery_ids")
    rank = identity_rank(
        sides.swap["identity"], sides.wanted_id, sides.gallery, sides.gallery_ids, sides.gallery_exclude
    )
    return retrieved(rank, k)


def _identity(sides: Sides) -> Floats:
    return cosine_similarity(sides.swap["identity"], sides.source["identity"])


def _identity_unwanted(sides: Sides) -> Floats:
    return cosine_similarity(sides.target["identity"], sides.source["identity"])


def _to_wanted(reading: str, sides: Sides) -> Floats:
    return l2(sides.swap[reading], _wanted_side(reading, sides))


def _unwanted_to_wanted(reading: str, sides: Sides) -> Floats:
    return l2(_unwanted_side(reading, sides), _wanted_side(reading, sides))


def _relative(reading: str, sides: Sides) -> Floats:
    distance = cosine_distance if reading == "identity" else l2
    to_wanted = distance(sides.swap[reading], _wanted_side(reading, sides))
    to_unwanted = distance(sides.swap[reading], _unwanted_side(reading, sides))
    return relative(to_wanted, to_unwanted)


def _relative_unwanted(reading: str, sides: Sides) -> Floats:
    """1, except where the two sides lack a reading or coincide, so that the question has no answer."""
    distance = cosine_distance if reading == "identity" else l2
    apart = distance(_wanted_side(reading, sides), _unwanted_side(reading, sides))
    return relative(apart, np.zeros_like(apart))


def _truth_error(reading: str, sides: Sides) -> Floats:
    return truth.reading_error(sides, reading)


def _truth_unwanted(reading: str, sides: Sides) -> Floats:
    return truth.error(sides, reading, _unwanted_side(reading, sides))


def _group(reading: str) -> str:
    return reading if reading in ("identity", "shape") else "attributes"


def _retrieval_metric(key: str, title: str, k: int) -> Metric:
    among = "the nearest one" if k == 1 else f"among the {k} nearest people (people, not pictures)"
    return Metric(
        key=key, title=title, group="identity",
        formula=f"100 [1 + #{{p != source: max_g cos(z_swap, z_g of p) >= max_g cos(z_swap, z_g of source)}} <= {k}]",
        description=f"Share of swapped frames for which, among the real faces of everybody in the gallery, the "
        f"source person is {among} by cosine similarity of the identity embedding. Ties count as wrong, and so "
        f"does a swap in which no face is found, unless the missing policy is 'exclude'.",
        unit="%", range=(0.0, 100.0), higher_is_better=True, reads=("identity",),
        per_frame=partial(_retrieval, k), if_missing=partial(_constant, 0.0), missing="0", counted=True,
        needs_gallery=True,
        source="FaceShifter protocol; that people are ranked, and ties are wrong, is ours",
        options="gallery: all, without_source_frame; identity_map: people who appear twice",
    )  # fmt: skip


def _distance_metric(reading: str) -> Metric:
    side = _WANTED[reading]
    return Metric(
        key=reading, title=reading.capitalize(), group=_group(reading),
        formula=f"|{reading}(swap) - {reading}({side})|",
        description=f"L2 distance between the {_WORDS[reading]} of the swap and of the {side}, whose {reading} "
        f"it should have. Mean over frames; frames without a reading are left out.",
        unit=_UNITS[reading], range=(0.0, _INF), higher_is_better=False, reads=(reading,),
        per_frame=partial(_to_wanted, reading), if_missing=partial(_unwanted_to_wanted, reading),
        missing=f"distance of the {_OTHER[side]}", source=f"{TABLE_1}; its 3D model is not stated",
    )  # fmt: skip


def _relative_metric(reading: str) -> Metric:
    side = _WANTED[reading]
    other = _OTHER[side]
    return Metric(
        key=f"{reading}_r", title=f"{reading.capitalize()}-R", group=_group(reading),
        formula=f"d(swap, {side}) / (d(swap, source) + d(swap, target))",
        description=f"d({side}) / (d(source) + d(target)) with d the "
        f"{'cosine' if reading == 'identity' else 'L2'} distance of the {_WORDS[reading]} of the swap to "
        f"each side. 0: exactly the {side}, 0.5: halfway, 1: exactly the {other}.",
        unit="ratio", range=(0.0, 1.0), higher_is_better=False, reads=(reading,),
        per_frame=partial(_relative, reading), if_missing=partial(_relative_unwanted, reading), missing="1",
        source=f"{TABLE_1}, the -R columns; {R_FORM}",
    )  # fmt: skip


def _truth_metric(reading: str) -> Metric:
    name = "Cosine" if reading == "identity" else "L2"
    return Metric(
        key=f"truth_{reading}", title=f"{reading.capitalize()} error", group="truth",
        formula=f"1 - cos({reading}(swap), {reading}(true swap))" if reading == "identity"
        else f"|{reading}(swap) - {reading}(true swap)|",
        description=f"{name} distance between the {_WORDS[reading]} read from the swap and read from the true "
        f"swap by the same instrument. 0: the right answer. Rendered data only.",
        unit=_UNITS[reading], range=(0.0, 2.0 if reading == "identity" else _INF), higher_is_better=False,
        reads=(reading,), per_frame=partial(_truth_error, reading),
        if_missing=partial(_truth_unwanted, reading), missing=f"error of the {_OTHER[_WANTED[reading]]}",
        needs_truth=True, source=_OURS,
    )  # fmt: skip


_ALL = (
    _retrieval_metric("id_retrieval", "ID retrieval", 1),
    _retrieval_metric("id_retrieval_top5", "ID retrieval top-5", 5),
    Metric(
        key="identity", title="Identity", group="identity", formula="cos(z_swap, z_source)",
        description="Cosine similarity of the identity embeddings of the swap and of the source face. 1: the "
        "same direction, 0: unrelated. Mean over frames; frames without a reading are left out.",
        unit="cosine similarity", range=(-1.0, 1.0), higher_is_better=True, reads=("identity",),
        per_frame=_identity, if_missing=_identity_unwanted, missing="similarity of the target",
        source=f"{TABLE_1} (Arc), with the network in use",
    ),
    _relative_metric("identity"),
    VGG, VGG_R, ARC, ARC_R,
    _distance_metric("shape"),
    _relative_metric("shape"),
    _distance_metric("expression"),
    _relative_metric("expression"),
    _distance_metric("pose"),
    _relative_metric("pose"),
    POSE_HN,
    Metric(
        key="identity_consistency", title="Identity consistency", group="video",
        formula="cos(z_swap(t), z_swap(t-1))",
        description="Cosine similarity of the swap's identity embeddings in a frame and in the one before it. "
        "Mean over frames that follow another; real video does not reach 1 either: compare with copy-target.",
        unit="cosine similarity", range=(-1.0, 1.0), higher_is_better=True, reads=("identity",),
        per_frame=temporal.identity_consistency, if_missing=partial(temporal.lost, reading="identity"),
        missing="a jump to the other person", asked=temporal.has_predecessor, needs_clips=True, source=_OURS,
    ),
    Metric(
        key="expression_flicker", title="Expression flicker", group="video",
        formula="|(e_swap(t) - e_swap(t-1)) - (e_target(t) - e_target(t-1))|",
        description="L2 distance between the change of the expression parameters since the frame before in the "
        "swap and in the target. 0: moves exactly as the target does; a constant error is no flicker.",
        unit="L2 of expression parameters per frame", range=(0.0, _INF), higher_is_better=False,
        reads=("expression",), per_frame=temporal.expression_flicker,
        if_missing=partial(temporal.lost, reading="expression"), missing="a jump to the source's expression",
        asked=temporal.has_predecessor, needs_clips=True, source=_OURS,
    ),
    Metric(
        key="pose_flicker", title="Pose flicker", group="video",
        formula="angle(R_swap(t) R_swap(t-1)^T, R_target(t) R_target(t-1)^T)",
        description="Geodesic angle between the turn of the head since the frame before in the swap and in the "
        "target. 0: turns exactly as the target does; a constant error is no flicker.",
        unit="rad per frame", range=(0.0, math.pi), higher_is_better=False, reads=("pose",),
        per_frame=temporal.pose_flicker, if_missing=partial(temporal.lost, reading="pose"),
        missing="a jump to the source's pose", asked=temporal.has_predecessor, needs_clips=True, source=_OURS,
    ),
    Metric(
        key="truth_pixel", title="Pixel error", group="truth", formula="mean |swap - true swap|",
        description="Mean absolute difference between the swap and the true swap over the face box of the "
        "target frame, in grey levels, of every frame that was swapped, also where no face is found in it. 0: the right "
        "answer. Rendered data only.",
        unit="grey levels", range=(0.0, 255.0), higher_is_better=False, reads=(), per_frame=truth.pixel_error,
        if_missing=partial(_constant, 255.0), missing="255", needs_truth=True, source=_OURS, version=2,
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
