"""A person's skin as a frame shows it: pictures as sharp as its pixels, stained where hair grows, creased by expression."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from smoothswap.rendered.head import load_head
from smoothswap.rendered.people import Identity
from smoothswap.rendered.world4.arrays import Device
from smoothswap.rendered.world4.clothes import WORN
from smoothswap.rendered.world4.paint import Finish
from smoothswap.rendered.world4.people import LOOK, numbers
from smoothswap.rendered.world4.scalp import scalp_density
from smoothswap.rendered.world4.skin import SIDE, TEXELS, Skin, make_skin, noise, unrolled
from smoothswap.rendered.world4.styling import Styling

# Which weights make which fold (skin.FOLDS).
_FOLDS = (
    {"browInnerUp": 0.6, "browOuterUpLeft": 0.3, "browOuterUpRight": 0.3},
    {"browDownLeft": 0.5, "browDownRight": 0.5},
    {"eyeSquintLeft": 0.3, "eyeSquintRight": 0.3, "cheekSquintLeft": 0.25, "cheekSquintRight": 0.25},
    {"mouthSmileLeft": 0.45, "mouthSmileRight": 0.45, "noseSneerLeft": 0.3, "noseSneerRight": 0.3},
)


@lru_cache(maxsize=4)
def _skin(look: bytes) -> Skin:
    return make_skin(numbers(LOOK, np.frombuffer(look, np.float32)))


class Complexion:
    """`values` is what the kernels read."""

    def __init__(self, identity: Identity, styling: Styling, pixel: float, device: Device) -> None:
        """`pixel`: metres that a pixel of the frame shows; finer detail is left out."""
        skin, look = _skin(identity.look.tobytes()), numbers(LOOK, identity.look)
        self.look, self.device = look, device
        texel = 2 * SIDE * 0.085 / TEXELS
        blur = max(0.32 * pixel / texel - 0.2, 0.0)
        colour = skin.colour
        if styling.hair != "bald" or styling.number("recession") < 0.9:
            x, y, z = unrolled()
            rest = np.stack([x, y, z], -1).reshape(-1, 3)
            rng = np.random.default_rng(int(styling.number("seed")))
            grown = scalp_density(
                rest, np.zeros(len(rest)), styling, 0.003 * noise(rng, 0.004).reshape(-1)
            ).reshape(x.shape)
            amount = {"bald": 0.25, "buzz": 0.7}.get(styling.hair, 0.9)
            stain = (amount * grown * np.clip(0.85 + 0.15 * noise(rng, 0.0015), 0, 1))[..., None].astype(
                np.float32
            )
            hair = np.array([styling.number(f"hair_{c}") for c in "rgb"], np.float32) * (
                1 - styling.number("grey")
            ) + 0.25 * styling.number("grey")
            colour = colour * (1 - stain) + (0.6 * hair + 0.12 * colour) * stain
        soft = (lambda a: cv2.GaussianBlur(a, (0, 0), blur)) if blur > 0.3 else (lambda a: a)
        self.height, self.folds = soft(skin.height), [soft(np.ascontiguousarray(f)) for f in skin.folds]
        self.values = Finish()
        self.values.colour = self.device.vectors(soft(colour))
        self.values.gloss = self.device.floats(soft(skin.gloss))
        self.values.height = self.device.floats(self.height)
        self.values.look = self.device.floats(
            [look[k] for k in ("iris_r", "iris_g", "iris_b", "iris_size", "teeth")]
        )
        self.values.style = self.device.floats([styling.number(k) for k in WORN])
        self.values.seed = int(look["noise_seed"])

    def crease(self, expression: np.ndarray) -> None:
        """Fold the skin as an expression does, ARKit weights [52]."""
        head = load_head()
        height = self.height
        age = float(np.clip((self.look["age"] - 18) / 72, 0, 1))
        for i, causes in enumerate(_FOLDS):
            amount = sum(
                share * float(expression[head.expression_index(name)]) for name, share in causes.items()
            )
            if amount > 0.04:
                height = height + np.float32(min(amount, 1.0) * (0.30 + 0.7 * age)) * self.folds[i]
        self.values.height = self.device.floats(height)
