"""A campaign: faults injected by kind, each drawn by a seed, and counted: tried, survived, and why the rest did not."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Trial = Callable[[int, Path], str]
"""trial(seed, place) injects one fault, in an empty folder; "" if the project survived it, else what is left."""
Said = Callable[[str], None]
SCHEMA = 1
_SHOWN = 140  # letters of a reason in the table


class NotHereError(Exception):
    """This machine cannot have a fault of this kind; the message says why."""


@dataclass(frozen=True)
class Kind:
    """One kind of fault.

    Args:
        family: What it is done to, as "media"; --kinds takes it.
        name: Of the kind.
        trial: Injects one.
        count: How many a long campaign injects.
        short: How many a short one does; 0: none, for they take seconds each.
    """

    family: str
    name: str
    trial: Trial
    count: int
    short: int = 1


@dataclass
class Tally:
    """What became of a kind.

    Args:
        family: Its family.
        name: Its name.
        tried: Faults injected.
        survived: Those that ended as they should.
        left: By reason how many did not, and the seed of the first.
        skipped: Why none could be injected, "" if they could.
        seconds: What they took.
    """

    family: str
    name: str
    tried: int = 0
    survived: int = 0
    left: dict[str, dict[str, int]] = field(default_factory=dict)
    skipped: str = ""
    seconds: float = 0.0

    def add(self, reason: str, seed: int) -> None:
        """Count one.

        Args:
            reason: What the trial gave.
            seed: Of the trial.
        """
        self.tried += 1
        if reason:
            self.left.setdefault(reason, {"count": 0, "seed": seed})["count"] += 1
        else:
            self.survived += 1


def chosen(kinds: Sequence[Kind], names: Iterable[str]) -> list[Kind]:
    """The kinds of some families, or some kinds, in their order.

    Args:
        kinds: All.
        names: Families, or "family:kind".

    Returns:
        Those that are meant; all of them where no name is given.

    Raises:
        KeyError: With a name that is neither.
    """
    wanted = set(names)
    known = {kind.family for kind in kinds} | {f"{kind.family}:{kind.name}" for kind in kinds}
    if unknown := sorted(wanted - known):
        raise KeyError(unknown[0])
    return [k for k in kinds if not wanted or {k.family, f"{k.family}:{k.name}"} & wanted]


def campaign(kinds: Sequence[Kind], seed: int, counts: Callable[[Kind], int], say: Said) -> list[Tally]:
    """Inject faults of every kind.

    Args:
        kinds: What is injected.
        seed: The first of each kind's; the others follow.
        counts: How many of a kind.
        say: Is told a line when a kind is done.

    Returns:
        A tally a kind, in their order.
    """
    tallies = []
    for kind in kinds:
        tally = Tally(kind.family, kind.name)
        started = time.monotonic()
        for number in range(seed, seed + counts(kind)):
            place = Path(tempfile.mkdtemp(prefix="fault-"))
            try:
                tally.add(_plain(kind.trial(number, place), place), number)
            except NotHereError as error:
                tally.skipped = str(error)
                break
            # A trial that raises has found what nobody foresaw.
            except Exception as error:  # noqa: BLE001
                tally.add(_plain(f"{type(error).__name__}: {error}", place), number)
            finally:
                shutil.rmtree(place, ignore_errors=True)
        tally.seconds = round(time.monotonic() - started, 1)
        tallies.append(tally)
        say(f"{kind.family}: {kind.name}: {tally.skipped or f'{tally.survived} of {tally.tried}'}")
    return tallies


def _plain(reason: str, place: Path) -> str:
    """A reason in a line, without the folder that only this trial had: what is alike is counted together."""
    line = " ".join(reason.replace(str(place), "PLACE").split())
    return re.sub(r"0x[0-9a-f]{6,}", "0x...", line)[:_SHOWN]


def content(
    tallies: Sequence[Tally], seed: int, command: str, before: dict[str, Any] | None = None
) -> dict[str, Any]:
    """What the JSON file holds.

    Args:
        tallies: Of a campaign.
        seed: Its first.
        command: The command line.
        before: The content of an earlier campaign, of which the kinds that this one has not stay.

    Returns:
        An object for JSON.
    """
    anew = {(one.family, one.name): {**vars(one), "command": command, "first_seed": seed} for one in tallies}
    kinds = [anew.pop((kind["family"], kind["name"]), kind) for kind in (before["kinds"] if before else ())]
    kinds += anew.values()
    return {
        "schema_version": SCHEMA,
        "tried": sum(kind["tried"] for kind in kinds),
        "survived": sum(kind["survived"] for kind in kinds),
        "kinds": kinds,
    }


def markdown(found: dict[str, Any]) -> str:
    """The table: a row a kind, the sums of a family before its kinds and those of all at the end.

    Args:
        found: As `content` gives it.

    Returns:
        Markdown, without an end of line at its end.
    """
    rows = ["| what | kind | tried | survived | what is left, and why |", "|---|---|---:|---:|---|"]
    for family in dict.fromkeys(kind["family"] for kind in found["kinds"]):
        own = [kind for kind in found["kinds"] if kind["family"] == family]
        tried, survived = sum(kind["tried"] for kind in own), sum(kind["survived"] for kind in own)
        rows.append(f"| **{family}** | {len(own)} kinds | {tried} | {survived} | |")
        rows += [
            f"| | {kind['name']} | {kind['tried']} | {kind['survived']} | {_left(kind)} |" for kind in own
        ]
    rows.append(f"| **all** | | {found['tried']} | {found['survived']} | |")
    return "\n".join(rows)


def _left(kind: dict[str, Any]) -> str:
    if kind["skipped"]:
        return f"not tried: {kind['skipped']}"
    said = [f"{one['count']}: {reason} (seed {one['seed']})" for reason, one in kind["left"].items()]
    return "; ".join(said).replace("|", "\\|").replace("<", "&lt;") or "nothing"
