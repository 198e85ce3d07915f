"""The end of a run: metrics of every model, its files, the report, and what is printed."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.ffpp import cases, outputs, provenance
from bench.ffpp.frame import Frame
from bench.ffpp.ledger import Ledger
from bench.ffpp.plan import Plan
from bench.ffpp.run import Outcome
from bench.ffpp.scores import Gallery, Scores, score, score_quality, with_black
from bench.swappers import Swapper
from metrics import METRICS
from reports.files import FRAMES, ORIGINALS, VIDEO, VIDEO_ORIGINALS
from reports.html import write_report
from reports.markdown import markdown_table
from reports.pictures.store import Picture, pack
from reports.results import Counts, Results
from reports.table import RunFiles


def report(
    plan: Plan,
    outcome: Outcome,
    video: Outcome | None,
    *,
    out: Path,
    as_json: bool,
    command: str,
    started: datetime,
    clock: float,
) -> None:
    """Compute the metrics, write every file, print the table (or JSON) and where the report is.

    clock: time.monotonic() at the run's start.
    """
    gallery = Gallery.of(outcome, plan.dataset)
    shared = {}
    for name, found in ((ORIGINALS, outcome), (VIDEO_ORIGINALS, video)):
        (out / name).unlink(missing_ok=True)
        if found is not None:
            shared[name] = outputs.write_originals(out / name, found.originals, plan.dataset.compression)
    shown: list[Any] = []
    runs = []
    for swapper in plan.swappers:
        frames = with_black(outcome.frames[swapper.name], plan.pictures)
        ledger = Ledger(frame.row for frame in frames)
        scores = score(frames, gallery, plan.instruments, plan.protocol, outcome.has_truth)
        metrics = scores.metrics | score_quality(frames, plan.protocol)
        tables = {FRAMES: outputs.frames_table(ledger, frames, scores)}
        if video is not None:
            rows = video.frames[swapper.name]
            steadiness = score(
                rows, Gallery.of(video, plan.dataset), plan.instruments, plan.protocol, False, video=True
            )
            metrics |= steadiness.metrics
            tables[VIDEO] = outputs.frames_table(Ledger(frame.row for frame in rows), rows, steadiness)
        seconds = time.monotonic() - clock
        results = Results.model_validate({
            "run": provenance.of(plan, swapper, command, started, seconds),
            "counts": Counts(expected=ledger.expected, used=ledger.ok, failed=ledger.failed),
            "metrics": metrics,
        })  # fmt: skip
        chosen = _pictures(swapper, frames, scores, plan.protocol.seed)
        outputs.write_model(out / swapper.name, results, tables, pack(chosen) if chosen else None, shared)
        runs.append(RunFiles.read(out / swapper.name))
        shown += chosen
        if ledger.ok == 0:
            print(
                f"warning: no frame of {swapper.name} could be scored; the ledger says why", file=sys.stderr
            )
    page = write_report(out, runs, shown)
    if as_json:
        print(json.dumps([run.results.model_dump(mode="json") for run in runs], indent=2, allow_nan=False))
    else:
        print(markdown_table(runs))
    print(f"report: {page.resolve()}", file=sys.stderr if as_json else sys.stdout)


def _pictures(swapper: Swapper, frames: Sequence[Frame], scores: Scores, seed: int) -> list[Picture]:
    """The cases that the report shows of a model: frames by every metric, and of a model that competes whole clips."""
    scored = {}
    for key, values in scores.per_frame.items():
        name, _, instrument = key.partition("@")
        title = METRICS[name].label + (f" ({instrument})" if instrument else "")
        scored[key] = cases.Scored(title, METRICS[name].higher_is_better, values)
    kept = [(f.row.clip, f.row.frame, f.case) for f in frames]
    chosen = cases.choose(swapper.name, scored, kept, seed)
    return chosen if swapper.reference else chosen + cases.choose_clips(swapper.name, scored, kept)
