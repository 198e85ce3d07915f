"""Score face-swap models on FaceForensics++ and write a report.

    python -m bench.ffpp --model smoothswap
    python -m bench.ffpp --data /data/FaceForensics++ --model Deepfakes --model my_package.models:build

Heavy imports wait until the options are known to be right: --help and a misspelt option answer at once.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.cli import command
from bench.errors import EXIT_DATA, EXIT_OK, DataError, EndedEarly, UsageError
from bench.ffpp.options import parser
from smoothswap.cli import check_folder

if TYPE_CHECKING:
    from bench.data.ffpp import Dataset, Pair
    from bench.ffpp.pair import Frame
    from bench.ffpp.protocol import Protocol
    from bench.ffpp.run import Outcome
    from bench.ffpp.scores import Scores
    from bench.reading.pictures import PictureReader
    from bench.swappers import Swapper
    from metrics.instruments import Instrument
    from reports.pictures.store import Picture


@dataclass(frozen=True)
class Plan:
    """Everything that a run needs, made and checked before it starts."""

    options: argparse.Namespace
    protocol: Protocol
    dataset: Dataset
    pairs: list[Pair]
    instruments: list[Instrument]
    pictures: PictureReader
    specs: list[str]
    swappers: list[Swapper]
    workers: int
    device: str

    @property
    def truth(self) -> str:
        return self.dataset.truth


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code (argparse raises SystemExit itself)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    try:
        return run(options, shlex.join(["python", "-m", "bench.ffpp", *arguments]))
    except KeyboardInterrupt:
        raise EndedEarly(130, "stopped; results are written at the end, so none of this run were") from None


def run(options: argparse.Namespace, line: str) -> int:
    from bench.data import rendered

    if options.dry_run and options.data is None and not rendered.folder().is_dir():
        return _dry_run_unmade(options)
    started = datetime.now(timezone.utc)
    plan = prepare(options)
    if options.dry_run:
        return _dry_run(plan)
    missing = missing_clips(plan)
    if missing and not options.skip_missing:
        raise DataError(missing)
    check_folder(options.out)
    clock = time.monotonic()
    outcome, video = _score(plan)
    report(plan, outcome, video, line, started, clock)
    return EXIT_OK


def prepare(options: argparse.Namespace) -> Plan:
    """Make instruments, data, pairs and models. Raises UsageError, InstrumentError or DataError."""
    from bench import swappers
    from bench.data import rendered
    from bench.data.ffpp import Dataset, read_identity_map
    from bench.ffpp.protocol import Protocol
    from bench.reading.pictures import PictureReader

    identity_map = read_identity_map(options.identity_map) if options.identity_map else {}
    actors = options.sequences == "actors"
    if actors and options.split not in (None, "all"):
        raise UsageError("DeepFakeDetection has no splits: leave --split away with --sequences actors")
    protocol = Protocol(
        sequences=options.sequences, compression=options.compression,
        split=options.split or ("all" if actors else "test"), limit=options.limit,
        frames=options.frames, video=options.video,
        source_rule=options.source_rule, faces_rule=options.faces_rule, missing=options.missing,
        gallery=options.gallery, missing_clips="ledger" if options.skip_missing else "error",
        identity_map=identity_map, seed=options.seed,
    )  # fmt: skip
    specs, instruments = _instruments(options.instruments)
    pictures = PictureReader(options.inception)
    device = _device(options.device)
    models = options.model or ["smoothswap"]
    root = options.data if options.data is not None else rendered.ensure()
    dataset = Dataset(root, protocol.compression, protocol.sequences, options.splits, identity_map)
    pairs = dataset.pairs(protocol.split, protocol.limit)
    if not options.no_references:
        here = dataset.manipulations()
        references = [name for name in swappers.REFERENCES if name != "oracle" or name in here]
        models = [*models, *(name for name in references if name not in models)]
    made = swappers.declare(swappers.create_all(models, dataset, device), options.trained_with)
    for swapper in made:
        if reason := swapper.info.get("chosen"):
            print(f"{swapper.name}: {swapper.info['weights']}, {reason}", file=sys.stderr)
    workers = options.workers or min(
        8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    )
    return Plan(options, protocol, dataset, pairs, instruments, pictures, specs, made, workers, device)


def missing_clips(plan: Plan) -> str:
    """What is not on the disk, as the text of an error; "" when everything is there."""
    originals = [plan.dataset.original(clip) for pair in plan.pairs for clip in (pair.target, pair.source)]
    try:
        plan.dataset.require(originals)
    except DataError as error:
        return str(error)
    from bench.errors import few

    for swapper in plan.swappers:
        if swapper.kind != "finished":
            continue
        lacking = [pair.id for pair in plan.pairs if swapper.run.path(pair) is None]
        if lacking:
            return (
                f"{len(lacking)} of {len(plan.pairs)} swaps by {swapper.name} are not in "
                f"{swapper.run.where()}: {few(lacking)}. Finish them, choose others with --split or --limit, "
                "or count their frames as failed with --skip-missing"
            )
    return ""


def _score(plan: Plan) -> tuple[Outcome, Outcome | None]:
    """The run over the protocol's frames and, where the protocol asks, the one over frames that follow each other."""
    from tqdm import tqdm

    from bench.data.clips import FrameRule
    from bench.ffpp.run import Run
    from bench.reading.reader import Readers

    torch = sys.modules.get("torch")
    if torch is not None and plan.workers > 1:
        torch.set_num_threads(1)  # the worker processes use the cores
    with (
        Readers(plan.specs, plan.protocol.faces_rule, plan.workers, plan.options.inception) as readers,
        tqdm(
            total=len(plan.pairs) * (2 if plan.protocol.video else 1),
            unit="clip", file=sys.stderr, desc="scoring",
        ) as bar,
    ):  # fmt: skip

        def run(truth: str, rule: FrameRule, pictures: bool) -> Outcome:
            return Run(
                plan.dataset, plan.pairs, plan.swappers, plan.protocol, readers, truth,
                plan.options.batch_size, lambda pair: bar.update(), rule, pictures,
            )()  # fmt: skip

        outcome = run(plan.truth, FrameRule(plan.protocol.frames), True)
        if not plan.protocol.video:
            return outcome, None
        return outcome, run("", FrameRule(plan.protocol.video, consecutive=True), False)


