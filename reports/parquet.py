"""The tables of a run: one reader of Parquet, which refuses what is damaged or is another table, and names the column.

What every table says of a column is decided by its name, whoever wrote the file: `clip` holds text, `metric/...` numbers,
`swap/...` lists of numbers of one length. pandas's notes inside of a file are passed over: they say nothing that is needed
here, and a foreign file's may say anything.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from reports.results import ResultsError

Kind = Literal["text", "whole", "number", "lists", "yes or no", "bytes"]
_TEXT = (
    *(
        "model",
        "manipulation",
        "compression",
        "clip",
        "target",
        "source",
        "cluster",
        "status",
        "reason",
        "view",
    ),
    *("target_person", "source_person", "person", "again", "back_status", "back_reason", "sourceless_status"),
    *("sourceless_reason", "photo"),
)
_WHOLE = ("position", "frame", "source_frame", "there", "faces", "again_frame", "row")
KINDS: dict[str, Kind] = {
    **dict.fromkeys(_TEXT, "text"),
    **dict.fromkeys(_WHOLE, "whole"),
    **dict.fromkeys(("score", "face_size", "face_brightness"), "number"),
    **dict.fromkeys(("posed", "gallery"), "yes or no"),
    "box": "lists",
}
"""Of columns by name."""
BEGINNINGS: dict[str, Kind] = {
    **dict.fromkeys(("metric/", "missing/", "rank/", "without_source/", "without_source_missing/"), "number"),
    **dict.fromkeys(("swap/", "truth/", "back/", "original/", "picture/"), "lists"),
    "read/": "number",
    "column/": "text",
}
"""Of columns by how their names begin; "column/" of pair lists."""
FULL = ("clip", "target", "source", "cluster", "position", "frame", "status")
"""Columns in which no row may be empty."""
MAX_CELLS = 2**31
"""Rows times columns, and bytes of a column, above which a file is none of ours: few bytes may stand for very many."""
_ERRORS = (OSError, ValueError, LookupError, TypeError, NotImplementedError, MemoryError, OverflowError)


def read_parquet(
    path: Path,
    columns: Collection[str] | None = None,
    needed: Collection[str] = (),
    kinds: Mapping[str, Kind] = KINDS,
) -> pa.Table:
    """A table of a run, each column of the kind that its name says.

    Args:
        path: The file.
        columns: Those that are wanted; None: all. One that is not there is left out.
        needed: Those without which it is another table.
        kinds: What columns hold, by name, before BEGINNINGS are asked.

    Returns:
        The table; text as strings, whole numbers as int64, numbers as float64.

    Raises:
        ResultsError: It is missing, damaged or another table; the message names the file and the column.
    """
    try:
        data = path.read_bytes()
        file = pq.ParquetFile(io.BytesIO(data))
        names = file.schema_arrow.names
        _refuse_sizes(path, file)
        if twice := [name for name, n in Counter(names).items() if n > 1]:
            raise ResultsError(f"cannot read {path}: it has the column {_shown(twice[0])} twice")
        if lacking := [name for name in needed if name not in names]:
            raise ResultsError(f"{path} lacks the columns {', '.join(lacking)}")
        wanted = names if columns is None else [name for name in names if name in columns]
        table = file.read(columns=wanted, use_threads=False).select(wanted)
    except ResultsError:
        raise
    except _ERRORS as error:
        raise ResultsError(f"cannot read {path}: {_line(error)}") from None
    kept = {name: _column(path, name, table[name], kind_of(name, kinds)) for name in table.column_names}
    return pa.table(kept) if kept else table.replace_schema_metadata(None)


def read_frame(
    path: Path, columns: Collection[str] | None = None, needed: Collection[str] = ()
) -> pd.DataFrame:
    """The same as a table of pandas, with lists as arrays and empty text as None.

    Args:
        path: The file.
        columns: Those that are wanted; None: all.
        needed: Those without which it is another table.

    Returns:
        The table.

    Raises:
        ResultsError: As `read_parquet`.
    """
    return read_parquet(path, columns, needed).to_pandas(ignore_metadata=True)


def column_names(path: Path) -> list[str]:
    """The names of a table's columns. Raises ResultsError."""
    try:
        return list(pq.read_schema(io.BytesIO(path.read_bytes())).names)
    except _ERRORS as error:
        raise ResultsError(f"cannot read {path}: {_line(error)}") from None


