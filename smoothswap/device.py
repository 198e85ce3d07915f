"""The device that a command is told to use: chosen, and tried before any work is done on it."""

from __future__ import annotations

import torch

from smoothswap.errors import UsageError

# What torch raises for a device that it does not know, was not built for, or does not find.
DEVICE_ERRORS = (RuntimeError, AssertionError, NotImplementedError)


def default() -> str:
    """A GPU where there is one, else the CPU: what "auto" stands for."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def unusable(name: str, error: Exception) -> UsageError:
    """The refusal of a device.

    Args:
        name: As the user gave it.
        error: What torch raised, of which the first line is quoted.

    Returns:
        An error to be raised, which advises --device cpu.
    """
    lines = str(error).splitlines() or [type(error).__name__]
    return UsageError(f"the device {name!r} cannot be used ({lines[0]}); try --device cpu")


def usable(name: str) -> str:
    """A device on which tensors can be made.

    Args:
        name: "auto", or a device as torch names it: "cpu", "cuda", "cuda:1", "mps".

    Returns:
        The device's name.

    Raises:
        UsageError: There is no such device here.

    Examples:
        >>> usable("cpu")
        'cpu'
    """
    chosen = default() if name == "auto" else name
    try:
        torch.zeros(1, device=chosen)
    except DEVICE_ERRORS as error:
        raise unusable(name, error) from error
    return chosen
