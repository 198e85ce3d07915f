"""Talking: head turns, syllables, blinks and moods as smooth functions of time (seconds)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smoothswap.rendered.head import Head, euler_to_pose

_VISEMES = (
    "mouthFunnel",
    "mouthPucker",
    "mouthStretchLeft",
    "mouthUpperUpLeft",
    "mouthLowerDownLeft",
    "mouthClose",
)
_MOODS: dict[str, dict[str, float]] = {
    "neutral": {},
    "smile": {"mouthSmileLeft": 0.8, "cheekSquintLeft": 0.5, "eyeSquintLeft": 0.3},
    "frown": {"browDownLeft": 0.8, "mouthFrownLeft": 0.5, "mouthPressLeft": 0.3},
    "surprise": {"browInnerUp": 0.8, "browOuterUpLeft": 0.7, "eyeWideLeft": 0.6, "jawOpen": 0.15},
    "sneer": {"noseSneerLeft": 0.6, "mouthUpperUpLeft": 0.4, "browDownLeft": 0.4},
    "doubt": {"browInnerUp": 0.5, "mouthPucker": 0.3, "mouthShrugLower": 0.5},
}


@dataclass(frozen=True)
class State:
    """One moment: pose axis-angle [3] (radians), expression [52] (0..1), gaze yaw and pitch (radians)."""

    pose: np.ndarray
    expression: np.ndarray
    gaze: np.ndarray


class Motion:
    """A person's motion, drawn once from `rng`; `at(t)` is smooth in t and draws nothing."""

    def __init__(self, rng: np.random.Generator, head: Head, yaw: float = 0.38) -> None:
        self.head = head
        self.waves = [
            (
                rng.uniform(0.12, 0.5, 3),
                rng.uniform(0, 2 * np.pi, 3),
                rng.dirichlet([2, 2, 1]) * rng.uniform(0.4, 1.0),
            )
            for _ in range(6)
        ]
        self.span = np.array([yaw, 0.16, 0.12, 0.25, 0.12, 1.0])
        self.offset = rng.normal(0, [0.45 * yaw, 0.06, 0.04])
        self.syllables = (rng.uniform(2.2, 4.2), rng.uniform(0, 2 * np.pi), rng.uniform(0.25, 0.75))
        self.visemes = [
            (name, rng.uniform(0.8, 2.5), rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.7))
            for name in _VISEMES
        ]
        self.moods = (str(rng.choice(list(_MOODS))), str(rng.choice(list(_MOODS))))
        self.blinks = np.cumsum(rng.uniform(0.7, 3.5, 40)) - rng.uniform(0, 1.5)

    def _wave(self, k: int, t: float) -> float:
        frequency, phase, weight = self.waves[k]
        return float((np.sin(2 * np.pi * frequency * t + phase) * weight).sum() * self.span[k])

    def at(self, t: float) -> State:
        """The state at `t` seconds (t >= 0)."""
        weights = dict.fromkeys(self.head.expression_names, 0.0)

        def add(name: str, amount: float) -> None:
            weights[name] += amount
            if name.endswith("Left"):
                weights[name.removesuffix("Left") + "Right"] += amount

        blend = 0.5 + self._wave(5, t) / 2
        for mood, share in zip(self.moods, (blend, 1 - blend), strict=True):
            for name, amount in _MOODS[mood].items():
                add(name, amount * float(np.clip(share, 0, 1)))
        rate, phase, loud = self.syllables
        talking = np.clip(0.5 + 0.9 * np.sin(2 * np.pi * 0.31 * t + phase), 0, 1)
        add("jawOpen", float(loud * talking * np.clip(np.sin(2 * np.pi * rate * t + phase), 0, 1)))
        for name, frequency, start, amount in self.visemes:
            share = amount * talking * np.clip(np.sin(2 * np.pi * frequency * t + start), 0, 1)
            if name == "mouthClose":  # closes a jaw that is open; alone it would tear the lips
                share = min(share, 0.5 * weights["jawOpen"])
            add(name, float(share))
        closed = float(np.exp(-0.5 * ((t - self.blinks) / 0.07) ** 2).max())
        add("eyeBlinkLeft", closed)
        expression = np.clip(np.array(list(weights.values()), np.float32), 0, 1)
        yaw, pitch, roll = (self._wave(k, t) + self.offset[k] for k in range(3))
        gaze = np.array([self._wave(3, t), self._wave(4, t)], np.float32)
        return State(pose=euler_to_pose(yaw, pitch, roll), expression=expression, gaze=gaze)
