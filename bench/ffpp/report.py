"""The end of a run: metrics of every model, its files, the report, and what is printed."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.data.lists.pair_list import PairList
from bench.data.pairs import Dataset
from bench.ffpp import cases, lot, outputs, provenance, slices
from bench.ffpp.frame import Frame
from bench.ffpp.ledger import Ledger
from bench.ffpp.plan import Plan
from bench.ffpp.run import Outcome
from bench.ffpp.scores import Scores, Scoring, score_model, with_black
from bench.ffpp.sides import Gallery, Source
from bench.reading.reader import STATUSES, Status
from bench.swappers import Swapper
from metrics import METRICS
from reports.files import FRAMES, ORIGINALS, PAGE, PAIRS, TRUTH, VIDEO, VIDEO_ORIGINALS
from reports.html import write_report
from reports.markdown import markdown_table
from reports.pictures.store import Picture, pack
from reports.results import Counts, Results
from reports.seen import warnings
from reports.table import RunFiles
from smoothswap.plumbing.names import printable


def report(
    plan: Plan,
    outcome: Outcome,
    video: Outcome | None,
    *,
    out: Path,
    command: str,
    started: datetime,
    clock: float,
) -> list[RunFiles]:
    """Compute the metrics and write every file.

    Args:
        plan: The run.
        outcome: What it found in the protocol's frames.
        video: What it found in frames that follow each other; None where the protocol reads none.
        out: The run's folder; each model's files go to out/<model>.
        command: The command line, for results.json.
        started: When the run began, with its time zone.
        clock: time.monotonic() at the run's start.

    Returns:
        The models as they were written.

    Raises:
        OutputError: When a file cannot be written.
    """
    scoring = Scoring(
        [Source(one.name, tuple(one.reads), one.family) for one in plan.instruments],
        plan.protocol,
        Gallery.of(outcome, plan.dataset),
        None if video is None else Gallery.of(video, plan.dataset),
        outcome.has_truth,
    )
    # With --self and --cycle the truth is the target, which stands among the originals.
    truth = outcome.has_truth and plan.protocol.mode == "swap"
    shared = _write_shared(out, outcome, video, plan.dataset, truth)
    pairs = None
    if isinstance(plan.dataset, PairList):
        pairs = slices.pairs_table(plan.dataset, plan.pairs, outcome, scoring.instruments)
        shared[PAIRS] = outputs.write_table(out / PAIRS, pairs)
    drawn = lot.draw(outcome.frames, plan.protocol.seed)
    shown: list[Picture] = []
    runs = []
    for swapper in plan.swappers:
        frames = with_black(outcome.frames[swapper.name], plan.pictures)
        rows = None if video is None else video.frames[swapper.name]
        scores = score_model(scoring, frames, rows)
        ledger = Ledger(frame.row for frame in frames)
        tables = {FRAMES: outputs.frames_table(ledger, frames, scores.frames)}
        if rows is not None and scores.video is not None:
            tables[VIDEO] = outputs.frames_table(Ledger(frame.row for frame in rows), rows, scores.video)
        seconds = time.monotonic() - clock
        results = Results.model_validate(
            _printable(
                {
                    "run": provenance.of(plan, swapper, command, started, seconds)
                    | {"gallery": scoring.gallery.described(plan.protocol.gallery_size)},
                    "counts": Counts(expected=ledger.expected, used=ledger.ok, failed=ledger.failed),
                    "back": _counted(frame.back.status for frame in frames if frame.back),
                    "sourceless": _counted(frame.sourceless.status for frame in frames if frame.sourceless),
                    "metrics": scores.metrics,
                    "models": [one.name for one in plan.swappers],
                    "page": PAGE,
                    "check": asdict(plan.checks[swapper.name]) if swapper.name in plan.checks else None,
                }
            )
        )
        chosen = _pictures(swapper, frames, scores.frames) + lot.pictures(swapper.name, frames, drawn)
        parted = None
        if pairs is not None:
            parted = slices.sliced(swapper.name, pairs, tables[FRAMES], results.metrics, plan.protocol)
        packed = pack(chosen) if chosen else None
        outputs.write_model(out / swapper.name, results, tables, packed, shared, parted)
        runs.append(RunFiles.read(out / swapper.name))
        shown += chosen
        if absent := ledger.failed.get("not_available", 0):
            print(
                f"warning: {absent} of {ledger.expected} frames of {swapper.name} are not there, or their clips; its "
                f"numbers are over the others{_read_without(results)}",
                file=sys.stderr,
            )
        if ledger.ok == 0:
            print(
                f"warning: no frame of {swapper.name} could be scored; the ledger says why", file=sys.stderr
            )
    for said in warnings([run.results for run in runs]):
        print(f"warning: {said}", file=sys.stderr)
    write_report(out, runs, shown)
    return runs


def _printable(node: Any) -> Any:
    """The same, with every text as UTF-8 can write it: paths may hold other bytes."""
    if isinstance(node, str):
        return printable(node)
    if isinstance(node, dict):
        return {_printable(key): _printable(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_printable(value) for value in node]
    return node


def say(out: Path, runs: Sequence[RunFiles], as_json: bool) -> None:
    """Print the table over the models of a run (or JSON), and where the report is.

    Args:
        out: The run's folder, which has report.html.
        runs: The models, at least one, in the order of the table.
        as_json: Whether standard output gets the results as JSON instead of the table; where the report is
            then goes to standard error.
    """
    if as_json:
        print(json.dumps([run.results.model_dump(mode="json") for run in runs], indent=2, allow_nan=False))
    else:
        print(markdown_table(runs))
    print(f"report: {(out / PAGE).resolve()}", file=sys.stderr if as_json else sys.stdout)


def _read_without(results: Results) -> str:
    if results.sourceless is None:
        return ""
    return (
        f". In {results.sourceless.expected} of them nothing but the source is lacking: metrics that need none are read "
        "there too, beside those numbers"
    )


def _counted(statuses: Iterable[Status]) -> Counts | None:
    """How many frames have each status; None of no frames."""
    found = Counter(statuses)
    if not found:
        return None
    failed = {status: found[status] for status in STATUSES if status != "ok" and found[status]}  # type: ignore[index]
    return Counts(expected=found.total(), used=found["ok"], failed=failed)


def _write_shared(
    out: Path, outcome: Outcome, video: Outcome | None, dataset: Dataset, truth: bool
) -> dict[str, str]:
    """The tables that all models share; file name -> sha256."""
    shared = {ORIGINALS: outputs.write_originals(out / ORIGINALS, outcome, dataset)}
    if truth:
        shared[TRUTH] = outputs.write_truth(out / TRUTH, outcome)
    if video is not None:
        shared[VIDEO_ORIGINALS] = outputs.write_originals(out / VIDEO_ORIGINALS, video, dataset)
    return shared


def choose_cases(
    scores: Scores, shown: Sequence[bool], clips: Sequence[str], reference: bool
) -> list[cases.Choice]:
    """The cases that the report shows of a model: frames by every metric, and of a model that competes whole clips.

    Args:
        scores: The metrics of its frames.
        shown: Of each frame whether there are pictures of it.
        clips: Of each frame its clip.
        reference: Whether it marks an end of the scale.

    Returns:
        The choices, in the report's order.
    """
    scored = {}
    for key, values in scores.per_frame.items():
        name, _, instrument = key.partition("@")
        label = METRICS[name].label + (f" ({instrument})" if instrument else "")
        scored[key] = cases.Scored(label, METRICS[name].higher_is_better, values)
    chosen = cases.choose(scored, shown)
    return chosen if reference else chosen + cases.choose_clips(scored, shown, clips)


def _pictures(swapper: Swapper, frames: Sequence[Frame], scores: Scores) -> list[Picture]:
    shown = [frame.swap is not None and frame.case is not None for frame in frames]
    choices = choose_cases(scores, shown, [frame.row.clip for frame in frames], swapper.reference)
    return [
        cases.picture(swapper.name, frame.row.clip, frame.row.frame, frame.case, choice)
        for choice in choices
        if (frame := frames[choice.i]).case is not None
    ]
