"""What the schemas of the studies' JSON share: figures with intervals, and one clear error for what does not fit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from reports.fields import Closed, Count, Interval, Measured
from reports.results import ResultsError, explain, write_atomic
from smoothswap.plumbing.texts import read_json


class Estimate(Closed):
    """A mean with its interval over n pairs."""

    value: Measured
    ci95: Interval
    n: Count


def read(path: Path, schema: type[BaseModel], command: str) -> dict[str, Any]:
    """A study's file, checked.

    Args:
        path: The JSON.
        schema: What it must be.
        command: What makes such a file, for the message.

    Returns:
        Its content as `checked` gives it.

    Raises:
        ResultsError: Where it is missing, no JSON, or another file.
    """
    name = schema.__name__.lower()
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path} is no {name}.json ({error}); make one with {command}") from None
    return checked(content, schema, f"{path} is no {name}.json", f"make one with {command}")


def checked(content: Any, schema: type[BaseModel], where: str, mend: str) -> dict[str, Any]:
    """The content of a study, checked and brought to today's version.

    Args:
        content: What the JSON holds.
        schema: What it must be; its `upgraded`, where it has one, takes older versions.
        where: What the message begins with.
        mend: What it ends with.

    Returns:
        A dictionary of plain values.

    Raises:
        ResultsError: For what does not fit, with the path of the field.
    """
    upgrade = getattr(schema, "upgraded", None)
    today = upgrade(content) if upgrade and isinstance(content, Mapping) else content
    try:
        schema.model_validate(today)
    except ValidationError as error:
        raise ResultsError(f"{where} ({explain(error)}); {mend}") from None
    return dict(today)


def write(path: Path, content: Mapping[str, Any], schema: type[BaseModel]) -> Path:
    """Write a study's file whole or not at all, once it fits its schema.

    Args:
        path: Where.
        content: What the JSON is to hold.
        schema: What it must be.

    Returns:
        The path.

    Raises:
        ResultsError: For what does not fit, with the path of the field.
        OutputError: Where the folder cannot take the file.
    """
    checked(
        content, schema, f"cannot write {path}: its content does not fit", "this is a mistake in the program"
    )
    return write_atomic(path, json.dumps(content, indent=1, allow_nan=False) + "\n")
