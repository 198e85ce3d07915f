"""Readings of an invented run, for the tests of all metrics."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from metrics import METRICS, Sides

WIDTHS = {"identity": 16, "shape": 10, "expression": 8, "pose": 3, "mouth": 1, "eyes": 1, "gaze": 1}


def sides(seed: int = 0, people: int = 12, frames: int = 5, swap: str = "mixed", **changes: Any) -> Sides:
    """A run of people/2 pairs in both directions, `frames` frames a clip, with a gallery of all of them.

    swap: what the model returns: "mixed" (noise around both), "source", "target" or "truth" (the oracle).
    """
    rng = np.random.default_rng(seed)
    persons = {name: rng.normal(size=(people, width)) for name, width in WIDTHS.items()}
    target = np.repeat(np.arange(people), frames)
    source = target ^ 1  # 0 and 1 swap with each other, 2 and 3, ...

    def look(name: str, who: np.ndarray) -> np.ndarray:
        own = persons[name][who] * (1.0 if name in ("identity", "shape") else 0.2)
        return own + rng.normal(size=(len(who), WIDTHS[name])) * 0.2

    real = {side: {k: look(k, who) for k in WIDTHS} for side, who in (("s", source), ("t", target))}
    truth = {k: real["s" if k in ("identity", "shape") else "t"][k] for k in WIDTHS}
    made = {
        "source": real["s"],
        "target": real["t"],
        "truth": truth,
        "mixed": {k: (truth[k] + real["t"][k]) / 2 + rng.normal(size=truth[k].shape) for k in WIDTHS},
    }[swap]
    label = np.char.zfill(np.arange(people).astype(str), 3)
    fields: dict[str, Any] = {
        "swap": {k: v.copy() for k, v in made.items()},
        "source": real["s"],
        "target": real["t"],
        "wanted_id": label[source],
        "target_id": label[target],
        "clusters": np.array([f"{a & ~1:03d}_{a | 1:03d}" for a in target]),
        "gallery": np.concatenate([real["t"]["identity"], real["s"]["identity"]]),
        "gallery_ids": np.concatenate([label[target], label[source]]),
        "clips": label[target],
        "frames": np.tile(np.arange(frames), people) + 7,
        "truth": truth | {"pixel_error": rng.uniform(0, 40, len(target)) * (swap != "truth")},
        "pixels": _pixels(rng, len(target), swap),
        "instruments": {k: f"test-{k}" for k in WIDTHS},
    }
    return Sides(**(fields | changes))


def _pixels(rng: np.random.Generator, n: int, swap: str) -> dict[str, np.ndarray]:
    """Metrics of pixels between their best value, which the truth has, and somewhere worse."""
    best = {"ssim_outside": 1.0, "psnr_outside": 60.0, "lpips_outside": 0.0, "warping_error": 0.0}
    far = {"ssim_outside": -0.4, "psnr_outside": -30.0, "lpips_outside": 0.5, "warping_error": 9.0}
    return {k: best[k] + far[k] * rng.uniform(0, 1, n) * (swap != "truth") for k in best}


def read_for(s: Sides, key: str) -> Sides:
    """The same readings, by the network on which the metric is defined where it is defined on one alone."""
    only = METRICS[key].only
    return replace(s, instruments=dict.fromkeys(WIDTHS, f"{only}:test")) if only else s
