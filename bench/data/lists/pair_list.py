"""A pair list and the folder of its pictures or videos, as a data set."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.data.lists.people import PeopleRule, rule_for
from bench.data.lists.table import Row, Table
from bench.data.lookup import find, holds
from bench.data.pairs import ORIGINAL, ClipKey, Pair, in_several_pairs
from bench.errors import DataError, UsageError, few, suggestion
from smoothswap.media.suffixes import PICTURES, VIDEOS

SPLIT = "list"
"""The one split of a pair list."""
_ENDINGS = frozenset((*PICTURES, *VIDEOS))


@dataclass
class PairList:
    """The pairs of a list. A picture or video is called by its path below `root`, without its ending.

    Args:
        table: The list.
        root: The folder below which its sources and targets lie.
        people: Who is in a picture, where no column says it: auto, name, folder, or a regular expression.
        swaps: The folder below which its finished swaps lie; None: `root`.

    Raises:
        UsageError: `people` is no rule.
        DataError: A folder is not there, or a line of the list cannot be used; the message names the line.
    """

    table: Table
    root: Path
    people: str = "auto"
    swaps: Path | None = None
    compression: str = field(init=False, default="as_is")
    truth: str = field(init=False, default="")
    rule: PeopleRule = field(init=False)
    _pairs: list[Pair] = field(init=False, default_factory=list)
    _rows: dict[str, Row] = field(init=False, default_factory=dict)
    _written: dict[str, tuple[str, Row]] = field(init=False, default_factory=dict)
    _people: dict[str, str] = field(init=False, default_factory=dict)
    _named: set[str] = field(init=False, default_factory=set)  # by a column
    _taken: set[str] = field(init=False, default_factory=set)
    _paths: dict[str, Path | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for folder in (self.root, self.swaps or self.root):
            if not folder.is_dir():
                raise DataError(
                    f"no folder {folder}: name that of the list's pictures with --images, of its swaps with --swaps"
                )
        sides = [[self._key(row, side) for row in self.table.rows] for side in ("target", "source")]
        self.rule = rule_for(self.people, list(self._written))
        self._read_people(*sides)
        self._read_pairs(*sides)

    # ---- what bench.data.pairs.Dataset asks for ----
    def pairs(self, split: str, limit: int | None = None) -> list[Pair]:
        """The pairs in the list's order.

        Args:
            split: SPLIT.
            limit: The first so many; None: all.

        Returns:
            The pairs.

        Raises:
            DataError: For another split.
        """
        if split != SPLIT:
            raise DataError(f"a pair list has no split {split!r}")
        return self._pairs[:limit]

    def path(self, key: ClipKey) -> Path | None:
        """The picture, video or folder of frames; None when it is not there."""
        if key.id not in self._paths:
            self._paths[key.id] = self._find(self.root, self._written[key.id][0])
        return self._paths[key.id]

    def original(self, clip: str) -> ClipKey:
        """The key of a source or target."""
        return ClipKey(ORIGINAL, self.compression, clip)

    def person(self, clip: str) -> str:
        """Who is in it."""
        return self._people[clip]

    def manipulations(self) -> list[str]:
        """None: finished swaps are columns of the list."""
        return []

    def where(self, manipulation: str) -> Path:
        """The folder of the pictures."""
        return self.root

    # ---- what a pair list has besides ----
    def name_of(self, clip: str) -> str | None:
        """Who is in it by name, as bench.leaks looks people up; None where it is a number, or only the picture's name."""
        named = self.rule.names or clip in self._named
        # A number is another data set's own: that nobody was trained on "n000042" says nothing of who that is.
        return self._people[clip] if named and not any(map(str.isdigit, self._people[clip])) else None

    def attributes(self, pair: Pair) -> dict[str, str]:
        """What the list says of a pair beside its names."""
        values = self._rows[pair.id].values
        return {name: values[name] for name in self.sliced_by}

    @property
    def sliced_by(self) -> list[str]:
        """The columns that are attributes: not those that mean something, or from which swaps were taken."""
        return [name for name in self.table.attributes if name not in self._taken]

    def swap(self, pair: Pair, column: str) -> Path | None:
        """The finished swap that a column of the list names.

        Args:
            pair: Whose.
            column: The column.

        Returns:
            The file or folder; None where the field is empty or nothing is there.

        Raises:
            DataError: The name leads out of the folder of swaps.
        """
        row = self._rows[pair.id]
        name = row.values[column]
        root = self.swaps or self.root
        return self._find(root, self._below(row, column, name, root)) if name else None

    def take(self, column: str) -> None:
        """Say that a column names finished swaps. Raises UsageError where the list has none of that name."""
        if column not in self.table.columns:
            raise UsageError(
                f"--model list:{column}: {self.table.file} has no column {column!r}."
                f"{suggestion(column, self.table.columns)} Its columns: {', '.join(self.table.columns)}"
            )
        self._taken.add(column)

    def lacking(self, pairs: Sequence[Pair]) -> list[str]:
        """The first line of each name that is not there, in words.

        Args:
            pairs: Those that are to be scored.

        Returns:
            "line 3: 'b.png'" each, in the list's order.
        """
        clips = dict.fromkeys(clip for pair in pairs for clip in (pair.target, pair.source))
        gone = [self._written[clip] for clip in clips if self.path(self.original(clip)) is None]
        return [f"{row.where}: {name!r}" for name, row in gone]

    def require(self, pairs: Sequence[Pair]) -> None:
        """Insist that the sources and targets are there.

        Args:
            pairs: Those that are to be scored.

        Raises:
            DataError: Some are not; the message names their lines and says what the folder holds.
        """
        if gone := self.lacking(pairs):
            raise DataError(
                f"{self.table.file}: {len(gone)} pictures are not in {self.root}: {few(gone)} ({holds(self.root)}). Name "
                "another folder with --images, or score what is there with --skip-missing"
            )

    def only_pictures(self, pairs: Sequence[Pair]) -> bool:
        """Whether no source or target of some pairs is a video or a folder of frames.

        Args:
            pairs: Those that are to be scored.
        """
        clips = {clip for pair in pairs for clip in (pair.target, pair.source)}
        return all((path := self.path(self.original(clip))) is None or _is_picture(path) for clip in clips)

    def described(self, pairs: Sequence[Pair]) -> dict[str, Any]:
        """What results.json says of the list.

        Args:
            pairs: Those that were scored.

        Returns:
            list: the file's name without its ending. list_sha256: over the pairs' names and people, the same for the same
            list in another form. images: the folder's name. people: how they were told apart. people_in_several_pairs: how
            many are in more than one pair of people.
        """
        lines = [f"{p.id}\t{p.target}\t{p.source}\t{p.target_person}\t{p.source_person}" for p in pairs]
        return {
            "list": self.table.file.stem,
            "list_sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
            "images": self.root.resolve().name,
            "people": self.rule.said,
            "people_in_several_pairs": len(in_several_pairs(pairs)),
        }

    # ---- reading the lines ----
    def _key(self, row: Row, side: str) -> str:
        written = self._below(row, side, row.values[side], self.root)
        key = _without_ending(written)
        before, first = self._written.setdefault(key, (written, row))
        if before != written and self._differ(before, written):
            raise DataError(
                f"{self.table.file} {row.where}: {written!r} and {before!r} ({first.where}) differ in their endings alone; "
                "rename one"
            )
        return key

    def _differ(self, one: str, other: str) -> bool:
        return (self.root / one).is_file() and (self.root / other).is_file()

    def _below(self, row: Row, column: str, name: str, root: Path) -> str:
        """A name as a path below the folder. Raises DataError for one that is empty or leads out of it."""
        where = f"{self.table.file} {row.where}"
        if not name:
            raise DataError(f"{where}: no {column}")
        path = os.path.normpath(name)
        if path.startswith(os.sep):
            path = os.path.relpath(path, root.absolute())
        if path.split(os.sep, 1)[0] in ("..", "."):
            raise DataError(f"{where}: the {column} {name!r} is not below {root}")
        if not path.isprintable():
            raise DataError(f"{where}: the {column} {name!r} holds signs that cannot be printed")
        return path.replace(os.sep, "/")

    def _read_people(self, targets: list[str], sources: list[str]) -> None:
        said: dict[str, tuple[str, Row]] = {}
        for row, target, source in zip(self.table.rows, targets, sources, strict=True):
            for key, column in ((target, "target_person"), (source, "source_person")):
                who = row.values.get(column) or self.rule(key)
                if row.values.get(column):
                    self._named.add(key)
                before, first = said.setdefault(key, (who, row))
                if before != who:
                    raise DataError(
                        f"{self.table.file} {row.where}: {key!r} shows {who!r}, and {before!r} by {first.where}"
                    )
        self._people = {key: who for key, (who, _) in said.items()}

    def _read_pairs(self, targets: list[str], sources: list[str]) -> None:
        short = _short_names([*targets, *sources])
        seen: dict[tuple[str, str], Row] = {}
        for row, target, source in zip(self.table.rows, targets, sources, strict=True):
            where = f"{self.table.file} {row.where}"
            if (first := seen.setdefault((target, source), row)) is not row:
                raise DataError(f"{where}: the same source and target as {first.where}")
            people = self._people[target], self._people[source]
            if people[0] == people[1]:
                what = "the same picture" if target == source else f"the same person, {people[0]!r}"
                raise DataError(
                    f"{where}: source and target show {what}, where doing nothing is a perfect swap; leave the pair out"
                )
            name = row.values.get("id") or f"{short[target]}_{short[source]}"
            if not name.isprintable() or "/" in name or name in self._rows:
                other = (
                    f"as in {self._rows[name].where}"
                    if name in self._rows
                    else "not one word of a file's name"
                )
                raise DataError(f"{where}: the pair is called {name!r}, {other}; name pairs in a column id")
            self._rows[name] = row
            self._pairs.append(Pair(name, target, source, *people))

    @staticmethod
    def _find(root: Path, written: str) -> Path | None:
        """The file or folder as it is written, else with another ending."""
        path = root / written
        if path.suffix.lower() in _ENDINGS and path.is_file():
            return path
        return find(path.parent, _last(_without_ending(written)), numbered=False)


def _without_ending(name: str) -> str:
    stem, dot, ending = name.rpartition(".")  # a list may be long, and Path is ten times slower
    return stem if f"{dot}{ending}".lower() in _ENDINGS else name


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _short_names(keys: Sequence[str]) -> Mapping[str, str]:
    """Each key's last part, or the whole where two end alike."""
    distinct = set(keys)
    often = Counter(map(_last, distinct))
    return {key: name if often[name := _last(key)] == 1 else key.replace("/", "-") for key in distinct}


def _is_picture(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in PICTURES
