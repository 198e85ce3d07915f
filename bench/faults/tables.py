"""Damaged and foreign Parquet by kind, each made of a whole table: a reader ends in its content or in one error."""

from __future__ import annotations

import io
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq

from bench.faults.texts import ANY, Random, TextFault


def _written(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def _tabled(change: Callable[[Random, pa.Table], pa.Table]) -> Callable[[Random, bytes], bytes]:
    return lambda random, whole: _written(change(random, pq.read_table(io.BytesIO(whole))))


def _any_column(random: Random, table: pa.Table) -> int:
    return int(random.integers(table.num_columns))


def _typed(random: Random, table: pa.Table) -> pa.Table:
    """A column of another type."""
    n, at = len(table), _any_column(random, table)
    made: tuple[pa.Array, ...] = (
        pa.array([None] * n),
        pa.array(["x"] * n),
        pa.array([b"\xff\xfe"] * n, pa.binary()),
        pa.array([1.5] * n),
        pa.array([float("nan")] * n),
        pa.array([float("inf")] * n),
        pa.array([2**62] * n),
        pa.array([-1] * n),
        pa.array([True] * n),
        pa.array([[1.0, 2.0]] * n),
        pa.array([["x"]] * n),
        pa.array([[[1.0]]] * n),
        pa.array([[]] * n, pa.list_(pa.float32())),
        pa.array([{"a": 1}] * n),
        pa.array([0] * n, pa.timestamp("us")),
        pa.array([0] * n, pa.duration("s")),
        pa.array(["x"] * n).dictionary_encode(),
        pa.array([[1.0] * (i % 3) for i in range(n)], pa.list_(pa.float32())),
        pa.array([2**64 - 1] * n, pa.uint64()),
    )
    return table.set_column(at, table.column_names[at], made[int(random.integers(len(made)))])


def _without(random: Random, table: pa.Table) -> pa.Table:
    return table.remove_column(_any_column(random, table))


def _twice(random: Random, table: pa.Table) -> pa.Table:
    at = _any_column(random, table)
    return table.append_column(table.column_names[at], table.column(at))


def _no_rows(random: Random, table: pa.Table) -> pa.Table:
    return table.slice(0, 0) if random.integers(2) else pa.table({})


def _few_rows(random: Random, table: pa.Table) -> pa.Table:
    rows = random.integers(0, max(1, len(table)), int(random.integers(1, 4)))
    return table.take(pa.array(rows)) if len(table) else table


def _nulls(random: Random, table: pa.Table) -> pa.Table:
    """A column with empty rows."""
    at = _any_column(random, table)
    column = table.column(at)
    kept = [None if random.integers(2) else value for value in column.to_pylist()]
    return table.set_column(at, table.column_names[at], pa.array(kept, column.type))


def _foreign(random: Random, table: pa.Table) -> pa.Table:
    tables = (pa.table({"a": [1]}), pa.table({"clip": [1], "frame": ["x"]}), pa.table({"": [None]}))
    return tables[int(random.integers(3))]


def _noted(random: Random, table: pa.Table) -> pa.Table:
    """Notes of pandas that lie."""
    notes = (
        b"{",
        b"[" * 5000,
        b'{"index_columns": 3}',
        b'{"index_columns": ["clip"], "columns": [], "column_indexes": 7}',
    )
    return table.replace_schema_metadata({b"pandas": notes[int(random.integers(4))]})


def _text_no_utf8(random: Random, table: pa.Table) -> pa.Table:
    texts = [i for i, field in enumerate(table.schema) if pa.types.is_string(field.type)]
    if not texts:
        return table
    at = texts[int(random.integers(len(texts)))]
    raw = pa.array([b"\xff\xfe\x80"] * len(table), pa.binary())
    column = pa.Array.from_buffers(pa.string(), len(raw), raw.buffers())
    return table.set_column(at, table.column_names[at], column)


PARQUET = (
    *ANY,
    TextFault("a column of another type", _tabled(_typed)),
    TextFault("a column left out", _tabled(_without)),
    TextFault("a column twice", _tabled(_twice)),
    TextFault("no rows", _tabled(_no_rows)),
    TextFault("a few rows", _tabled(_few_rows)),
    TextFault("empty rows in a column", _tabled(_nulls)),
    TextFault("a foreign table", _tabled(_foreign)),
    TextFault("foreign notes", _tabled(_noted)),
    TextFault("text that is no UTF-8", _tabled(_text_no_utf8)),
)
"""Kinds for Parquet."""
