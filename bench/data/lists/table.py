"""A list as it lies on the disk, CSV, TSV, plain text or JSON, as rows of named columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import DataError, UsageError, suggestion
from smoothswap.plumbing.texts import TextError, json_of

LARGEST = 256 * 2**20  # bytes: some four million lines
MOST_COLUMNS = 100
NEEDED = ("source", "target")
KNOWN = (*NEEDED, "id", "swap", "source_person", "target_person")
"""Columns that mean something to the benchmark; every other is an attribute to slice by."""
ALIASES = {"src": "source", "tgt": "target"}
_NEARLY = 0.9  # as alike as a misspelt name


@dataclass(frozen=True)
class Row:
    """One line: where it stands, for messages ("line 3"), and its values by column, "" for none."""

    where: str
    values: dict[str, str]


@dataclass(frozen=True)
class Table:
    """A list: its file, the names of its columns, and its rows."""

    file: Path
    columns: tuple[str, ...]
    rows: list[Row]

    @property
    def attributes(self) -> tuple[str, ...]:
        """The columns to slice by."""
        return tuple(name for name in self.columns if name not in KNOWN)


def read_table(file: Path, columns: Sequence[str] = ()) -> Table:
    """Read a list.

    Args:
        file: UTF-8, with or without a byte order mark. `.json`: a list of objects. Else lines, whose fields are parted by
            tabs, commas, semicolons or, where the first line has none of these, by spaces. The first line names the columns
            where it has source (or src) and target (or tgt) in it; without such a line two fields are source and target,
            as in CASIA's files.
        columns: The names of the columns of a file that does not name them; (): as above.

    Returns:
        The list, at least one row.

    Raises:
        UsageError: `columns` lack source or target, or name one twice.
        DataError: The file cannot be read as such a list; the message names the line.
    """
    if columns:
        _check_columns(columns, "--columns", UsageError)
    text = _text(file)
    made = _of_json(file, text) if file.suffix.lower() == ".json" else _of_lines(file, text, columns)
    if not made.rows:
        raise DataError(f"{file} holds no pairs; expected lines of source and target")
    return made


def _text(file: Path) -> str:
    if not file.stem.strip() or not file.stem.isprintable():
        raise DataError(f"the list {str(file)!r} is to have a name that can be printed; rename it")
    try:
        if file.stat().st_size > LARGEST:
            raise DataError(
                f"{file} is larger than {LARGEST // 2**20} MB, too large for a list of pairs; split it"
            )
        data = file.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read the list {file}: {error.strerror}") from error
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{file} is UTF-16; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{file} line {line} is not UTF-8 (byte {error.start}); save the list as UTF-8"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(f"{file} line {line} holds a zero byte, so it is no text")
    if not text.strip():
        raise DataError(f"{file} is empty; expected lines of source and target")
    return text


def _of_lines(file: Path, text: str, columns: Sequence[str]) -> Table:
    lines = _fields(file, text)
    number, first = next(lines)
    names = [ALIASES.get(name.strip().lower(), name.strip()) for name in first]
    lowered = [name.lower() for name in names]
    rows = []
    if not columns and any(name in KNOWN for name in lowered):
        columns = [low if low in KNOWN else name for name, low in zip(names, lowered, strict=True)]
        _check_columns(columns, f"{file} line {number}", DataError)
    else:
        if not columns and len(first) != len(NEEDED):
            raise DataError(
                f"{file} line {number} has {len(first)} fields and names no columns; begin the list with a line of names "
                "such as source,target, or give them with --columns"
            )
        columns = columns or NEEDED
        rows.append(_row(file, number, first, columns))
    rows += [_row(file, number, fields, columns) for number, fields in lines]
    return Table(file, tuple(columns), rows)


def _fields(file: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """The number and the fields of each line that is not blank."""
    head = next(line for line in text.splitlines() if line.strip())
    mark = next((mark for mark in "\t,;" if mark in head), "")
    if not mark:
        for number, line in enumerate(text.split("\n"), 1):
            if fields := line.split():
                yield number, fields
        return
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    try:
        for fields in lines:
            if any(field.strip() for field in fields):
                yield lines.line_num, [field.strip() for field in fields]
    except csv.Error as error:
        raise DataError(f"{file} line {lines.line_num}: {error}; quote fields as CSV does") from None


def _row(file: Path, number: int, fields: Sequence[str], columns: Sequence[str]) -> Row:
    if len(fields) != len(columns):
        raise DataError(
            f"{file} line {number} has {len(fields)} fields, the list has {len(columns)} columns ({', '.join(columns)})"
        )
    return Row(f"line {number}", dict(zip(columns, fields, strict=True)))


def _of_json(file: Path, text: str) -> Table:
    try:
        data = json_of(text)
    except TextError as error:
        raise DataError(
            f"{file} is no JSON ({error}); expected a list of objects with source and target"
        ) from None
    if not isinstance(data, list) or not all(isinstance(entry, dict) for entry in data):
        raise DataError(
            f'{file}: expected a JSON list of objects, as [{{"source": "a.png", "target": "b.png"}}]'
        )
    columns = list(dict.fromkeys(ALIASES.get(key.lower(), key) for entry in data for key in entry))
    rows = []
    for number, entry in enumerate(data, 1):
        named = {
            ALIASES.get(key.lower(), key): _plain(file, number, key, value) for key, value in entry.items()
        }
        rows.append(Row(f"entry {number}", {column: named.get(column, "") for column in columns}))
    if rows:
        _check_columns(columns, str(file), DataError)
    return Table(file, tuple(columns), rows)


def _plain(file: Path, number: int, key: str, value: Any) -> str:
    if isinstance(value, (dict, list)):
        raise DataError(f"{file} entry {number}: {key} is no single value")
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value).strip()


def _check_columns(columns: Sequence[str], where: str, kind: type[ValueError]) -> None:
    """Refuse names that are lacking, twice, empty or nearly one that means something."""
    for name in NEEDED:
        if name not in columns:
            others = [column for column in columns if column not in KNOWN]
            raise kind(
                f"{where}: no column {name!r} among {', '.join(columns)}.{suggestion(name, others)} "
                "A list has the columns source and target"
            )
    if twice := next((name for name in columns if columns.count(name) > 1), None):
        raise kind(f"{where}: two columns are called {twice!r}")
    if len(columns) > MOST_COLUMNS:
        raise kind(f"{where}: {len(columns)} columns, more than {MOST_COLUMNS}; leave some out")
    for name in columns:
        if not name.strip() or not name.isprintable() or len(name) > 100:
            raise kind(
                f"{where}: {name!r} is no name of a column; give each a printable name of 1 to 100 characters"
            )
        if name not in KNOWN and (meant := _nearly(name)):
            raise kind(f"{where}: the column {name!r} is nearly {meant!r}; call it that, or something else")


def _nearly(name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name.lower(), KNOWN, n=1, cutoff=_NEARLY)
    return near[0] if near else ""
