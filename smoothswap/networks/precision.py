"""Mixed precision: which parts of a training step run in bfloat16, and which never do."""

from __future__ import annotations

import torch
from torch import Tensor

PRECISIONS = ("float32", "bfloat16")


def autocast(precision: str, device: str = "cpu") -> torch.autocast:
    """The context in which the networks run.

    Args:
        precision: "float32", in which nothing is cast, or "bfloat16".
        device: A type of device, such as "cpu" or "cuda".

    Returns:
        A context manager; what its networks give in bfloat16 is brought back by `full`.

    Raises:
        ValueError: For an unknown precision.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision is {precision!r}; choose one of {', '.join(PRECISIONS)}")
    return torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16")


def emulated(precision: str, device: str = "cpu") -> bool:
    """Whether the processor has no such numbers and torch would imitate them: forty times float32's time.

    An x86 CPU without AVX-512 is one; a GPU is taken to have them.

    Args:
        precision: "float32", which every processor has, or "bfloat16".
        device: A type of device, such as "cpu" or "cuda".

    Returns:
        True only for bfloat16 on such a CPU; False also where torch was built without oneDNN and cannot tell.
    """
    if device != "cpu" or precision != "bfloat16":
        return False
    try:
        return not torch.ops.mkldnn._is_mkldnn_bf16_supported()
    except (AttributeError, RuntimeError):  # torch was built without oneDNN: nobody knows
        return False


def full(x: Tensor) -> Tensor:
    """`x` in float32 where it is in half precision, else as it is (float64 stays float64)."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
