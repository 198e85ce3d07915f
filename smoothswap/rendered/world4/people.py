"""Who a person of world 4 is: numbers drawn so that age, sex, ancestry, skin, hair and beard belong together.

Identity (shape and look) is what a swap carries over. All colours are linear RGB in 0..1, all lengths metres, ages years.
"""

from __future__ import annotations

import numpy as np

from smoothswap.rendered.head import load_head
from smoothswap.rendered.people import Identity
from smoothswap.rendered.world4.palette import GREY, HAIR, IRIS, SKIN, mix
from smoothswap.rendered.world4.phenotypes import age_number, components

LOOK = tuple(
    """
    age gender african asian weight skin_r skin_g skin_b lip_r lip_g lip_b lip_fullness lip_gloss brow_r brow_g brow_b
    brow_height brow_thickness brow_length brow_arch brow_tilt brow_density iris_r iris_g iris_b iris_size redness
    freckles blotches under_eye oil pores wrinkles veins lid_crease beard_r beard_g beard_b moustache chin_beard
    cheek_beard stubble beard_length eyeshadow shadow_r shadow_g shadow_b liner lash mole_x mole_y mole_size teeth
    noise_seed
    """.split()
)


def numbers(names: tuple[str, ...], values: np.ndarray) -> dict[str, float]:
    """A vector's numbers by name.

    Args:
        names: LOOK, or STYLE of styling.py.
        values: As many.

    Returns:
        A dictionary of floats.
    """
    return {name: float(v) for name, v in zip(names, values, strict=True)}


def _shape(rng: np.random.Generator, who: np.ndarray) -> np.ndarray:
    """The head's numbers: what age, sex and ancestry say, and what is one's own."""
    head = load_head()
    values = np.zeros(len(head.shape_names), np.float32)
    own = np.clip(rng.normal(0, 0.5, head.n_phenotype), -1.2, 1.2)
    values[: head.n_phenotype] = components(who) + own
    drawn: dict[str, float] = {}
    for i, name in enumerate(head.shape_names[head.n_phenotype :], head.n_phenotype):
        key = name[2:] if name[:2] in ("l-", "r-") else name
        amount = 0.18
        if key.startswith(("neck", "head", "torso", "measure")):
            amount = 0.10
        if key.startswith(
            (
                "eye-push",
                "eye-trans",
                "eyebrows-trans",
                "nose-trans",
                "mouth-trans",
                "cheek-trans",
                "eye-height",
            )
        ):
            amount = 0.11
        if key not in drawn:
            drawn[key] = float(np.clip(rng.normal(0, amount), -0.6, 0.6))
        values[i] = drawn[key] + rng.normal(0, 0.025)
    heavy = 1.2 * (who[2] - 0.5)
    for name in ("head-fat-incr", "l-cheek-volume-incr", "r-cheek-volume-incr", "neck-double-incr"):
        values[head.shape_names.index(name)] += heavy * 0.7
    for name in ("l-eye-bag-incr", "r-eye-bag-incr", "head-age-incr"):
        values[head.shape_names.index(name)] += 0.5 * max(float(who[0]) - 0.75, 0) / 0.25
    return values


