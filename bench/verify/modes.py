"""The part of bench.verify for --self and --cycle: whose photo was shown, what came back, and that nobody is ranked."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from bench.errors import few
from bench.verify import meaning, recount
from bench.verify.checks import Checked
from reports.results import Results

_COLUMNS = ("again", "again_frame", "back_status", "back_reason")


def check_mode(found: Checked, tables: recount.Tables, results: Results) -> None:
    """Check what a run with --self or --cycle has besides.

    Args:
        found: Gets the violations.
        tables: Of the protocol's frames.
        results: What is checked.
    """
    frames = tables.frames
    if tables.mode != "cycle":
        strange = [name for name in _COLUMNS if name in frames]
        found.expect(
            not strange, f"mode: {tables.mode} has no way back, and frames.parquet has {few(strange)}"
        )
        found.expect(
            results.back is None, f"mode: {tables.mode} has no way back, and results.json counts some"
        )
    if tables.mode == "swap":
        return
    found.expect(
        results.run.model.model_dump().get("kind") != "finished",
        f"mode: finished swaps cannot be of {tables.mode}",
    )
    for key, metric in results.metrics.items():
        if tables.mode == "self" or key.startswith("truth_"):
            found.expect(
                bool(metric.unranked), f"metric {key}: stated to rank models, which {tables.mode} cannot"
            )
    if tables.mode == "self":
        allowed = ("truth_", "ssim_", "psnr_", "lpips_")
        strange = [key for key in results.metrics if key in meaning.MEANING and not key.startswith(allowed)]
        found.expect(not strange, f"mode: self says nothing of {few(strange)}")
        _photos(found, tables, "source", "source_frame")
    elif missing := [name for name in _COLUMNS if name not in frames]:
        found.violations.append(f"mode: a cycle, and frames.parquet lacks {few(missing)}")
    else:
        _photos(found, tables, "again", "again_frame")
        _ways_back(found, tables, results)


def _photos(found: Checked, tables: recount.Tables, clip: str, number: str) -> None:
    """Whether the other photo is the target person's, and the one that the rule asks for."""
    rows = tables.frames[tables.posed]
    usable: dict[str, list[int]] = {}
    for name, frame, status in zip(
        *(tables.originals[column] for column in ("clip", "frame", "status")), strict=True
    ):
        if status == "ok":
            usable.setdefault(name, []).append(int(frame))
    stranger, wrong = [], []
    for row in rows[["clip", "target", "frame", clip, number]].itertuples(index=False, name=None):
        pair, target, frame, photo, shown = row
        if photo not in tables.people:
            stranger.append(f"{pair} ({photo})")
            continue
        if tables.people[photo] != tables.people[target]:
            stranger.append(f"{pair} ({photo})")
        there = [other for other in usable.get(photo, []) if photo != target or other != frame]
        if photo == target and there:
            best = max(there, key=lambda other: (abs(other - frame), -other))
            wrong += [f"{pair} frame {frame}"] * (shown != best)
        elif shown not in there:
            wrong.append(f"{pair} frame {frame}")
    found.expect(not stranger, f"mode: the other photo is not of the target's person in {few(stranger)}")
    found.expect(not wrong, f"mode: not the frame that other_photo asks for in {few(wrong)}")


def _ways_back(found: Checked, tables: recount.Tables, results: Results) -> None:
    """Every way back, as a ledger of its own."""
    frames = tables.frames
    status = frames["back_status"].to_numpy(object)
    went, came = pd.notna(status), status == "ok"
    differ = int((went != tables.posed).sum())
    found.expect(not differ, f"mode: {differ} frames have a way back or none, against what the originals say")
    counts = Counter(status[went])
    used = counts.pop("ok", 0)
    said = results.back
    found.expect(
        said is not None and (said.used, dict(said.failed)) == (used, dict(counts)),
        f"mode: ways back ok {used}, failed {dict(counts)}; results.json says {said}",
    )
    silent = went & ~came & (frames["back_reason"].fillna("") == "").to_numpy(bool)
    found.expect(not silent.any(), f"mode: {int(silent.sum())} failed ways back have no reason")
    lost = came & (frames["status"] != "ok").to_numpy(bool)
    found.expect(not lost.any(), f"mode: {int(lost.sum())} swaps came back that were never made")
    for column in [column for column in frames if str(column).startswith("back/")]:
        values = frames[column].notna().to_numpy(bool) & ~came
        found.expect(not values.any(), f"mode: {column} has {int(values.sum())} readings of failed ways back")
