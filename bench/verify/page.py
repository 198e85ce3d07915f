"""The page part of bench.verify: whether it is there, as it was written, and of these results."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.errors import few
from reports.files import PAGE, RESULTS, model_folders
from reports.results import Results, ResultsError, load
from reports.seal import Sealed, read_seal

AGAIN = "python -m reports RUN -o RUN/report.html makes it again"


def check_page(folders: Sequence[Path]) -> list[str]:
    """Hold the page of a run against the results beside it.

    Args:
        folders: Of the models that are checked, all of one run.

    Returns:
        A violation each. Nothing is said of runs of older releases, whose results name no page and whose page names no
        results.
    """
    run = folders[0].parent
    found: dict[str, Results] = {}
    for folder in folders:
        try:
            found[folder.name] = load(folder / RESULTS)
        except ResultsError:
            continue  # said of the model
    stated = any(one.page for one in found.values())
    path = run / PAGE
    if not path.is_file():
        return [f"page: {PAGE} is not there, which was written with the results; {AGAIN}"] if stated else []
    try:
        sealed = read_seal(path.read_bytes())
    except OSError as error:
        return [f"page: cannot read {path}: {error.strerror}"]
    if sealed is None:
        return [f"page: {PAGE} does not name the results that it was made from; {AGAIN}"] if stated else []
    return _held(run, sealed, found)


def _held(run: Path, sealed: Sealed, found: Mapping[str, Results]) -> list[str]:
    """A sealed page against the results of the models that are checked."""
    said = [] if sealed.whole else [f"page: {PAGE} was changed after it was written; {AGAIN}"]
    other = []
    for name in found:
        digest = hashlib.sha256((run / name / RESULTS).read_bytes()).hexdigest()
        if sealed.made_from.get(name, digest) != digest:
            other.append(name)
    if other:
        said.append(f"page: {PAGE} was made from other results of {few(other)}; {AGAIN}")
    if gone := sorted(set(sealed.made_from) - {folder.name for folder in model_folders(run)}):
        said.append(f"page: {PAGE} shows {few(gone)}, of which there are no results")
    shown = {found[name].run.started for name in found if name in sealed.made_from}
    if lacking := [
        name for name, one in found.items() if name not in sealed.made_from and one.run.started in shown
    ]:
        said.append(f"page: {PAGE} does not show {few(lacking)} of the same run; {AGAIN}")
    return said
