"""The columns of Table 1 that are named after a network, each defined on the readings of that network alone.

Smooth-Swap, Table 1: VGG and VGG-R by a network trained on VGGFace2, Arc and Arc-R by ArcFace, PoseHN by Hopenet.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from metrics.distances import Floats, cosine_similarity, l2, relative
from metrics.rotation import geodesic
from metrics.sides import Sides
from metrics.spec import IDENTITY, KEEPING, Metric

TABLE_1 = "Smooth-Swap, Table 1"
R_FORM = "their formula is not stated, this form fits their numbers"
R_UNRANKED = (
    "a share of two distances tells the direction of a change and not where it ends: a blur of the target, noise and a "
    "third person all come halfway"
)
"""Why the paper's -R columns are shown and not ranked."""


def _cosine(side: str, sides: Sides) -> Floats:
    return cosine_similarity(getattr(sides, side)["identity"], sides.source["identity"])


def _far(reading: str, first: str, second: str, sides: Sides) -> Floats:
    """L2 distance between a reading of two sides."""
    return l2(getattr(sides, first)[reading], getattr(sides, second)[reading])


def _features_relative(sides: Sides) -> Floats:
    return relative(_far("identity", "swap", "source", sides), _far("identity", "swap", "target", sides))


def _features_unwanted(sides: Sides) -> Floats:
    apart = _far("identity", "source", "target", sides)
    return relative(apart, np.zeros_like(apart))


def _similarity_share(side: str, sides: Sides) -> Floats:
    """Share of the similarity to the source in that to both, of the swap or of another side; below 0 counts as 0."""
    face = getattr(sides, side)["identity"]
    source, target = (
        np.maximum(cosine_similarity(face, other["identity"]), 0.0) for other in (sides.source, sides.target)
    )
    return relative(source, target)


def _degrees_apart(side: str, sides: Sides) -> Floats:
    """Angle in degrees between the head of a side and the target's.

    Not of (pitch, yaw, roll): those wrap, so that yaws of 89 and 91 degrees come out far apart.
    """
    return geodesic(getattr(sides, side)["pose"], sides.target["pose"])


METRICS = (
    Metric(
        key="vgg",
        label="VGG",
        group=IDENTITY,
        order=20,
        formula="|f_swap - f_source|",
        description=(
            "L2 distance between the features of the swap and of the source, not normalised, by a network that "
            "was trained on VGGFace2. Which network the paper used is not stated."
        ),
        unit="L2 of features",
        range=(0.0, math.inf),
        higher_is_better=False,
        reads=("identity",),
        only="vggface2",
        per_frame=partial(_far, "identity", "swap", "source"),
        if_missing=partial(_far, "identity", "target", "source"),
        missing="distance of the target",
        source=f"{TABLE_1} (VGG)",
    ),
    Metric(
        key="vgg_r",
        label="VGG-R",
        group=IDENTITY,
        order=21,
        formula="d(swap, source) / (d(swap, source) + d(swap, target))",
        description=(
            "d(source) / (d(source) + d(target)) with d the L2 distance of the features of the swap to each side. "
            "0: exactly the source, 0.5: halfway, 1: exactly the target."
        ),
        unit="ratio",
        range=(0.0, 1.0),
        higher_is_better=False,
        reads=("identity",),
        only="vggface2",
        per_frame=_features_relative,
        if_missing=_features_unwanted,
        missing="1",
        unranked=R_UNRANKED,
        source=f"{TABLE_1} (VGG-R); {R_FORM}",
    ),
    Metric(
        key="arc",
        label="Arc",
        group=IDENTITY,
        order=22,
        formula="cos(z_swap, z_source)",
        description=(
            "Cosine similarity of the embeddings of the swap and of the source by an ArcFace network: `identity` "
            "of that instrument, under the paper's name."
        ),
        unit="cosine similarity",
        range=(-1.0, 1.0),
        higher_is_better=True,
        reads=("identity",),
        only="arcface",
        per_frame=partial(_cosine, "swap"),
        if_missing=partial(_cosine, "target"),
        missing="similarity of the target",
        source=f"{TABLE_1} (Arc)",
    ),
    Metric(
        key="arc_r",
        label="Arc-R",
        group=IDENTITY,
        order=23,
        formula="s(swap, source) / (s(swap, source) + s(swap, target))",
        description=(
            "s(source) / (s(source) + s(target)) with s the cosine similarity of the swap to each side by an "
            "ArcFace network, below 0 taken as 0. 1: only the source, 0.5: halfway. No value where both are 0."
        ),
        unit="ratio",
        range=(0.0, 1.0),
        higher_is_better=True,
        reads=("identity",),
        only="arcface",
        per_frame=partial(_similarity_share, "swap"),
        if_missing=partial(_similarity_share, "target"),
        missing="share of the target",
        unranked=R_UNRANKED,
        source=f"{TABLE_1} (Arc-R); {R_FORM}",
    ),
    Metric(
        key="pose_hn",
        label="Pose HN",
        group=KEEPING,
        order=62,
        formula="angle(R_swap, R_target)",
        description=(
            "Angle between the head of the swap and of the target, in degrees, read by Hopenet. Of turns about one "
            "axis it is the difference of their degrees."
        ),
        unit="degrees",
        range=(0.0, 180.0),
        version=2,
        higher_is_better=False,
        reads=("pose",),
        only="hopenet",
        per_frame=partial(_degrees_apart, "swap"),
        if_missing=partial(_degrees_apart, "source"),
        missing="distance of the source",
        needs_source=False,
        source=f"{TABLE_1} (PoseHN), its distance not stated; the angle is ours",
    ),
)
