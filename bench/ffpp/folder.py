"""A run's folder takes an older one's place whole: no reader sees models of the one beside those of the other."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from reports.files import FRAMES, OF_RUNS, PAGE, RESULTS
from reports.results import OutputError, Results, ResultsError, load
from smoothswap.plumbing.folders import NewFolder


@contextmanager
def replaced(out: Path) -> Iterator[Path]:
    """Where a run is written, which takes the place of `out` when all of it is there.

    What `out` holds besides comes along: files that no run wrote, and models that this run has not, where they were
    measured on the same readings of the same originals. Where others would be lost, the older run is kept beside, and
    a line says so.

    Args:
        out: The run's folder, made where it is missing.

    Yields:
        A new folder.

    Raises:
        OutputError: It cannot be written; the older run is as it was.
    """
    try:
        with NewFolder(out) as new:
            assert new.path is not None
            yield new.path
            _settle(new, out)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(
            f"cannot write {out}: {error.strerror or error}; free space there or choose another folder with --out"
        ) from error


def _settle(new: NewFolder, out: Path) -> None:
    assert new.path is not None
    anew = {path.name for path in new.path.iterdir()}
    made = [load(path / RESULTS) for path in new.path.iterdir() if (path / RESULTS).is_file()]
    old, lost = [], []
    for path in sorted(new.out.iterdir()) if new.out.is_dir() else []:
        if path == new.path or path.name.startswith("."):
            continue
        model = path.is_dir() and any((path / name).is_file() for name in (RESULTS, FRAMES))
        if path.name in anew or path.name in OF_RUNS:
            old.append(path.name)
        elif not model or (made and _alike(path, made[0])):
            new.carry(path.name)
        else:
            old.append(path.name)
            lost.append(path)
    keep = None
    if lost:
        keep = f"{new.out.name}.before-{made[0].run.started:%Y%m%dT%H%M%S}"
    if kept := new.put(keep, old, (RESULTS, PAGE)):
        print(
            f"warning: {out} held an older run, measured otherwise; with its models "
            f"{', '.join(path.name for path in lost)} it is kept as {kept}",
            file=sys.stderr,
        )


def _alike(folder: Path, made: Results) -> bool:
    """Whether an older model was measured by the same protocol on the same readings of the originals."""
    try:
        results = load(folder / RESULTS)
    except ResultsError:
        return False
    return (
        _shared(results.files) == _shared(made.files)
        and results.run.protocol.hash == made.run.protocol.hash
        and results.run.data.manifest_sha256 == made.run.data.manifest_sha256
    )


def _shared(files: Mapping[str, str]) -> dict[str, str]:
    return {name: sha256 for name, sha256 in files.items() if name.startswith("../")}
