"""Smaller galleries drawn out of a whole one, and what retrieval is among them on average.

A gallery of n people holds, for each probe, the wanted person and n - 1 others. The others are the first in one order of
all people, so a smaller gallery is a part of every larger one, and the same for all models and instruments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int
from numpy.typing import ArrayLike, NDArray
from scipy import stats

SIZES = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""The galleries of a curve, those that are smaller than the whole one, which comes last."""


def places(people: Sequence[str] | NDArray[np.str_], seed: int) -> Int[np.ndarray, " p"]:
    """The place of every person in the order in which others are drawn, by the SHA-256 of seed and name.

    Two people keep their order whoever else there is: a person without a readable face changes nobody's draw.

    Args:
        people: Names, each once.
        seed: Any; another one gives another order.

    Returns:
        int [p], each of 0..p-1 once.

    Examples:
        >>> places(["anna", "bert", "carl"], seed=0).tolist()
        [2, 1, 0]
        >>> places(["anna", "carl"], seed=0).tolist()
        [1, 0]
    """
    digests = [hashlib.sha256(f"{seed} {name}".encode()).hexdigest() for name in people]
    found = np.empty(len(digests), dtype=np.intp)
    found[np.argsort(np.array(digests, dtype=str), kind="stable")] = np.arange(len(digests))
    return found


def expected_retrieved(rank: ArrayLike, people: int, size: int, k: int = 1) -> Float64[np.ndarray, " n"]:
    """How often the wanted person is among the k nearest, over all galleries of `size` people: in closed form.

    Of the people - 1 others rank - 1 are at least as near as the wanted one; size - 1 of the others are drawn, and the
    person is found where fewer than k of those drawn are such. Their number is hypergeometric.

    Args:
        rank: float [n], of identity_rank in the whole gallery; NaN without a reading.
        people: How many the whole gallery holds.
        size: How many the drawn one holds, the wanted person among them.
        k: How many identities count.

    Returns:
        float [n] in %, NaN where the rank is NaN. With size == people it is `retrieved`.

    Raises:
        ValueError: For a size outside 1 to people.

    Examples:
        >>> expected_retrieved([1.0, 2.0, 3.0], people=3, size=2).tolist()
        [100.0, 50.0, 0.0]
    """
    if not 1 <= size <= people:
        raise ValueError(f"a gallery of {size} people cannot be drawn out of {people}")
    r = np.asarray(rank, dtype=np.float64)
    known = np.isfinite(r)
    nearer = np.where(known, r, 1.0).astype(np.int64) - 1
    found = 100.0 * stats.hypergeom.cdf(k - 1, people - 1, nearer, size - 1)
    return np.asarray(np.where(known, found, np.nan), dtype=np.float64)


def sizes_of(people: int) -> list[int]:
    """The galleries of a curve over a whole one: the round sizes below it, and itself.

    Examples:
        >>> sizes_of(40)
        [5, 10, 20, 40]
    """
    return [*(size for size in SIZES if size < people), people]
