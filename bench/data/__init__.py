"""Data sets: which clips and pairs there are, who is in them, and how their frames are read.

A data set that is not FaceForensics++ is one file: a class with what bench.data.pairs.Dataset asks for, and an entry
point in the group `smoothswap.datasets` whose value `module:object` opens it, `object(root, options) -> Dataset`:

    [project.entry-points."smoothswap.datasets"]
    celebahq = "celebahq_pairs:CelebaPairs"

It is scored with --data celebahq:/data/CelebA-HQ.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from bench.data.pairs import DataOptions, Dataset
from bench.errors import DataError, UsageError, suggestion

GROUP = "smoothswap.datasets"
FFPP = "ffpp"
# Ours are entry points too, read by the same code; they stand here so that a checkout never depends on what was installed.
OURS = (
    metadata.EntryPoint(FFPP, "bench.data.ffpp:FaceForensics", GROUP),
    metadata.EntryPoint("people", "bench.data.photographs:Photographs", GROUP),
)


def entry_points() -> dict[str, metadata.EntryPoint]:
    """The kinds of data sets of this installation by name, ours first."""
    installed = sorted(metadata.entry_points(group=GROUP), key=lambda entry: entry.name)
    return {entry.name: entry for entry in (*installed, *OURS)}


def split_kind(where: str) -> tuple[str, Path]:
    """What --data says: the kind of the data set and its root.

    Args:
        where: ROOT of a FaceForensics++ tree, or KIND:ROOT.

    Raises:
        UsageError: For a kind that is not installed.

    Examples:
        >>> split_kind("/data/FaceForensics++")
        ('ffpp', PosixPath('/data/FaceForensics++'))
        >>> split_kind("ffpp:/data/FaceForensics++")[0]
        'ffpp'
    """
    kind, colon, root = where.partition(":")
    # One letter is a drive, and a folder may have a colon in its name.
    if not colon or not re.fullmatch(r"[\w-]{2,}", kind) or Path(where).exists():
        return FFPP, Path(where)
    known = entry_points()
    if kind not in known:
        raise UsageError(
            f"unknown kind of data {kind!r} in --data {where}.{suggestion(kind, known)} "
            f"Known: {', '.join(known)}; a package adds others in the entry point group {GROUP}"
        )
    return kind, Path(root)


def open_dataset(kind: str, root: Path, options: DataOptions) -> Dataset:
    """Open a data set.

    Args:
        kind: Its name in `entry_points`.
        root: Its folder.
        options: What the command line says of it.

    Returns:
        The data set; no clip of it has been read yet.

    Raises:
        DataError: The folder is no such data set.
        UsageError: The package that brings the kind is broken.
    """
    entry = entry_points()[kind]
    try:
        factory: Callable[[Path, DataOptions], Dataset] = entry.load()
        return factory(root, options)
    except (DataError, UsageError):
        raise
    # A plug-in may fail in any way; what failed and whose it is must be said.
    except Exception as error:
        raise UsageError(
            f"the data set {kind} ({entry.value}) could not be opened: {type(error).__name__}: {error}; "
            "mend the package that brings it, or uninstall it"
        ) from error
