"""Check a finished run again: schema, hashes, ledger arithmetic, and every metric from the stored readings.

    python -m bench.verify runs/ffpp

Independent of what made the run: the arithmetic is bench/verify/recount.py, which shares no code with the metrics.
It finds what was changed by mistake or in part; somebody who changes readings, numbers and hashes together
leaves nothing to find, for nothing here is signed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bench.errors import EXIT_DATA, EXIT_OK, UsageError
from bench.verify import recount
from bench.verify.checks import Checked, check_metrics
from bench.verify.galleries import check_galleries, check_protocol
from bench.verify.ledger import check_ledger, check_people, check_posed, check_rows
from bench.verify.modes import check_mode
from bench.verify.page import check_page
from bench.verify.slices import check_slices
from bench.verify.sourceless import check_sourceless
from bench.verify.stated import check_files, check_readings, check_stated
from bench.verify.together import across
from reports.files import FRAMES, ORIGINALS, RESULTS, TRUTH, VIDEO, VIDEO_ORIGINALS, model_folders
from reports.parquet import read_frame
from reports.results import Results, ResultsError, load
from reports.together import refuse_mixtures
from smoothswap.cli import Parser, command

EXAMPLES = """
examples:
  python -m bench.verify runs/ffpp                   every model of a run
  python -m bench.verify runs/ffpp/smoothswap --json

exit codes: 0 SUCCESS, 2 no run is there, 3 something does not hold; each violation is one line
"""
COLUMNS = (
    "model",
    "clip",
    "target",
    "source",
    "cluster",
    "position",
    "frame",
    "source_frame",
    "status",
    "reason",
)
OF_ORIGINALS = ("clip", "frame", "status")


def check(folder: Path) -> Checked:
    """Check OUT/<model>/. Never raises for a damaged file: that is a violation."""
    found = Checked(folder.name)
    try:
        results = load(folder / RESULTS)
    except ResultsError as error:
        found.violations.append(f"schema: {error}")
        return found
    found.expect(
        results.run.model.name == folder.name,
        f"names: the folder is {folder.name}, its results are of {results.run.model.name}",
    )
    check_protocol(found, results)
    seed = results.run.protocol.model_dump(mode="json").get("seed", results.run.seed)
    found.expect(results.run.seed == seed, f"hash: run.seed {results.run.seed} is not the protocol's {seed}")
    _guarded(found, "files", check_files, folder, results)
    frames = _table(found, folder / FRAMES)
    originals = _table(found, folder.parent / ORIGINALS)
    if frames is None:
        return found
    missing = [column for column in COLUMNS if column not in frames]
    if missing:
        found.violations.append(f"ledger: frames.parquet lacks the columns {', '.join(missing)}")
        return found
    found.rows = len(frames)
    _guarded(found, "ledger", check_ledger, frames, results)
    _guarded(found, "metrics", check_stated, results)
    if originals is None:
        return found
    if missing := [column for column in OF_ORIGINALS if column not in originals]:
        found.violations.append(f"ledger: {ORIGINALS} lacks the columns {', '.join(missing)}")
        return found
    truth = _guarded(found, "truth", _truth, folder, frames)
    protocol = results.run.protocol.model_dump(mode="json")
    tables = _guarded(found, "ledger", lambda _: recount.Tables(frames, originals, truth, protocol))
    if tables is None:
        return found
    _guarded(found, "ledger", check_people, tables, results)
    _guarded(found, "ledger", check_posed, tables)
    _guarded(found, "mode", check_mode, tables, results)
    _guarded(found, "metrics", check_readings, tables, results)
    video = _guarded(found, "video", _video, folder, results)
    _guarded(found, "metrics", check_metrics, tables, video, results)
    _guarded(found, "sourceless", check_sourceless, tables, video, results)
    _guarded(found, "gallery", check_galleries, tables, results)
    _guarded(found, "slices", check_slices, folder, tables, results)
    return found


def _video(found: Checked, folder: Path, results: Results) -> recount.Tables | None:
    """The tables of frames in a row, their ledger checked too; None for a run without them."""
    protocol = results.run.protocol.model_dump(mode="json")
    n = protocol.get("video") or 0
    here = (folder / VIDEO).is_file()
    found.expect(
        here or not n, f"files: the protocol reads {n} frames in a row, and there is no video.parquet"
    )
    if not here:
        return None
    frames = _table(found, folder / VIDEO)
    originals = _table(found, folder.parent / VIDEO_ORIGINALS)
    if frames is None or originals is None:
        return None
    if lacking := [column for column in COLUMNS if column not in frames]:
        found.violations.append(f"video: {VIDEO} lacks the columns {', '.join(lacking)}")
        return None
    if lacking := [column for column in OF_ORIGINALS if column not in originals]:
        found.violations.append(f"video: {VIDEO_ORIGINALS} lacks the columns {', '.join(lacking)}")
        return None
    check_rows(found, frames, results, "video")
    for clip, rows in frames.groupby("clip", sort=False):
        numbers = rows["frame"].tolist()
        found.expect(
            len(numbers) <= n and (set(numbers) == {-1} or len(set(numbers)) == len(numbers)),
            f"video: clip {clip}: {len(numbers)} rows of {n}, or a frame twice",
        )
    tables = recount.Tables(frames, originals, None, protocol)
    check_posed(found, tables, "video")
    return tables


def _table(found: Checked, path: Path) -> pd.DataFrame | None:
    try:
        return read_frame(path)
    except ResultsError as error:
        found.violations.append(f"files: {error}")
        return None


def _guarded(found: Checked, what: str, part: Callable[..., Any], *given: Any) -> Any:
    """One part of the check. What it stumbles over is damage that no other line names: a violation, never a traceback."""
    try:
        return part(found, *given)
    except Exception as error:  # noqa: BLE001  # anything at all may be in the tables
        said = f"{type(error).__name__}: {error}".splitlines()[0][:160]
        found.violations.append(f"{what}: cannot be checked, for the files do not fit together ({said})")
        return None


def _truth(found: Checked, folder: Path, frames: pd.DataFrame) -> pd.DataFrame | None:
    """What was read from the true swaps: truth.parquet, in older runs the frames of the oracle's row."""
    if (folder.parent / TRUTH).is_file():
        return _table(found, folder.parent / TRUTH)
    if folder.name == "oracle":
        return frames
    oracle = folder.parent / "oracle" / FRAMES
    return _table(found, oracle) if oracle.is_file() else None


