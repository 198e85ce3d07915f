"""Mixed precision: which parts of a training step run in bfloat16, and which never do."""

from __future__ import annotations

import torch
from torch import Tensor

PRECISIONS = ("float32", "bfloat16")


def autocast(precision: str, device: str = "cpu") -> torch.autocast:
    """The context in which the networks run. Raises ValueError for an unknown precision."""
    if precision not in PRECISIONS:
        raise ValueError(f"precision is {precision!r}; choose one of {', '.join(PRECISIONS)}")
    return torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16")


def full(x: Tensor) -> Tensor:
    """`x` in float32 where it is in half precision, else as it is (float64 stays float64)."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
