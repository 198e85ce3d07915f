"""People of world 4: ages, ties between their numbers, and what their skin and hair are drawn from."""

from __future__ import annotations

import numpy as np

from smoothswap.rendered.head import load_head, normal_operator, vertex_normals
from smoothswap.rendered.world4.face_hair import beard, brows
from smoothswap.rendered.world4.grow import joined, roots, thinned
from smoothswap.rendered.world4.people import LOOK, numbers, sample_identity, skin_albedo
from smoothswap.rendered.world4.phenotypes import NAMES, age_number, components, features
from smoothswap.rendered.world4.scalp import scalp, scalp_density
from smoothswap.rendered.world4.skin import lip_shape, make_skin
from smoothswap.rendered.world4.skull import Skull, ear_share
from smoothswap.rendered.world4.styling import HAIR_STYLES, sample_styling

PEOPLE = [sample_identity(np.random.default_rng([1, i])) for i in range(150)]
LOOKS = [numbers(LOOK, p.look) for p in PEOPLE]


def neutral() -> tuple[np.ndarray, np.ndarray]:
    head = load_head()
    vertices = head.identity_vertices(PEOPLE[0].shape)
    return vertices, vertex_normals(vertices, head.triangles, normal_operator(head.triangles, len(vertices)))


def test_people_are_adults_of_all_ages_and_ancestries() -> None:
    ages = np.array([look["age"] for look in LOOKS])
    assert 18 <= ages.min() < 25
    assert 75 < ages.max() <= 90
    for name in ("african", "asian"):
        share = np.array([look[name] for look in LOOKS])
        assert share.max() > 0.9
        assert share.min() < 0.05
    european = np.array([1 - look["african"] - look["asian"] for look in LOOKS])
    assert european.max() > 0.9
    albedo = np.array([skin_albedo(p) for p in PEOPLE])
    african = np.array([look["african"] for look in LOOKS])
    assert np.corrcoef(albedo, african)[0, 1] < -0.5
    assert albedo.max() > 4 * albedo.min()


def test_only_men_have_beards() -> None:
    bearded = [look for look in LOOKS if max(look["moustache"], look["chin_beard"], look["stubble"]) > 0]
    assert len(bearded) > 20
    assert all(look["gender"] > 0.5 for look in bearded)


def test_the_phenotypes_polynomial_is_its_sum() -> None:
    values = np.random.default_rng(2).uniform(0, 1, len(NAMES))
    row = [1.0, *values, *(v * v for v in values)]
    row += [values[i] * values[j] for i in range(6) for j in range(i + 1, 6)]
    assert np.allclose(features(values), row)
    assert components(values).shape == (24,)
    assert age_number(18) == 0.6
    assert age_number(90) == 1.0


def test_ageing_goes_where_the_head_model_s_own_direction_goes() -> None:
    """changes.json holds the mean move over another range of ages, so the two agree only in the main."""
    from smoothswap.rendered.changes import directions

    rng, moves = np.random.default_rng(5), []
    for _ in range(50):
        who = rng.uniform(0.1, 0.6, 6)
        moves.append(components(np.array([1.0, *who[1:]])) - components(np.array([0.6, *who[1:]])))
    moved, known = np.mean(moves, 0), directions()["age"]
    assert moved @ known / np.linalg.norm(moved) / np.linalg.norm(known) > 0.4


def test_wrinkles_come_with_age_and_one_s_skin_is_one_s_own() -> None:
    look = dict(LOOKS[0], age=20.0)
    young, same, old = make_skin(look), make_skin(look), make_skin(dict(look, age=85.0))
    assert np.array_equal(young.colour, same.colour)
    forehead = (slice(340, 390), slice(220, 290))
    assert old.height[forehead].std() > 2 * young.height[forehead].std()
    assert not np.array_equal(make_skin(dict(look, noise_seed=7.0)).colour, young.colour)
    assert young.colour.min() > 0


def test_lips_lie_at_the_mouth() -> None:
    x, y = np.array([0.0, 0.0, 0.0, 0.03]), np.array([-0.042, -0.050, -0.020, -0.0445])
    assert lip_shape(x, y, 1.0).round().tolist() == [1, 1, 0, 0]


def test_roots_are_drawn_by_area_times_density() -> None:
    head = load_head()
    vertices, _ = neutral()
    dense = (head.mean[:, 1] > 0.1).astype(float)
    triangle, weights = roots(np.random.default_rng(0), head, vertices, dense, 4000)
    assert np.allclose(weights.sum(1), 1, atol=1e-6)
    assert (dense[head.triangles[triangle]].max(1) > 0).all()
    corners = vertices[head.triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    share = area * dense[head.triangles].mean(1) * (head.material == 0)
    half = share > np.median(share[share > 0])
    assert abs(half[triangle].mean() - share[half].sum() / share.sum()) < 0.03


def test_hair_of_every_style_grows_where_its_density_is_and_stays_out_of_the_skull() -> None:
    head = load_head()
    vertices, normals = neutral()
    skull = Skull(vertices, head)
    seen = set()
    for i in range(60):
        styling = sample_styling(np.random.default_rng([2, i]))
        if styling.hair in seen:
            continue
        seen.add(styling.hair)
        strands = scalp(np.random.default_rng(3), head, vertices, normals, styling)
        if strands is None:
            assert styling.hair == "bald"
            continue
        assert np.isfinite(strands.points).all()
        assert (
            scalp_density(head.mean, ear_share(), styling)[head.triangles[strands.triangle]].max(1).min()
            > -1e-9
        )
        tips = strands.points[:, -1] - np.array([0.0, 0.045, -0.045])
        high = strands.points[:, -1, 1] > 0.06
        depth = skull.reach(tips[high] / np.linalg.norm(tips[high], axis=1, keepdims=True)) - np.linalg.norm(
            tips[high], axis=1
        )
        assert not high.any() or np.percentile(depth, 95) < 0.004, styling.hair
    assert len(seen) > len(HAIR_STYLES) - 4


def test_brows_lie_over_the_eyes_and_beards_under_the_mouth() -> None:
    head = load_head()
    vertices, normals = neutral()
    rng = np.random.default_rng(4)
    look = dict(LOOKS[0], moustache=0.0, chin_beard=1.0, cheek_beard=0.0, beard_length=0.01)
    high, low = brows(rng, head, vertices, normals, look), beard(rng, head, vertices, normals, look)
    assert low is not None
    place = lambda s: (head.mean[head.triangles[s.triangle]] * s.weights[..., None]).sum(1)  # noqa: E731
    assert place(high)[:, 1].min() > 0.03
    assert np.percentile(place(low)[:, 1], 99) < -0.03
    assert beard(rng, head, vertices, normals, dict(look, chin_beard=0.0)) is None
    few = thinned(high, 2)
    assert len(few.points) == (len(high.points) + 1) // 2
    points, first, count, *_ = joined([high, low])
    assert len(points) == count.sum()
    assert np.array_equal(points[first[len(high.points)]], low.points[0, 0])
