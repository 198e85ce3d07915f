"""ID retrieval, as in the FaceShifter protocol: whose real face is nearest to the swapped one?

Nearest is the largest cosine. Ranks count identities, not gallery rows: with ten frames of every person in
the gallery, five rows would mostly be five frames of one person.

The rules that change the number:
- gallery: real faces of everybody in the run; with `exclude`, without the very frame that the model was shown; with
  `size`, of fewer people (metrics/frames/draws.py). The fewer people, the easier.
- one person twice: ids name people, not clips. Two clips of one person must carry one id (bench's identity
  map), otherwise the twin takes hits away; their rows then count together.
- ties count as wrong, whatever the order of the gallery: against a person who should be found, and for one who should
  not.
- a swap without a reading has no rank: the missing-face policy decides (metrics/evaluation.py).
"""

from __future__ import annotations

from functools import partial

import numpy as np
from jaxtyping import Bool, Float64, Int
from numpy.typing import ArrayLike, NDArray

from metrics.distances import Floats, unit
from metrics.frames.draws import places
from metrics.shapes import Column, Rows
from metrics.sides import MetricError, Sides
from metrics.spec import IDENTITY, Metric

TIE = 1e-6
"""Cosines closer than this are a tie: float32 readings carry no more digits."""

_CHUNK = 1024  # probes compared at once: bounds the memory at 1024 x m doubles


def identity_rank(
    probes: Rows,
    wanted_id: ArrayLike,
    gallery: ArrayLike,
    gallery_ids: ArrayLike,
    exclude: NDArray[np.integer] | None = None,
    ties_found: bool = False,
    size: int | None = None,
    seed: int = 0,
) -> Float64[np.ndarray, " n"]:
    """Rank of the wanted identity among the identities of the gallery, 1 = nearest.

    An identity is as near as its nearest row. Ties count against the wanted identity (rank = 1 + number of other
    identities at least as near), so that neither the order of the gallery nor luck can make a hit. Gallery rows without
    a reading cannot be found by anybody.

    Args:
        probes: float [n, d].
        wanted_id: str [n].
        gallery: float [m, d].
        gallery_ids: str [m].
        exclude: int [n], one gallery row that a probe may not find (-1: none).
        ties_found: Whether ties count for the identity instead, as is fair where it should not be found.
        size: Identities that each probe searches, the wanted one and size - 1 others; None, or more than there are: all.
        seed: Of the order in which the others are drawn (metrics.frames.draws.places).

    Returns:
        float [n]. NaN: the probe has no reading, or its wanted identity has no usable row in the gallery.

    Examples:
        >>> gallery = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]
        >>> identity_rank([[2.0, 1.0], [2.0, 1.0]], ["anna", "bert"], gallery, ["anna", "bert", "carl"]).tolist()
        [1.0, 2.0]
    """
    p, g = unit(probes), unit(gallery)
    wanted, ids = np.asarray(wanted_id), np.asarray(gallery_ids)
    rank = np.full(len(p), np.nan)
    # Sorting by identity makes each identity one block of columns.
    order = np.argsort(ids, kind="stable")
    order = order[np.isfinite(g[order]).all(axis=1)]
    if len(order) == 0 or len(p) == 0:
        return rank
    names, starts = np.unique(ids[order], return_index=True)
    column_of_row = np.full(len(g), -1)
    column_of_row[order] = np.arange(len(order))
    place = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
    known = names[place] == wanted
    drawn = None if size is None else places(names, seed)
    for start in range(0, len(p), _CHUNK):
        part = slice(start, min(start + _CHUNK, len(p)))
        cosine = p[part] @ g[order].T
        if exclude is not None:
            out = np.asarray(exclude)[part]
            column = np.where(out >= 0, column_of_row[out], -1)
            hit = np.flatnonzero(column >= 0)
            cosine[hit, column[hit]] = -np.inf
        nearest = np.maximum.reduceat(cosine, starts, axis=1)
        own = np.take_along_axis(nearest, place[part, None], axis=1)
        if drawn is not None and size is not None:
            nearest[_left_out(drawn, place[part], size)] = -np.inf
        # In the first count the wanted identity itself is among the others.
        place_of = (
            1 + np.sum(nearest > own + TIE, axis=1) if ties_found else np.sum(nearest >= own - TIE, axis=1)
        )
        rank[part] = np.where(np.isfinite(own[:, 0]) & known[part], place_of, np.nan)
    return rank


