"""FaceForensics++ on disk: where the clips lie, which pairs a split holds, what is missing.

Layout and names are those of the data set's own download script and README (ondyari/FaceForensics):
`original_sequences/youtube/<compression>/videos/NNN.mp4`,
`manipulated_sequences/<manipulation>/<compression>/
videos/TTT_SSS.mp4` (TTT is the target, whose video it is; SSS the source, whose face it gets), and splits as
lists of two three-digit strings, each of which stands for both directions. DeepFakeDetection has its own
names: `actors/<actor>__<scene>` and `<target actor>_<source actor>__<scene>__<8 characters>`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.data.lookup import find
from bench.data.pairs import ORIGINAL, ClipKey, DataOptions, Pair
from bench.errors import DataError, few
from smoothswap.media.suffixes import VIDEOS
from smoothswap.plumbing.texts import read_json

FFPP_METHODS = ("Deepfakes", "Face2Face", "FaceSwap", "FaceShifter", "NeuralTextures", "DeepFakeDetection")
_FOLDERS = {"raw": ("raw", "c0"), "c23": ("c23",), "c40": ("c40",)}
_ACTOR_CLIP = re.compile(r"(?P<actor>\d{2})__(?P<scene>.+)")
_DFD_CLIP = re.compile(r"(?P<target>\d{2})_(?P<source>\d{2})__(?P<scene>.+)__(?P<code>[A-Za-z0-9]{8})")


class FaceForensics:
    """A FaceForensics++ tree in one compression. Nothing is read before it is asked for.

    Raises DataError when `root` is no such tree.
    """

    def __init__(self, root: Path, options: DataOptions | None = None) -> None:
        options = options or DataOptions()
        self.root = Path(root)
        self.compression = "raw" if options.compression == "c0" else options.compression
        self.sequences = options.sequences
        self._splits = options.splits
        self._people = dict(options.identity_map)
        if not self.root.is_dir():
            raise DataError(
                f"no data folder {self.root}: give --data the FaceForensics++ root (the folder that holds "
                "original_sequences), or leave --data away to score rendered faces"
            )
        self._originals = self.root / "original_sequences" / self.sequences
        if not self._originals.is_dir():
            raise DataError(
                f"{self.root} is no FaceForensics++ tree: {self._originals} is not there. --data takes the "
                "folder that holds original_sequences and manipulated_sequences"
            )
        present = [name for name in _present(self._originals) if name in ("raw", "c0", "c23", "c40")]
        if not any(folder in present for folder in _FOLDERS[self.compression]):
            have = f"it has {', '.join(present)}: use --compression" if present else "it has none"
            raise DataError(f"no {self.compression} clips under {self._originals}; {have}")

    # ---- clips ----
    def path(self, key: ClipKey) -> Path | None:
        """The video file, or the folder of extracted frames, of a clip; None when it is not on the disk."""
        for folder in self.folders(key.manipulation):
            # extract_compressed_videos.py writes %04d.png into images, DeepfakeBench into frames
            if (plain := folder / "videos" / f"{key.id}.mp4").is_file():
                return plain
            for place in ("videos", "images", "frames"):
                if (found := find(folder / place, key.id, pictures=False)) is not None:
                    return found
        return None

    def original(self, clip: str) -> ClipKey:
        """The key of an original clip."""
        return ClipKey(ORIGINAL, self.compression, clip)

    def folders(self, manipulation: str) -> list[Path]:
        """The folders that may hold the clips of a manipulation (raw is called raw or c0)."""
        base = (
            self._originals
            if manipulation == ORIGINAL
            else self.root / "manipulated_sequences" / manipulation
        )
        return [base / folder for folder in _FOLDERS[self.compression]]

    def manipulations(self) -> list[str]:
        """Manipulations with clips in this compression, e.g. ["Deepfakes", "oracle"]."""
        names = _present(self.root / "manipulated_sequences")
        return [name for name in names if any(folder.is_dir() for folder in self.folders(name))]

    @property
    def truth(self) -> str:
        """The manipulation that is the true swap, which rendered faces have; "" for real ones."""
        return "oracle" if "oracle" in self.manipulations() else ""

    def where(self, manipulation: str) -> Path:
        """The folder in which the clips of a manipulation are looked for, for messages."""
        return self.folders(manipulation)[0] / "videos"

    # ---- people and pairs ----
    def person(self, clip: str) -> str:
        """The identity in a clip: its id, or its actor's number, through the identity map."""
        return person_of(clip, self.sequences, self._people)

    def others(self, clip: str) -> list[str]:
        """The further clips of the same person by name: of the identity map, or of the actor on the disk."""
        person = self.person(clip)
        if self.sequences == "actors":
            clips = {
                path.stem for folder in self.folders(ORIGINAL) for path in _videos(folder / "videos", "*")
            }
        else:
            clips = {person, *self._people}
        return sorted(other for other in clips if self.person(other) == person and other != clip)

    def pairs(self, split: str, limit: int | None = None) -> list[Pair]:
        """The swaps of a split, both directions of a pair one after the other: [a_b, b_a, c_d, ...].

        Args:
            split: "train", "val", "test", or "all" (the three after each other). Without meaning for
                DeepFakeDetection, which has no splits: there the clips on the disk are the list, by name.
            limit: The first so many; None: all.

        Returns:
            The pairs, in the protocol's order.

        Raises:
            DataError: When the split is missing, malformed or empty, or lists a pair twice; when a clip of
                DeepFakeDetection is not named as that data set names its clips.
        """
        pairs = self._actor_pairs() if self.sequences == "actors" else self._split_pairs(split)
        if not pairs:
            raise DataError(f"the split {split!r} of {self.root} holds no pairs; choose another with --split")
        return pairs[:limit]

    def _split_pairs(self, split: str) -> list[Pair]:
        names = ("train", "val", "test") if split == "all" else (split,)
        pairs = [pair for name in names for a, b in self._read_split(name) for pair in ((a, b), (b, a))]
        repeated = [f"{t}_{s}" for (t, s), times in Counter(pairs).items() if times > 1]
        if repeated:
            raise DataError(f"the split {split!r} of {self.root} lists a pair twice: {few(repeated)}")
        return [Pair(f"{t}_{s}", t, s, self.person(t), self.person(s)) for t, s in pairs]

    def _read_split(self, name: str) -> list[tuple[str, str]]:
        places = [self._splits] if self._splits else [self.root / "splits", self.root / "dataset" / "splits"]
        for place in places:
            if (file := place / f"{name}.json").is_file():
                return _pairs_of(file)
        raise DataError(
            f"no split file {name}.json in {' or '.join(map(str, places))}: copy dataset/splits of the "
            "FaceForensics repository (github.com/ondyari/FaceForensics) to ROOT/splits, or name its folder "
            "with --splits"
        )

    def _actor_pairs(self) -> list[Pair]:
        """DeepFakeDetection has no splits: the clips on the disk are the list."""
        clips = sorted(
            {
                path.stem if path.is_file() else path.name
                for folder in self.folders("DeepFakeDetection")
                for kind in ("videos", "images")
                for path in (folder / kind).glob("[!.]*")
                if path.is_dir() or path.suffix.lower() in VIDEOS
            }
        )
        pairs = []
        for clip in clips:
            match = _DFD_CLIP.fullmatch(clip)
            if match is None:
                raise DataError(
                    f"{clip} is no DeepFakeDetection name; expected <target actor>_<source actor>__<scene>__"
                    "<8 characters>, as in 01_02__walking__YVGY8LOK"
                )
            target, source = (
                f"{match['target']}__{match['scene']}",
                self._actor(match["source"], match["scene"]),
            )
            pairs.append(Pair(clip, target, source, self.person(target), self.person(source)))
        return pairs

    def _actor(self, actor: str, scene: str) -> str:
        """The source actor's clip of the same scene, else the first there is (which one is not published)."""
        if self.path(self.original(f"{actor}__{scene}")):
            return f"{actor}__{scene}"
        others = sorted(
            path.stem
            for folder in self.folders(ORIGINAL)
            for path in _videos(folder / "videos", f"{actor}__*")
        )
        return others[0] if others else f"{actor}__{scene}"


