"""Smooth-Swap (Kim, Lee, Zhang, CVPR 2022, arXiv 2112.05907): the models, their training, and faces coming in.

    model = smoothswap.load("smoothswap")                    # by name, or by path to a .safetensors
    picture = smoothswap.swap_faces(source, target, model)   # whole pictures in, a whole picture out

`python -m smoothswap.swap` does the same with files, videos too.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import smoothswap.plumbing.first  # noqa: F401

if TYPE_CHECKING:
    from smoothswap.inference import swap_faces
    from smoothswap.pretrained import load

__all__ = ["load", "swap_faces"]


def __getattr__(name: str) -> Any:
    # Imported when asked for: the package's readers of videos need no torch.
    if name in __all__:
        return getattr(
            importlib.import_module("smoothswap.pretrained" if name == "load" else "smoothswap.inference"),
            name,
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