def _left_out(drawn: Int[np.ndarray, " p"], own: Int[np.ndarray, " n"], size: int) -> Bool[np.ndarray, "n p"]:
    """Who is not in each probe's gallery: of the others, in their order, all after the first size - 1."""
    mine = drawn[own][:, None]
    turn = drawn[None, :] - (drawn[None, :] > mine)
    return (turn >= size - 1) & (drawn[None, :] != mine)


def people_of(sides: Sides) -> int:
    """How many people the whole gallery holds: those with a row that has a reading.

    Args:
        sides: What was read.

    Returns:
        Their number; 0 without a gallery.
    """
    if sides.gallery is None or sides.gallery_ids is None:
        return 0
    return len(set(sides.gallery_ids[np.isfinite(sides.gallery).all(axis=1)].tolist()))


def wanted_rank(sides: Sides, whole: bool = False) -> Floats:
    """The rank of each frame's source person in the gallery.

    Args:
        sides: What was read, with a gallery.
        whole: Whether everybody is searched even where a smaller gallery was asked for.

    Returns:
        float [n], of identity_rank.

    Raises:
        MetricError: Without a gallery.
    """
    return _rank(sides, sides.wanted_id, False, whole)


def target_rank(sides: Sides, whole: bool = False) -> Floats:
    """The same of the target's person, for whom ties count as found.

    Args:
        sides: What was read, with a gallery.
        whole: Whether everybody is searched even where a smaller gallery was asked for.

    Returns:
        float [n], of identity_rank.

    Raises:
        MetricError: Without a gallery.
    """
    return _rank(sides, sides.target_id, True, whole)


def _rank(sides: Sides, wanted: NDArray[np.str_], ties_found: bool, whole: bool) -> Floats:
    if sides.gallery is None or sides.gallery_ids is None:
        raise MetricError("ID retrieval needs a gallery of real faces; give gallery and gallery_ids")
    size = None if whole else sides.gallery_size
    if (ties_found, size) not in sides._ranks:
        sides._ranks[ties_found, size] = identity_rank(
            sides.swap["identity"],
            wanted,
            sides.gallery,
            sides.gallery_ids,
            sides.gallery_exclude,
            ties_found,
            size,
            sides.gallery_seed,
        )
    return sides._ranks[ties_found, size]


def retrieved(rank: Column, k: int = 1) -> Float64[np.ndarray, " n"]:
    """Whether the wanted identity is among the k nearest.

    Args:
        rank: float [n], of identity_rank.
        k: How many identities count.

    Returns:
        float [n], 100 for yes, 0 for no, NaN where the rank is NaN.

    Examples:
        >>> retrieved([1.0, 2.0, float("nan")], k=1).tolist()
        [100.0, 0.0, nan]
    """
    r = np.asarray(rank, dtype=np.float64)
    return np.asarray(np.where(np.isnan(r), np.nan, 100.0 * (r <= k)))


def _per_frame(k: int, sides: Sides) -> Floats:
    return retrieved(wanted_rank(sides), k)


def _a_miss(sides: Sides) -> Floats:
    return np.full(len(sides), 0.0)


def _spec(key: str, label: str, k: int, order: int) -> Metric:
    among = "the nearest one" if k == 1 else f"among the {k} nearest people (people, not pictures)"
    return Metric(
        key=key,
        label=label,
        group=IDENTITY,
        order=order,
        formula=(
            "100 [1 + #{p != source: max_g cos(z_swap, z_g of p) >= max_g cos(z_swap, z_g of source)} "
            f"<= {k}]"
        ),
        description=(
            "Share of swapped frames for which, among the real faces of everybody in the gallery, the "
            f"source person is {among} by cosine similarity of the identity embedding. Ties count as wrong, and so "
            "does a swap in which no face is found, unless the missing policy is 'exclude'."
        ),
        unit="%",
        range=(0.0, 100.0),
        higher_is_better=True,
        reads=("identity",),
        per_frame=partial(_per_frame, k),
        if_missing=_a_miss,
        missing="0",
        counted=True,
        needs_gallery=True,
        rank=partial(wanted_rank, whole=True),
        among=k,
        headline=k == 1,
        source="FaceShifter protocol; that people are ranked, and ties are wrong, is ours",
        options=(
            "gallery: all, without_source_frame; gallery_size: everybody, or so many people; identity_map: people who "
            "appear twice"
        ),
    )


METRICS = (_spec("id_retrieval", "ID retrieval", 1, 10), _spec("id_retrieval_top5", "ID top-5", 5, 11))
