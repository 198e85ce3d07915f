"""Distances between sets of pictures under each missing-face policy: what enters, the ends, and intervals."""

from __future__ import annotations

import numpy as np
import pytest

from metrics import MetricError
from metrics.pictures.distances import (
    FID_INCEPTION,
    FILTER_BANK,
    INCEPTION,
    frechet_distance,
    kernel_distance,
)
from metrics.pictures.sets import picture_distances

RNG = np.random.default_rng(5)
N = 80
CLUSTERS = np.repeat([f"{i:02d}" for i in range(16)], 5)
TARGET = RNG.normal(size=(N, 6))
SWAP = TARGET + RNG.normal(0.5, 0.7, size=(N, 6))
FOUND = np.arange(N) % 9 != 0


@pytest.mark.parametrize(
    ("network", "keys"),
    [
        (FILTER_BANK, ["filter_bank_distance"]),
        (FID_INCEPTION, ["fid", "kid"]),
        (INCEPTION, ["fid_torchvision", "kid_torchvision"]),
    ],
)
def test_each_policy_has_its_numbers(network: str, keys: list[str]) -> None:
    formula = {"kid": kernel_distance, "kid_torchvision": kernel_distance}
    by = {
        policy: picture_distances(SWAP, TARGET, FOUND, CLUSTERS, network, policy)
        for policy in ("count_as_wrong", "exclude", "count_everywhere")
    }
    for key in keys:
        distance = formula.get(key, frechet_distance)
        without, whole = distance(SWAP[FOUND], TARGET[FOUND]), distance(SWAP, TARGET)
        for policy, scored in by.items():
            value = scored[key]
            counts = policy == "count_everywhere"
            assert value.value == pytest.approx(whole if counts else without, rel=1e-12)
            assert (value.n, value.clusters, value.missing) == (
                N if counts else FOUND.sum(),
                16,
                N - FOUND.sum(),
            )
            assert value.excluding_missing.value == pytest.approx(without, rel=1e-12)
            assert value.counting_missing.value == pytest.approx(whole, rel=1e-12)
            assert value.missing_policy == ("count_as_wrong" if counts else "exclude")
            assert value.ci95[0] <= value.value <= value.ci95[1]
            assert value.instrument == network


def test_unchanged_pictures_have_no_distance_and_black_ones_a_large_one() -> None:
    same = picture_distances(TARGET, TARGET, FOUND, CLUSTERS, FILTER_BANK)["filter_bank_distance"]
    assert same.value == pytest.approx(0, abs=1e-9)
    assert same.ci95[0] == 0
    black = np.where(FOUND[:, None], SWAP, -6.9)
    counted = picture_distances(black, TARGET, FOUND, CLUSTERS, FILTER_BANK)["filter_bank_distance"]
    assert counted.counting_missing.value > 1.5 * counted.value  # a model cannot gain by giving no picture


def test_whole_clusters_are_left_out() -> None:
    """Copies of a cluster's frames are no further evidence, so the interval stays as wide."""
    one = picture_distances(SWAP, TARGET, FOUND, CLUSTERS, FID_INCEPTION)["fid"].ci95
    twice = picture_distances(
        *(np.tile(a, (2, 1)) for a in (SWAP, TARGET)), np.tile(FOUND, 2), np.tile(CLUSTERS, 2), FID_INCEPTION
    )
    assert np.diff(twice["fid"].ci95) == pytest.approx(np.diff(one), rel=0.05)


def test_unreadable_pictures_and_too_few() -> None:
    holes = SWAP.copy()
    holes[3] = np.nan
    value = picture_distances(holes, TARGET, np.ones(N, bool), CLUSTERS, FID_INCEPTION)["fid"]
    assert value.n == N - 1
    none = picture_distances(SWAP[:1], TARGET[:1], np.ones(1, bool), CLUSTERS[:1], FID_INCEPTION)["fid"]
    assert np.isnan(none.value)
    assert (none.n, none.as_dict()["value"]) == (0, None)
    alone = picture_distances(SWAP[:5], TARGET[:5], np.ones(5, bool), CLUSTERS[:5], FILTER_BANK)[
        "filter_bank_distance"
    ]
    assert np.isnan(alone.ci95).all()  # one cluster: its spread is unknown
    with pytest.raises(ValueError, match="no metric is defined"):
        picture_distances(SWAP, TARGET, FOUND, CLUSTERS, "alexnet")
    with pytest.raises(MetricError, match="unknown missing policy"):
        picture_distances(SWAP, TARGET, FOUND, CLUSTERS, FID_INCEPTION, "leave")  # type: ignore[arg-type]
