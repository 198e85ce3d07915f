"""Which frame of a clip a model is shown: of the source's, and of another photo of the target's own person."""

from __future__ import annotations

from bench.ffpp.clip import Clip
from smoothswap.faces.frontal import asymmetry


def first_valid(clip: Clip) -> int | None:
    """The first frame with a usable face.

    Args:
        clip: Read.

    Returns:
        Its place among the clip's frames; None where there is none.
    """
    return next((j for j in range(len(clip.readings)) if clip.ok(j)), None)


def frontal(clip: Clip) -> int | None:
    """The frame with a usable face whose landmarks are most nearly their own mirror image, of equals the first.

    Args:
        clip: Read.

    Returns:
        Its place among the clip's frames; None where there is none.
    """
    turned = {
        j: asymmetry(one.face.landmarks) for j, one in enumerate(clip.readings) if clip.ok(j) and one.face
    }
    return min(turned, key=turned.__getitem__, default=None)


def farthest(clip: Clip, i: int) -> int | None:
    """The frame with a usable face that is farthest in time from one of the same clip (Protocol.other_photo).

    Args:
        clip: Read.
        i: The place of the frame, which is not an answer itself.

    Returns:
        The other's place, of two equally far the earlier; None where there is no other.
    """
    here = clip.frames.numbers[i]
    others = [j for j in range(len(clip.readings)) if j != i and clip.ok(j)]
    return max(others, key=lambda j: abs(clip.frames.numbers[j] - here), default=None)


def source_frame(source: Clip, i: int, rule: str, own: bool) -> int | None:
    """The source clip's frame for a frame of the target's clip.

    Args:
        source: The source's clip, read.
        i: The place of the target's frame.
        rule: Protocol.source_rule.
        own: Whether the source's clip is the target's: then it is another frame.

    Returns:
        Its place; None where there is none.
    """
    if own:
        return farthest(source, i)
    if rule == "frontal":
        return frontal(source)
    return i if rule == "matched" and source.ok(i) else first_valid(source)


def no_frame(own: bool) -> str:
    """Why `source_frame` found none.

    Args:
        own: As it was given.

    Returns:
        What follows the clip's name in a reason.
    """
    return f"no usable face in any {'other' if own else 'of its'} frame{'' if own else 's'}"