def report(
    plan: Plan, outcome: Outcome, video: Outcome | None, command: str, started: datetime, clock: float
) -> None:
    """Compute the metrics, write every file, print the table (or JSON) and where the report is."""
    from bench.ffpp import outputs, provenance
    from bench.ffpp.ledger import Ledger
    from bench.ffpp.picture_quality import with_black
    from bench.ffpp.scores import Gallery, score, score_quality
    from reports.html import write_report
    from reports.markdown import markdown_table
    from reports.pictures.store import pack
    from reports.results import Counts, Results
    from reports.table import RunFiles

    out: Path = plan.options.out
    gallery = Gallery.of(outcome, plan.dataset)
    shared = {}
    for name, found in ((outputs.ORIGINALS, outcome), (outputs.VIDEO_ORIGINALS, video)):
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
        tables = {outputs.FRAMES: outputs.frames_table(ledger, frames, scores)}
        if video is not None:
            rows = video.frames[swapper.name]
            steadiness = score(
                rows, Gallery.of(video, plan.dataset), plan.instruments, plan.protocol, False, video=True
            )
            metrics |= steadiness.metrics
            tables[outputs.VIDEO] = outputs.frames_table(
                Ledger(frame.row for frame in rows), rows, steadiness
            )
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
    if plan.options.json:
        print(json.dumps([run.results.model_dump(mode="json") for run in runs], indent=2, allow_nan=False))
    else:
        print(markdown_table(runs))
    print(f"report: {page.resolve()}", file=sys.stderr if plan.options.json else sys.stdout)