def _mixed(folders: Sequence[Path]) -> list[str]:
    try:
        refuse_mixtures(folders)
    except ResultsError as error:
        return [f"run: {error}"]
    return []


def parser() -> Parser:
    """The options of `python -m bench.verify`."""
    made = Parser(
        "python -m bench.verify",
        description="Check a finished run again, independently of what made it.",
        epilog=EXAMPLES,
    )
    made.add_argument(
        "run", nargs="+", type=Path, metavar="RUN", help="an output folder, or one model's in it"
    )
    made.add_argument("--json", action="store_true", help="print what was found as JSON")
    made.add_argument(
        "--no-page", action="store_true", help="of a run that was published without its report.html"
    )
    made.add_argument(
        "--quiet", action="store_true", help="leave out the notes on what could not be recomputed"
    )
    return made


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    options = parser().parse_args(argv)
    checked: list[Checked] = []
    said: list[str] = []
    for run in options.run:
        folders = model_folders(run, holding=(RESULTS, FRAMES))
        if not folders:
            raise UsageError(
                f"no results in {run}: give the folder that bench.ffpp wrote with --out, or one model's folder in it"
            )
        found = list(map(check, folders))
        checked += found
        said += across(folders)
        if not options.no_page:
            said += check_page(folders)
        if not said and not any(one.violations for one in found):
            said += _mixed(folders)
    violations = [f"{c.name}: {v}" for c in checked for v in c.violations] + said
    if options.json:
        print(
            json.dumps(
                {
                    "success": not violations,
                    "violations": violations,
                    "notes": {c.name: c.notes for c in checked},
                    "rows": sum(c.rows for c in checked),
                    "recomputed": sum(c.recomputed for c in checked),
                    "aggregated": sum(c.aggregated for c in checked),
                },
                indent=2,
            )
        )
    else:
        if not options.quiet:
            for c in checked:
                for note in c.notes:
                    print(f"note {c.name}: {note}", file=sys.stderr)
        for violation in violations:
            print(f"VIOLATION {violation}")
        print(
            f"{'FAILED: ' + str(len(violations)) + ' violations' if violations else 'SUCCESS'}: "
            f"{len(checked)} models, {sum(c.rows for c in checked):,} rows, "
            f"{sum(c.recomputed for c in checked)} metrics recomputed from readings, "
            f"{sum(c.aggregated for c in checked)} from the values of each frame"
        )
    return EXIT_DATA if violations else EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
