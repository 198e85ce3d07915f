"""Which real faces lie nearest to a path between two embeddings, at chosen steps and along all of it.

Smooth-Swap, Sec. 5.5 and Fig. 9: the embeddings of two test faces are interpolated on the sphere, and the
nearest training face is looked up at r = 0.1, ..., 0.9; a smooth embedder meets more different faces.

The search is exact. The point at the angle t is cos(t) u + sin(t) v, so a face g has the cosine
cos(t) (u.g) + sin(t) (v.g): the winners for all t are corners of the convex hull of the points (u.g, v.g) in
the plane. One single-precision product finds the few faces that can be corners, with a proven bound on its
rounding; they alone are compared in double precision.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Int64
from numpy.typing import ArrayLike, NDArray

from metrics.distances import Floats, unit
from metrics.embedders.slerp import great_circle
from metrics.spec import SMOOTHNESS, EmbedderMetric

Ints = NDArray[np.int64]
EndRule = Literal["count", "leave_out"]
"""Whether faces nearest to an end of the path count. The paper does not say; "count" can reach its maximum 9."""

STEPS = tuple(k / 10 for k in range(1, 10))
"""The shares r of Fig. 9."""

TIE = 1e-12
"""Cosines closer than this are a tie, which the lowest gallery row wins: a face given twice is one face."""

_BYTES = 1 << 27  # single-precision products held in memory at once
_ROWS = 4096  # gallery rows brought to length 1 at once


@dataclass(frozen=True)
class Path:
    """The nearest faces along one whole path: rows int [k] of the gallery in their order, and start float [k].

    Face i is the nearest from r = start[i] to start[i + 1] (to 1 for the last); start[0] is 0. Faces that
    tie at single points only are not listed.
    """

    rows: Ints
    start: Floats


@dataclass(frozen=True)
class Count:
    """Distinct faces and distinct people met by each path: float [n] each, NaN where a path does not exist.

    people is None where it is not known who is who.
    """

    images: Floats
    people: Floats | None


def nearest_along(
    a: ArrayLike, b: ArrayLike, gallery: ArrayLike, r: ArrayLike = STEPS
) -> Int64[np.ndarray, "n m"]:
    """Row of the gallery with the largest cosine at each share r of each path.

    Ties (TIE) go to the lowest row. Gallery rows without a reading are never found.

    Args:
        a: float [n, d], embeddings at the paths' starts.
        b: float [n, d], at their ends.
        gallery: float [g, d].
        r: float [m] in 0..1.

    Returns:
        int [n, m]. -1: the path does not exist (an end without a reading, or opposite ends).

    Raises:
        ValueError: For widths that differ or a gallery without any reading.

    Examples:
        >>> gallery = [[1.0, 0.1], [1.0, 1.0], [0.1, 1.0]]
        >>> nearest_along([[1.0, 0.0]], [[0.0, 1.0]], gallery, [0.0, 0.5, 1.0]).tolist()
        [[0, 1, 2]]
    """
    shares = _shares(r)
    found = np.full((len(np.asarray(a)), len(shares)), -1, dtype=np.int64)
    for i, rows, x, y, total in _shortlists(a, b, gallery):
        turn = total * shares
        cosine = np.cos(turn)[:, None] * x + np.sin(turn)[:, None] * y
        tied = cosine >= cosine.max(axis=1, keepdims=True) - TIE
        found[i] = rows[np.argmax(tied, axis=1)]
    return found


def nearest_paths(a: ArrayLike, b: ArrayLike, gallery: ArrayLike) -> list[Path]:
    """The nearest face at every point of each path, exactly.

    Args:
        a: float [n, d], embeddings at the paths' starts.
        b: float [n, d], at their ends.
        gallery: float [g, d].

    Returns:
        One a path; a path that does not exist is empty.

    Raises:
        ValueError: As nearest_along.

    Examples:
        >>> gallery = [[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
        >>> path, = nearest_paths([[1.0, 0.0]], [[0.0, 1.0]], gallery)
        >>> path.rows.tolist(), path.start.round(4).tolist()
        ([0, 1, 2], [0.0, 0.25, 0.75])
    """
    paths = [Path(np.empty(0, np.int64), np.empty(0))] * len(np.asarray(a))
    for i, rows, x, y, total in _shortlists(a, b, gallery):
        paths[i] = _walk(rows, x, y, total)
    return paths


def interpolation_count(
    a: ArrayLike,
    b: ArrayLike,
    gallery: ArrayLike,
    ids: ArrayLike | None = None,
    r: ArrayLike = STEPS,
    ends: EndRule = "count",
) -> Count:
    """How many different faces, and people, are nearest at the steps r of each path (Fig. 9: of at most 9).

    Args:
        a: float [n, d], embeddings at the paths' starts.
        b: float [n, d], at their ends.
        gallery: float [g, d].
        ids: str [g], whose face each gallery row is; None: not known.
        r: float [m], the steps.
        ends: "leave_out" does not count faces that are nearest to a or b themselves, nor their people: only what the
            interpolation brings in.

    Returns:
        Counts of each path.

    Raises:
        ValueError: For an unknown rule, and as nearest_along.

    Examples:
        >>> gallery = [[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
        >>> met = interpolation_count([[1.0, 0.0]], [[0.0, 1.0]], gallery, ["anna", "bert", "anna"])
        >>> met.images.tolist(), met.people.tolist()
        ([3.0], [2.0])
    """
    _check_ends(ends)
    shares = _shares(r)
    found = nearest_along(a, b, gallery, np.r_[0.0, shares, 1.0])
    return _count([row[1:-1] for row in found], [row[[0, -1]] for row in found], ids, ends)


def path_count(paths: list[Path], ids: ArrayLike | None = None, ends: EndRule = "count") -> Count:
    """As interpolation_count, over whole paths (every r from 0 to 1) instead of steps: no maximum of 9.

    Args:
        paths: Of nearest_paths.
        ids: str [g], whose face each gallery row is; None: not known.
        ends: As in interpolation_count.

    Returns:
        Counts of each path.

    Raises:
        ValueError: For an unknown rule.
    """
    _check_ends(ends)
    none = np.array([-1])
    met = [path.rows if len(path.rows) else none for path in paths]
    return _count(met, [rows[[0, -1]] for rows in met], ids, ends)


def _count(met: list[Ints], at_ends: list[Ints], ids: ArrayLike | None, ends: EndRule) -> Count:
    def distinct(names: NDArray[np.generic] | None) -> Floats:
        total = np.full(len(met), np.nan)
        for i, (rows, end) in enumerate(zip(met, at_ends, strict=True)):
            if np.all(end >= 0):
                seen, known = (rows, end) if names is None else (names[rows], names[end])
                new = np.unique(seen) if ends == "count" else np.setdiff1d(seen, known)
                total[i] = len(new)
        return total

    return Count(distinct(None), None if ids is None else distinct(np.asarray(ids)))


def _walk(rows: Ints, x: Floats, y: Floats, total: float) -> Path:
    """Corners of the convex hull in the directions 0..total, by gift wrapping over the short list."""
    found, start, turn = [], [], 0.0
    here = int(np.lexsort((-rows, y, x))[-1])  # largest x, then largest y, then lowest row
    while True:
        same = (np.abs(x - x[here]) <= TIE) & (np.abs(y - y[here]) <= TIE)
        found.append(int(rows[same].min()))
        start.append(turn / total if total > 0 else 0.0)
        later = np.flatnonzero((x < x[here]) & ~same)
        if len(later) == 0 or total == 0:
            break
        # The angle at which each later face draws level with this one; the first to do so is next.
        level = np.maximum(np.arctan2(x[here] - x[later], y[later] - y[here]), turn)
        first = later[level <= level.min() + TIE]
        turn = float(level.min())
        if turn >= total - TIE:
            break
        here = int(first[np.argmin(x[first])])  # of several on one edge, the far corner
    return Path(np.array(found, dtype=np.int64), np.array(start))


def _shortlists(
    a: ArrayLike, b: ArrayLike, gallery: ArrayLike
) -> Iterator[tuple[int, Ints, Floats, Floats, float]]:
    """For each path that exists its number, the rows that can be nearest somewhere on it, and the path.

    The rows are ascending, their cosines with start and direction in double precision; last comes the path's angle.
    """
    first, second, faces = (np.asarray(side) for side in (a, b, gallery))
    if first.ndim != 2 or first.shape != second.shape:
        raise ValueError(f"a {first.shape} and b {second.shape} must both be (n, d)")
    if faces.ndim != 2 or faces.shape[1] != first.shape[1]:
        raise ValueError(
            f"gallery {faces.shape} must be (g, {first.shape[1]}); read all faces with the same embedder"
        )
    start, direction, total = great_circle(first, second)
    single = _single(faces)
    readable: NDArray[np.bool_] = np.asarray(np.isfinite(single).all(axis=1))
    if len(first) and not readable.any():
        raise ValueError(f"none of the gallery's {len(faces)} rows has a reading; there is nothing to find")
    single = np.where(readable[:, None], single, np.float32(0))
    # |fl(u.g) - u.g| <= d eps / (1 - d eps) for unit vectors in any order of summation, and both are rounded.
    bound = np.float32((first.shape[1] + 8) * 2.0**-24 * 1.01)
    exists = np.flatnonzero(np.isfinite(direction).all(axis=1))
    block = max(1, _BYTES // (8 * max(1, len(faces))))
    for begin in range(0, len(exists), block):
        part = exists[begin : begin + block]
        product = np.concatenate([start[part], direction[part]]).astype(np.float32) @ single.T
        product[:, ~readable] = -4.0  # below any cosine, at both ends
        for k, i in enumerate(part):
            rows = _possible(product[k], product[k + len(part)], readable, float(total[i]), bound)
            near = unit(faces[rows])
            # einsum sums every row in the same order, so equal faces have equal cosines.
            x, y = np.einsum("kd,d->k", near, start[i]), np.einsum("kd,d->k", near, direction[i])
            yield int(i), rows, x, y, float(total[i])


def _possible(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    readable: NDArray[np.bool_],
    total: float,
    bound: np.float32,
) -> Ints:
    """Rows that can be nearest somewhere between the directions 0 and total.

    With A the farthest point in the first direction and B in the last, a face inside the line AB is beaten
    by A or by B in every direction between, for each is a positive mix of an end and of AB's normal.
    """
    c, s = np.float32(np.cos(total)), np.float32(np.sin(total))
    last = c * x + s * y
    one, other = int(np.argmax(x)), int(np.argmax(np.where(readable, last, -np.inf)))
    slack = np.float32(4.0) * bound  # two cosines, two coordinates each
    keep = (x >= x[one] - slack) | (last >= last[other] - slack)
    normal = min(max(float(np.arctan2(x[one] - x[other], y[other] - y[one])), 0.0), total)
    c, s = np.float32(np.cos(normal)), np.float32(np.sin(normal))
    between = c * x + s * y
    keep |= between >= max(between[one], between[other]) - slack
    return np.flatnonzero(keep & readable)


def _single(faces: NDArray[np.generic]) -> NDArray[np.float32]:
    """Rows of length 1 in single precision, in blocks so that 63,000 x 512 needs no further gigabyte."""
    out = np.empty(faces.shape, dtype=np.float32)
    for begin in range(0, len(faces), _ROWS):
        out[begin : begin + _ROWS] = unit(faces[begin : begin + _ROWS])
    return out


def _shares(r: ArrayLike) -> Floats:
    shares = np.atleast_1d(np.asarray(r, dtype=np.float64))
    if shares.ndim != 1 or not np.all((shares >= 0) & (shares <= 1)):
        raise ValueError(f"the steps r must be a list of shares in 0..1, not {r!r}")
    return shares


def _check_ends(ends: str) -> None:
    if ends not in ("count", "leave_out"):
        raise ValueError(f"unknown end rule {ends!r}; choose count or leave_out")


METRICS = (
    EmbedderMetric(
        key="interpolation_count",
        label="Interpolation count",
        group=SMOOTHNESS,
        order=411,
        formula="#{nearest training face at r = 0.1, ..., 0.9}",
        description=(
            "metrics.embedders.interpolation.interpolation_count; path_count for all r in 0..1, without "
            "maximum."
        ),
        unit="faces",
        range=(0.0, 9.0),
        higher_is_better=True,
        source="Smooth-Swap, Sec. 5.5, Fig. 9; the end-point rule is not stated",
        options="ends: count, leave_out; r: 0.1 ... 0.9",
    ),
    EmbedderMetric(
        key="interpolation_people",
        label="Interpolation count, people",
        group=SMOOTHNESS,
        order=412,
        formula="#{person of the nearest training face at r = 0.1, ..., 0.9}",
        description="metrics.embedders.interpolation.interpolation_count with ids.",
        unit="people",
        range=(0.0, 9.0),
        higher_is_better=True,
        source="Smooth-Swap, Sec. 5.5, remark on repeated identities; counting them is ours",
        options="ends: count, leave_out; r: 0.1 ... 0.9",
    ),
)
