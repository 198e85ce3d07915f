"""How near a swap's readings are to those that it should have.

Identity and shape should be the source's, expression and pose the target's (Smooth-Swap, Table 1); each also as a share of
the way between both sides (the paper's "-R").
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from metrics.distances import Floats, between, cosine_similarity, relative
from metrics.frames.table_1 import R_FORM, R_UNRANKED, TABLE_1
from metrics.sides import Sides
from metrics.spec import IDENTITY, KEEPING, Metric

WANTED = {
    "identity": "source",
    "shape": "source",
    "expression": "target",
    "pose": "target",
    "mouth": "target",
    "eyes": "target",
    "gaze": "target",
}
"""Whose reading a swap should have."""
OTHER = {"source": "target", "target": "source"}
UNITS = {
    "identity": "cosine distance",
    "shape": "L2 of shape parameters",
    "expression": "L2 of expression parameters",
    "pose": "rad",
    "mouth": "share of its width",
    "eyes": "share of their width",
    "gaze": "share of the eyes' width",
}
WORDS = {
    "identity": "identity embedding",
    "shape": "face-shape parameters",
    "expression": "expression parameters",
    "pose": "head rotation",
    "mouth": "opening of the mouth",
    "eyes": "opening of the eyes",
    "gaze": "place of the irises between the corners of the eyes, to the left or right",
}
DISTANCES = {"identity": "cosine distance", "pose": "angle"}
"""How two readings are compared in words; all others by their L2 distance."""
VERSIONS = {"pose": 2}
"""Of the metrics of a reading, 1 for the others. Pose, 1: L2 distance of the axis-angles."""
LABELS = {
    "identity": "Identity",
    "shape": "Shape",
    "expression": "Expression",
    "pose": "Pose",
    "mouth": "Mouth",
    "eyes": "Eyes",
    "gaze": "Gaze",
}
EYE_RATIO = "not in the paper; eye aspect ratio, Soukupova and Cech, CVWW 2016, and the same of the lips"
OF_LANDMARKS = {
    "mouth": EYE_RATIO,
    "eyes": EYE_RATIO,
    "gaze": "not in the paper; the irises of FaceMesh v2",
}
"""With their sources; no headline: each is one number, which a face can share by chance."""


def wanted_side(reading: str, sides: Sides) -> Floats:
    """The reading that a swap should have.

    Args:
        reading: Its name.
        sides: What was read.

    Returns:
        float [n, d], of the source or of the target.
    """
    return sides.source[reading] if WANTED[reading] == "source" else sides.target[reading]  # type: ignore[return-value]


def unwanted_side(reading: str, sides: Sides) -> Floats:
    """The reading of the side that a swap should not show.

    Args:
        reading: Its name.
        sides: What was read.

    Returns:
        float [n, d], of the target or of the source.
    """
    return sides.target[reading] if WANTED[reading] == "source" else sides.source[reading]  # type: ignore[return-value]


def _identity(sides: Sides) -> Floats:
    return cosine_similarity(sides.swap["identity"], sides.source["identity"])


def _identity_unwanted(sides: Sides) -> Floats:
    return cosine_similarity(sides.target["identity"], sides.source["identity"])


def _to_wanted(reading: str, sides: Sides) -> Floats:
    return between(reading, sides.swap[reading], wanted_side(reading, sides))


def _unwanted_to_wanted(reading: str, sides: Sides) -> Floats:
    return between(reading, unwanted_side(reading, sides), wanted_side(reading, sides))


def _relative(reading: str, sides: Sides) -> Floats:
    to_wanted = between(reading, sides.swap[reading], wanted_side(reading, sides))
    to_unwanted = between(reading, sides.swap[reading], unwanted_side(reading, sides))
    return relative(to_wanted, to_unwanted)


def _relative_unwanted(reading: str, sides: Sides) -> Floats:
    """1, except where the two sides lack a reading or coincide, so that the question has no answer."""
    apart = between(reading, wanted_side(reading, sides), unwanted_side(reading, sides))
    return relative(apart, np.zeros_like(apart))


def _group(reading: str) -> str:
    return IDENTITY if WANTED[reading] == "source" else KEEPING


def _distance_metric(reading: str, order: int) -> Metric:
    side = WANTED[reading]
    turn = reading == "pose"
    return Metric(
        key=reading,
        label=LABELS[reading],
        group=_group(reading),
        order=order,
        formula=f"angle(R_swap, R_{side})" if turn else f"|{reading}(swap) - {reading}({side})|",
        description=(
            f"{'Angle' if turn else 'L2 distance'} between the {WORDS[reading]} of the swap and of the {side}, whose "
            f"{reading} it should have. Mean over frames; frames without a reading are left out."
        ),
        unit=UNITS[reading],
        range=(0.0, math.pi if turn else math.inf),
        higher_is_better=False,
        reads=(reading,),
        version=VERSIONS.get(reading, 1),
        per_frame=partial(_to_wanted, reading),
        if_missing=partial(_unwanted_to_wanted, reading),
        missing=f"distance of the {OTHER[side]}",
        headline=reading not in OF_LANDMARKS,
        needs_source=side == "source",
        source=OF_LANDMARKS.get(reading, f"{TABLE_1}; its 3D model is not stated"),
    )


def _relative_metric(reading: str, label: str, order: int) -> Metric:
    side = WANTED[reading]
    other = OTHER[side]
    distance = DISTANCES.get(reading, "L2 distance")
    return Metric(
        key=f"{reading}_r",
        label=label,
        group=_group(reading),
        order=order,
        formula=f"d(swap, {side}) / (d(swap, source) + d(swap, target))",
        description=(
            f"d({side}) / (d(source) + d(target)) with d the {distance} of the {WORDS[reading]} of the swap "
            f"to each side. 0: exactly the {side}, 0.5: halfway, 1: exactly the {other}."
        ),
        unit="ratio",
        range=(0.0, 1.0),
        higher_is_better=False,
        reads=(reading,),
        version=VERSIONS.get(reading, 1),
        per_frame=partial(_relative, reading),
        if_missing=partial(_relative_unwanted, reading),
        missing="1",
        unranked=R_UNRANKED,
        source=f"{TABLE_1}, the -R columns; {R_FORM}",
    )


METRICS = (
    Metric(
        key="identity",
        label=LABELS["identity"],
        group=IDENTITY,
        order=30,
        formula="cos(z_swap, z_source)",
        description=(
            "Cosine similarity of the identity embeddings of the swap and of the source face. 1: the "
            "same direction, 0: unrelated. Mean over frames; frames without a reading are left out."
        ),
        unit="cosine similarity",
        range=(-1.0, 1.0),
        higher_is_better=True,
        reads=("identity",),
        per_frame=_identity,
        if_missing=_identity_unwanted,
        missing="similarity of the target",
        headline=True,
        source=f"{TABLE_1} (Arc), with the network in use",
    ),
    _relative_metric("identity", "Identity-R", 31),
    _distance_metric("shape", 40),
    _relative_metric("shape", "Shape-R", 41),
    _distance_metric("expression", 50),
    _relative_metric("expression", "Expr-R", 51),
    _distance_metric("mouth", 52),
    _distance_metric("eyes", 53),
    _distance_metric("gaze", 54),
    _distance_metric("pose", 60),
    _relative_metric("pose", "Pose-R", 61),
)
