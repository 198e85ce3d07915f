"""Who a person of world 4 is, and how they are dressed: numbers drawn so that they belong together.

Identity (shape and look) is what a swap carries over; styling (hair, clothes, spectacles, hat) stays with the target.
All colours are linear RGB in 0..1, all lengths metres, ages years.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smoothswap.rendered.head import load_head
from smoothswap.rendered.people import Identity
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
STYLE = tuple(
    """
    hair_r hair_g hair_b grey hairline recession length curl clump volume part seed
    bulk shoulders cloth_r cloth_g cloth_b cloth2_r cloth2_g cloth2_b collar pattern
    glasses frame_r frame_g frame_b tint hat hat_r hat_g hat_b
    """.split()
)
HAIR_STYLES = (
    "bald",
    "buzz",
    "short",
    "side",
    "back",
    "messy",
    "fringe",
    "bob",
    "long",
    "wavy",
    "curly",
    "afro",
    "bun",
)
COLLARS = ("crew", "vee", "shirt", "blazer", "roll")
# Fair to dark skin, as measured reflectances lie (linear).
_SKIN = np.array(
    [
        [0.62, 0.385, 0.285],
        [0.55, 0.315, 0.220],
        [0.45, 0.245, 0.160],
        [0.335, 0.182, 0.115],
        [0.215, 0.108, 0.064],
        [0.115, 0.055, 0.034],
        [0.065, 0.032, 0.021],
    ]
)
_HAIR = np.array(  # black, dark brown, brown, light brown, dark blond, blond, red
    [
        [0.007, 0.006, 0.0055],
        [0.020, 0.012, 0.008],
        [0.052, 0.028, 0.016],
        [0.11, 0.062, 0.033],
        [0.20, 0.125, 0.066],
        [0.36, 0.25, 0.135],
        [0.165, 0.052, 0.018],
    ]
)
_GREY = np.array([0.40, 0.395, 0.385])
_IRIS = np.array(  # dark brown, brown, hazel, green, blue, grey
    [
        [0.022, 0.010, 0.005],
        [0.065, 0.030, 0.012],
        [0.10, 0.070, 0.025],
        [0.085, 0.105, 0.050],
        [0.075, 0.125, 0.190],
        [0.12, 0.145, 0.165],
    ]
)


@dataclass(frozen=True)
class Styling:
    """Hair by name and every number of STYLE."""

    hair: str
    values: np.ndarray

    def number(self, name: str) -> float:
        """One of STYLE."""
        return float(self.values[STYLE.index(name)])


def numbers(names: tuple[str, ...], values: np.ndarray) -> dict[str, float]:
    """A vector's numbers by name.

    Args:
        names: LOOK or STYLE.
        values: As many.

    Returns:
        A dictionary of floats.
    """
    return {name: float(v) for name, v in zip(names, values, strict=True)}


def _mix(palette: np.ndarray, t: float) -> np.ndarray:
    t = float(np.clip(t, 0, 1)) * (len(palette) - 1)
    low = min(int(t), len(palette) - 2)
    return np.asarray(palette[low] + (palette[low + 1] - palette[low]) * (t - low))


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
    skin = _mix(_SKIN, tone) * rng.normal(1, 0.05) * rng.normal(1, 0.02, 3)
    skin *= 1 + ancestry[1] * np.array([0.0, 0.035, -0.03])
    fair = float(np.clip(1.2 - 2.6 * tone, 0, 1)) * float(ancestry[2])
    hair = _mix(_HAIR[:6], float(np.clip(rng.beta(1.2, 1.4) * fair + rng.uniform(0, 0.22), 0, 1)))
    if fair > 0.5 and rng.uniform() < 0.12:
        hair = _HAIR[6] * rng.uniform(0.7, 1.2)
    young = hair
    greying = float(np.clip((years - rng.normal(50, 8)) / 22, 0, 1))
    hair = hair * (1 - 0.9 * greying) + _GREY * 0.9 * greying
    iris = _mix(_IRIS, float(np.clip(rng.beta(0.9, 0.9) * fair + rng.uniform(0, 0.16), 0, 1))) * rng.normal(
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
        "brow": young * rng.uniform(0.25, 0.6) * (1 - greying * 0.6) + 0.16 * _GREY * greying + 0.001,
        "iris": iris,
        "beard": hair * rng.uniform(0.6, 1.0),
        "shadow": skin * rng.uniform(0.2, 0.6, 3),
    }
    for name, colour in colours.items():
        values.update(
            {f"{name}_{c}": float(np.clip(v, 0.002, 0.9)) for c, v in zip("rgb", colour, strict=True)}
        )
    return Identity(shape=shape, look=np.array([values[name] for name in LOOK], np.float32))


def _hair_of(rng: np.random.Generator, male: bool, old: float, african: float) -> str:
    weights = dict.fromkeys(HAIR_STYLES, 0.0)
    if male:
        weights |= {
            "bald": 0.07 + 0.2 * old,
            "buzz": 0.16,
            "short": 0.3,
            "side": 0.2,
            "back": 0.1,
            "messy": 0.14 - 0.1 * old,
        }
        weights |= {"fringe": 0.04, "wavy": 0.03, "long": 0.02}
    else:
        weights |= {
            "short": 0.06 + 0.15 * old,
            "side": 0.03,
            "messy": 0.05,
            "fringe": 0.06,
            "bob": 0.2,
            "long": 0.27 - 0.15 * old,
        }
        weights |= {"wavy": 0.2, "bun": 0.13, "back": 0.02}
    weights |= {"curly": 0.06 + 0.1 * african, "afro": 0.15 * african}
    if african > 0.5:
        weights["buzz"] += 0.2 * male
        for name in ("side", "fringe", "messy"):
            weights[name] *= 0.2
    p = np.array([weights[name] for name in HAIR_STYLES])
    return str(rng.choice(HAIR_STYLES, p=p / p.sum()))


def sample_styling(rng: np.random.Generator) -> Styling:
    """Hair and clothes of one's own day: drawn apart from the face, so that no network learns a face by its hair."""
    male, old, african = rng.uniform() < 0.5, float(rng.uniform(0, 1)), float(rng.dirichlet([0.4, 0.8])[0])
    hair = _hair_of(rng, male, old, african)
    colour = _mix(_HAIR[:6], float(rng.beta(0.75, 1.7)))
    if rng.uniform() < 0.06:
        colour = _HAIR[6]
    if hair == "afro" or (hair == "curly" and african > 0.5):
        colour = _mix(_HAIR[:3], float(rng.uniform(0, 0.6)))
    grey = float(np.clip(rng.normal(2.2 * old - 1.2, 0.3), 0, 1))
    colour = colour * rng.normal(1, 0.08)
    span = {
        "bald": (0.0015, 0.003), "buzz": (0.003, 0.006), "short": (0.016, 0.034), "side": (0.045, 0.075), "back": (0.06, 0.10),
        "messy": (0.045, 0.075), "fringe": (0.06, 0.09), "bob": (0.14, 0.20), "long": (0.26, 0.36), "wavy": (0.22, 0.34),
        "curly": (0.06, 0.12), "afro": (0.05, 0.09), "bun": (0.13, 0.17),
    }[hair]  # fmt: skip
    curl = {"wavy": 0.5, "curly": 1.0, "afro": 1.0, "messy": 0.35, "bob": 0.1}.get(hair, 0.05)
    grey_cloth = rng.uniform(0.01, 0.55)
    cloth = np.clip(grey_cloth * (1 + rng.uniform(0.1, 0.9) * (rng.uniform(0, 1.6, 3) - 0.8)), 0.008, 0.75)
    second = np.clip(rng.uniform(0.1, 0.75) * (1 + 0.3 * (rng.uniform(0, 1.6, 3) - 0.8)), 0.02, 0.8)
    glasses = float(rng.choice([0, 1, 2, 3], p=[0.74, 0.11, 0.11, 0.04]))  # none, round, square, sun
    frame = np.clip(
        rng.choice([0.012, 0.05, 0.25] if glasses < 3 else [0.008, 0.02]) * rng.uniform(0.5, 1.5, 3),
        0.004,
        0.6,
    )
    hat = float(rng.choice([0, 1, 2], p=[0.93, 0.04, 0.03]))  # none, cap, beanie
    values = {
        "grey": grey,
        "hairline": 0.093 + rng.normal(0, 0.0035),
        "recession": float(male) * float(np.clip(rng.normal(0.9 * old - 0.1, 0.3), 0, 1)),
        "length": rng.uniform(*span),
        "curl": curl * rng.uniform(0.6, 1.3),
        "clump": rng.uniform(0.25, 0.8),
        "volume": rng.uniform(0.6, 1.3),
        "part": rng.uniform(-0.045, 0.045),
        "seed": float(rng.integers(1, 100000)),
        "bulk": float(np.clip(rng.normal(0.5, 0.17), 0.15, 0.85)),
        "shoulders": float(np.clip(0.9 * male + rng.normal(0.05, 0.1), 0, 1)),
        "collar": float(rng.choice(len(COLLARS), p=[0.4, 0.15, 0.2, 0.15, 0.1])),
        "pattern": float(rng.choice([0, 1, 2, 3], p=[0.64, 0.12, 0.1, 0.14])),
        "glasses": glasses,
        "tint": 0.85 if glasses == 3 else 0.06,
        "hat": hat,
    }
    for name, rgb in {
        "hair": colour,
        "cloth": cloth,
        "cloth2": second,
        "frame": frame,
        "hat": rng.uniform(0.01, 0.5) * rng.uniform(0.3, 1, 3),
    }.items():
        values.update({f"{name}_{c}": float(np.clip(v, 0.004, 0.9)) for c, v in zip("rgb", rgb, strict=True)})
    return Styling(hair, np.array([values[name] for name in STYLE], np.float32))


def skin_albedo(identity: Identity) -> float:
    """How much light a person's skin gives back, grey, 0..1."""
    i = LOOK.index("skin_r")
    return float(identity.look[i : i + 3] @ np.array([0.2126, 0.7152, 0.0722]))
