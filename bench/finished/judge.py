"""From what the clips of a model say to a verdict: right, wrong with the mend, or not to be told."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bench.finished.compare import Finding, Meaning

Kind = Literal["fits", "doubtful", "cannot_tell", "wrong"]
SHOWS = 0.35  # a correlation of backgrounds under which a clip shows another one
APART = 0.15  # by which one background must be nearer than the other
EXPLAINS = 0.35  # of the change over time
CLEARLY = 0.85  # of what the stated numbers leave is all that a better meaning may leave
NEARLY = 0.7  # of what is explained where every frame may choose its moment
SURELY = 4.0  # standard errors
LIKELY = 2.0
NAME_AFTER = "name each file after the clips that it was made from"


@dataclass(frozen=True)
class Verdict:
    """What the check found of one model.

    Args:
        kind: fits; doubtful: scored with a warning; cannot_tell: what lies outside the faces is repainted, or nothing
            there moves; wrong: not to be scored.
        text: What was seen, in words.
        mend: The option that mends it, as "--order source_target"; "" where there is none.
        clips: How many clips were looked at.
    """

    kind: Kind
    text: str = ""
    mend: str = ""
    clips: int = 0


def judge(findings: Mapping[str, Finding], elsewhere: Mapping[str, str] | None = None) -> Verdict:
    """The verdict over some clips of one model.

    Args:
        findings: By pair.
        elsewhere: By pair the other original clip whose background it shows, where that is known.

    Returns:
        The verdict. One clip that is surely wrong is enough for `wrong`, but for frames of other proportions than the
        target's: no such frame is ever scored, so that few clips of them cost their rows and not the run.
    """
    clips = len(findings)
    odd = [pair for pair, finding in findings.items() if not proportional(finding)]
    if 0 < 2 * len(odd) < clips:
        return _but_for(odd, findings, elsewhere)
    seen = {pair: _seen(finding) for pair, finding in findings.items()}
    wrong = {
        pair: what for pair, what in seen.items() if what.startswith(("order", "numbers", "moments", "size"))
    }
    # Names the other way round show the source's background in every clip; where one says otherwise it is a likeness.
    against = next((pair for pair, what in seen.items() if what not in ("order", "either")), "")
    reversed_ones = [pair for pair, what in wrong.items() if what == "order"]
    if against:
        wrong = {pair: what for pair, what in wrong.items() if what != "order"}
    if wrong:
        what, often = Counter(wrong.values()).most_common(1)[0]
        first = next(pair for pair, one in wrong.items() if one == what)
        return _wrong(what, f"{often} of {clips} clips looked at, as {first}", findings[first], clips)
    if elsewhere:
        pair, clip = next(iter(elsewhere.items()))
        text = f"{pair} shows the background of clip {clip}, not its target's ({len(elsewhere)} of {clips} clips looked at)"
        return Verdict("wrong", f"{text}; {NAME_AFTER}", "", clips)
    if reversed_ones:
        text = f"{reversed_ones[0]} shows the background of its source, and {against} does not ({clips} clips looked at)"
        return Verdict("wrong", f"{text}; {NAME_AFTER}", "", clips)
    pooled = pool([finding for pair, finding in findings.items() if seen[pair] not in ("none", "either")])
    if pooled is not None and (better := better_numbers(pooled)):
        return _wrong(f"numbers {better}", f"all {clips} clips looked at together", pooled, clips)
    return _not_wrong(seen, pooled, clips)


def _but_for(odd: list[str], findings: Mapping[str, Finding], elsewhere: Mapping[str, str] | None) -> Verdict:
    """The verdict over the clips but for a few whose frames have other proportions, which it names."""
    rest = judge(
        {pair: finding for pair, finding in findings.items() if pair not in odd},
        {pair: clip for pair, clip in (elsewhere or {}).items() if pair not in odd},
    )
    (height, width), (rows, columns) = findings[odd[0]].size
    text = (
        f"{len(odd)} of {len(findings)} clips looked at, as {odd[0]}, have frames of other proportions than their target's "
        f"({width} x {height}, {columns} x {rows}), which are not scored; the others: {rest.text}"
    )
    return Verdict("wrong" if rest.kind == "wrong" else "doubtful", text, rest.mend, len(findings))


def proportional(finding: Finding) -> bool:
    """Whether the swap's frames are the target's made smaller or larger, to 2 % of their area."""
    (height, width), (rows, columns) = finding.size
    return abs(height * columns - width * rows) <= 0.02 * width * rows


def _not_wrong(seen: Mapping[str, str], pooled: Finding | None, clips: int) -> Verdict:
    if strangers := [pair for pair, what in seen.items() if what == "none"]:
        text = (
            f"{len(strangers)} of {clips} clips looked at, as {strangers[0]}, show neither their target's background nor "
            "their source's: where a method repaints everything, names and numbers cannot be checked"
        )
        return Verdict("cannot_tell", text, "", clips)
    if alike := [pair for pair, what in seen.items() if what == "either"]:
        text = (
            f"the backgrounds of target and source are too alike in {alike[0]} to check the order of its name"
        )
        return Verdict("doubtful", text, "", clips)
    if pooled is None or not pooled.explained >= EXPLAINS:
        text = "the background is the target's; too little moves outside of the faces to check the numbers of the frames"
        return Verdict("cannot_tell", text, "", clips)
    rivals = [
        name
        for name, other in pooled.others.items()
        if other.surely > -LIKELY and other.explained >= EXPLAINS
    ]
    if rivals:
        text = f"the background is the target's; the frames' numbers cannot be told from {rivals[0]}"
        return Verdict("doubtful", text, "", clips)
    return Verdict("fits", "the background is the target's, frame by frame", "", clips)


def better_numbers(finding: Finding) -> str:
    """The meaning of the numbers that surely fits better than the stated one, "" where there is none."""
    stated = finding.explained if math.isfinite(finding.explained) else 0.0
    free = finding.free if math.isfinite(finding.free) else 0.0
    better = {
        name: other
        for name, other in finding.others.items()
        if other.explained >= max(EXPLAINS, stated, NEARLY * free)
        and other.left <= CLEARLY
        and other.surely >= SURELY
    }
    # Of several that fit as well the first is the likeliest.
    best = max((other.explained for other in better.values()), default=0.0)
    return next((name for name, other in better.items() if other.explained >= best - 0.02), "")


def pool(findings: list[Finding]) -> Finding | None:
    """Several clips as one: means, and standard errors of their sum; None for no clip whose moments can be told."""
    told = [finding for finding in findings if math.isfinite(finding.explained)]
    if not told:
        return None
    n = len(told)
    others = {}
    for name in told[0].others:
        each = [finding.others[name] for finding in told if name in finding.others]
        if len(each) == n:
            others[name] = Meaning(
                sum(other.explained for other in each) / n,
                sum(other.left for other in each) / n,
                sum(other.surely for other in each) / math.sqrt(n),
            )
    return Finding(
        sum(finding.target for finding in told) / n,
        sum(finding.source for finding in told) / n,
        sum(finding.explained for finding in told) / n,
        sum(finding.free for finding in told) / n,
        sum(finding.away for finding in told) / n,
        others,
        told[0].size,
    )


def _seen(finding: Finding) -> str:
    if not proportional(finding):
        return "size"
    if max(finding.target, finding.source) < SHOWS:
        return "size" if finding.size[0] != finding.size[1] else "none"
    if finding.source > finding.target + APART:
        return "order"
    if finding.target < finding.source + APART:
        return "either"
    if better := better_numbers(finding):
        return f"numbers {better}"
    stated = finding.explained if math.isfinite(finding.explained) else 0.0
    if finding.free >= 0.6 and stated < 0.5 * finding.free and finding.away > 2:
        return "moments"
    return "fits"


def _wrong(what: str, where: str, finding: Finding, clips: int) -> Verdict:
    if what == "order":
        text = f"the background is the source's, so the files are named source_target ({where})"
        return Verdict("wrong", text, "--order source_target", clips)
    if what == "size":
        (height, width), (rows, columns) = finding.size
        text = (
            f"frames of {width} x {height} are not the target's {columns} x {rows} made smaller or larger ({where}); "
            "aligned crops are crops:DIR?template=...&size=..."
        )
        return Verdict("wrong", text, "", clips)
    if what == "moments":
        text = (
            f"the frames show other moments of the target than their numbers say ({where}); name each by its frame of the "
            "target's clip, from 0, and mind that names sort as text (0, 1, 10, 2)"
        )
        return Verdict("wrong", text, "", clips)
    numbers = what.removeprefix("numbers ")
    text = f"the frames' numbers are not those of the target's clip but {numbers} ({where})"
    return Verdict("wrong", text, f"--frame-numbers {numbers}", clips)
