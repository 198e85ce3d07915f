"""Training faces in memory's reach: who has which photos, draws of people and photos, batches as tensors.

The stored form is smoothswap.data.store's. People are renumbered, those for training first; photos are numbered person by
person in that order. Where everybody has the same number of photos, every draw is the one that rendered faces always had.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator as Rng
from torch import Tensor

from smoothswap.data.store import read_stored, sha256_of, validation_people
from smoothswap.errors import DataError
from smoothswap.tensors import to_tensor

__all__ = ["DataError", "FaceData"]


class FaceData:
    """A folder of faces (smoothswap.data.store). For validation: who split.json names, or the last `held_out` share, >= 2.

    people, photos: how many; train_people: how many of the people, the first ones, are for training; counts: int64
    [people], photos of each; views: the most photos that one person has; owner: int64 [photos], whose each is; names.

    Raises DataError for missing, truncated, pickled or misshapen files, and for too few people or views.
    """

    def __init__(self, folder: str | Path, size: int, held_out: float = 0.1) -> None:
        stored = read_stored(Path(folder), size)
        held = validation_people(stored.names, stored.validation, held_out)
        self.path, self.meta, self._files = Path(folder) / "faces.npy", stored.meta, stored.files
        self.names = [stored.names[i] for i in self._take(stored.faces, stored.people, held)]

    def _take(self, faces: np.ndarray, people: np.ndarray, held: np.ndarray) -> np.ndarray:
        """Number people and photos: faces [photos, s, s, 3], people int [photos], sorted, held bool [people].

        Returns the people, as numbered in `people`, in the new order.
        """
        counts = np.bincount(people)
        order = np.argsort(held, kind="stable")  # training people first
        self.faces, self.people, self.photos = faces, len(counts), len(people)
        self.train_people = int((~held).sum())
        self.counts = torch.from_numpy(counts[order])
        self.starts = self.counts.cumsum(0) - self.counts
        self.owner = torch.arange(self.people).repeat_interleave(self.counts)
        self.views = int(self.counts.max())
        self.uniform = bool((self.counts == self.views).all())
        # A photo's row in `faces`: its person's first row there, and its place among that person's photos.
        first = torch.from_numpy(counts.cumsum() - counts)[torch.from_numpy(order)]
        self._rows = (torch.arange(self.photos) + (first - self.starts)[self.owner]).numpy()
        return order

    def sha256(self) -> str:
        """Hash of the files as they lie on the disk: faces.npy, then people.npy and split.json where there are any."""
        return sha256_of(*self._files)

    def photo(self, people: Tensor, views: Tensor) -> Tensor:
        """Numbers of photos, person by person from 0.

        Args:
            people: int64, numbers of people.
            views: int64 of a shape that broadcasts with it, 0 <= view < counts of its person, which is not
                checked.

        Returns:
            int64 of the shape of both together.
        """
        return self.starts[people] + views

    def photo_of_row(self, rows: np.ndarray) -> Tensor:
        """Numbers of photos by their rows in faces.npy, int64 [n] -> int64 [n]."""
        back = torch.empty(self.photos, dtype=torch.int64)
        back[torch.from_numpy(self._rows)] = torch.arange(self.photos)
        return back[torch.from_numpy(rows)]

    def load(self, photos: Tensor) -> Tensor:
        """Photos by number, int64 [n], as float32 [n, 3, s, s] in [-1, 1]."""
        return to_tensor(self.faces[self._rows[photos.numpy()]])

    def get(self, people: Tensor, views: Tensor) -> Tensor:
        """The faces (people[i], views[i]) as float32 [n, 3, s, s] in [-1, 1].

        Args:
            people: int64 [n], numbers of people.
            views: int64 [n], 0 <= views[i] < counts[people[i]].

        Returns:
            RGB, on the CPU, channels last in memory.
        """
        return self.load(self.photo(people, views))

    def draw(self, people: Tensor, rng: Rng) -> Tensor:
        """One of each person's photos, all equally likely.

        Args:
            people: int64 of any shape, numbers of people.
            rng: A generator on the CPU.

        Returns:
            Views, int64 of the shape of `people`, 0 <= view < counts of its person.
        """
        if self.uniform:  # the draw that trained weights and resumed runs depend on
            return torch.randint(self.views, people.shape, generator=rng)
        counts = self.counts[people]
        return (torch.rand(people.shape, generator=rng, dtype=torch.float64) * counts).long()

    def deal(self, people: Tensor, photos: int, rng: Rng) -> Tensor:
        """Photos of each of n people: each one's are shuffled, and begun again where they are too few.

        Args:
            people: int64 [n], numbers of people.
            photos: How many of each.
            rng: A generator on the CPU.

        Returns:
            Views, int64 [n, photos]; those of a person differ as long as there are others.
        """
        keys = torch.rand(len(people), self.views, generator=rng)
        counts = self.counts[people][:, None]
        order = keys.masked_fill(torch.arange(self.views) >= counts, 2.0).argsort(1)  # own photos come first
        return order.gather(1, torch.arange(photos) % counts)

    def person_means(self, rows: Tensor) -> Tensor:
        """Means over each person's photos: [photos, d] -> [people, d]."""
        if self.uniform:
            return rows.reshape(self.people, self.views, -1).mean(
                1
            )  # its rounding is part of trained weights
        sums = rows.new_zeros(self.people, rows.shape[1]).index_add_(0, self.owner, rows)
        return sums / self.counts[:, None]

    def about(self) -> dict[str, Any]:
        """What a run keeps of its data: hash, counts, meta.json."""
        counts = {"people": self.people, "views": self.views, "photos": self.photos}
        return {"sha256": self.sha256(), **counts, "meta": self.meta}
