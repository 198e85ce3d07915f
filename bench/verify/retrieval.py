"""Where a person stands in the gallery, worked out again with this module's own small code (see recount.py)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from bench.verify.distances import lengths_to_one

TIE = 1e-6  # cosines closer than this are a tie
_VAGUE = 2e-6  # a rank whose margin is smaller than this may fall either way by rounding


def ranks(
    probes: np.ndarray,
    gallery: np.ndarray,
    people: Sequence[str],
    wanted: Sequence[str],
    shown: np.ndarray | None = None,
    ties_found: bool = False,
    draw: tuple[int, int] | None = None,
) -> list[np.ndarray]:
    """The rank of the wanted person of each probe among the people of the gallery, 1 = nearest.

    Args:
        probes: float64 [n, d], NaN without a reading.
        gallery: float64 [m, d], NaN in rows that cannot be found.
        people: m names.
        wanted: n names.
        shown: int [n], the row that a probe may not find; None: it may find all.
        ties_found: Whether a tie counts for the wanted person, not against.
        draw: (size, seed) of a smaller gallery: the wanted person and size - 1 others, the first by the SHA-256 of seed and
            name; None: everybody.

    Returns:
        Two float64 [n], with ties taken a little more widely and more narrowly than TIE, since rounding may decide; NaN
        without a reading or without a row of the wanted person.
    """
    usable = np.isfinite(gallery).all(axis=1)
    names, index = np.unique(np.asarray(people)[usable], return_inverse=True)
    unit, row = lengths_to_one(gallery[usable]), np.flatnonzero(usable)
    found = [np.full(len(probes), np.nan), np.full(len(probes), np.nan)]
    order = [] if draw is None else sorted(names.tolist(), key=lambda name: _digest(draw[1], name))
    at = {name: j for j, name in enumerate(names.tolist())}
    for i, probe in enumerate(lengths_to_one(probes)):
        if not np.isfinite(probe).all() or wanted[i] not in at:
            continue
        cosine = unit @ probe
        if shown is not None:
            cosine = np.where(row == shown[i], -np.inf, cosine)
        best = np.full(len(names), -np.inf)
        np.maximum.at(best, index, cosine)
        own = best[at[wanted[i]]]
        if not np.isfinite(own):
            continue
        others = [name for name in (names.tolist() if draw is None else order) if name != wanted[i]]
        rivals = best[[at[name] for name in others[: None if draw is None else draw[0] - 1]]]
        for rank, slack in zip(found, (TIE + _VAGUE, TIE - _VAGUE), strict=True):
            rank[i] = 1 + (rivals > own + slack if ties_found else rivals >= own - slack).sum()
    return found


def _digest(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed} {name}".encode()).hexdigest()


def among_fewer(rank: float, people: int, size: int, k: int) -> float:
    """Share in % of all galleries of `size` people, the wanted one in each, in which fewer than k others are nearer.

    Args:
        rank: In the whole gallery, 1 for the nearest.
        people: Of the whole gallery.
        size: Of the smaller one.
        k: How many people count as found.

    Returns:
        0 to 100.

    Examples:
        >>> among_fewer(2, people=3, size=2, k=1)
        50.0
    """
    nearer, others, drawn = int(rank) - 1, people - 1, size - 1
    ways = sum(math.comb(nearer, j) * math.comb(others - nearer, drawn - j) for j in range(min(k, size)))
    return 100.0 * ways / math.comb(others, drawn)


def rules_that_differ(name: str, protocol: dict[str, Any], clips: int | None) -> Iterator[str]:
    """Where a run does not keep to the protocol whose name it bears.

    Args:
        name: "ff++" or "ff++-test".
        protocol: The run's rules.
        clips: Its swaps; None where the results do not say.

    Yields:
        "RULE is A, in NAME B" for each.
    """
    known = {"ff++": ("all", 1000), "ff++-test": ("test", 140)}
    if name not in known:
        yield f"no protocol is called {name}"
        return
    split, n = known[name]
    wanted = {
        "sequences": "youtube",
        "compression": "c23",
        "split": split,
        "limit": None,
        "frames": 10,
        "source_rule": "first_valid",
        "faces_rule": "largest_tracked",
        "missing": "count_as_wrong",
        "gallery": "all",
        "gallery_size": None,
        "missing_clips": "error",
    }
    if mode := protocol.get("mode"):
        yield f"its mode is {mode}, {name} is of swaps"
    for rule, value in wanted.items():
        if protocol.get(rule) != value:
            yield f"{rule} is {protocol.get(rule)}, in {name} {value}"
    if clips not in (None, n):
        yield f"it has {clips} swaps, {name} has {n}"
