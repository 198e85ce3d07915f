"""Which clips of FaceForensics++ show the same person, with the source of each entry (ffpp.json, which is not complete)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

from bench.data.pairs import Pair

SHIPPED = "ffpp"
"""What --identity-map calls the map that ships."""


def record() -> dict[str, Any]:
    """The file as it ships: people, each with its clips and where that is said."""
    found: dict[str, Any] = json.loads(files(__name__).joinpath("ffpp.json").read_text(encoding="utf-8"))
    return found


def shipped_map() -> dict[str, str]:
    """Clip -> the clip after which its person is called, for the clips that show somebody a second time.

    Examples:
        >>> shipped_map()
        {'343': '043', '183': '179', '826': '179'}
    """
    return {clip: person["clips"][0] for person in record()["people"] for clip in person["clips"][1:]}


def map_for(pairs: Iterable[Pair]) -> Mapping[str, str]:
    """The shipped map where it concerns these pairs, and these are of FaceForensics++.

    Other trees number their clips alike: 343 of a folder of photographs is somebody else. So the map holds only where the
    clips that it names are paired as in the official splits.

    Args:
        pairs: The swaps of a split.

    Returns:
        The map; empty for other data, and where no clip of the map occurs.
    """
    partners: dict[str, str] = record()["partners"]
    met = [(pair.target, pair.source) for pair in pairs if pair.target in partners]
    official = bool(met) and all(partners[target] == source for target, source in met)
    return shipped_map() if official else {}
