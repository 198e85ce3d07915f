"""A folder of portraits, one picture a person; everybody gets the face of the next."""

from pathlib import Path

from bench.data.pairs import ORIGINAL, ClipKey, DataOptions, Pair
from bench.errors import DataError


class Portraits:
    """ROOT/<person>.png."""

    compression = "as_is"
    truth = ""

    def __init__(self, root: Path, options: DataOptions) -> None:
        self.root = root
        self.names = sorted(path.stem for path in root.glob("*.png"))
        if len(self.names) < 2:
            raise DataError(f"{root} holds {len(self.names)} portraits; expected two or more, NAME.png")

    def pairs(self, split: str, limit: int | None = None) -> list[Pair]:
        """One swap a person; the only split is "test"."""
        if split != "test":
            raise DataError(f"portraits have no split {split!r}; leave --split away")
        following = [*self.names[1:], self.names[0]]
        pairs = [
            Pair(f"{target}_{source}", target, source, target, source)
            for target, source in zip(self.names, following, strict=True)
        ]
        return pairs[:limit]

    def path(self, key: ClipKey) -> Path | None:
        """The portrait; there are no swaps as files."""
        path = self.root / f"{key.id}.png"
        return path if key.manipulation == ORIGINAL and path.is_file() else None

    def original(self, clip: str) -> ClipKey:
        """The key of a portrait."""
        return ClipKey(ORIGINAL, self.compression, clip)

    def person(self, clip: str) -> str:
        """Whose portrait it is."""
        return clip

    def manipulations(self) -> list[str]:
        """None."""
        return []

    def where(self, manipulation: str) -> Path:
        """Where its clips are looked for."""
        return self.root
