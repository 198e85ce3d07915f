"""JSON and TOML of anybody's: read whole or refused with one error that names the place.

What programs of today can hold and what comes after can work with is read: finite numbers, integers of 64 bits, text that
UTF-8 can write, and no deeper nesting than anything here needs. All else is a TextError, never an error of the reader.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any, NoReturn

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_BYTES, MAX_TOML = 64 * 2**20, 2**20
DEEPEST = 40
"""Levels of nesting; the deepest file that is written here has nine."""
LEAST, MOST = -(2**63), 2**64 - 1
_DOTS = 200  # in a line: more are in no key that is read, and hardly in a value
_SHOWN = 60  # letters of a place or a number that a message quotes


class TextError(ValueError):
    """A text that is no JSON or TOML, or holds what nothing here can work with: what, and at which place."""


def read_json(path: Path, most: int = MAX_BYTES) -> Any:
    """The content of a JSON file; a byte order mark is passed over.

    Args:
        path: The file.
        most: Bytes that it may have.

    Returns:
        Plain values.

    Raises:
        TextError: It is no JSON, or holds what `json_of` refuses.
        OSError: It cannot be read.
    """
    return json_of(_bytes(path, most))


def read_toml(path: Path, most: int = MAX_TOML) -> dict[str, Any]:
    """The content of a TOML file; a byte order mark is passed over.

    Args:
        path: The file.
        most: Bytes that it may have.

    Returns:
        Plain values and dates.

    Raises:
        TextError: It is no TOML, or holds what `json_of` refuses.
        OSError: It cannot be read.
    """
    text = _text(_bytes(path, most))
    for number, line in enumerate(text.splitlines(), 1):
        # Before it is parsed: the time that a key takes grows with the square of its parts.
        if line.count(".") > _DOTS and not line.lstrip().startswith("#"):
            raise TextError(f"line {number} has a key of more than {DEEPEST} parts")
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TextError(str(error)) from None
    except RecursionError:
        raise TextError(f"it is nested more than {DEEPEST} levels deep") from None
    except ValueError as error:  # digits beyond what Python turns into a number, dates that are none
        raise TextError(_line(error)) from None
    check(content)
    return content


def json_of(text: bytes | str, wide: bool = False) -> Any:
    """What a JSON text says.

    Args:
        text: The whole text.
        wide: Whether integers may have more than 64 bits, as the states of random generators do.

    Returns:
        Plain values.

    Raises:
        TextError: The text is no JSON, or holds NaN, an infinity, a number too large, half a letter (a lone surrogate), or
            nesting deeper than DEEPEST levels.

    Examples:
        >>> json_of('{"a": [1, 2.5]}')
        {'a': [1, 2.5]}
        >>> json_of('{"a": [1, 1e999]}')
        Traceback (most recent call last):
        smoothswap.plumbing.texts.TextError: at a.1: a number that is not finite
    """
    try:
        content = json.loads(_text(text), parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise TextError(f"{error.msg.lower()} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise TextError(f"it is nested more than {DEEPEST} levels deep") from None
    except ValueError as error:
        raise error if isinstance(error, TextError) else TextError(_line(error)) from None
    check(content, wide)
    return content


def check(content: Any, wide: bool = False) -> None:
    """Refuse values that a text can say and nothing here can work with.

    Args:
        content: Lists, dictionaries and plain values.
        wide: Whether integers may have more than 64 bits.

    Raises:
        TextError: With the place, as keys and numbers joined by dots.
    """
    # A stack of its own: recursion is what is refused here.
    left: list[tuple[Any, tuple[Any, ...]]] = [(content, ())]
    while left:
        value, place = left.pop()
        if isinstance(value, (dict, list)):
            if len(place) >= DEEPEST:
                _fail(place, f"it is nested more than {DEEPEST} levels deep")
            named = value.items() if isinstance(value, dict) else enumerate(value)
            for key, inner in named:
                if isinstance(key, str) and not _writable(key):
                    _fail(place, "a name with half a letter, which is no Unicode")
                if wrong := _wrong(inner, wide):
                    _fail((*place, key), wrong)
                if isinstance(inner, (dict, list)):
                    left.append((inner, (*place, key)))
        elif wrong := _wrong(value, wide):
            _fail(place, wrong)


def _wrong(value: Any, wide: bool) -> str:
    if isinstance(value, str):
        return "" if _writable(value) else "text with half a letter, which is no Unicode"
    if isinstance(value, float):
        return "" if math.isfinite(value) else "a number that is not finite"
    if isinstance(value, int) and not wide and not LEAST <= value <= MOST:
        return "a whole number of more than 64 bits"
    return ""


def _writable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _fail(place: tuple[Any, ...], what: str) -> NoReturn:
    at = ".".join(map(str, place)).encode("ascii", "backslashreplace").decode().replace("\n", "\\n")
    at = at if len(at) <= _SHOWN else at[:_SHOWN] + "..."
    raise TextError(f"at {at}: {what}" if at else what)


def _refuse(name: str) -> NoReturn:
    raise TextError(f"it holds {name}, which is no number of JSON")


def _bytes(path: Path, most: int) -> bytes:
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise TextError("it is no file but a device or a pipe")
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise TextError(f"it is larger than {most / 2**20:g} MB")
    return data


def _text(text: bytes | str) -> str:
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    try:
        return text.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        raise TextError(f"byte {error.start} is no UTF-8") from None


def _line(error: ValueError) -> str:
    return str(error).partition(";")[0].partition("\n")[0][:200]
