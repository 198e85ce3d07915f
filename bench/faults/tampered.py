"""How a run is changed after it was finished: edits of results.json, of tables, of the page and of the folder.

Each edit is a function of a `Run`; the kinds that are tried are bench.faults.tampering's.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FOLLOWS = ("hash", "identity_map_sha256", "name")
"""What stands beside a protocol's rules and is no part of its hash."""
Content = dict[str, Any]
Rows = dict[str, list[Any]]


@dataclass(frozen=True)
class Run:
    """A run's folder, and the model in it that is tampered with."""

    folder: Path
    model: str

    def results(self, change: Callable[[Content], Any], model: str | None = None) -> None:
        """Change results.json of the model, or of another one.

        Args:
            change: Gets its content, and changes it in place.
            model: Whose; None: of the model that is tampered with.
        """
        path = self.folder / (model or self.model) / "results.json"
        content = json.loads(path.read_bytes())
        change(content)
        path.write_text(json.dumps(content, indent=2))

    def table(self, name: str, change: Callable[[Rows], Any]) -> None:
        """Change a table.

        Args:
            name: The file, as from the model's folder.
            change: Gets its columns as lists, and changes, adds or deletes them in place.
        """
        path = self.folder / self.model / name
        before = pq.read_table(path)
        rows = before.to_pydict()
        change(rows)
        types = {field.name: field.type for field in before.schema}
        columns = {key: pa.array(values, types.get(key)) for key, values in rows.items()}
        pq.write_table(pa.table(columns), path)

    @property
    def others(self) -> list[str]:
        """The other models of the run."""
        return sorted(
            path.parent.name for path in self.folder.glob("*/results.json") if path.parent.name != self.model
        )

    def mend(self) -> None:
        """Put every hash right that a results.json holds: of files and of the protocol."""
        for path in self.folder.glob("*/results.json"):
            with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
                content = json.loads(path.read_bytes())
                for name in content["files"]:
                    file = path.parent / name
                    if file.is_file():
                        content["files"][name] = hashlib.sha256(file.read_bytes()).hexdigest()
                protocol = content["run"]["protocol"]
                rules = {key: value for key, value in protocol.items() if key not in FOLLOWS}
                protocol["hash"] = _sha256(rules)
                if protocol.get("identity_map_sha256") is not None:
                    protocol["identity_map_sha256"] = _sha256(rules.get("identity_map") or {})
                path.write_text(json.dumps(content, indent=2))


def _sha256(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


Act = Callable[[Run], None]


@dataclass(frozen=True)
class TamperFault:
    """One kind of change.

    Args:
        name: Of the kind.
        act: Makes it.
        harmless: Why nothing that is printed or compared changes by it, or why nothing in the folder can tell; "" where the
            verifier has to name it.
        fits: Whether a run has what is changed.
    """

    name: str
    act: Act
    harmless: str = ""
    fits: Callable[[Run], bool] = lambda run: True

    def inject(self, run: Run, mended: bool) -> None:
        """Change the run.

        Args:
            run: Is changed.
            mended: Whether the hashes are put right afterwards.
        """
        self.act(run)
        if mended:
            run.mend()

    @property
    def said(self) -> bool:
        """Whether the verifier has to name it."""
        return not self.harmless


# ---- results.json ----
def put(*place: str | int, value: Any) -> Act:
    """Another value at a place of results.json.

    Args:
        place: Keys and numbers that lead there.
        value: What is put there; a function gets what is there.
    """

    def change(content: Content) -> None:
        node: Any = content
        for key in place[:-1]:
            node = node[key]
        old = node.get(place[-1]) if isinstance(node, dict) else node[place[-1]]
        node[place[-1]] = value(old) if callable(value) else value

    return lambda run: run.results(change)


def drop(*place: str | int) -> Act:
    """Something of results.json left out.

    Args:
        place: Keys and numbers that lead there.
    """

    def change(content: Content) -> None:
        node: Any = content
        for key in place[:-1]:
            node = node[key]
        del node[place[-1]]

    return lambda run: run.results(change)


def scaled(factor: float) -> Callable[[Any], Any]:
    """A number times a factor; 0 becomes the factor less 1."""
    return lambda old: factor - 1 if not old else old * factor


def narrowed(old: Sequence[float]) -> list[float]:
    """An interval a third as wide."""
    middle = sum(old) / 2
    return [(2 * middle + end) / 3 for end in old]


def another(old: str) -> str:
    """A hash that is none of this file."""
    return hashlib.sha256(old.encode()).hexdigest()


# ---- tables ----
def cells(
    name: str, column: str, value: Callable[[Any], Any], rows: Callable[[Rows], Sequence[int]] | None = None
) -> Act:
    """Other values in a column.

    Args:
        name: The table, as from the model's folder.
        column: Its name, or how it begins: then the first that does.
        value: Of the old one.
        rows: Which rows; None: all that have a value.
    """

    def change(table: Rows) -> None:
        key = next(key for key in table if key.startswith(column))
        wanted = range(len(table[key])) if rows is None else rows(table)
        for i in wanted:
            if rows is not None or table[key][i] is not None:
                table[key][i] = value(table[key][i])

    return lambda run: run.table(name, change)


def column(name: str, key: str, values: Callable[[Rows], list[Any]] | None) -> Act:
    """A column made anew, or taken away.

    Args:
        name: The table, as from the model's folder.
        key: Of the column, or how it begins.
        values: From the table; None: the column goes.
    """

    def change(table: Rows) -> None:
        found = next((one for one in table if one.startswith(key)), key)
        if values is None:
            del table[found]
        else:
            table[found] = values(table)

    return lambda run: run.table(name, change)


def kept(name: str, rows: Callable[[Rows], Sequence[int]]) -> Act:
    """A table with some of its rows, in this order.

    Args:
        name: The table, as from the model's folder.
        rows: Which.
    """

    def change(table: Rows) -> None:
        wanted = rows(table)
        for key, values in table.items():
            table[key] = [values[i] for i in wanted]

    return lambda run: run.table(name, change)


def first_ok(table: Rows) -> list[int]:
    """The first row that was read."""
    return [table["status"].index("ok")]


def but(row: int) -> Callable[[Rows], list[int]]:
    """All rows but one."""
    return lambda table: [i for i in range(len(table["clip"])) if i != row % len(table["clip"])]


def times(factor: float) -> Callable[[Any], Any]:
    """A number, or each of a list, times a factor."""
    return lambda old: (np.asarray(old) * factor).tolist()


def turned(old: list[float]) -> list[float]:
    """The numbers of a reading in the other order."""
    return old[::-1]


def together(*acts: Act) -> Act:
    """Several edits in one."""

    def act(run: Run) -> None:
        for one in acts:
            one(run)

    return act


def metric(key: str, **values: object) -> Act:
    """Other values of a metric.

    Args:
        key: The metric's.
        values: By the name of the field; a function gets what is there.
    """
    return together(*(put("metrics", key, name, value=value) for name, value in values.items()))


def fewer(n: int) -> Act:
    """The ledger's counts less n used frames."""
    return together(
        put("counts", "expected", value=lambda old: old - n), put("counts", "used", value=lambda old: old - n)
    )


def having(*names: str) -> Callable[[Run], bool]:
    """Whether a run has these files, as from the model's folder."""
    return lambda run: all((run.folder / run.model / name).exists() for name in names)


def all_models(change: Act) -> Act:
    """The same change in every results.json of the run."""

    def act(run: Run) -> None:
        for model in (run.model, *run.others):
            change(Run(run.folder, model))

    return act
