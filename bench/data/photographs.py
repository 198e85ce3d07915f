"""Photographs of people as a data set: a folder a person, as Labeled Faces in the Wild has them (--data people:DIR)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.data.pairs import ORIGINAL, ClipKey, DataOptions, Pair
from bench.errors import DataError, few
from smoothswap.data.sources import list_photos
from smoothswap.media.identical import identical_files

SPLIT = "test"
"""The one split, under the name that a run asks for by itself."""
COMPARED = 50_000  # photos at most, to find those that are there twice: files of one length are read for it


class Photographs:
    """DIR/Name/photo.jpg: a photo is a clip of one frame, named by its file with the person's name before it.

    Only people with two photos or more are paired, so that the same swaps can be had with --self and --cycle; how many are
    left out is said, and stands in the results. Who follows whom in the order of names swap their first photos, both ways;
    of an odd number the last is left out too.

    Args:
        root: DIR.
        options: Of no concern here.

    Raises:
        DataError: DIR is no such folder, or fewer than two people have two photos.
    """

    compression = "as_is"
    truth = ""

    def __init__(self, root: Path, options: DataOptions | None = None) -> None:
        self.root = Path(root)
        self._paths: dict[str, Path] = {}
        self._photos: dict[str, list[str]] = {}
        self._people: dict[str, str] = {}
        listing = list_photos("folder", self.root)
        for photo in listing.photos:
            path = self.root / photo.path
            clip = path.stem if path.stem.startswith(photo.person) else f"{photo.person}_{path.stem}"
            if clip in self._paths:
                raise DataError(
                    f"{self._paths[clip]} and {path} are both called {clip!r}: rename one of them"
                )
            self._paths[clip], self._people[clip] = path, photo.person
            self._photos.setdefault(photo.person, []).append(clip)
        paired = [person for person, clips in self._photos.items() if len(clips) > 1]
        if len(paired) < 2:
            raise DataError(
                f"{root}: {len(paired)} of {len(self._photos)} people have two photos or more; expected two such people, "
                "as DIR/Name/photo.jpg"
            )
        self._paired = paired[: len(paired) // 2 * 2]
        self._warn(listing.passed_over)
        self.left_out = [person for person in self._photos if person not in set(self._paired)]
        if self.left_out:
            print(
                f"{root}: {len(self.left_out):,} of {len(self._photos):,} people are left out, for they have one photo or "
                f"nobody to swap with: {few(self.left_out)}",
                file=sys.stderr,
            )

    def _warn(self, passed_over: Sequence[str]) -> None:
        """Name what is no photo, and the photos of paired people that are there twice."""
        if passed_over:
            print(f"{self.root}: passed over, for they are no photos: {few(passed_over)}", file=sys.stderr)
        clips = [clip for person in self._paired for clip in self._photos[person]]
        if len(clips) > COMPARED:
            return
        for same in identical_files(self._paths[clip] for clip in clips):
            names = few([str(path.relative_to(self.root)) for path in same])
            print(f"warning: {self.root}: the same photo under {len(same)} names: {names}", file=sys.stderr)

    def pairs(self, split: str, limit: int | None = None) -> list[Pair]:
        """First photos of people who follow each other by name, both ways.

        Args:
            split: SPLIT.
            limit: The first so many; None: all.

        Returns:
            The pairs.

        Raises:
            DataError: For another split.
        """
        if split != SPLIT:
            raise DataError(f"photographs have no split {split!r}; leave --split away")
        both = zip(self._paired[::2], self._paired[1::2], strict=True)
        ways = [way for a, b in both for way in ((a, b), (b, a))]
        first = {person: clips[0] for person, clips in self._photos.items()}
        return [Pair(f"{first[t]}_{first[s]}", first[t], first[s], t, s) for t, s in ways][:limit]

    def others(self, clip: str) -> list[str]:
        """The further photos of the person."""
        return [other for other in self._photos[self._people[clip]] if other != clip]

    def path(self, key: ClipKey) -> Path | None:
        """The photo; there are no swaps as files."""
        return self._paths.get(key.id) if key.manipulation == ORIGINAL else None

    def original(self, clip: str) -> ClipKey:
        """The key of a photo."""
        return ClipKey(ORIGINAL, self.compression, clip)

    def person(self, clip: str) -> str:
        """Whose photo it is: the folder's name."""
        return self._people[clip]

    def name_of(self, clip: str) -> str:
        """The same, as bench.leaks looks people up."""
        return self._people[clip]

    def manipulations(self) -> list[str]:
        """None."""
        return []

    def where(self, manipulation: str) -> Path:
        """The folder."""
        return self.root

    def only_pictures(self, pairs: Sequence[Pair]) -> bool:
        """They are: one frame is expected of each clip."""
        return True

    def described(self, pairs: Sequence[Pair]) -> dict[str, Any]:
        """What results.json says of it: how many people the folder holds, and how many were left out for want of photos."""
        return {"people": len(self._photos), "left_out": len(self.left_out)}
