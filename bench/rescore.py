"""Score a finished run again from its stored readings: every metric, interval, sentence and page.

    python -m bench.rescore runs/ffpp
    python -m bench.rescore runs/ffpp --out results/mine --keep values

No picture is read and no network runs, so a change of a metric or of the statistics costs seconds. Where the tables hold
only the value of each frame, means and intervals are made from those, and a metric whose version has changed is refused.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa

from bench.cli import command
from bench.errors import EXIT_OK, DataError, UsageError, few
from bench.ffpp import outputs, stored
from bench.ffpp.folder import replaced
from bench.ffpp.protocol import Protocol
from bench.ffpp.report import choose_cases, say
from bench.ffpp.scores import ModelScores, Scores, Scoring, score_model
from bench.ffpp.slices import sliced
from bench.ffpp.values import value_scores
from bench.swappers.departures import of_committed
from reports.files import (
    FRAMES,
    ORIGINALS,
    PAGE,
    PAIRS,
    RESULTS,
    TRUTH,
    VIDEO,
    VIDEO_ORIGINALS,
    model_folders,
)
from reports.galleries import GalleryInfo
from reports.html import write_report
from reports.pictures import store
from reports.pictures.store import Picture
from reports.results import MetricValue, ModelInfo, Results, load, write_atomic
from reports.run_files import RunFiles
from reports.together import refuse_mixtures
from smoothswap.cli import Parser, check_folder
from smoothswap.plumbing.names import refuse_name

EXAMPLES = """
examples:
  python -m bench.rescore runs/ffpp                                 in place, and the report anew
  python -m bench.rescore runs/ffpp --out results/mine --no-pictures    a copy that is small enough to commit
  python -m bench.rescore runs/ffpp --out results/mine --no-pictures --keep values    a tenth of that

