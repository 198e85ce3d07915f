"""Talking, laughing, listening: a person's pose, face and gaze as smooth functions of time (seconds)."""

from __future__ import annotations

import numpy as np

from smoothswap.rendered.head import Head, euler_to_pose
from smoothswap.rendered.motion import State

YAW, PITCH, ROLL = np.radians([60, 30, 25])  # the widest poses
_VISEMES = (
    ("jawOpen", 0.34), ("mouthFunnel", 0.35), ("mouthPucker", 0.45), ("mouthStretchLeft", 0.3), ("mouthUpperUpLeft", 0.3),
    ("mouthLowerDownLeft", 0.45), ("mouthShrugUpper", 0.2), ("mouthRollLower", 0.25),
)  # fmt: skip
_MOODS: dict[str, dict[str, float]] = {
    "neutral": {},
    "pleased": {"mouthSmileLeft": 0.35, "cheekSquintLeft": 0.2},
    "smile": {
        "mouthSmileLeft": 0.75, "mouthUpperUpLeft": 0.2, "cheekSquintLeft": 0.5, "eyeSquintLeft": 0.3,
        "mouthDimpleLeft": 0.2,
    },
    "grin": {
        "mouthSmileLeft": 0.85, "mouthUpperUpLeft": 0.45, "cheekSquintLeft": 0.55, "eyeSquintLeft": 0.3,
        "mouthLowerDownLeft": 0.4, "jawOpen": 0.12,
    },
    "frown": {"browDownLeft": 0.6, "mouthFrownLeft": 0.35, "mouthPressLeft": 0.3},
    "surprise": {"browInnerUp": 0.6, "browOuterUpLeft": 0.6, "eyeWideLeft": 0.45, "jawOpen": 0.15},
    "disgust": {"noseSneerLeft": 0.5, "mouthUpperUpLeft": 0.3, "browDownLeft": 0.35},
    "doubt": {"browInnerUp": 0.4, "mouthPucker": 0.25, "mouthShrugLower": 0.4},
    "thought": {"browDownLeft": 0.25, "eyeSquintLeft": 0.3, "mouthPressLeft": 0.25},
}  # fmt: skip
_P = np.array([0.2, 0.17, 0.2, 0.2, 0.06, 0.05, 0.03, 0.04, 0.05])
_LAUGH = {
    "mouthSmileLeft": 0.7,
    "jawOpen": 0.28,
    "cheekSquintLeft": 0.6,
    "eyeSquintLeft": 0.5,
    "mouthUpperUpLeft": 0.3,
    "mouthLowerDownLeft": 0.3,
}


