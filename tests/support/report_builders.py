"""Builders of generated results and pictures, as a run of the benchmark would hand them over."""

from __future__ import annotations

from typing import Any

import numpy as np

from reports.pictures.store import Picture

# key: (unit, higher is better, instrument, copy-target, smoothswap, classical, copy-source, oracle)
SCORES: dict[str, tuple[str, bool, str | None, list[float]]] = {
    "id_retrieval": ("%", True, "dlib", [1.5, 46.3, 31.2, 97.8, 98.5]),
    "id_retrieval_top5": ("%", True, "dlib", [6.0, 71.0, 58.7, 99.2, 99.8]),
    "identity": ("cosine", True, "dlib", [0.712, 0.861, 0.838, 0.951, 0.957]),
    "identity_r": ("share", False, "dlib", [0.874, 0.421, 0.497, 0.151, 0.142]),
    "shape": ("L2", False, "anny", [4.21, 3.02, 3.44, 1.11, 0.97]),
    "shape_r": ("share", False, "anny", [0.911, 0.462, 0.581, 0.201, 0.187]),
    "expression": ("L2", False, "anny", [0.113, 0.582, 0.474, 1.302, 0.305]),
    "expression_r": ("share", False, "anny", [0.081, 0.343, 0.301, 0.902, 0.198]),
    "pose": ("radians", False, "anny", [0.012, 0.064, 0.071, 0.287, 0.021]),
    "pose_r": ("share", False, "anny", [0.041, 0.181, 0.207, 0.934, 0.066]),
    "truth_pixel": ("levels", False, None, [14.2, 8.61, 10.4, 19.7, 0.0]),
    "truth_identity": ("L2", False, "dlib", [0.612, 0.388, 0.431, 0.201, 0.0]),
    "truth_shape": ("L2", False, "anny", [4.02, 2.81, 3.13, 1.64, 0.0]),
    "truth_expression": ("L2", False, "anny", [0.422, 0.531, 0.502, 1.281, 0.0]),
    "truth_pose": ("radians", False, "anny", [0.024, 0.059, 0.066, 0.291, 0.0]),
}
MODELS = ["copy-target", "smoothswap", "classical", "copy-source", "oracle"]
HASH = "9f2b6c1de0a4475583b7c6f1a2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5"


def content(model: str = "smoothswap", **changes: Any) -> dict[str, Any]:
    """A results.json of one model as plain JSON; `changes` replace top-level keys."""
    place = MODELS.index(model) if model in MODELS else 1
    metrics = {}
    for key, (unit, up, instrument, values) in SCORES.items():
        value = values[place]
        half = 0.04 * max(values) if value else 0.0
        top = 100.0 if unit == "%" else float("inf")
        metrics[key] = {
            "value": value,
            "ci95": [max(0.0, value - half), min(top, value + 1.1 * half)],
            "n": 396,
            "clusters": 20,
            "unit": unit,
            "higher_is_better": up,
            "instrument": instrument,
            "version": 1,
            "missing_policy": "count_as_wrong" if unit == "%" else "exclude",
        }
    failed = {"no_face": 3, "decode_error": 1} if model == "smoothswap" else {}
    made = {
        "schema_version": 1,
        "run": {
            "command": "python -m bench.ffpp --model smoothswap --model classical --seed 0",
            "model": {
                "name": model,
                "weights_sha256": HASH if model == "smoothswap" else None,
                "kind": "crop",
            },
            "protocol": {
                "hash": HASH,
                "compression": "c23",
                "split": "test",
                "frames": 10,
                "limit": None,
                "source_rule": "first_valid",
                "faces_rule": "largest_tracked",
                "missing": "count_as_wrong",
            },
            "data": {
                "name": "rendered FaceForensics++",
                "manifest_sha256": HASH[::-1],
                "identities": 40,
                "clips": 40,
            },
            "instruments": [
                {
                    "name": "dlib",
                    "weights_sha256": HASH,
                    "crop": {"template": "dlib", "size": 150},
                    "licence": "CC0-1.0",
                    "needs": None,
                },
                {
                    "name": "anny",
                    "weights_sha256": HASH[::-1],
                    "crop": {"template": "ffhq", "size": 128},
                    "licence": "Apache-2.0",
                    "iterations": 40,
                },
            ],
            "environment": {"python": "3.11.9", "numpy": "2.4.6", "platform": "Linux x86_64", "threads": 2},
            "seed": 0,
            "started": "2026-02-03T10:20:00+00:00",
            "seconds": 83.25,
        },
        "counts": {"expected": 400, "used": 400 - sum(failed.values()), "failed": failed},
        "metrics": metrics,
    }
    return {**made, **changes}


def face(seed: int, size: int = 64) -> np.ndarray:
    """A face-like gradient: skin, hair, eyes and a mouth in colours of its own; uint8 [size, size, 3]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    image = np.stack([120 + 60 * x, 130 - 40 * y, 150 + 30 * x * y], -1) * rng.uniform(0.5, 1.1, 3)
    skin = np.array([215, 165, 135]) * rng.uniform(0.55, 1.1)
    shade = (1.05 - 0.35 * (x + y * 0.4) ** 2)[..., None]
    wide = rng.uniform(0.5, 0.68)
    head = (x / wide) ** 2 + (y / 0.82) ** 2
    image = np.where((head < 1.25)[..., None] & (y < 0)[..., None], rng.uniform(20, 150, 3), image)
    image = np.where((head < 1)[..., None] & (y > -0.55)[..., None], skin * shade, image)
    for side in (-0.25, 0.25):
        image = np.where((((x - side) / 0.1) ** 2 + ((y + 0.12) / 0.055) ** 2 < 1)[..., None], 30.0, image)
    mouth = (x / 0.24) ** 2 + ((y - 0.42) / rng.uniform(0.03, 0.11)) ** 2 < 1
    image = np.where(mouth[..., None], np.array([150, 60, 65]), image)
    return np.clip(image, 0, 255).astype(np.uint8)


def picture(model: str, case: Any, seed: int, size: int = 64, truth: Any = True, **changes: Any) -> Picture:
    made = {
        "model": model,
        "clip": f"{seed:03d}_{seed + 1:03d}",
        "frame": 12,
        "case": case,
        "metric_text": f"cosine {0.9 - seed / 200:.2f}",
        "source": face(seed, size),
        "target": face(seed + 1, size),
        "swap": face(seed + 2, size),
        "truth": (face(seed + 3, size) if truth else None) if isinstance(truth, bool) else truth,
    }
    return Picture(**{**made, **changes})
