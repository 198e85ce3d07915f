"""Another photo of the target's own person: the pairs of --self and --cycle.

The photo is of another clip of the person where the data set knows one (`others`): the next in the order of names, going
round. Where there is none it is a frame of the target's own clip, which bench.ffpp.shown chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bench.data.pairs import Dataset, Pair


def other_clip(dataset: Dataset, clip: str) -> str:
    """The clip that has another photo of the person in a clip.

    Args:
        dataset: Knows who is in which.
        clip: An original clip.

    Returns:
        Another clip of the person; the same where none is known.
    """
    others = getattr(dataset, "others", None)
    known: list[str] = [] if others is None else others(clip)
    return next((other for other in known if other > clip), known[0] if known else clip)


def self_pairs(dataset: Dataset, pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs of --self: every target of some pairs gets the face of its own person.

    Args:
        dataset: Knows who is in which clip.
        pairs: The swaps of a split.

    Returns:
        A pair for each target, once, in their order.
    """
    people = {pair.target: pair.target_person for pair in pairs}
    return [
        Pair(f"{clip}_{other}", clip, other, person, person)
        for clip, person in people.items()
        for other in [other_clip(dataset, clip)]
    ]


def cycle_pairs(dataset: Dataset, pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs of --cycle: the same swaps, each with the clip that swaps it back.

    Args:
        dataset: Knows who is in which clip.
        pairs: The swaps of a split.

    Returns:
        As many pairs, in their order.
    """
    return [replace(pair, again=other_clip(dataset, pair.target)) for pair in pairs]
