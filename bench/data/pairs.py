"""What a data set is to the benchmark: clips with keys, pairs of clips, people, files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bench.errors import DataError, few

ORIGINAL = "original"


@dataclass(frozen=True)
class ClipKey:
    """What names a clip. The id alone does not: every manipulation has its own 000_003."""

    manipulation: str
    compression: str
    id: str

    def __str__(self) -> str:
        return f"{self.manipulation}/{self.compression}/{self.id}"


@dataclass(frozen=True)
class Pair:
    """One swap: the face of clip `source` into clip `target`; `*_person` are the people in them.

    again: the clip with another photo of the target's person, which swaps the swap back in a cycle; "" where there is none.
    """

    id: str
    target: str
    source: str
    target_person: str
    source_person: str
    again: str = ""

    @property
    def cluster(self) -> str:
        """The unordered pair of people; 000_003 and 003_000 share both, so they are one statistical unit."""
        return "+".join(sorted((self.target_person, self.source_person)))

    @property
    def clips(self) -> list[str]:
        """The original clips that it is made of, each once."""
        return list(dict.fromkeys(clip for clip in (self.target, self.source, self.again) if clip))


def people_in(pairs: Iterable[Pair]) -> set[str]:
    """Everybody in some pairs, sources and targets."""
    return {person for pair in pairs for person in (pair.target_person, pair.source_person)}


def in_several_pairs(pairs: Iterable[Pair]) -> set[str]:
    """Those whose face is in more than one pair of people, so that these pairs are not independent of each other."""
    partners: dict[str, set[str]] = {}
    for pair in pairs:
        partners.setdefault(pair.target_person, set()).add(pair.source_person)
        partners.setdefault(pair.source_person, set()).add(pair.target_person)
    return {person for person, others in partners.items() if len(others) > 1}


@dataclass(frozen=True)
class DataOptions:
    """What the command line says of a data set; each kind takes what concerns it.

    Args:
        compression: raw, c23 or c40 of FaceForensics++; of other kinds a name of their own.
        sequences: Of FaceForensics++: youtube, or actors (DeepFakeDetection).
        splits: The folder of train.json, val.json and test.json where it is not in the root.
        identity_map: People who appear twice: {"343": "043"}.
    """

    compression: str = "c23"
    sequences: str = "youtube"
    splits: Path | None = None
    identity_map: Mapping[str, str] = field(default_factory=dict)


class Dataset(Protocol):
    """Where the clips of a data set lie, which of them are swapped into which, and who is in them.

    Nothing is read before it is asked for. A clip is a video, a folder of frames named by their numbers from 0, or one
    image. A data set may have more: `others(clip)`, the further clips of the clip's person in their order, for --self and
    --cycle; `name_of(clip)`, the person's name as bench.leaks looks people up, None where it is not known;
    `described(pairs)`, what results.json says of it besides; `only_pictures(pairs)`, whether one frame is expected of each
    clip.
    """

    @property
    def root(self) -> Path:
        """The folder that --data named."""

    @property
    def compression(self) -> str:
        """The compression of every key of this data set."""

    @property
    def truth(self) -> str:
        """The manipulation that is the true swap, which rendered faces have; "" for real ones."""

    def pairs(self, split: str, limit: int | None = None) -> list[Pair]:
        """The swaps of a split, in the protocol's order.

        Args:
            split: A split, by the data set's own name for it; of FaceForensics++ train, val, test or all.
            limit: The first so many; None: all.

        Returns:
            The pairs, each once.

        Raises:
            DataError: When there is no such split, or it cannot be read or is empty.
        """

    def path(self, key: ClipKey) -> Path | None:
        """The video, folder of frames or image of a clip; None when it is not on the disk."""

    def original(self, clip: str) -> ClipKey:
        """The key of an original clip."""

    def person(self, clip: str) -> str:
        """The identity in an original clip."""

    def manipulations(self) -> list[str]:
        """The manipulations whose clips this data set holds."""

    def where(self, manipulation: str) -> Path:
        """The folder in which the clips of a manipulation are looked for, for messages."""


def missing(dataset: Dataset, keys: Iterable[ClipKey]) -> list[ClipKey]:
    """The clips that are not on the disk.

    Args:
        dataset: Where they are looked for.
        keys: The clips; a key may come more than once.

    Returns:
        Those of `keys` without a file or folder, in their order, each once.
    """
    return [key for key in dict.fromkeys(keys) if dataset.path(key) is None]


def require(dataset: Dataset, keys: Iterable[ClipKey]) -> None:
    """Insist that clips are on the disk.

    Args:
        dataset: Where they are looked for.
        keys: The clips; a key may come more than once.

    Raises:
        DataError: When some are not there: how many, the first of them, and how to go on.
    """
    wanted = list(dict.fromkeys(keys))
    lacking = missing(dataset, wanted)
    if not lacking:
        return
    names = few([str(key) for key in lacking])
    raise DataError(
        f"{len(lacking)} of {len(wanted)} clips are not on the disk: {names} (looked in "
        f"{dataset.where(lacking[0].manipulation)}). Finish the download, choose what is there "
        "with --split or --limit, or use --skip-missing, which scores what is there"
    )