def _pictures(swapper: Swapper, frames: Sequence[Frame], scores: Scores, seed: int) -> list[Picture]:
    """The cases that the report shows of a model: frames by every metric, and of a model that competes whole clips."""
    from bench.ffpp import cases
    from metrics import METRICS

    scored = {}
    for key, values in scores.per_frame.items():
        name, _, instrument = key.partition("@")
        title = METRICS[name].title + (f" ({instrument})" if instrument else "")
        scored[key] = cases.Scored(title, METRICS[name].higher_is_better, values)
    kept = [(f.row.clip, f.row.frame, f.case) for f in frames]
    chosen = cases.choose(swapper.name, scored, kept, seed)
    return chosen if swapper.reference else chosen + cases.choose_clips(swapper.name, scored, kept)


def _dry_run(plan: Plan) -> int:
    frames = len(plan.pairs) * plan.protocol.frames
    originals = len({clip for pair in plan.pairs for clip in (pair.target, pair.source)})
    missing = missing_clips(plan)
    print(
        f"data         {plan.dataset.root}\n"
        f"protocol     {plan.protocol.sequences}, {plan.protocol.compression}, split {plan.protocol.split}, "
        f"hash {plan.protocol.hash[:12]}\n"
        f"clips        {len(plan.pairs)} swaps of {originals} original clips\n"
        f"frames       {frames} expected of each model, {frames * len(plan.swappers)} in all"
        f"{f'; {plan.protocol.video} in a row of each clip besides' if plan.protocol.video else ''}\n"
        f"models       {', '.join(f'{s.name} ({s.kind})' for s in plan.swappers)}\n"
        f"instruments  {', '.join(f'{i.name} (reads {chr(44).join(i.reads)})' for i in plan.instruments)}\n"
        f"workers      {plan.workers}, models on {plan.device}\n"
        f"missing      {missing or 'nothing'}"
    )
    return EXIT_DATA if missing and not plan.options.skip_missing else EXIT_OK


def _dry_run_unmade(options: argparse.Namespace) -> int:
    """The dry run on a fresh machine: the rendered faces are the one thing missing, and a run would make them."""
    from bench.data import rendered

    _, instruments = _instruments(options.instruments)
    clips = min(options.limit or rendered.IDENTITIES, rendered.IDENTITIES)
    print(
        f"data         rendered faces, to be made in {rendered.folder()}\n"
        f"clips        {clips} swaps\n"
        f"frames       {clips * min(options.frames, rendered.FRAMES)} expected of each model\n"
        f"models       {', '.join(options.model or ['smoothswap'])}"
        f"{'' if options.no_references else ' and the references copy-target, copy-source, oracle'}\n"
        f"instruments  {', '.join(one.name for one in instruments)}\n"
        "missing      the rendered faces; a run without --dry-run makes them first"
    )
    return EXIT_OK


def _instruments(given: list[str] | None) -> tuple[list[str], list[Instrument]]:
    from bench.reading.instruments import available, create
    from bench.reading.reader import single_process

    names = [entry.name for entry in available() if entry.default and entry.needs is None]
    specs = [spec.strip() for text in given or [",".join(names)] for spec in text.split(",") if spec.strip()]
    if not specs:
        raise UsageError(f"--instruments is empty; choose among {', '.join(e.name for e in available())}")
    instruments = [create(spec, **single_process(spec)) for spec in specs]
    for instrument in instruments:
        if sum(other.name == instrument.name for other in instruments) > 1:
            raise UsageError(f"two instruments are called {instrument.name!r}; give one of them")
    return specs, instruments


def _device(name: str) -> str:
    if name == "cpu":
        return name
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        text = str(error).splitlines()[0]
        raise UsageError(f"the device {name!r} cannot be used ({text}); try --device cpu") from error
    return name


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
