"""How far the target is still recognised in the swap."""

from metrics.distances import Floats, cosine_similarity
from metrics.sides import Sides
from metrics.spec import IDENTITY, Metric


def similarity(sides: Sides) -> Floats:
    """float [n], NaN where a face was not read."""
    return cosine_similarity(sides.swap["identity"], sides.target["identity"])


def of_the_target_itself(sides: Sides) -> Floats:
    """What a swap without a face counts as where such frames count: the target untouched."""
    return cosine_similarity(sides.target["identity"], sides.target["identity"])


TARGET_SIMILARITY = Metric(
    key="target_similarity",
    label="To target",
    group=IDENTITY,
    order=35,
    formula="cos(z_swap, z_target)",
    description="Cosine similarity of the identity embeddings of the swap and of the target. 1: the target untouched.",
    unit="cosine similarity",
    range=(-1.0, 1.0),
    higher_is_better=False,
    source="ours",
    reads=("identity",),
    per_frame=similarity,
    if_missing=of_the_target_itself,
    missing="similarity of the target to itself",
)
