"""The true swap of a pair: a clip of its own where the data has one; with --self the target itself."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Protocol

from bench.ffpp.clip import Clip
from bench.reading.pool import Readers
from bench.reading.reader import Image, Reading


class Truth(Protocol):
    """What the swaps of one pair should have been.

    Attributes:
        pixels: Frame number -> uint8 [h, w, 3].
    """

    pixels: Mapping[int, Image]

    def readings(self) -> Mapping[int, Reading]:
        """Frame number -> reading; waits for them."""


def usable(reading: Reading | None) -> Reading | None:
    """The reading of a true swap in which a face was found, else None."""
    return reading if reading is not None and reading.status == "ok" else None


class OwnTruth(Truth):
    """The target itself, which is the true swap where the source is its own person.

    Args:
        target: The target's clip, read.
    """

    def __init__(self, target: Clip) -> None:
        places = {number: i for i, number in enumerate(target.frames.numbers) if target.ok(i)}
        self.pixels = {number: target.image(i) for number, i in places.items()}
        self._readings = {number: target.readings[i] for number, i in places.items()}

    def readings(self) -> dict[int, Reading]:
        """Frame number -> reading."""
        return self._readings


class TrueClip(Truth):
    """The true swap of one pair, by frame number: its pixels, and its readings once they are asked for."""

    def __init__(self, target: Clip, clip: Clip) -> None:
        self.pixels: dict[int, Image] = {}
        self._faces = []
        places = {number: i for i, number in enumerate(target.frames.numbers) if target.ok(i)}
        for number, image in zip(clip.frames.numbers, clip.frames.frames, strict=True):
            if image is not None and number in places:
                self.pixels[number] = image
                self._faces.append(target.face(places[number]))
        self._future: Future[list[Reading]] | None = None

    def read(self, readers: Readers, look: bool) -> None:
        """Hand the frames out to be read; `readings` waits for them.

        Args:
            readers: Detection and instruments.
            look: Whether the pictures themselves are read too (Reading.look).
        """
        self._future = readers.swaps(list(self.pixels.values()), self._faces, look)

    def readings(self) -> dict[int, Reading]:
        """Frame number -> reading; waits for them."""
        assert self._future is not None, "read() comes first"
        read = Readers.result(self._future)
        return dict(zip(self.pixels, read, strict=True))
