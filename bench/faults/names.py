"""Hostile and unusual names by kind: what would leave a folder is refused, what is only foreign is shown."""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

Random = np.random.Generator
Outcome = Literal["refused", "shown"]


@dataclass(frozen=True)
class NameFault:
    """One kind of name.

    Args:
        name: Of the kind.
        make: A name, by the numbers of a generator.
        model: What a command must make of it as a model's name, which becomes a folder.
        path: What it must make of it as the last part of an input's or output's path; None: it is no such part.
    """

    name: str
    make: Callable[[Random], str]
    model: Outcome
    path: Outcome | None

    def draw(self, seed: int) -> str:
        """A name of this kind; bytes that are no UTF-8 stand in it as Python has them in paths, as surrogates.

        Args:
            seed: Of everything that is drawn.
        """
        return self.make(np.random.default_rng([seed, zlib.crc32(self.name.encode())]))


def _of(*names: str) -> Callable[[Random], str]:
    return lambda random: names[int(random.integers(len(names)))]


def _no_utf8(random: Random) -> str:
    raw = bytes(random.integers(0x80, 0x100, int(random.integers(1, 6)), np.uint8))
    return "runs " + raw.decode("utf-8", "surrogateescape")


def _apart(random: Random) -> str:
    return unicodedata.normalize("NFD", _of("Zoë", "José", "Ångström", "Kürşat")(random))


def _long(random: Random) -> str:
    return "x" * int(random.integers(65, 200))


FAULTS = (
    NameFault("upwards", _of("..", "../x", "a/../../x", "x/../..", "..\\x"), "refused", None),
    NameFault("absolute", _of("/etc/x", "/tmp/x", "//x"), "refused", None),
    NameFault("a run's own file", _of("report.html", "originals.parquet", "Report.HTML", "truth.parquet"), "refused", None),
    NameFault("hidden", _of(".", ".x", ".git", "..."), "refused", None),
    NameFault("signs of the shell", _of("a b", "$(x)", "`x`", "a;b", "a|b", "a*b", "'", '"'), "refused", "shown"),
    NameFault("signs of pages", _of("<script>x", "&lt;", "](x)", "{{x}}", "a|b|c"), "refused", "shown"),
    NameFault("control letters", _of("a\nb", "a\x1b[31mb", "a\tb", "a\rb"), "refused", "shown"),
    NameFault("letters apart", _apart, "shown", "shown"),
    NameFault("other alphabets", _of("лица", "顔", "وجوه", "πρόσωπα"), "shown", "shown"),
    NameFault("bytes that are no UTF-8", _no_utf8, "refused", "shown"),
    NameFault("turned letters", _of("a\u202eb", "a\u2066b", "\u200bx"), "refused", "shown"),
    NameFault("too long", _long, "refused", "shown"),
)  # fmt: skip
"""Every kind."""
