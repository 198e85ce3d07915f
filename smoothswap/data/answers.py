"""Swaps whose answer is known, for training: targets, and what the swap of each should be.

A folder beside one of faces (smoothswap.data.store), of the same size:

    targets.npy   uint8 [n, s, s, 3] RGB, what the generator is given, memory-mapped
    photos.npy    int64 [n], rows of faces.npy: the photos that are the answers; the source is another photo of the person
    meta.json     kind, sha256 of the arrays and of the faces, command; written last

kind "reverse": a target is the answer with a stand-in swap of somebody else's face on it, so the answer is a real photo
(ReliableSwap, Yuan et al. 2023; DreamID, Ye et al. 2025). smoothswap.stand_ins makes them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator as Rng
from torch import Tensor

from smoothswap.data.faces import FaceData
from smoothswap.data.store import array, read_json, sha256_of
from smoothswap.errors import DataError
from smoothswap.tensors import to_tensor

KINDS = ("reverse",)
"""What an answer may be, as meta.json, cards and tables say it."""
MAKE = "make it with python -m smoothswap.stand_ins"


class Answers:
    """A folder of swaps with known answers, of which those of people for training are drawn.

    kind: one of KINDS.  count: how many may be drawn: the person is for training and has another photo.

    Raises DataError for missing, truncated, pickled or misshapen files, and for a folder of other faces.
    """

    def __init__(self, folder: str | Path, data: FaceData) -> None:
        self.folder, self.data = Path(folder), data
        self.meta = read_json(self.folder / "meta.json", None)
        if not isinstance(self.meta, dict) or self.meta.get("kind") not in KINDS:
            raise DataError(f"{self.folder} holds no swaps with known answers (meta.json); {MAKE}")
        if self.meta.get("faces_sha256") != data.sha256():
            raise DataError(
                f"{self.folder} was made from other faces than those of {data.path.parent}; {MAKE}"
            )
        self.kind: str = self.meta["kind"]
        self._files = [self.folder / "targets.npy", self.folder / "photos.npy"]
        self._targets, rows = (array(path) for path in self._files)
        n, side = len(rows), data.faces.shape[1]
        if self._targets.dtype != np.uint8 or self._targets.shape != (n, side, side, 3):
            raise DataError(
                f"{self._files[0]} is {self._targets.dtype} {list(self._targets.shape)}; "
                f"needed is uint8 [{n}, {side}, {side}, 3], as many as {self._files[1]} has; {MAKE}"
            )
        if rows.dtype != np.int64 or rows.ndim != 1 or not n or rows.min() < 0 or rows.max() >= data.photos:
            raise DataError(
                f"{self._files[1]} must be int64 [n], rows of the {data.photos} faces, not empty; {MAKE}"
            )
        photos = data.photo_of_row(np.array(rows))
        person = data.owner[photos]
        fit = data.counts[person] > 1
        self._chosen = (fit & (person < data.train_people)).nonzero().squeeze(1)
        self._held = (fit & (person >= data.train_people)).nonzero().squeeze(1)
        self._photos = photos
        self.count = len(self._chosen)
        if not self.count:
            raise DataError(
                f"{self.folder} has no answer of a person who is for training and has another photo; {MAKE}"
            )

    def draw(self, n: int, rng: Rng) -> tuple[Tensor, Tensor, Tensor]:
        """Some of them, all equally likely, each with another photo of its person as the source.

        Args:
            n: How many.
            rng: A generator on the CPU.

        Returns:
            Rows of this folder for `get`, then the photos of the sources and of the answers, as numbers of
            FaceData.photo: int64 [n] each.
        """
        return self._sourced(self._chosen[torch.randint(self.count, (n,), generator=rng)], rng)

    def held_out(self, most: int, rng: Rng) -> tuple[Tensor, Tensor, Tensor]:
        """The same of people who are held out, each answer once; there may be none.

        Args:
            most: How many at most.
            rng: A generator on the CPU.

        Returns:
            As `draw`.
        """
        return self._sourced(self._held[torch.randperm(len(self._held), generator=rng)[:most]], rng)

    def _sourced(self, row: Tensor, rng: Rng) -> tuple[Tensor, Tensor, Tensor]:
        answer = self._photos[row]
        person = self.data.owner[answer]
        counts, place = self.data.counts[person], answer - self.data.starts[person]
        step = 1 + (torch.rand(len(row), generator=rng, dtype=torch.float64) * (counts - 1)).long()
        return row, self.data.photo(person, (place + step) % counts), answer

    def get(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Targets and answers of some rows, float32 [n, 3, s, s] in [-1, 1] each, on the CPU."""
        return to_tensor(self._targets[rows.numpy()]), self.data.load(self._photos[rows])

    def about(self) -> dict[str, Any]:
        """What a run keeps of them: kind, hash, count, meta.json."""
        return {
            "kind": self.kind,
            "sha256": sha256_of(*self._files),
            "answers": self.count,
            "meta": self.meta,
        }
