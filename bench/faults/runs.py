"""Trials of whole runs: over damaged clips and finished swaps, killed while they replace an older run, on a full disk."""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.faults import disks, films, kills, material, media
from bench.faults.campaign import Kind, NotHereError, Trial
from bench.faults.children import inside, main_of
from bench.faults.lasting import lasting_folder

MODELS = ("copy-source", "copy-target")
_SMALL = ("--frames", "2", "--instruments", "sface", "--workers", "0", "--device", "cpu")
_QUICK = (*_SMALL, "--no-references")
_RUN = ("--data", "tree", *_QUICK)
_SECONDS = 120.0
_DAMAGED = 3  # clips of four in a run


def over_clips(fault: media.MediaFault) -> Trial:
    """A run over four clips of which three are damaged.

    Args:
        fault: The kind.

    Returns:
        Its trial: exit code 0, and a ledger that adds up, with all rows of the protocol.
    """

    def trial(seed: int, place: Path) -> str:
        tree = films.lay_out_tree(place)
        damaged = [clip for i, clip in enumerate(films.CLIPS) if i != seed % 4]
        for i, clip in enumerate(damaged):
            fault.inject(tree / films.VIDEOS / f"{clip}.mp4", _DAMAGED * seed + i)
        return _scored([*_RUN, "--model", "copy-source"], place, damaged if fault.rows == "failed" else [])

    return trial


def over_swaps(fault: media.MediaFault) -> Trial:
    """A run over four finished swaps of which three are damaged, which the check before the run looks at.

    Of frames of other proportions ("huge") one is: three of four are what crops look like, which the check refuses rightly.

    Args:
        fault: The kind.

    Returns:
        Its trial: the same; nothing is refused for what nobody can read.
    """

    def trial(seed: int, place: Path) -> str:
        tree = films.lay_out_tree(place)
        swaps = sorted((tree / "manipulated_sequences" / films.FINISHED / "c23" / "videos").iterdir())
        spared = {(seed + i) % 4 for i in range(3 if fault.name == "huge" else 1)}
        damaged = [path for i, path in enumerate(swaps) if i not in spared]
        for i, path in enumerate(damaged):
            fault.inject(path, _DAMAGED * seed + i)
        words = [*_RUN, "--model", f"{films.FINISHED}=images:{swaps[0].parent}", "--check", "refuse"]
        return _scored(words, place, [path.stem for path in damaged] if fault.rows == "failed" else [])

    return trial


def make(place: Path, name: str, words: Sequence[str]) -> Path:
    """A finished run over a tree of four clips, for faults to be done to.

    Args:
        place: An empty folder, which gets the tree too.
        name: Of the run's folder.
        words: What bench.ffpp is given besides: the models.

    Returns:
        `place`/`name`.

    Raises:
        RuntimeError: The run failed.
    """
    films.lay_out_tree(place)
    given = ["--data", "tree", *_SMALL, *words, "--out", name]
    ended = inside(main_of("bench.ffpp"), given, place, _SECONDS)
    if ended.code != 0:
        raise RuntimeError(f"the run for the campaign could not be made: {_last_line(ended.error)}")
    return place / name


def _scored(words: list[str], place: Path, failed: list[str]) -> str:
    ended = inside(main_of("bench.ffpp"), [*words, "--out", "out"], place, _SECONDS)
    if ended.code != 0:
        return f"the run ended with {ended.code}: {_last_line(ended.error)}"
    (model,) = (path.parent for path in (place / "out").glob("*/results.json"))
    return _ledger(model, failed)


def _ledger(folder: Path, failed: list[str]) -> str:
    """What is wrong with a model's rows, of four pairs with two frames each."""
    import pandas as pd

    from reports.results import load

    counts = load(folder / "results.json").counts
    rows = pd.read_parquet(folder / "frames.parquet")
    if not counts.expected == len(rows) == 8 == counts.used + sum(counts.failed.values()):
        return f"a ledger of {len(rows)} rows, {counts.expected} expected, {counts.used} used"
    if not (rows["reason"] != "").equals(rows["status"] != "ok"):
        return "a failed row without a reason"
    if failed and (rows.loc[rows["clip"].str.contains("|".join(failed)), "status"] == "ok").any():
        return "a frame of a file that is no film was scored"
    return ""


