"""What --self and --cycle are, in words for a page and for the terminal; nothing is said of a run of swaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.results import Results

_MEANINGS = {
    "self": (
        "Every source is another photo of the target's own person, so that the true swap is the target itself. The "
        "columns say how much a model changes that it should have left alone, and not whether it can swap: one that does "
        "nothing is perfect in all of them. So none of them ranks anybody."
    ),
    "cycle": (
        "Every swap was swapped back with another photo of the target's person, so that the true answer is the target. "
        "The columns under “There and back” are of what came back, all others of the swap itself. Nothing swapped there "
        "and back is as good as perfect, and little swapped is soon swapped back: read them beside ID retrieval; they "
        "rank nobody. Between the two ways lies a JPEG; what that costs is the row copy-target."
    ),
}


@dataclass(frozen=True)
class Mode:
    """A mode of bench.ffpp as a report says it. ways: of a cycle, what came back of each model."""

    name: str
    meaning: str
    ways: str = ""


def modes(results: Sequence[Results]) -> list[Mode]:
    """The modes of a table other than plain swaps.

    Args:
        results: Of its rows.

    Returns:
        Each once, in the order of the rows.
    """
    named = [(str((one.run.protocol.model_extra or {}).get("mode") or "swap"), one) for one in results]
    return [
        Mode(name, _MEANINGS[name], "; ".join(_way(one) for mode, one in named if mode == name and one.back))
        for name in dict.fromkeys(name for name, _ in named)
        if name in _MEANINGS
    ]


def _way(results: Results) -> str:
    assert results.back is not None
    lost = ", ".join(f"{n} {status.replace('_', ' ')}" for status, n in results.back.failed.items() if n)
    counts = f"{results.run.model.name} {results.back.used:,} of {results.back.expected:,}"
    return f"{counts} ({lost})" if lost else counts
