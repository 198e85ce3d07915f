"""Who has seen the people of a test while training: judges, and models of ours.

A rendered person is known by the numbers that drew it (rendered.json of the tree), a person on photographs by name
(identities.json, which bench.make_ffpp writes, or a pair list). Clips of FaceForensics++ name nobody, so there only
rendered training faces can be told from the test's. What a user's recogniser was trained on is not known either, unless it
says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bench.data.pairs import Dataset, Pair
from bench.swappers import Swapper
from metrics.instruments import Instrument
from reports.fields import Seen
from smoothswap.lineage import Lineage, saw
from smoothswap.plumbing.texts import read_json
from smoothswap.rendered import streams


def people_of(dataset: Dataset, pairs: Sequence[Pair]) -> list[str]:
    """The people of a run as smoothswap.lineage.saw takes them.

    Args:
        dataset: Where a rendered.json or an identities.json may lie; one that knows names says them by `name_of(clip)`.
        pairs: The run's swaps.

    Returns:
        Each person of sources and targets once; "clip:ID" where nothing says who that is.
    """
    clips = sorted({clip for pair in pairs for clip in (pair.target, pair.source)})
    rendered = _json(dataset.root / "rendered.json")
    named = (_json(dataset.root / "identities.json") or {}).get("people")
    if isinstance(rendered, dict) and isinstance(rendered.get("seed"), int):
        return [
            f"rendered:{rendered['seed']}:{streams.CLIPS}:{int(clip)}" if clip.isdecimal() else f"clip:{clip}"
            for clip in clips
        ]
    if isinstance(named, dict):
        who = {clip: (named.get(clip) or {}).get("name") for clip in clips}
        return list(dict.fromkeys(f"name:{who[clip]}" if who[clip] else f"clip:{clip}" for clip in clips))
    name_of = getattr(dataset, "name_of", None)
    if name_of is not None:
        who = {clip: name_of(clip) for clip in clips}
        return list(dict.fromkeys(f"name:{who[clip]}" if who[clip] else f"clip:{clip}" for clip in clips))
    return list(dict.fromkeys(f"clip:{dataset.person(clip)}" for clip in clips))


def seen(who: str, role: str, lineage: Lineage | None, people: Sequence[str]) -> Seen:
    """How many of the people of a run a training was shown.

    Args:
        who: The instrument or model.
        role: "instrument" or "model".
        lineage: What is known of its training; None: nothing.
        people: Of the run (people_of).

    Returns:
        `seen` counts those who were certainly shown, `unknown` those of whom it cannot be told.
    """
    answers = [saw(lineage, person) if lineage else None for person in people]
    return Seen.model_validate(
        {
            "who": who,
            "role": role,
            "people": len(people),
            "seen": sum(answer is True for answer in answers),
            "unknown": sum(answer is None for answer in answers),
        }
    )


def of_instruments(instruments: Iterable[Instrument], people: Sequence[str]) -> list[Seen]:
    """What each instrument of a run has seen of its people.

    Args:
        instruments: Those of the run. One says whom it was trained on by an attribute `people`, a tuple of sets as
            smoothswap.lineage names them, "photographs" for photographs of people without names; an embedder of ours by
            its `lineage`.
        people: Of the run (people_of).

    Returns:
        One for each, in their order.
    """
    return [seen(one.name, "instrument", _lineage(one), people) for one in instruments]


def of_model(swapper: Swapper, people: Sequence[str]) -> list[Seen]:
    """What a model of ours has seen of a run's people; [] for another's, of which nothing is known, and for references.

    Args:
        swapper: The model.
        people: Of the run (people_of).
    """
    lineage = getattr(swapper.run, "lineage", None)
    return [seen(swapper.name, "model", lineage, people)] if isinstance(lineage, Lineage) else []


def _lineage(instrument: Instrument) -> Lineage | None:
    known = getattr(instrument, "lineage", None)
    if isinstance(known, Lineage):
        return known
    people = getattr(instrument, "people", None)
    return None if people is None else Lineage(people=frozenset(people))


def _json(path: Path) -> Any:
    try:
        return read_json(path)
    except (OSError, ValueError):
        return None
