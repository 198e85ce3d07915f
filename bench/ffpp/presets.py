"""Protocols by name: --protocol ff++ is the field's, all 1,000 clips of FaceForensics++; ff++-test has 140, its test split.

A name stands for the whole of its rules. An option that asks for something else beside it is refused, and results.json
carries the name only where every rule holds, whether they were asked for by name or one by one.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from bench.data import FFPP, split_kind
from bench.errors import DataError, UsageError
from bench.ffpp.protocol import Protocol

# The source frame's rule differs from paper to paper; here it is the default. Seed, frames in a row and the identity map
# are left to the user: they change none of these rules, and stand in the results.
_RULES: dict[str, Any] = {
    "mode": "swap",
    "sequences": "youtube",
    "compression": "c23",
    "limit": None,
    "frames": 10,
    "source_rule": "first_valid",
    "faces_rule": "largest_tracked",
    "missing": "count_as_wrong",
    "gallery": "all",
    "gallery_size": None,
    "missing_clips": "error",
}
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "ff++": {**_RULES, "split": "all"},
    "ff++-test": {**_RULES, "split": "test"},
}
"""Rules by the protocol's name."""
CLIPS = {"ff++": 1000, "ff++-test": 140}
"""How many swaps each has, and so how many original clips are searched."""


def applied(options: argparse.Namespace) -> argparse.Namespace:
    """The options with those that --protocol stands for.

    Args:
        options: What the command line gave; None where an option was left away.

    Returns:
        A copy; the same where no protocol was named.

    Raises:
        UsageError: An option was given that is not the protocol's, or the data is no FaceForensics++.
    """
    made = argparse.Namespace(**vars(options))
    if options.protocol is None:
        return made
    if options.data is None or split_kind(options.data)[0] != FFPP:
        raise UsageError(
            f"--protocol {options.protocol} is FaceForensics++'s: give its root with --data, or leave --protocol away"
        )
    for name, value in PRESETS[options.protocol].items():
        if name == "missing_clips":
            other, value = options.skip_missing, False
            option, given = "--skip-missing", ""
        else:
            asked = getattr(options, name)
            other, option, given = asked not in (None, value), f"--{name.replace('_', '-')}", f" {asked}"
            if name == "mode":
                option, given = f"--{asked}", ""
            setattr(made, name, value)
        if other:
            says = "stops at missing clips" if option == "--skip-missing" else f"has {_said(name, value)}"
            says = "is of swaps" if name == "mode" else says
            raise UsageError(
                f"--protocol {options.protocol} {says}: leave {option}{given} away, or leave --protocol away and give "
                "its options yourself (docs/protocol.md lists them)"
            )
    return made


def _said(name: str, value: object) -> str:
    return f"no {name.replace('_', ' ')}" if value is None else f"{name.replace('_', ' ')} {value}"


def check(name: str | None, clips: int, where: object) -> None:
    """Refuse a protocol by name on data that is not the whole of it.

    Args:
        name: What --protocol said; None: nothing.
        clips: How many swaps the data's split holds.
        where: The data, for the message.

    Raises:
        DataError: For another number than the protocol's.
    """
    if name is not None and clips != CLIPS[name]:
        raise DataError(
            f"--protocol {name} is {CLIPS[name]:,} swaps, the splits of {where} hold {clips:,}: copy the official "
            "dataset/splits to ROOT/splits, or leave --protocol away"
        )


def name_of(protocol: Protocol, kind: str, clips: int) -> str | None:
    """The name under which a run's rules are known.

    Args:
        protocol: The run's rules.
        kind: Of its data set.
        clips: How many swaps it has.

    Returns:
        A name of PRESETS; None where a rule, the data or its size is another.

    Examples:
        >>> name_of(Protocol(), "ffpp", 140), name_of(Protocol(), "ffpp", 40), name_of(Protocol(frames=5), "ffpp", 140)
        ('ff++-test', None, None)
    """
    for name, rules in PRESETS.items():
        same = all(getattr(protocol, rule) == value for rule, value in rules.items())
        if kind == FFPP and clips == CLIPS[name] and same:
            return name
    return None
