"""The built-in data: a small FaceForensics++ of rendered faces, made on first use and cached."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.errors import DataError
from smoothswap.plumbing.made import make_folder

IDENTITIES, FRAMES, SIZE, SEED = 40, 24, 128, 0  # 40 people, 20 pairs, 40 clips of two seconds


def folder() -> Path:
    """Where the built-in data lies, or will: in SMOOTHSWAP_CACHE, or ~/.cache/smoothswap."""
    from smoothswap.rendered import VERSION

    cache = os.environ.get("SMOOTHSWAP_CACHE")
    base = Path(cache) if cache else Path.home() / ".cache" / "smoothswap"
    return base / f"rendered-v{VERSION}-{IDENTITIES}people-{FRAMES}frames-{SIZE}px-seed{SEED}"


def ensure() -> Path:
    """Return the built-in data's root, rendering it when it is not there yet (whole or not at all).

    Raises DataError when the cache folder cannot be written or holds something else under that name.
    """
    from tqdm import tqdm

    from smoothswap.rendered import RenderError, write_ffpp

    def progress(done: Iterable[Any], total: int) -> Iterable[Any]:
        return tqdm(done, total=total, desc="rendering faces, once", unit="clip", file=sys.stderr)

    root = folder()
    try:
        make_folder(root.parent)
        write_ffpp(root, IDENTITIES, FRAMES, SIZE, SEED, progress=progress)
    except (OSError, RenderError) as error:
        raise DataError(
            f"cannot make the rendered faces: {error}; SMOOTHSWAP_CACHE names another folder"
        ) from error
    return root