def person_of(clip: str, sequences: str, identity_map: Mapping[str, str]) -> str:
    """Whose face a clip shows: its id, or its actor's number, through the identity map.

    Args:
        clip: The id of an original clip.
        sequences: Protocol.sequences; with "actors" a clip is named <actor>__<scene>, and the actor counts.
        identity_map: Names that mean another: {"343": "043"} for a person who appears twice.

    Returns:
        The person's name, equal for clips of one person.

    Examples:
        >>> person_of("343", "youtube", {"343": "043"}), person_of("07__walking", "actors", {})
        ('043', '07')
    """
    actor = _ACTOR_CLIP.fullmatch(clip) if sequences == "actors" else None
    name = actor["actor"] if actor else clip
    return identity_map.get(name, name)


def read_identity_map(path: Path) -> dict[str, str]:
    """Read {"343": "043", ...}. Raises DataError when the file is missing or has another form."""
    data = _json(path, '{"343": "043"}')
    if not isinstance(data, dict) or not all(
        isinstance(k, str) and isinstance(v, str) for k, v in data.items()
    ):
        raise DataError(f'{path}: an identity map is a JSON object of strings, as in {{"343": "043"}}')
    chained = [name for name in data.values() if data.get(name, name) != name]
    if chained:
        raise DataError(f"{path}: {few(chained)} are mapped themselves; map every clip to its final name")
    return data


def _pairs_of(file: Path) -> list[tuple[str, str]]:
    data = _json(file, '[["071", "054"], ...]')
    pairs = []
    for entry in data if isinstance(data, list) else [data]:
        two = isinstance(entry, list) and len(entry) == 2 and all(isinstance(clip, str) for clip in entry)
        if not two or entry[0] == entry[1] or not all(re.fullmatch(r"\d{3}", clip) for clip in entry):
            raise DataError(
                f'{file}: every entry is a pair of two different three-digit strings, as in ["071", "054"]; '
                f"found {json.dumps(entry)[:80]}"
            )
        pairs.append((entry[0], entry[1]))
    return pairs


def _json(file: Path, form: str) -> Any:
    try:
        return read_json(file)
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}; expected JSON of the form {form}") from error
    except ValueError as error:
        raise DataError(f"{file} is no JSON ({error}); expected the form {form}") from error


def _videos(folder: Path, form: str) -> list[Path]:
    """The videos and folders of frames of a folder, by name; hidden files are none."""
    found = (path for path in folder.glob(form) if not path.name.startswith("."))
    return sorted(path for path in found if path.is_dir() or path.suffix.lower() in VIDEOS)


def _present(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