class Talk:
    """A person's motion, drawn once from `rng`; `at(t)` draws nothing and jumps nowhere but for the gaze's quick moves."""

    def __init__(self, rng: np.random.Generator, head: Head, reach: float = 1.0) -> None:
        """`reach`: share of the widest poses that are drawn from; most people look about ahead all the same."""
        self.head = head
        far = rng.uniform(0, 1) ** 2.2 * reach
        sign = rng.choice([-1, 1])
        self.offset = np.array(
            [
                sign * far * YAW,
                np.clip(rng.normal(0.02, 0.30), -1, 1) * PITCH * reach,
                np.clip(rng.normal(0, 0.28), -1, 1) * ROLL * reach,
            ]
        )
        self.span = np.array([0.20, 0.09, 0.07]) * rng.uniform(0.3, 1.3) * min(reach, 1.0)
        self.waves = [
            (rng.uniform(0.1, 0.55, 3), rng.uniform(0, 2 * np.pi, 3), rng.dirichlet([2, 2, 1]))
            for _ in range(4)
        ]
        self.talks = rng.uniform() < 0.6
        self.rate, self.phase = rng.uniform(2.4, 4.5), rng.uniform(0, 2 * np.pi)
        self.visemes = [
            (name, rng.uniform(0.8, 3.2), rng.uniform(0, 2 * np.pi), most * rng.uniform(0.4, 1.2))
            for name, most in _VISEMES
        ]
        self.moods = tuple(str(rng.choice(list(_MOODS), p=_P)) for _ in range(2))
        self.own = rng.normal(0, 0.05, len(head.expression_names)).clip(0)  # nobody's face is quite at rest
        self.blinks = np.cumsum(rng.uniform(0.8, 4.5, 40)) - rng.uniform(0, 1.8)
        self.laugh = (rng.uniform(0, 8), rng.uniform(0.6, 1.6)) if rng.uniform() < 0.2 else (-99.0, 1.0)
        self.looks = np.cumsum(rng.uniform(0.4, 2.5, 40)) - 1.0
        self.aims = rng.normal(0, [0.22, 0.10], (41, 2))
        self.at_camera = rng.uniform(0, 1, 41) < 0.65
        self.tilted = rng.normal(0, 0.04)

    def _wave(self, k: int, t: float) -> float:
        frequency, phase, weight = self.waves[k]
        return float((np.sin(2 * np.pi * frequency * t + phase) * weight).sum())

    def at(self, t: float) -> State:
        """The state at `t` seconds (t >= 0)."""
        weights = dict(zip(self.head.expression_names, self.own.tolist(), strict=True))
        for name in weights:
            if name.startswith(
                ("eyeLook", "eyeBlink", "eyeSquint", "browInner", "tongue", "mouthClose", "jaw")
            ):
                weights[name] = 0.0

        def add(name: str, amount: float) -> None:
            weights[name] += amount
            if name.endswith("Left"):
                weights[name.removesuffix("Left") + "Right"] += amount * (1 + self.tilted)

        blend = 0.5 + 0.6 * self._wave(3, t)
        for mood, share in zip(self.moods, (blend, 1 - blend), strict=True):
            for name, amount in _MOODS[mood].items():
                add(name, amount * float(np.clip(share, 0, 1)))
        bout, long = self.laugh
        laughing = float(np.exp(-(((t - bout - long / 2) / long) ** 4) * 6))
        for name, amount in _LAUGH.items():
            shake = 1 + 0.25 * np.sin(2 * np.pi * 4.6 * t) * (name == "jawOpen")
            add(name, amount * laughing * shake)
        if self.talks:
            talking = float(np.clip(0.5 + 0.9 * np.sin(2 * np.pi * 0.31 * t + self.phase), 0, 1)) * (
                1 - laughing
            )
            syllable = 0.35 + 0.65 * np.clip(np.sin(2 * np.pi * self.rate * t + self.phase), 0, 1)
            for name, frequency, start, amount in self.visemes:
                add(
                    name,
                    float(
                        amount * talking * syllable * np.clip(np.sin(2 * np.pi * frequency * t + start), 0, 1)
                    ),
                )
        pose = self.offset + self.span * np.array([self._wave(k, t) for k in range(3)])
        pose[1] += 0.03 * laughing * np.sin(2 * np.pi * 2.3 * t)
        yaw, pitch, roll = np.clip(pose, [-YAW, -PITCH, -ROLL], [YAW, PITCH, ROLL])
        k = int(np.searchsorted(self.looks, t))
        gaze = np.array([-yaw, -pitch]) if self.at_camera[k] else self.aims[k]
        gaze = np.clip(gaze + 0.02 * self.aims[(k + 7) % 41], [-0.55, -0.35], [0.55, 0.40])
        closed = float(np.exp(-0.5 * ((t - self.blinks) / 0.07) ** 2).max())
        add("eyeBlinkLeft", min(closed + 0.5 * max(float(gaze[1]), 0.0), 1.0))
        add("eyeWideLeft", 0.08 + 0.6 * max(-float(gaze[1]), 0.0))
        expression = np.clip(np.array(list(weights.values()), np.float32), 0, 1)
        return State(
            pose=euler_to_pose(yaw, pitch, roll), expression=expression, gaze=gaze.astype(np.float32)
        )
