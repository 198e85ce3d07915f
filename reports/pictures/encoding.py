"""Pictures as data: URIs within a budget of bytes, each different picture once."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from reports.pictures.store import digest

SHOWN = 128  # CSS pixels of one picture at full width


@dataclass(frozen=True)
class Shown:
    """One encoded picture: its number on the page, data: URI, width and height in CSS pixels, drawn pixelated."""

    number: int
    uri: str
    width: int
    height: int
    pixelated: bool


@dataclass(frozen=True)
class Encoding:
    """How pictures are stored: at most `size` pixels a side, PNG when `quality` is None, else JPEG.

    halved: colour at half the resolution, which small faces hardly show.
    """

    size: int
    quality: int | None
    halved: bool = False

    def __str__(self) -> str:
        if self.quality is None:
            return "lossless PNG, pixel for pixel"
        return f"JPEG (quality {self.quality}), at most {self.size} pixels a side"

    def __call__(self, image: np.ndarray) -> str:
        """The data: URI of a picture uint8 [h, w, 3] RGB."""
        picture = Image.fromarray(np.ascontiguousarray(image))
        if max(picture.size) > self.size:
            picture.thumbnail((self.size, self.size), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        if self.quality is None:
            picture.save(buffer, "PNG")
        else:
            # Without optimize: Pillow cannot optimise noisy pictures within its own buffer.
            picture.save(buffer, "JPEG", quality=self.quality, subsampling=2 if self.halved else 0)
        kind = "png" if self.quality is None else "jpeg"
        return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


# From the best to the smallest; the first that fits the budget serves for all, so that rows stay comparable.
ENCODINGS = (
    Encoding(4096, None),
    Encoding(256, 92),
    Encoding(192, 88),
    Encoding(128, 85),
    Encoding(112, 80, True),
    Encoding(96, 75, True),
    Encoding(72, 70, True),
    Encoding(56, 60, True),
)


class Encoded:
    """Different pictures, each once, by one encoding. total: bytes of all URIs as the page will hold them."""

    def __init__(self, encoding: Encoding) -> None:
        self.encoding, self.total = encoding, 0
        self._known: dict[bytes, Shown] = {}

    def add(self, image: np.ndarray, again: bool = False) -> Shown:
        """Encode an image, or find it where it is known.

        Args:
            image: uint8 [h, w, 3] RGB.
            again: It stands on the page once more than is known, and counts once more. False: it is stored
                but once.

        Returns:
            The picture; equal pixels give the same.
        """
        key = digest(image)
        shown = self._known.get(key)
        if shown is None:
            shown = self._known[key] = Shown(len(self._known), self.encoding(image), *css_size(image))
            self.total += len(shown.uri)
        elif again:
            self.total += len(shown.uri)
        return shown


def encode(
    inline: Sequence[np.ndarray],
    stored: Sequence[np.ndarray],
    budget: int,
    encodings: Sequence[Encoding] = ENCODINGS,
) -> Encoded | None:
    """All images by the best encoding that keeps the page within a budget.

    Args:
        inline: uint8 [h, w, 3] each; they stand where they are seen, each time.
        stored: Likewise; stored once for all, and only if they are not inline.
        budget: Bytes that all URIs may take.
        encodings: To try, the best first.

    Returns:
        The pictures; None where no encoding is small enough.
    """
    for encoding in encodings:
        made = Encoded(encoding)
        for i, image in enumerate((*inline, *stored)):
            made.add(image, again=i < len(inline))
            if made.total > budget:
                break
        else:
            return made
    return None


def css_size(image: np.ndarray) -> tuple[int, int, bool]:
    """How large a picture is drawn.

    Small crops are enlarged by a whole factor, with their pixels left square; large ones are reduced.

    Args:
        image: [h, w, 3].

    Returns:
        Width and height in CSS pixels, and whether it is drawn pixelated.
    """
    height, width = image.shape[:2]
    side = max(height, width)
    if side > SHOWN:
        return max(1, width * SHOWN // side), max(1, height * SHOWN // side), False
    factor = SHOWN // side
    return width * factor, height * factor, factor > 1
