"""The frames in a folder by the numbers in their names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from smoothswap.media.suffixes import PICTURES

LARGEST = 2**31 - 1
"""A clip of so many frames lasts two years; a larger number is a date or a hash."""
# 0.04, t1.320, 12:30, 1,5: a number with a fraction, or the fields of a clock; not 000_003.0012, a name with a number
# behind it. And the units of a time behind the last number.
_TIME = re.compile(
    r"(?<![^\W_])t?(0[.,]\d+|[1-9]\d*[.,](?!\d{4,5}\D*$)\d+)\D*$|\d:\d+\D*$|\d\s*(h|m|s|ms|us|sec|secs|seconds|min)$",
    re.IGNORECASE,
)
# 00-00-01, 00_00_01.320, 00h00m01s320: hours, minutes and seconds.
_CLOCK = re.compile(r"(?<!\d)\d{1,2}[-_.h:]([0-5]\d)[-_.m:]([0-5]\d)([-_.,s:]\d{1,6})?s?$", re.IGNORECASE)


class ClipError(ValueError):
    """A folder of frames that cannot be understood (videos raise VideoError instead)."""


class TimesError(ClipError):
    """A folder whose frames are named by times."""


@dataclass(frozen=True)
class Numbered:
    """The pictures of a folder by their frame numbers, increasing; and the names of what is there besides."""

    files: dict[int, Path]
    passed_over: list[str]


def numbered(path: Path) -> Numbered:
    """The pictures of a folder by their frame number: the last one in the file's name; 0 for a lone image.

    Hidden files are nothing. What has no picture's ending is passed over, and named.

    Raises:
        ClipError: For a folder without pictures, a name without a number or with a time in its place, a number beyond
            LARGEST, and two files of one number.
    """
    if not path.is_dir():
        return Numbered({0: path}, [])
    shown = [file for file in sorted(path.iterdir()) if not file.name.startswith(".")]
    pictures = [file for file in shown if file.suffix.lower() in PICTURES]
    others = [file.name for file in shown if file.suffix.lower() not in PICTURES]
    if not pictures:
        raise ClipError(f"{path} holds no images; expected frames named by their number, from 0: 0000.png")
    # 01_02_03 may be a clip's name with a number behind it; where all names read as a clock they are one.
    clock = len(pictures) > 1 and all(_CLOCK.search(file.stem) for file in pictures)
    files: dict[int, Path] = {}
    for file in pictures:
        digits = re.findall(r"\d+", file.stem)
        if not digits:
            raise ClipError(
                f"{file} has no frame number; name frames by their number in the clip, from 0: 0000.png"
            )
        if clock or _TIME.search(file.stem):
            raise TimesError(
                f"{file} is named by a time; name frames by their number in the clip, from 0: 0000.png"
            )
        number = int(digits[-1])
        if number > LARGEST:
            raise ClipError(
                f"{file}: {digits[-1]} is no frame number; name frames by their number in the clip, from 0: 0000.png"
            )
        if number in files:
            raise ClipError(f"{files[number].name} and {file.name} in {path} are both frame {number}")
        files[number] = file
    return Numbered(dict(sorted(files.items())), others)
