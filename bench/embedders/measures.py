"""What is measured of each network on photos: verification, d_smooth, interpolation counts, the shape of the space.

One sample of pairs serves all networks. The two ends of an interpolation are test people that occur in no other pair,
so pairs are independent; verification pairs share people, and go when either person is left out
(metrics.statistics.replicates).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from bench.embedders.faces import Faces
from bench.embedders.networks import Rows
from bench.errors import DataError
from metrics.distances import cosine_similarity
from metrics.embedders.interpolation import (
    STEPS,
    Count,
    interpolation_count,
    nearest_paths,
    path_count,
)
from metrics.embedders.probe import FOLDS, STRENGTHS, explained, linear_probe
from metrics.embedders.smoothness import Denominator, d_smooth
from metrics.embedders.space import (
    ALPHA,
    T,
    alignment,
    effective_rank,
    potentials,
    spectrum,
    uniformity,
)
from metrics.embedders.verification import auc, eer, tar_at_far
from metrics.frames.retrieval import identity_rank, retrieved
from metrics.statistics.replicates import Replicated, deal, replicate, replicate_mean

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
SAME_EACH = 10  # same-person pairs of one person at most: a few have hundreds of photos
DIFFERENT = 30_000  # pairs of different people
FARS = (0.01, 0.001)
SPACE_PEOPLE = 2000  # people, one photo each, whose space is measured at most
PROBE_RANKS = (1, 5)


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows of the test faces: verification pairs (first, second, same), ends a, b of the interpolations, one a person.

    group: of every person, int [people], for the jackknife; path_group: of every interpolation.
    """

    first: Ints
    second: Ints
    same: Bools
    a: Ints
    b: Ints
    one: Ints
    group: Ints
    path_group: Ints


