"""A trial of each kind of fault that spoils one thing: a file of weights, a clip, a name."""

from __future__ import annotations

from pathlib import Path

from bench.faults import weights
from bench.faults.campaign import Kind, Trial
from smoothswap.plumbing.apart import read_apart
from smoothswap.plumbing.packed import PickledError
from smoothswap.plumbing.tensors import opened


def of_weights(fault: weights.WeightsFault) -> Trial:
    """A forged file is read as every loader of pickled weights reads one: by a process of its own.

    Args:
        fault: The kind.

    Returns:
        Its trial: content or one line; no signal, nothing executed.
    """

    def trial(seed: int, place: Path) -> str:
        marker = place / "ran"
        path = place / f"net{fault.suffix}"
        path.write_bytes(fault.forge(seed, str(marker)))
        said = ""
        try:
            opened(read_apart(path))
        except PickledError as error:
            said = str(error)
        if marker.exists():
            return "it was executed"
        if "ended by SIG" in said:
            return said
        if "\n" in said:
            return "its error has several lines"
        return "" if said or fault.outcome == "either" else "a forged file was taken for weights"

    return trial


WEIGHTS = tuple(Kind("weights", fault.name, of_weights(fault), 110, 2) for fault in weights.FAULTS)
