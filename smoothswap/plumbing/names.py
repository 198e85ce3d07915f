"""Names that become folders and files: they stay where they are put, and take no other file's place."""

from __future__ import annotations

import re
import unicodedata

from smoothswap.plumbing.errors import UsageError

LONGEST = 64
_OTHERS = re.compile(r"[^\w.+-]")
_TAKEN = re.compile(r"\.(html|json|parquet|csv|xml|md|part|old|safetensors)$", re.IGNORECASE)


def one_form(text: str) -> str:
    """A text in the composed form of its letters (NFC), which disks and keyboards write in two ways."""
    return unicodedata.normalize("NFC", text)


def printable(text: str) -> str:
    """A text that can be written as UTF-8: other bytes, which Python has in paths as surrogates, stand as their numbers."""
    return text.encode("utf-8", "backslashreplace").decode()


def is_plain(text: str) -> bool:
    """Whether a text has the letters of a name, though the name itself may be refused."""
    return 0 < len(text) <= LONGEST and not _OTHERS.search(text)


def plain_name(text: str, otherwise: str) -> str:
    """A name out of any text: what a name cannot have becomes an underscore, and it begins with no dot.

    Args:
        text: Of a folder, or of what a user's object calls itself.
        otherwise: What stands for nothing.

    Returns:
        1 to 64 letters, digits and . _ + -

    Examples:
        >>> plain_name("my swaps/ü", "images"), plain_name("..", "images")
        ('my_swaps_ü', 'images')
    """
    name = _OTHERS.sub("_", one_form(text)).lstrip(".")[:LONGEST]
    return f"{name[:-5]}_" if _TAKEN.search(name) else name or otherwise


def refuse_name(name: str, what: str) -> None:
    """Refuse a name that would leave its folder, be hidden in it, or take the place of a file there.

    Args:
        name: As it was given.
        what: What is called so, for the message.

    Raises:
        UsageError: It is no plain name.

    Examples:
        >>> refuse_name("mine-64", "a model")
        >>> refuse_name("..", "a model")
        Traceback (most recent call last):
        smoothswap.plumbing.errors.UsageError: a model cannot be called '..': give a name of 1 to 64 letters, digits \
and . _ + - that begins with no dot and ends as no file of a run does, such as .html
    """
    if is_plain(name) and not name.startswith(".") and not _TAKEN.search(name):
        return
    raise UsageError(
        f"{what} cannot be called {name[: LONGEST + 1]!r}: give a name of 1 to {LONGEST} letters, digits and . _ + - that "
        "begins with no dot and ends as no file of a run does, such as .html"
    )
