"""What the pairs of a run share."""

from __future__ import annotations

from dataclasses import dataclass

from bench.data.clips import FrameRule
from bench.ffpp.cases import Cutter
from bench.ffpp.protocol import Protocol
from bench.ffpp.strangers import Strangers
from bench.reading.outside import Outside
from bench.reading.pool import Readers


@dataclass(frozen=True)
class Context:
    """What a pair needs of the run that it is part of.

    rule: the frames of each clip. pictures: whether the pictures themselves are kept and looked at, or only what the
    instruments read. cutter: keeps the faces that the models of a pair share. outside: compares a swap with its target's
    frame where the face is not. strangers: third people, for the models that are shown one; None where there is no such
    model.
    """

    protocol: Protocol
    compression: str
    readers: Readers
    rule: FrameRule
    batch_size: int
    pictures: bool
    cutter: Cutter
    outside: Outside
    strangers: Strangers | None = None