def kind_of(name: str, kinds: Mapping[str, Kind] = KINDS) -> Kind | None:
    """What a column holds; None where its name does not tell.

    Args:
        name: The column's.
        kinds: Of columns by name.

    Examples:
        >>> kind_of("metric/pose"), kind_of("swap/anny/pose"), kind_of("mine")
        ('number', 'lists', None)
    """
    return kinds.get(name) or next(
        (kind for start, kind in BEGINNINGS.items() if name.startswith(start)), None
    )


def _refuse_sizes(path: Path, file: pq.ParquetFile) -> None:
    about = file.metadata
    columns = [
        about.row_group(i).column(j) for i in range(about.num_row_groups) for j in range(about.num_columns)
    ]
    unpacked = max((one.total_uncompressed_size for one in columns), default=0)
    if max(about.num_rows * max(1, about.num_columns), unpacked) > MAX_CELLS:
        raise ResultsError(f"cannot read {path}: it says to have {about.num_rows:,} rows, more than any run")


def _column(path: Path, name: str, values: pa.ChunkedArray, kind: Kind | None) -> pa.ChunkedArray:
    """One column in the type of its kind. Raises ResultsError."""
    try:
        found = _of_kind(kind, values)
        if found is None:
            raise ResultsError(
                f"{path}: column {_shown(name)} holds {str(values.type)[:60]}, and should hold {kind}"
            )
        found.validate(full=True)  # text that is no UTF-8, lists that reach beyond their numbers
        if kind == "lists" and len(lengths := pc.unique(pc.list_value_length(found)).drop_null()) > 1:
            said = ", ".join(map(str, sorted(lengths.to_pylist())[:3]))
            raise ResultsError(f"{path}: column {_shown(name)} has lists of different lengths: {said}")
        if name in FULL and found.null_count:
            raise ResultsError(f"{path}: column {_shown(name)} is empty in {found.null_count} rows")
    except ResultsError:
        raise
    except _ERRORS as error:
        raise ResultsError(f"{path}: column {_shown(name)}: {_line(error)}") from None
    return found


def _of_kind(kind: Kind | None, values: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """The column in the type of its kind; None where it is of another."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    has = values.type
    empty = pa.types.is_null(has)
    if kind is None:
        return values
    if kind == "text":
        texts = pa.types.is_string(has) or pa.types.is_large_string(has) or empty
        return values.cast(pa.string()) if texts else None
    if kind == "whole":
        # pandas writes whole numbers with gaps as floats; the cast refuses those that are not whole.
        whole = pa.types.is_integer(has) or pa.types.is_floating(has) or empty
        return values.cast(pa.int64()) if whole else None
    if kind == "number":
        numbers = pa.types.is_integer(has) or pa.types.is_floating(has) or empty
        return values.cast(pa.float64()) if numbers else None
    if kind == "bytes":
        return (
            values.cast(pa.binary())
            if pa.types.is_binary(has) or pa.types.is_large_binary(has) or empty
            else None
        )
    if kind == "yes or no":
        return values.cast(pa.bool_()) if pa.types.is_boolean(has) or empty else None
    if empty:
        return values.cast(pa.list_(pa.float32()))
    lists = pa.types.is_list(has) or pa.types.is_large_list(has) or pa.types.is_fixed_size_list(has)
    inner = has.value_type if lists else None
    if inner is None or not (
        pa.types.is_floating(inner) or pa.types.is_integer(inner) or pa.types.is_null(inner)
    ):
        return None
    return values.cast(pa.list_(pa.float64() if inner == pa.float64() else pa.float32()))


def _shown(name: str) -> str:
    return name[:60] if name.isprintable() else ascii(name)[:60]


def _line(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text.splitlines()[0][:200]