def draw(people: Ints, usable: Bools, pairs: int, seed: int) -> Sample:
    """Draw the sample that all networks are measured on from the usable faces.

    Args:
        people: int [n], whose face each is, 0 and up.
        usable: bool [n], faces that every network could read.
        pairs: Interpolations at most; no person is in two of them, so there are half as many as people at
            most.
        seed: Of the draws and of the jackknife's groups.

    Returns:
        Rows of the faces, and the groups.

    Raises:
        DataError: For fewer than four people, or nobody with two usable photos.
    """
    rng = np.random.default_rng([seed, 81])
    rows = rng.permutation(np.flatnonzero(usable))
    order = np.argsort(people[rows], kind="stable")
    rows = rows[order]  # person by person, each one's photos shuffled
    who, starts, counts = np.unique(people[rows], return_index=True, return_counts=True)
    if len(who) < 4 or not (counts > 1).any():
        raise DataError(
            f"{len(who)} test people, {int((counts > 1).sum())} of them with two readable photos; needed are four "
            "people, one of them with two"
        )
    one, two = [], []
    for start, count in zip(starts[counts > 1], counts[counts > 1], strict=True):
        i, j = np.triu_indices(count, 1)
        kept = rng.permutation(len(i))[:SAME_EACH]
        one.append(rows[start + i[kept]])
        two.append(rows[start + j[kept]])
    x, y = rng.choice(rows, (2, 2 * DIFFERENT))
    other = np.flatnonzero(people[x] != people[y])[:DIFFERENT]
    same = np.r_[np.ones(sum(map(len, one)), bool), np.zeros(len(other), bool)]
    single = rows[starts]
    ends = rng.permutation(single)[: 2 * min(pairs, len(single) // 2)].reshape(2, -1)
    return Sample(
        first=np.concatenate([*one, x[other]]),
        second=np.concatenate([*two, y[other]]),
        same=same,
        a=ends[0],
        b=ends[1],
        one=rng.permutation(single)[:SPACE_PEOPLE],
        group=deal(int(people.max()) + 1, seed=seed),
        path_group=deal(ends.shape[1], seed=seed),
    )


def figures(test: Rows, gallery: Rows, faces: Faces, owners: Faces, sample: Sample) -> dict[str, Replicated]:
    """The figures of one network on photos: verification, smoothness, the shape of its space.

    Args:
        test: float32 [n, d], its readings of `faces`; finite where the sample has rows.
        gallery: float32 [g, d], its readings of `owners`; a row of NaN is never found.
        faces: The n test faces.
        owners: The g faces of the gallery.
        sample: What `draw` gave for `faces`.

    Returns:
        By key of metrics.registry.EMBEDDERS, with "@option" where it is not the plain form.
    """
    return (
        _verification(test, faces.people, sample)
        | _smoothness(test, gallery, owners, sample)
        | _space(test, faces.people, sample)
    )


def probed(
    test: Rows, judge: Rows, people: Ints, usable: Bools, sample: Sample, seed: int
) -> dict[str, Replicated]:
    """How much of a recogniser's readings a line reads off the network's, on the usable faces.

    Leaving out people does not fit the probe anew: the intervals are over the people it is read on.

    Args:
        test: float [n, d], the network's readings.
        judge: float [n, m], the recogniser's.
        people: int [n], whose face each is.
        usable: bool [n], faces that every network and the recogniser could read.
        sample: What `draw` gave for these faces.
        seed: Of dealing the people to folds.

    Returns:
        "probe_explained", a share of at most 1, and "probe_retrieval@k" in % for the k of PROBE_RANKS.

    Raises:
        DataError: For too few people.
    """
    rows = np.flatnonzero(usable)
    predicted = np.full(judge.shape, np.nan)
    try:
        predicted[rows] = linear_probe(test[rows], judge[rows], people[rows], seed=seed)
    except ValueError as why:
        raise DataError(f"--probe: {why}; give test faces of more people, or leave it out") from None
    error, spread = explained(predicted[rows], judge[rows])
    ids = people[sample.one]
    rank = identity_rank(predicted[sample.one], ids, judge[sample.one], ids)
    return {
        "probe_explained": replicate(
            lambda mask: float(1 - error[mask].sum() / spread[mask].sum()), sample.group[people[rows]]
        )
    } | {f"probe_retrieval@{k}": replicate_mean(retrieved(rank, k), sample.group[ids]) for k in PROBE_RANKS}


def _verification(test: Rows, people: Ints, sample: Sample) -> dict[str, Replicated]:
    scores = cosine_similarity(test[sample.first], test[sample.second])
    sides = sample.group[people[sample.first]], sample.group[people[sample.second]]

    def over(statistic: Callable[[Any, Any], float]) -> Replicated:
        def masked(mask: Bools) -> float:
            kinds = sample.same[mask]
            return statistic(scores[mask], kinds) if kinds.any() and not kinds.all() else float("nan")

        return replicate(masked, *sides)

    found = {"verification_auc": over(auc), "verification_eer": over(eer)}
    for far in FARS:
        found[f"tar_at_far@{far:g}"] = over(lambda s, y, far=far: float(tar_at_far(s, y, far)))  # type: ignore[misc]
    return found


def _smoothness(test: Rows, gallery: Rows, owners: Faces, sample: Sample) -> dict[str, Replicated]:
    readable = np.isfinite(gallery).all(axis=1)
    faces, ids = gallery[readable], owners.people[readable]
    a, b = test[sample.a], test[sample.b]
    found: dict[str, Replicated] = {}
    nearest = None
    for denominator in get_args(Denominator):
        result = d_smooth(a, b, faces, denominator=denominator, found=nearest)
        nearest = result.nearest
        key = "d_smooth" if denominator == "chord" else f"d_smooth@{denominator}"
        found[key] = replicate_mean(result.per_pair, sample.path_group)
    found |= _counts(interpolation_count(a, b, faces, ids), "", sample)
    found |= _counts(interpolation_count(a, b, faces, ids, ends="leave_out"), "@leave_out", sample)
    return found | _counts(path_count(nearest_paths(a, b, faces), ids), "@whole_path", sample)


def _counts(count: Count, option: str, sample: Sample) -> dict[str, Replicated]:
    assert count.people is not None
    return {
        f"interpolation_count{option}": replicate_mean(count.images, sample.path_group),
        f"interpolation_people{option}": replicate_mean(count.people, sample.path_group),
    }


def _space(test: Rows, people: Ints, sample: Sample) -> dict[str, Replicated]:
    rows = test[sample.one]
    group = sample.group[people[sample.one]]
    field = potentials(rows)
    first, second = sample.first[sample.same], sample.second[sample.same]
    return {
        "effective_rank": replicate(lambda mask: effective_rank(spectrum(rows[mask])), group),
        "uniformity": replicate(lambda mask: uniformity(field[np.ix_(mask, mask)]), group),
        "alignment": replicate_mean(alignment(test[first], test[second]), sample.group[people[first]]),
    }


def spectrum_of(test: Rows, sample: Sample) -> list[float]:
    """Eigenvalues of one network's covariance over test people, as shares of their sum.

    Args:
        test: float [n, d], its readings, finite where the sample has rows.
        sample: Whose `one`, a photo a person, is measured.

    Returns:
        d shares, the largest first.
    """
    values = spectrum(test[sample.one])
    return [float(v) for v in values / values.sum()]


def clusters(test: Faces, sample: Sample, usable: Bools) -> dict[str, tuple[int, int]]:
    """How many observations a figure rests on, of how many people or pairs of people.

    Args:
        test: The test faces.
        sample: What `draw` gave for them.
        usable: bool [n], the faces that it was drawn from.

    Returns:
        (observations, clusters) by key without its option; the figures of rendered paths are not among them.
    """
    people = len(np.unique(test.people[np.r_[sample.first, sample.second]]))
    pairs = int(sample.same.sum())
    alone = len(np.unique(test.people[sample.first[sample.same]]))
    found = {
        key: (len(sample.same), people) for key in ("verification_auc", "verification_eer", "tar_at_far")
    }
    found |= {
        key: (len(sample.a),) * 2 for key in ("d_smooth", "interpolation_count", "interpolation_people")
    }
    found |= {key: (len(sample.one),) * 2 for key in ("effective_rank", "uniformity", "probe_retrieval")}
    photos = (int(usable.sum()), len(np.unique(test.people[usable])))
    return found | {"alignment": (pairs, alone), "probe_explained": photos}


def options(sample: Sample, seed: int) -> dict[str, Any]:
    """Everything that changes a number here, for the result.

    Args:
        sample: For how many there are of each, which may be fewer than were asked for.
        seed: Of the draws.

    Returns:
        By name, ready for JSON.
    """
    return {
        "interpolation_pairs": len(sample.a),
        "same_pairs": int(sample.same.sum()),
        "same_pairs_each": SAME_EACH,
        "different_pairs": int((~sample.same).sum()),
        "far": list(FARS),
        "space_people": len(sample.one),
        "r": list(STEPS),
        "d_smooth_denominator": "chord",
        "d_smooth_average": "of_ratios",
        "interpolation_ends": "count",
        "alignment_alpha": ALPHA,
        "uniformity_t": T,
        "seed": seed,
        "probe_folds": FOLDS,
        "probe_strengths": list(STRENGTHS),
        "jackknife_groups": int(sample.group.max()) + 1,
        "holm_family": "the pairs of embedders, for each figure on its own",
        "seeds": "mean over seeds; the variance over people and that over seeds are added (metrics.statistics.replicates); "
        "with one seed an interval speaks of that network alone",
    }
