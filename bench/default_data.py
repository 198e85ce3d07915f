"""The built-in data: a small FaceForensics++ of rendered faces, made on first use and kept in a cache folder."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from bench.errors import DataError

IDENTITIES, FRAMES, SIZE, SEED = 40, 25, 128, 0  # 40 people, 20 pairs, 40 clips of a second


def folder() -> Path:
    """Where the built-in data lies, or will: in SMOOTHSWAP_CACHE, or ~/.cache/smoothswap."""
    from smoothswap import rendered

    cache = os.environ.get("SMOOTHSWAP_CACHE")
    base = Path(cache) if cache else Path.home() / ".cache" / "smoothswap"
    version = getattr(rendered, "VERSION", 1)
    return base / f"rendered-v{version}-{IDENTITIES}people-{FRAMES}frames-{SIZE}px-seed{SEED}"


def ensure() -> Path:
    """Return the built-in data's root, rendering it when it is not there yet.

    It is made beside its place and moved there when it is whole, so that a half-made tree is never read.
    Raises DataError when the cache folder cannot be written.
    """
    root = folder()
    if root.is_dir():
        return root
    from smoothswap.rendered import write_ffpp

    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=root.parent, prefix=".making-"))
    except OSError as error:
        raise DataError(
            f"cannot write to the cache folder {root.parent}: {error.strerror}; name another with SMOOTHSWAP_CACHE"
        ) from error
    try:
        print(f"rendering {IDENTITIES} people into {root} (once)", file=sys.stderr)
        write_ffpp(beside / "tree", identities=IDENTITIES, frames=FRAMES, size=SIZE, seed=SEED)
        try:
            (beside / "tree").rename(root)
        except OSError as error:
            if not root.is_dir():  # otherwise another run was faster, with the same bytes
                raise DataError(
                    f"cannot write {root}: {error.strerror}; name another with SMOOTHSWAP_CACHE"
                ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return root
