"""How far a swap has left the target: whether the target's own face is still recognised in it.

The other half of an identity swap. A distance to the source alone does not say whether the target is gone, and leaving the
target is no merit of its own: noise leaves it altogether. Read these columns beside those of the source.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from metrics.distances import Floats, cosine_similarity
from metrics.frames.retrieval import retrieved, target_rank
from metrics.sides import Sides
from metrics.spec import LEAVING, Metric


def target_similarity(sides: Sides) -> Floats:
    """Cosine similarity of the swap's identity to the target's.

    Args:
        sides: What was read.

    Returns:
        float [n] in -1..1, NaN where the swap or the target has no reading.
    """
    return cosine_similarity(sides.swap["identity"], sides.target["identity"])


def target_found(sides: Sides) -> Floats:
    """Whether the target is the nearest person of the gallery, or as near as the nearest.

    Args:
        sides: What was read.

    Returns:
        float [n], 100 for yes, 0 for no, NaN where the swap has no reading or the target no row in the gallery.

    Raises:
        MetricError: Without a gallery.
    """
    return retrieved(target_rank(sides))


def _itself(sides: Sides) -> Floats:
    return cosine_similarity(sides.target["identity"], sides.target["identity"])


def _found(sides: Sides) -> Floats:
    return np.full(len(sides), 100.0)


METRICS = (
    Metric(
        key="target_identity",
        label="Target cosine",
        group=LEAVING,
        order=45,
        formula="cos(z_swap, z_target)",
        description=(
            "Cosine similarity of the identity embeddings of the swap and of the target, who should no longer be "
            "recognised. How low it can get says the true swap, or copy-source; leaving the target for nobody lowers it "
            "too. A swap in which no face is found counts as the target, unless the missing policy is 'exclude'."
        ),
        unit="cosine similarity",
        range=(-1.0, 1.0),
        higher_is_better=False,
        reads=("identity",),
        per_frame=target_similarity,
        if_missing=_itself,
        missing="1",
        counted=True,
        needs_source=False,
        source="ours",
    ),
    Metric(
        key="target_retrieval",
        label="Target found",
        group=LEAVING,
        order=46,
        formula="100 [#{p != target: max_g cos(z_swap, z_g of p) > max_g cos(z_swap, z_g of target)} = 0]",
        description=(
            "Share of swapped frames for which, among the real faces of everybody in the gallery, the target is the "
            "nearest person by cosine similarity of the identity embedding, the target's own frames among them. Ties "
            "count as found, and so does a swap in which no face is found, unless the missing policy is 'exclude'."
        ),
        unit="%",
        range=(0.0, 100.0),
        higher_is_better=False,
        reads=("identity",),
        per_frame=target_found,
        if_missing=_found,
        missing="100",
        counted=True,
        needs_gallery=True,
        rank=partial(target_rank, whole=True),
        headline=True,
        source="ours; the gallery and its options are those of ID retrieval",
    ),
)
