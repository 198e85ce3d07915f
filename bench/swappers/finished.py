"""Swaps that exist as files: FaceForensics++ manipulations, the oracle of rendered data, images:DIR."""

from __future__ import annotations

from pathlib import Path

from bench.data.pairs import ClipKey, Dataset, Pair
from bench.errors import DataError
from smoothswap.media.suffixes import PICTURES, VIDEOS


class Manipulation:
    """ROOT/manipulated_sequences/<name>, clips named target_source.

    Args:
        dataset: Where it is looked for.
        name: Of the manipulation.

    Raises:
        DataError: When the data holds none of that name.
    """

    def __init__(self, dataset: Dataset, name: str) -> None:
        self._dataset, self._name = dataset, name
        if name not in dataset.manipulations():
            raise DataError(
                f"no swaps by {name} in this data: {self.where()} is not there. Download them, or choose "
                f"another --model (here: {', '.join(dataset.manipulations()) or 'none as files'})"
            )

    def key(self, pair: Pair) -> ClipKey:
        """The key of a pair's clip."""
        return ClipKey(self._name, self._dataset.compression, pair.id)

    def path(self, pair: Pair) -> Path | None:
        """The clip's file; None when it is not on the disk."""
        return self._dataset.path(self.key(pair))

    def where(self) -> str:
        """The folder of the manipulation."""
        return str(self._dataset.where(self._name))


class ImagesFolder:
    """A folder of anybody's swaps.

    For each pair it holds DIR/target_source.mp4, a folder DIR/target_source of frames whose names end in the frame's
    number in the target's clip (from 0), or one image DIR/target_source.png, which is taken as the swap of frame 0.

    Args:
        folder: DIR.

    Raises:
        DataError: When it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not folder.is_dir():
            raise DataError(
                f"images:{folder}: no such folder; expected a folder of target_source.mp4 videos, "
                "target_source/ folders of frames, or target_source.png images"
            )

    def path(self, pair: Pair) -> Path | None:
        """The folder, video or image of a pair, in that order; None where there is none."""
        if (frames := self._folder / pair.id).is_dir():
            return frames
        for suffix in VIDEOS + PICTURES:
            if (file := self._folder / f"{pair.id}{suffix}").is_file():
                return file
        return None

    def where(self) -> str:
        """DIR."""
        return str(self._folder)