exit codes: 0 scored, 2 a wrong option, 3 a run that cannot be scored again
"""
READINGS = ("swap/", "back/", "picture/")
"""What the columns of a table of frames begin with that hold what was read."""


@dataclass(frozen=True)
class Model:
    """One model of a finished run. video: its frames that follow each other, where they were read."""

    results: Results
    frames: pa.Table
    video: pa.Table | None
    pictures: list[Picture]


def parser() -> Parser:
    """The command line."""
    made = Parser("python -m bench.rescore", description=__doc__, epilog=EXAMPLES)
    made.add_argument("run", type=Path, metavar="RUN", help="the folder that bench.ffpp wrote with --out")
    made.add_argument("--out", type=Path, metavar="DIR", help="where to write (in place)")
    made.add_argument(
        "--keep",
        choices=("readings", "values"),
        default="readings",
        help="what the tables of frames keep: all, or the value of each frame alone, a tenth of the size; such a run is "
        "scored again from its values (%(default)s)",
    )
    made.add_argument("--no-pictures", action="store_true", help="leave the pictures behind, with --out")
    made.add_argument("--json", action="store_true", help="print the results as JSON on standard output")
    return made


def rescore(run: Path, out: Path, keep_readings: bool = True, keep_pictures: bool = True) -> list[RunFiles]:
    """Score every model of a run again and write its files, and the report.

    Args:
        run: The run's folder.
        out: Where to write; the run's folder itself to replace it.
        keep_readings: Whether the tables keep what the instruments read.
        keep_pictures: Whether the chosen pictures come along.

    Returns:
        The models as they were written.

    Raises:
        UsageError: The folder is no run, or one model's alone.
        DataError: Its tables cannot be used.
        ResultsError: Its files are not those of one run.
        OutputError: A file cannot be written; `out` is as it was.
    """
    folders = model_folders(run)
    if not folders:
        raise UsageError(f"no results in {run}: give the folder that bench.ffpp wrote with --out")
    if folders == [run]:
        raise UsageError(f"{run} is one model's folder: give the run's, {run.parent}")
    if out == run and not (keep_readings and keep_pictures):
        raise UsageError(
            "--keep values and --no-pictures would take something from the run itself: name a copy with --out"
        )
    refuse_mixtures(folders)
    # As they were scored: the clock of a run goes on from model to model.
    models = sorted(
        (read_model(folder) for folder in folders),
        key=lambda model: (model.results.run.started, model.results.run.seconds),
    )
    for model in models:
        refuse_name(model.results.run.model.name, f"a model of {run}")
    shared = _shared(run, models, (ORIGINALS, TRUTH, VIDEO_ORIGINALS, PAIRS) if keep_readings else (PAIRS,))
    pairs = stored.read_table(run / PAIRS) if PAIRS in shared else None
    # All are scored before one is written, so that a run that cannot be scored again stays as it is.
    tables = stored.Shared(run)
    scored = [_score(tables, model) for model in models]
    with replaced(out) as work:
        for name in shared:
            write_atomic(work / name, (run / name).read_bytes())
        keep = (keep_readings, keep_pictures)
        written, pictures = _write(work, models, scored, shared, keep, tables, pairs)
        write_report(work, written, pictures)
    return written


def _write(
    work: Path,
    models: Sequence[Model],
    scored: Sequence[tuple[ModelScores, dict[str, MetricValue]]],
    shared: dict[str, str],
    keep: tuple[bool, bool],
    tables: stored.Shared,
    pairs: pa.Table | None,
) -> tuple[list[RunFiles], list[Picture]]:
    """Write every model into a new folder; returns them and their pictures. keep: readings, pictures."""
    now, (keep_readings, keep_pictures) = datetime.now(timezone.utc), keep
    written: list[RunFiles] = []
    pictures: list[Picture] = []
    for model, (scores, kept) in zip(models, scored, strict=True):
        name = model.results.run.model.name
        results = model.results.model_copy(
            update={
                "run": model.results.run.model_copy(
                    update={
                        "rescored": now,
                        "gallery": _gallery(tables, model),
                        "model": described(model.results),
                    }
                ),
                "metrics": scores.metrics | kept,
                "models": tuple(one.results.run.model.name for one in models),
                "page": PAGE,
            }
        )
        anew = {FRAMES: _with_scores(model.frames, scores.frames, keep_readings)}
        if model.video is not None and scores.video is not None:
            anew[VIDEO] = _with_scores(model.video, scores.video, keep_readings)
        chosen = _still_chosen(model, scores.frames)
        packed = store.pack(chosen) if chosen and keep_pictures else None
        scored_anew = Results.model_validate(results.model_dump())
        parted = None
        if pairs is not None:
            parted = sliced(name, pairs, anew[FRAMES], scored_anew.metrics, stored.protocol_of(results))
        outputs.write_model(work / name, scored_anew, anew, packed, shared, parted)
        written.append(RunFiles.read(work / name))
        pictures += chosen
    return written, pictures


def read_model(folder: Path) -> Model:
    """The files of one model. Raises ResultsError or DataError."""
    video = folder / VIDEO
    return Model(
        load(folder / RESULTS),
        stored.read_table(folder / FRAMES),
        stored.read_table(video) if video.is_file() else None,
        store.read(folder / store.PICTURES),
    )


def _score(tables: stored.Shared, model: Model) -> tuple[ModelScores, dict[str, MetricValue]]:
    """Its metrics anew, and those of old that cannot be made again."""
    protocol = stored.protocol_of(model.results)
    readings = stored.has_readings(model.frames)
    scores = _from_readings(tables, model, protocol) if readings else _from_values(model, protocol)
    kept = {key: value for key, value in model.results.metrics.items() if key not in scores.metrics}
    if kept:
        name = model.results.run.model.name
        print(f"{name}: kept as they were, since what they need is not stored: {few(kept)}", file=sys.stderr)
    return scores, kept


def described(results: Results) -> ModelInfo:
    """The model of some results, with where its weights depart from the paper, which older ones do not say."""
    model = results.run.model
    said = model.departures or of_committed(str(getattr(model, "weights", None) or ""), model.weights_sha256)
    return model.model_copy(update={"departures": tuple(said)})


def _gallery(tables: stored.Shared, model: Model) -> GalleryInfo | None:
    """Among whom it was searched: from the originals where they are stored, else what its results say."""
    if not stored.has_readings(model.frames):
        return model.results.run.gallery
    protocol = stored.protocol_of(model.results)
    described = tables.originals(protocol).gallery.described(protocol.gallery_size)
    return GalleryInfo.model_validate(described)


def _from_readings(tables: stored.Shared, model: Model, protocol: Protocol) -> ModelScores:
    originals = tables.originals(protocol)
    frames = stored.frames_of(model.frames, originals, tables.truth, tables.run / FRAMES)
    rows, gallery = None, None
    if model.video is not None:
        of_video = tables.originals(protocol, VIDEO_ORIGINALS)
        rows, gallery = stored.frames_of(model.video, of_video, {}, tables.run / VIDEO), of_video.gallery
    known = any(name.startswith("truth_") for name in model.results.metrics)
    scoring = Scoring(stored.instruments_of(model.results), protocol, originals.gallery, gallery, known)
    return score_model(scoring, frames, rows)


def _from_values(model: Model, protocol: Protocol) -> ModelScores:
    frames = value_scores(model.results, model.frames, protocol)
    video = None if model.video is None else value_scores(model.results, model.video, protocol)
    return ModelScores(frames.metrics | (video.metrics if video else {}), frames, video)


def _with_scores(table: pa.Table, scores: Scores, keep_readings: bool) -> pa.Table:
    """The table with the new values of its frames in the place of the old ones."""
    anew = outputs.score_columns(scores)
    columns: dict[str, Any] = {}
    for name in table.column_names:
        if name.startswith(outputs.SCORES):
            continue
        if name.startswith(READINGS) and not columns.keys() & anew.keys():
            columns |= anew
        if keep_readings or not name.startswith(READINGS):
            columns[name] = table[name]
    return pa.table(columns | {name: values for name, values in anew.items() if name not in columns})


def _shared(run: Path, models: Sequence[Model], names: Sequence[str]) -> dict[str, str]:
    """The tables of the whole run beside the models, name -> sha256. Raises DataError for one that was exchanged."""
    shared = {}
    for name in names:
        if not (run / name).is_file():
            continue
        shared[name] = outputs.sha256((run / name).read_bytes())
        known = {model.results.files.get(f"../{name}", shared[name]) for model in models}
        if known != {shared[name]}:
            raise DataError(f"{run / name} is not the file that the run wrote: score the models anew")
    return shared


def _still_chosen(model: Model, scores: Scores) -> list[Picture]:
    """The stored pictures that the new numbers choose too, with their texts made anew, and those that were drawn by lot."""
    if not model.pictures:
        return []
    name = model.results.run.model.name
    known = {(p.scope, p.metric, p.case, p.clip, p.frame): p for p in model.pictures}
    clips, numbers = model.frames["clip"].to_pylist(), model.frames["frame"].to_pylist()
    shown = [status == "ok" for status in model.frames["status"].to_pylist()]
    kept = []
    for choice in choose_cases(scores, shown, clips, model.results.run.model.is_reference):
        place = (choice.scope, choice.key, choice.case, clips[choice.i], numbers[choice.i])
        if place in known:
            kept.append(
                replace(known[place], metric_text=choice.headline, label=choice.label, scores=choice.scores)
            )
    kept += [picture for picture in model.pictures if picture.case == "random"]
    if lost := len(model.pictures) - len(kept):
        print(
            f"{name}: {lost} of {len(model.pictures)} pictures are no longer the best, median or "
            "worst, and are left out; score the model anew to have others",
            file=sys.stderr,
        )
    return kept


@command
def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    options = parser().parse_args(argv)
    out = options.out or options.run
    if options.out is not None:
        check_folder(out)
    runs = rescore(options.run, out, options.keep == "readings", not options.no_pictures)
    say(out, runs, options.json)
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
