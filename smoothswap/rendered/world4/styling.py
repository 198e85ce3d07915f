"""How a person of world 4 is dressed: hair and clothes of the day, spectacles, hat. A swap leaves them with the target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smoothswap.rendered.world4.palette import HAIR, mix

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


@dataclass(frozen=True)
class Styling:
    """Hair by name and every number of STYLE."""

    hair: str
    values: np.ndarray

    def number(self, name: str) -> float:
        """One of STYLE."""
        return float(self.values[STYLE.index(name)])


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
    colour = mix(HAIR[:6], float(rng.beta(0.75, 1.7)))
    if rng.uniform() < 0.06:
        colour = HAIR[6]
    if hair == "afro" or (hair == "curly" and african > 0.5):
        colour = mix(HAIR[:3], float(rng.uniform(0, 0.6)))
    grey = float(np.clip(rng.normal(2.2 * old - 1.2, 0.3), 0, 1))
    colour = colour * rng.normal(1, 0.08)
    span = {
        "bald": (0.0015, 0.003), "buzz": (0.003, 0.006), "short": (0.016, 0.034), "side": (0.045, 0.075),
        "back": (0.06, 0.10),
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
