"""Rendered people that change in equal steps: ends, straightness, and what must not change."""

from __future__ import annotations

import numpy as np
import pytest

from smoothswap.rendered.changes import PHENOTYPES, changed, directions, mixed
from smoothswap.rendered.head import load_head
from smoothswap.rendered.people import sample_identity
from smoothswap.rendered.shading import LOOK


def test_a_morph_leads_in_a_straight_line_from_one_person_to_the_other() -> None:
    rng = np.random.default_rng(0)
    a, b = sample_identity(rng), sample_identity(rng)
    start, end, middle = mixed(a, b, 0), mixed(a, b, 1), mixed(a, b, 0.5)
    assert np.array_equal(start.shape, a.shape)
    assert np.array_equal(start.look, a.look)
    assert np.allclose(end.shape, b.shape, atol=1e-6)
    quantities = [name != "noise_seed" for name in LOOK]
    assert np.allclose(end.look[quantities], b.look[quantities], rtol=1e-5)
    assert {mixed(a, b, s).look[LOOK.index("noise_seed")] for s in (0, 0.3, 1)} == {
        a.look[LOOK.index("noise_seed")]
    }
    assert np.allclose(middle.shape, (a.shape + b.shape) / 2, atol=1e-6)
    head = load_head()
    ends = [head.identity_vertices(one.shape) for one in (start, end)]
    assert np.allclose(head.identity_vertices(middle.shape), (ends[0] + ends[1]) / 2, atol=1e-6)


@pytest.mark.parametrize("phenotype", PHENOTYPES)
def test_ageing_and_weight_change_the_shape_alone_and_evenly(phenotype: str) -> None:
    person = sample_identity(np.random.default_rng(1))
    young, same, old = (changed(person, phenotype, share) for share in (0, 0.5, 1))
    assert np.array_equal(same.shape, person.shape)
    assert np.array_equal(old.look, person.look)
    assert np.allclose(old.shape - same.shape, same.shape - young.shape, atol=1e-5)
    head = load_head()
    moved = np.linalg.norm(head.identity_vertices(old.shape) - head.identity_vertices(young.shape), axis=1)
    assert 0.005 < moved.max() < 0.05  # metres: visible, and still a head


def test_weight_fills_the_cheeks_and_the_known_directions_fit_the_head() -> None:
    head, person = load_head(), sample_identity(np.random.default_rng(2))
    for direction in directions().values():
        assert direction.shape == (head.n_phenotype,)
        assert np.abs(direction).max() > 0.5
    cheek = (np.abs(head.mean[:, 1] + 0.03) < 0.02) & (head.mean[:, 2] > 0.0)  # before the ears
    width = [
        np.ptp(head.identity_vertices(changed(person, "weight", share).shape)[cheek, 0]) for share in (0, 1)
    ]
    assert width[1] > width[0] + 0.01
    with pytest.raises(KeyError):
        changed(person, "height", 0.5)
