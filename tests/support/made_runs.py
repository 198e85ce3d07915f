"""Runs of the benchmark made from synthetic pictures in a moment: the same files that bench.ffpp writes.

Faces are 8 x 8 RGB noise, a model is a function of two of them, and four small "instruments" read them: identity
and shape from the upper half, expression and pose from the lower.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench.ffpp.protocol import Protocol
from metrics import METRICS, Sides, evaluate, frame_values
from metrics.frames.retrieval import people_of
from metrics.gallery_curve import gallery_curve
from reports.results import Results, write_atomic
from reports.run_files import RunFiles
from reports.seal import BLANK, seal

PAIRS, FRAMES, LAST = 12, 4, 21
NUMBERS = [0, 7, 14, 21]
Model = Callable[[np.ndarray, np.ndarray], np.ndarray]
READS = ("identity", "shape", "expression", "pose")


def blend(share: float = 0.7) -> Model:
    """The source's upper half, `share` of it, over the target; the lower half stays the target's."""

    def swap(source: np.ndarray, target: np.ndarray) -> np.ndarray:
        made = target.copy()
        made[:, :4] = share * source[:, :4] + (1 - share) * target[:, :4]
        return made

    return swap


def flipped(model: Model) -> Model:
    """The same model, handing its channels back in the other order."""
    return lambda source, target: model(source, target)[..., ::-1].copy()


def shifted(model: Model) -> Model:
    """The same model, pasting its crop back one pixel to the side."""
    return lambda source, target: np.roll(model(source, target), 1, axis=2)


def read(faces: np.ndarray, name: str) -> np.ndarray:
    """Readings float32 [n, d] of faces float [n, 8, 8, 3]."""
    half = faces[:, :4] if name in ("identity", "shape") else faces[:, 4:]
    if name == "identity":
        return (half.reshape(len(faces), -1) - 100).astype(np.float32)
    if name == "pose":
        return (half.mean(axis=(1, 2)) / 100).astype(np.float32)
    return (half[..., 0].reshape(len(faces), -1) / 50).astype(np.float32)


def people(pairs: int = PAIRS) -> tuple[list[str], np.ndarray]:
    """(clip names, their frames float [clips, FRAMES, 8, 8, 3])."""
    rng = np.random.default_rng(7)
    names = [f"{i:03d}" for i in range(2 * pairs)]
    base = rng.uniform(0, 255, (len(names), 1, 8, 8, 3))
    return names, base + rng.normal(0, 12, (len(names), FRAMES, 8, 8, 3))


def write(  # noqa: PLR0913  # what a run is made of, by name
    out: Path,
    name: str,
    model: Model,
    noise: int | None = None,
    lost: tuple[int, ...] = (),
    protocol: Protocol | None = None,
    change: Callable[[dict[str, Any]], None] | None = None,
    reference: bool = False,
    pairs: int = PAIRS,
) -> Path:
    """Write OUT/<name>/ and OUT/originals.parquet; returns the model's folder.

    noise: seed of what an unchanged rerun changes in the pictures (grey levels), None for nothing.
    lost: rows without a face in the swap. change: edits results.json before it is written.
    """
    protocol = protocol or Protocol(frames=FRAMES)
    clips, frames = people(pairs)
    order = [(t, s) for i in range(0, len(clips), 2) for t, s in ((i, i + 1), (i + 1, i))]
    target = np.concatenate([frames[t] for t, _ in order])
    source = np.concatenate([np.repeat(frames[s][:1], FRAMES, axis=0) for _, s in order])
    swapped = model(source, target)
    if noise is not None:
        swapped = swapped + np.random.default_rng(noise).normal(0, 1.5, swapped.shape)
    n = len(swapped)
    failed = np.isin(np.arange(n), lost)
    wanted = [clips[s] for _, s in order for _ in range(FRAMES)]
    own = [clips[t] for t, _ in order for _ in range(FRAMES)]
    clusters = ["+".join(sorted(pair)) for pair in zip(own, wanted, strict=True)]
    swap = {r: np.where(failed[:, None], np.nan, read(swapped, r)) for r in READS}
    flat = frames.reshape(-1, 8, 8, 3)
    sides = Sides(
        swap,
        {r: read(source, r) for r in READS},
        {r: read(target, r) for r in READS},
        np.array(wanted),
        np.array(own),
        np.array(clusters),
        read(flat, "identity"),
        np.repeat(np.array(clips), FRAMES),
        gallery_size=protocol.gallery_size,
        gallery_seed=protocol.seed,
        instruments=dict.fromkeys(READS, "made"),
    )
    values = evaluate(sides, missing=protocol.missing, seed=protocol.seed, n_resamples=1999)
    columns: dict[str, Any] = {
        "model": [name] * n,
        "manipulation": [name] * n,
        "compression": ["c23"] * n,
        "clip": [f"{t}_{s}" for t, s in zip(own, wanted, strict=True)],
        "target": own,
        "source": wanted,
        "cluster": clusters,
        "position": list(range(FRAMES)) * len(order),
        "frame": NUMBERS * len(order),
        "source_frame": [0] * n,
        "status": np.where(failed, "no_face", "ok").tolist(),
        "reason": np.where(failed, "no face was detected in the swapped frame", "").tolist(),
        "posed": [True] * n,
    }
    for key in values:
        columns[f"metric/{key}"] = [None if np.isnan(x) else x for x in frame_values(sides, key)]
    searching = {key: METRICS[key].rank for key in values if METRICS[key].rank is not None}
    ranks = {key: rank(sides) for key, rank in searching.items() if rank is not None}
    for key, rank in ranks.items():
        columns[f"rank/{key}"] = [None if np.isnan(x) else x for x in rank]
    for r in READS:
        rows = [None if np.isnan(row).any() else row for row in swap[r]]
        columns[f"swap/made/{r}"] = pa.array(rows, pa.list_(pa.float32()))
    originals: dict[str, Any] = {
        "clip": [c for c in clips for _ in range(FRAMES)],
        "compression": ["c23"] * len(flat),
        "frame": NUMBERS * len(clips),
        "status": ["ok"] * len(flat),
        "reason": [""] * len(flat),
    }
    for r in READS:
        originals[f"original/made/{r}"] = pa.array(list(read(flat, r)), pa.list_(pa.float32()))
    files = {
        "../originals.parquet": _save(out / "originals.parquet", pa.table(originals)),
        "frames.parquet": _save(out / name / "frames.parquet", pa.table(columns)),
    }
    content = {
        "run": {
            "command": f"python -m bench.ffpp --model {name} --frames {FRAMES} --out here",
            "model": {"name": name, "weights_sha256": None, "reference": reference, "spec": name},
            "protocol": {**protocol.model_dump(mode="json"), "hash": protocol.hash},
            "data": {"name": "made", "manifest_sha256": "0" * 64, "clips": len(order)},
            "gallery": {
                "people": len(clips),
                "clips": len(clips),
                "frames": len(flat),
                "size": protocol.gallery_size,
            },
            "instruments": [
                {
                    "name": "made",
                    "weights_sha256": "1" * 64,
                    "crop": {"template": "ffhq", "size": 8},
                    "licence": "-",
                }
            ],
            "environment": {"python": "3", "packages": {}},
            "seed": protocol.seed,
            "started": "2026-11-24T12:00:00+00:00",
            "seconds": 1.5,
        },
        "counts": {
            "expected": n,
            "used": int(n - failed.sum()),
            "failed": {"no_face": len(lost)} if lost else {},
        },
        "metrics": {
            key: {
                **value.as_dict(),
                "missing": None,
                "description": METRICS[key].description,
                **(_searched(key, ranks[key], sides, protocol) if key in ranks else {}),
            }
            for key, value in values.items()
        },
        "files": files,
    }
    if change is not None:
        change(content)
    write_atomic(out / name / "results.json", Results.model_validate(content))
    return out / name


def _searched(key: str, rank: np.ndarray, sides: Sides, protocol: Protocol) -> dict[str, Any]:
    people = people_of(sides)
    points = gallery_curve(
        METRICS[key],
        rank,
        METRICS[key].if_missing(sides),
        sides.clusters,
        people=people,
        missing=protocol.missing,
        seed=protocol.seed,
    )
    curve = [{"people": p.people, "value": p.found.value, "ci95": p.found.ci95} for p in points]
    return {"gallery": protocol.gallery_size or people, "curve": curve}


def _save(path: Path, table: pa.Table) -> str:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    write_atomic(path, buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def edit_frames(folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> str:
    """Change a written frames.parquet; returns its new hash."""
    data = change(pd.read_parquet(folder / "frames.parquet"))
    return _save(folder / "frames.parquet", pa.Table.from_pandas(data, preserve_index=False))


def edit_results(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    import json

    path = folder / "results.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def unread_page(out: Path, runs: Sequence[RunFiles], _: object = ()) -> Path:
    """In the place of reports.html.write_report: a page that nobody reads, which costs two seconds a run, with its seal."""
    lines = [f'<meta name="results" content="{run.results.run.model.name} {run.sha256}">' for run in runs]
    lines.append(f'<meta name="page" content="{BLANK}">')
    path = out / "report.html"
    path.write_text(seal("\n".join(lines)))
    return path
