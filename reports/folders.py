"""From folders to what a report takes: the models of one run or of several, with their pictures."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from reports.files import model_folders
from reports.pictures import store
from reports.pictures.store import Picture
from reports.results import ResultsError
from reports.run_files import RunFiles
from reports.together import refuse_mixtures


def gather(
    runs: Sequence[Path], beside: Path | None = None, note: Callable[[str], None] = lambda _: None
) -> tuple[list[RunFiles], list[Picture]]:
    """All models of some runs, and their pictures.

    A model's name that occurs in several runs gets its run's name behind it; a reference that scored the same in two
    runs is shown once.

    Args:
        runs: Output folders, or one model's in them.
        beside: Folder of the report, from which it links to the data; None: no links.
        note: Called with what is to be said of a folder besides.

    Returns:
        The models in the order of the folders, and their pictures.

    Raises:
        ResultsError: For a folder without results, for damaged files, and for files of two runs.
    """
    found: list[tuple[Path, RunFiles]] = []
    for run in runs:
        folders = model_folders(run)
        if not folders:
            raise ResultsError(
                f"no results in {run}: give a folder that bench.ffpp wrote, or one model's in it"
            )
        for said in refuse_mixtures(folders):
            note(said)
        for folder in folders:
            files = RunFiles.read(folder)
            if not any(_same_reference(files, other) for _, other in found):
                found.append((folder, files))
    names = [files.name for _, files in found]
    shown, cases = [], []
    for folder, files in found:
        label = None
        if names.count(files.name) > 1:
            label = f"{files.name} ({folder.resolve().parent.name})"
            same = [
                other for path, other in found if path.resolve().parent.name == folder.resolve().parent.name
            ]
            if [one.name for one in same].count(files.name) > 1:
                label = f"{files.name} ({folder})"
        link = None if beside is None else _link(folder, beside)
        files = replace(files, label=label, folder=link)
        shown.append(files)
        cases += store.read(folder / store.PICTURES, files.name)
    return shown, cases


def _same_reference(a: RunFiles, b: RunFiles) -> bool:
    return (
        a.results.run.model.is_reference
        and a.name == b.name
        and a.results.run.protocol.hash == b.results.run.protocol.hash
        and a.results.counts == b.results.counts
        and {k: (m.value, m.n) for k, m in a.results.metrics.items()}
        == {k: (m.value, m.n) for k, m in b.results.metrics.items()}
    )


def _link(folder: Path, beside: Path) -> tuple[str, ...] | None:
    """The way from the report to the data; None where there is none (another drive)."""
    try:
        return Path(os.path.relpath(folder.resolve(), beside.resolve())).parts
    except ValueError:
        return None
