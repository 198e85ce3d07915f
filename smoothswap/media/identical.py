"""Photos that are there twice, under two names: the same pixels, whatever the files are called and hold besides."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from smoothswap.pixels import Image


def fingerprint(image: Image) -> str:
    """What tells pictures apart by their pixels.

    Args:
        image: uint8 [h, w, 3].

    Returns:
        32 hexadecimal digits, the same for equal pictures alone.
    """
    digest = hashlib.blake2b(repr(image.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(image).data)
    return digest.hexdigest()


def identical_files(paths: Iterable[Path]) -> list[list[Path]]:
    """Files with the same bytes; only those of one length are opened.

    Args:
        paths: Of files; what cannot be read is left out.

    Returns:
        Groups of two and more, each in the order given.
    """
    by_length: dict[int, list[Path]] = {}
    for path in paths:
        try:
            if path.is_file():  # a pipe has no end
                by_length.setdefault(path.stat().st_size, []).append(path)
        except OSError:
            continue
    groups: dict[str, list[Path]] = {}
    for alike in by_length.values():
        for path in alike if len(alike) > 1 else ():
            try:
                with path.open("rb") as file:
                    digest = hashlib.sha256(file.read()).hexdigest()
            except OSError:
                continue
            groups.setdefault(digest, []).append(path)
    return [group for group in groups.values() if len(group) > 1]