def _last_line(error: str) -> str:
    lines = [line for line in error.splitlines() if line.strip()]
    return lines[-1] if lines else "without a word"


# ---- kills ----
@functools.cache
def _runs() -> tuple[Path, Path]:
    """A finished run of two models, and another of the same a day later; the tree beside them."""
    place = lasting_folder()
    make(place, "old", ["--no-references", *(word for model in MODELS for word in ("--model", model))])
    shutil.copytree(place / "old", place / "new")
    for path in (place / "new").glob("*/results.json"):
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        content["run"]["started"] = content["run"]["started"].replace("20", "30", 1)
        path.write_text(json.dumps(content), encoding="utf-8")
    return place / "old", place / "new"


def killed(fault: kills.KillFault) -> Trial:
    """A process is killed while it replaces a run.

    Args:
        fault: The way of replacing.

    Returns:
        Its trial: readers see the old run, the new one, or refuse; never a mixture.
    """

    def trial(seed: int, place: Path) -> str:
        old, new = _runs()
        run = place / "run"
        shutil.copytree(old, run)
        fault.inject(run, new, seed)
        found = kills.seen(run, MODELS)
        return "" if found in fault.allowed else f"afterwards its reader sees: {found}"

    return trial


# ---- full disks ----
def _convert(place: Path) -> list[str]:
    return ["smoothswap.convert", str(place / "in" / "net.pth"), "--out", "OUT"]


def _report(place: Path) -> list[str]:
    return ["reports", str(_runs()[0]), "-o", "OUT/report.html"]


def _rescore(place: Path) -> list[str]:
    return ["bench.rescore", str(_runs()[0]), "--out", "OUT"]


def _make_pairs(place: Path) -> list[str]:
    return ["bench.make_pairs", "--from", str(place / "in" / "people"), "--out", "OUT/pairs.csv"]


def _score(place: Path) -> list[str]:
    tree = str(_runs()[0].parent / "tree")
    return ["bench.ffpp", "--data", tree, *_QUICK, "--model", "copy-source", "--out", "OUT"]


def _list(place: Path) -> list[str]:
    return ["bench.list"]


def _table(place: Path) -> list[str]:
    return ["reports", str(_runs()[0]), "--format", "md"]


WRITERS: tuple[Callable[[Path], list[str]], ...] = (_convert, _report, _rescore, _make_pairs, _score)
SPEAKERS: tuple[Callable[[Path], list[str]], ...] = (_list, _table)


def full(fault: disks.DiskFault) -> Trial:
    """A command writes to a full disk.

    Args:
        fault: How it is full.

    Returns:
        Its trial: one line and the code of such an end, or success where there was room; no part of a file is left.
    """

    def trial(seed: int, place: Path) -> str:
        if not fault.available():
            raise NotHereError("this machine does not let it be made")
        material.lay_out(place)
        among = SPEAKERS if fault.how == "output" else WRITERS
        words = among[seed % len(among)](place)
        out = place / "disk"
        out.mkdir()
        done, left = fault.tried(words, out, seed)
        if done.returncode != 0 and not disks.said_in_one_line(done):
            return (
                f"{words[0]} ended with {done.returncode}: {_last_line(done.stderr.decode(errors='replace'))}"
            )
        return f"{words[0]} left {left[0].name}" if left else ""

    return trial


KINDS = (
    *(
        Kind("runs over damaged clips", fault.name, over_clips(fault), 7, 0)
        for fault in media.FAULTS.values()
    ),
    *(
        Kind("runs over damaged swaps", fault.name, over_swaps(fault), 3, 0)
        for fault in media.FAULTS.values()
    ),
    *(Kind("kills", fault.name, killed(fault), 20, 0) for fault in kills.FAULTS),
    *(Kind("disks", fault.name, full(fault), 15, 0) for fault in disks.FAULTS),
)
"""Every kind of these."""
