"""What trained a swapper, by name: `paper` (its three losses alone), `truth`, `reverse`, and mixtures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PAPER = "paper"


def supervision(about: Mapping[str, Any]) -> str:
    """The names of all that a swapper's training was given, its starts included.

    Args:
        about: The card of its weights, or the record of a start: `config` (the swapper's flat options, or by part),
            `answers` (what smoothswap.data.answers says of each folder) and `start`, as far as there are any.

    Returns:
        "paper" where no answer was known; else the kinds of answers, with "paper" before them where some pairs of some
        training had none: "paper + reverse", "reverse + truth".

    Examples:
        >>> supervision({"config": {"answers": 0, "batch": 8}})
        'paper'
        >>> begun = {"config": {"answers": 8, "batch": 8}, "answers": [{"kind": "truth"}]}
        >>> supervision(begun), supervision({"config": {"batch": 8}, "start": begun})
        ('truth', 'paper + truth')
    """
    found: set[str] = set()
    stage: Mapping[str, Any] | None = about
    while stage:
        options = stage.get("config") or {}
        options = options.get("swapper", options)
        kinds = {str(one["kind"]) for one in stage.get("answers") or ()}
        found |= kinds
        if not kinds or options.get("answers", 0) < options.get("batch", 1):
            found.add(PAPER)
        stage = stage.get("start")
    return " + ".join([*([PAPER] if PAPER in found else []), *sorted(found - {PAPER})])
