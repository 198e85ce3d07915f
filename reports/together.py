"""Whether the files of a run belong together, or two runs lie in one folder: every reader asks before it reads."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from reports.files import RESULTS
from reports.results import Results, ResultsError, load
from smoothswap.plumbing.folders import MARK

AGAIN = "score the models again, or name those folders alone that you trust"


def refuse_mixtures(folders: Sequence[Path]) -> list[str]:
    """Refuse models whose files are of two runs.

    A results.json names the hashes of the files that it was written with, its run's shared tables among them. A file that
    is not there mixes nothing.

    Args:
        folders: Of models, as model_folders finds them; their runs may be several.

    Returns:
        Notes: a line for each run's folder whose models were scored at different times, which may be meant.

    Raises:
        ResultsError: A folder was being replaced when its program was stopped, or files of two runs lie in it.
    """
    notes = []
    for run in dict.fromkeys(folder.resolve().parent for folder in folders):
        models = {folder.name: load(folder / RESULTS) for folder in folders if folder.resolve().parent == run}
        if (run / MARK).exists():
            raise ResultsError(
                f"{run} was being replaced when the program was stopped, and holds files of two runs: {AGAIN}"
            )
        for name, results in models.items():
            _refuse_other_files(run / name, results)
        if len(times := {results.run.started for results in models.values()}) > 1:
            notes.append(
                f"{run} holds models of {len(times)} runs, of {min(times):%Y-%m-%d %H:%M} to {max(times):%Y-%m-%d %H:%M}"
            )
    return notes


def _refuse_other_files(folder: Path, results: Results) -> None:
    for name, sha256 in results.files.items():
        plain = name.removeprefix("../")
        path = (folder if plain == name else folder.parent) / plain
        # Beside it or one above, and nothing else that a foreign file may name.
        if plain != path.name or not path.is_file():
            continue
        try:
            have = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise ResultsError(f"cannot read {path}: {error.strerror}") from error
        if have != sha256:
            raise ResultsError(
                f"{path} is not the file that {folder / RESULTS} was written with: two runs are mixed here, or it was "
                f"changed since; {AGAIN}"
            )
