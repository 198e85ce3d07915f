"""A generated run as large as FaceForensics++: 1,000 clips of 10 frames, five rows, pictures by every metric."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from reports.frames import KEY, FrameTable
from reports.pictures.films import sampled
from reports.pictures.store import CASES, Picture
from reports.results import Results
from reports.table import Failure, RunFiles
from tests.support.report_builders import SCORES, content, face

ROWS = ("Deepfakes", "FaceShifter", "smoothswap", "copy-target", "copy-source")
METRICS = [key for key in SCORES if not key.startswith("truth")]  # real videos have no truth
FRAMES = 10


def full_size(clips: int = 1000) -> tuple[list[RunFiles], list[Picture]]:
    """(rows, pictures): the same every time."""
    runs, cases = [], []
    for place, model in enumerate(ROWS):
        table = _frames(place, clips)
        given = content(model)
        lost = int((table.rows["status"] != "ok").sum())
        given["counts"] = {
            "expected": clips * FRAMES,
            "used": clips * FRAMES - lost,
            "failed": {"no_face": lost},
        }
        given["metrics"] = {
            key: {
                **given["metrics"][key],
                **_value(table, key),
                "n": clips * FRAMES - lost,
                "clusters": clips // 2,
            }
            for key in METRICS
        }
        failed = table.rows[table.rows["status"] != "ok"].reset_index()
        failures = [
            Failure(str(clip), int(frame), "no_face", "no face was detected in the swapped frame")
            for clip, frame in zip(failed["clip"], failed["frame"], strict=True)
        ]
        runs.append(RunFiles(Results.model_validate(given), failures, model, table=table))
        cases += _cases(model, place, clips)
        if place < 3:
            cases += _films(model, place, clips)
    return runs, cases


def _names(clips: int) -> list[str]:
    return [f"{i:03d}_{i ^ 1:03d}" for i in range(clips)]


def _frames(place: int, clips: int) -> FrameTable:
    rng, n = np.random.default_rng(place), clips * FRAMES
    clip = np.repeat(_names(clips), FRAMES)
    pair = np.repeat(np.arange(clips) // 2, FRAMES)
    index = pd.MultiIndex.from_arrays(
        [["c23"] * n, clip, np.tile(np.arange(FRAMES), clips), np.tile(np.arange(FRAMES) * 37, clips)],
        names=KEY,
    )
    lost = rng.random(n) < 0.01
    rows: dict[str, Any] = {
        "cluster": [f"{p:03d}" for p in pair],
        "status": np.where(lost, "no_face", "ok"),
        "reason": "",
        "posed": True,
    }
    for key in METRICS:
        unit, _, _, values = SCORES[key]
        mean = values[place % len(values)]
        if unit == "%":
            made = np.where(rng.random(n) < mean / 100, 100.0, 0.0)
        else:
            made = mean * np.exp(0.15 * rng.normal(size=clips // 2)[pair] + 0.1 * rng.normal(size=n))
        rows[f"metric/{key}"] = np.where(lost, np.nan, made)
    return FrameTable(pd.DataFrame(rows, index=index))


def _value(table: FrameTable, key: str) -> dict[str, Any]:
    means = table.values(key).groupby(table.clusters()).mean()
    half = 1.96 * float(means.std()) / len(means) ** 0.5
    return {"value": float(means.mean()), "ci95": [float(means.mean()) - half, float(means.mean()) + half]}


@lru_cache(maxsize=4096)
def _face(seed: int) -> np.ndarray:
    """A face as pictures of one come: 128 px, smooth, with a video's grain."""
    noise = np.random.default_rng(seed).normal(0, 3, (128, 128, 3))
    return np.clip(face(seed, 128) + noise, 0, 255).astype(np.uint8)


def _picture(model: str, place: int, clip: int, position: int, case: Any, metric: str) -> Picture:
    scores = tuple((key.replace("_", " ").capitalize(), f"{SCORES[key][3][place]:.3g}") for key in METRICS)
    label = metric.replace("_", " ").capitalize()
    number = 37 * position
    return Picture(
        model=model,
        clip=f"{clip:03d}_{clip ^ 1:03d}",
        frame=number,
        case=case,
        metric_text=f"{label} 0.5" if metric else "drawn by lot",
        source=_face(clip ^ 1),
        target=_face(10_000 + 97 * clip + position),
        swap=_face(100_000 * (place + 2) + 97 * clip + position),
        truth=None,
        metric=metric,
        label=label,
        scores=scores,
    )


def _cases(model: str, place: int, clips: int) -> list[Picture]:
    rng, lot = np.random.default_rng(place), np.random.default_rng(99)
    found = [
        _picture(model, place, int(rng.integers(clips)), int(rng.integers(FRAMES)), case, key)
        for key in METRICS
        for case in CASES[:3]
    ]
    drawn = [(int(lot.integers(clips)), int(lot.integers(FRAMES))) for _ in range(2)]
    return found + [_picture(model, place, clip, position, "random", "") for clip, position in drawn]


def _films(model: str, place: int, clips: int) -> list[Picture]:
    rng = np.random.default_rng(50 + place)
    return [
        replace(_picture(model, place, clip, position, case, "identity"), scope="clip", scores=())
        for case, clip in zip(CASES[:3], map(int, rng.integers(clips, size=3)), strict=True)
        for position in sampled(FRAMES)
    ]