def sample_identity(rng: np.random.Generator) -> Identity:
    """One person of 18 to 90 years. Skin, hair, eyes, beard and wrinkles follow from age, sex and ancestry."""
    years = float(rng.uniform(18, 60) if rng.uniform() < 0.72 else rng.uniform(45, 90))
    gender = float(np.clip(rng.choice([0.1, 0.9]) + rng.normal(0, 0.12), 0, 1))  # 0 female, 1 male
    ancestry = rng.dirichlet([0.28, 0.28, 0.28])  # african, asian, european
    weight = float(np.clip(rng.normal(0.5, 0.17), 0.15, 0.85))
    who = np.array(
        [
            age_number(years),
            gender,
            weight,
            np.clip(rng.normal(0.5, 0.15), 0.15, 0.85),
            ancestry[0],
            ancestry[1],
        ]
    )
    shape = _shape(rng, who)
    old = (years - 18) / 72
    male = gender > 0.5
    tone = float(np.clip(ancestry @ [0.78, 0.27, 0.12] + rng.normal(0, 0.07), 0.0, 1.0))
    if ancestry[1] > 0.4 and rng.uniform() < 0.4:  # south and south-east
        tone += rng.uniform(0.1, 0.35)
    skin = mix(SKIN, tone) * rng.normal(1, 0.05) * rng.normal(1, 0.02, 3)
    skin *= 1 + ancestry[1] * np.array([0.0, 0.035, -0.03])
    fair = float(np.clip(1.2 - 2.6 * tone, 0, 1)) * float(ancestry[2])
    hair = mix(HAIR[:6], float(np.clip(rng.beta(1.2, 1.4) * fair + rng.uniform(0, 0.22), 0, 1)))
    if fair > 0.5 and rng.uniform() < 0.12:
        hair = HAIR[6] * rng.uniform(0.7, 1.2)
    young = hair
    greying = float(np.clip((years - rng.normal(50, 8)) / 22, 0, 1))
    hair = hair * (1 - 0.9 * greying) + GREY * 0.9 * greying
    iris = mix(IRIS, float(np.clip(rng.beta(0.9, 0.9) * fair + rng.uniform(0, 0.16), 0, 1))) * rng.normal(
        1, 0.1, 3
    )
    beard = str(
        rng.choice(
            ["none", "shadow", "stubble", "moustache", "goatee", "full"],
            p=[0.34, 0.24, 0.14, 0.06, 0.08, 0.14],
        )
    )
    if not male:
        beard = "none"
    amounts = {
        "none": (0, 0, 0, 0.0),
        "shadow": (0, 0, 0, rng.uniform(0.1, 0.55)),
        "stubble": (0.7, 0.7, 0.6, 0.6),
        "moustache": (1, 0, 0, 0.35),
        "goatee": (1, 1, 0, 0.4),
        "full": (1, 1, 1, 0.7),
    }[beard]
    lip = skin * np.array([0.76, 0.47, 0.48]) * rng.normal(1, 0.06)
    painted = not male and rng.uniform() < 0.45
    if painted:
        stick = np.array([0.30, 0.035, 0.045]) * rng.uniform(0.5, 1.3) * rng.uniform(0.7, 1.3, 3)
        share = rng.uniform(0.25, 0.85)
        lip = lip * (1 - share) + stick * share
    made_up = not male and rng.uniform() < 0.55
    values = {
        "age": years,
        "gender": gender,
        "african": ancestry[0],
        "asian": ancestry[1],
        "weight": weight,
        "lip_fullness": rng.uniform(0.82, 1.12) + 0.10 * ancestry[0] - 0.22 * old,
        "lip_gloss": rng.uniform(0.1, 0.5) + 0.4 * painted,
        "brow_height": rng.normal(0, 0.0012) + 0.0012 * (not male),
        "brow_thickness": (rng.uniform(0.0034, 0.0056) if male else rng.uniform(0.0022, 0.0042))
        * (1 - 0.25 * old),
        "brow_length": rng.uniform(0.039, 0.047),
        "brow_arch": rng.uniform(0.0015, 0.0045) + 0.0012 * (not male),
        "brow_tilt": rng.normal(0.0, 0.0016),
        "brow_density": rng.uniform(0.7, 1.15) * (1 - 0.35 * old),
        "iris_size": rng.uniform(0.44, 0.49),
        "redness": rng.uniform(0.25, 1.0) * (1.15 - tone),
        "freckles": float(rng.uniform() < 0.1 + 0.3 * fair) * rng.uniform(0.2, 0.8),
        "blotches": rng.uniform(0.15, 0.6) + 0.5 * old,
        "under_eye": rng.uniform(0.2, 1.4) + 0.8 * old,
        "oil": rng.uniform(0.35, 1.0) * (1 - 0.4 * old),
        "pores": rng.uniform(0.4, 1.2),
        "wrinkles": rng.uniform(0.7, 1.3) * (1 - 0.25 * ancestry[0]),
        "veins": rng.uniform(0, 0.5) + 0.4 * old,
        "lid_crease": rng.uniform(0.5, 1.0) * (1 - 0.75 * ancestry[1]),
        "moustache": amounts[0],
        "chin_beard": amounts[1],
        "cheek_beard": amounts[2],
        "stubble": amounts[3],
        "beard_length": {"stubble": rng.uniform(0.0015, 0.004), "full": rng.uniform(0.006, 0.03)}.get(
            beard, rng.uniform(0.005, 0.012)
        ),
        "eyeshadow": float(made_up) * rng.uniform(0.0, 0.45),
        "liner": float(made_up) * rng.uniform(0.2, 0.9),
        "lash": rng.uniform(0.6, 0.9) + 0.5 * made_up - 0.1 * male,
        "mole_x": rng.uniform(-0.05, 0.05),
        "mole_y": rng.uniform(-0.07, 0.07),
        "mole_size": float(rng.uniform() < 0.3) * rng.uniform(0.0009, 0.0020),
        "teeth": float(np.clip(rng.normal(0.6, 0.2) - 0.35 * old, 0, 1)),
        "noise_seed": float(rng.integers(1, 100000)),
    }
    colours = {
        "skin": skin,
        "lip": lip,
        "brow": young * rng.uniform(0.25, 0.6) * (1 - greying * 0.6) + 0.16 * GREY * greying + 0.001,
        "iris": iris,
        "beard": hair * rng.uniform(0.6, 1.0),
        "shadow": skin * rng.uniform(0.2, 0.6, 3),
    }
    for name, colour in colours.items():
        values.update(
            {f"{name}_{c}": float(np.clip(v, 0.002, 0.9)) for c, v in zip("rgb", colour, strict=True)}
        )
    return Identity(shape=shape, look=np.array([values[name] for name in LOOK], np.float32))


def skin_albedo(identity: Identity) -> float:
    """How much light a person's skin gives back, grey, 0..1."""
    i = LOOK.index("skin_r")
    return float(identity.look[i : i + 3] @ np.array([0.2126, 0.7152, 0.0722]))
