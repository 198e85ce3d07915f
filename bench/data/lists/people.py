"""Who is in a picture, told from its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from bench.errors import UsageError, few

_CASIA = re.compile(r"(\d{4})-\d+(_\d+)?")  # person, clip, frame


@dataclass(frozen=True)
class PeopleRule:
    """A rule: called with a name, it gives the person.

    said: the rule in words, for results.json. names: whether what it gives is a name that other data know as well.
    """

    said: str
    find: Callable[[str], str]
    names: bool = False

    def __call__(self, key: str) -> str:
        """Who is in the picture of this name."""
        return self.find(key)


def rule_for(asked: str, keys: Sequence[str]) -> PeopleRule:
    r"""The rule that --people asks for.

    Args:
        asked: name: every picture shows somebody else; folder: the folder it lies in; auto: the folder where every file is
            called after it (Name/Name_0001), the first four digits where all are called as CASIA's (0041-0_3), else name;
            anything else is a regular expression, found in every name, whose first group is the person.
        keys: The names, below the folder of pictures and without endings.

    Returns:
        The rule, which holds for every one of `keys`.

    Raises:
        UsageError: It does not.

    Examples:
        >>> rule_for("auto", ["Abba_Eban/Abba_Eban_0001"])("Abba_Eban/Abba_Eban_0001")
        'Abba_Eban'
        >>> rule_for("auto", ["0041-0_3", "1268-0_3"])("0041-0_3")
        '0041'
        >>> rule_for(r"^(\w+?)_", ["anna_1", "bert_2"])("anna_1")
        'anna'
    """
    if asked == "auto":
        asked = "folder" if all(map(_after_folder, keys)) else "casia" if all(map(_casia, keys)) else "name"
    if asked == "folder":
        if flat := [key for key in keys if "/" not in key]:
            raise UsageError(
                f"--people folder: {few(flat)} lie in no folder of their own; choose name, or an expression"
            )
        return PeopleRule("the folder", lambda key: PurePosixPath(key).parent.name, names=True)
    if asked == "casia":
        return PeopleRule("the first four digits of the name", lambda key: key[:4])
    if asked == "name":
        return PeopleRule("every picture is somebody else", str)
    return _expression(asked, keys)


def _expression(asked: str, keys: Sequence[str]) -> PeopleRule:
    try:
        pattern = re.compile(asked)
    except re.error as error:
        raise UsageError(
            f"--people {asked!r} is none of auto, name and folder, and no regular expression: {error}"
        ) from None
    if pattern.groups < 1:
        raise UsageError(f"--people {asked!r} has no group; put the person in parentheses, as '^(\\d+)-'")

    def find(key: str) -> str:
        match = pattern.search(key)
        if match is None or not match[1]:
            raise UsageError(f"--people {asked!r} finds nobody in the name {key!r}")
        return match[1]

    for key in keys:
        find(key)
    return PeopleRule(f"the first group of {asked}", find)


def _after_folder(key: str) -> bool:
    parent, _, name = key.rpartition("/")
    folder = parent.rpartition("/")[2]
    return bool(folder) and name.startswith(folder)


def _casia(key: str) -> bool:
    return _CASIA.fullmatch(key) is not None
