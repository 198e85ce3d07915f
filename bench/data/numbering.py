"""Which frame of the target's clip a finished frame is: what --frame-numbers says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from bench.errors import UsageError
from smoothswap.media.video import even_indices

FORMS = (
    "as-named (from 0), from-1 (numbered from 1), skip-1 (the target's first frame is left out), every-10 (each "
    "tenth frame, renumbered), chosen (evenly chosen frames, renumbered), x25/30 (re-encoded from 25 to 30 a second)"
)


@dataclass(frozen=True)
class Numbering:
    """How numbers in the names of files, or places in a video, become frames of the target's clip.

    Args:
        kind: as-named, from, skip, every, chosen or x.
        value: N of from-N, skip-N and every-N; the ratio of x.
        phase: Of x alone: frame n is the target's floor(n * value + phase). None: that of FFmpeg's fps filter, which
            shows with each new frame the last one that has begun when half of it is over.
    """

    kind: str = "as-named"
    value: Fraction = Fraction(0)
    phase: Fraction | None = None

    def __str__(self) -> str:
        if self.kind in ("as-named", "chosen"):
            return self.kind
        if self.kind == "x":
            return f"x{self.value}" + ("" if self.phase is None else f"@{float(self.phase):g}")
        return f"{self.kind}-{self.value}"

    def frames(self, numbers: Sequence[int], count: int) -> list[int]:
        """The target's frame of each finished frame.

        Args:
            numbers: Of the finished frames as they are named, increasing.
            count: Frames of the target's clip.

        Returns:
            As many numbers; those outside 0 .. count - 1 are nobody's.

        Examples:
            >>> parse("from-1").frames([1, 2, 3], 3), parse("every-10").frames([0, 1, 2], 25)
            ([0, 1, 2], [0, 10, 20])
            >>> parse("chosen").frames([1, 2, 3], 25), parse("x25/30").frames(range(7), 25)
            ([0, 12, 24], [0, 1, 2, 2, 3, 4, 5])
        """
        if self.kind == "from":
            return [n - int(self.value) for n in numbers]
        if self.kind == "skip":
            return [n + int(self.value) for n in numbers]
        if self.kind == "every":
            return [int(self.value) * rank for rank in range(len(numbers))]
        if self.kind == "chosen":
            return even_indices(count, len(numbers)) if len(numbers) <= count else list(numbers)
        if self.kind == "x":
            if self.phase is None:
                return [ceil(self.value * (2 * n + 1) / 2) - 1 for n in numbers]
            return [floor(self.value * n + self.phase) for n in numbers]
        return list(numbers)

    def places(self, numbers: Sequence[int], count: int) -> dict[int, int]:
        """The finished frame for each frame of the target's clip that has one, in order of time.

        Args:
            numbers: As for `frames`.
            count: Frames of the target's clip.

        Returns:
            {the target's frame: the finished frame's number}; of several the first.
        """
        found: dict[int, int] = {}
        for number, frame in zip(numbers, self.frames(numbers, count), strict=True):
            if 0 <= frame < count:
                found.setdefault(frame, number)
        return dict(sorted(found.items()))


AS_NAMED = Numbering()


def parse(text: str) -> Numbering:
    """What --frame-numbers says.

    Raises:
        UsageError: For another form; it names those that there are.

    Examples:
        >>> str(parse("from-1")), str(parse("x25/30")), str(parse("x5/6@0"))
        ('from-1', 'x5/6', 'x5/6@0')
    """
    if text in ("as-named", "chosen"):
        return Numbering(text)
    if (match := re.fullmatch(r"(from|skip|every)-(\d{1,6})", text)) and int(match[2]) > 0:
        return Numbering(match[1], Fraction(int(match[2])))
    rate = re.fullmatch(
        r"x(\d{1,6}(?:\.\d{1,6})?)(?:/(\d{1,6}(?:\.\d{1,6})?))?(?:@(\d(?:\.\d{1,6})?))?", text
    )
    if rate and Fraction(rate[1]) > 0 and Fraction(rate[2] or 1) > 0:
        ratio = Fraction(rate[1]) / Fraction(rate[2] or 1)
        return Numbering("x", ratio, None if rate[3] is None else Fraction(rate[3]))
    raise UsageError(f"unknown frame numbers {text!r}; there are {FORMS}")
