"""Training faces: `faces.npy` uint8 [people, views, s, s, 3] RGB (aligned, memory-mapped) beside `meta.json`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor


class DataError(ValueError):
    """The training data cannot be used; the message says what is wrong, where, and how to mend it."""


def to_tensor(faces: np.ndarray) -> Tensor:
    """uint8 [n, s, s, 3] -> float32 [n, 3, s, s] in [-1, 1], channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(faces)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def to_pixels(images: Tensor) -> np.ndarray:
    """float [n, 3, s, s] in [-1, 1] -> uint8 [n, s, s, 3], rounded and clamped."""
    scaled = images.detach().float().add(1).mul(127.5).round().clamp(0, 255)
    return scaled.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()


class FaceData:
    """A folder of faces, people split in order: the last `held_out` share (at least 2 people) is for validation.

    Raises DataError for a missing, truncated, pickled or misshapen faces.npy, and for too few people or views.
    """

    def __init__(self, folder: str | Path, size: int, held_out: float = 0.1) -> None:
        self.path = Path(folder) / "faces.npy"
        if not self.path.is_file():
            raise DataError(
                f"no faces.npy in {folder}; --data names a folder with faces.npy [people, views, s, s, 3]"
            )
        try:
            self.faces = np.load(self.path, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise DataError(
                f"{self.path} is not a whole .npy array of numbers ({error}); write it again"
            ) from None
        shape = self.faces.shape
        if self.faces.dtype != np.uint8 or len(shape) != 5 or shape[2:] != (size, size, 3):
            raise DataError(
                f"{self.path} is {self.faces.dtype} {list(shape)}; needed is uint8 [people, views, {size}, {size}, 3]"
            )
        self.people, self.views = shape[:2]
        held = max(2, round(self.people * held_out))
        if self.people - held < 2 or self.views < 2:
            raise DataError(
                f"{self.path} has {self.people} people x {self.views} views; at least 4 x 2 are needed"
            )
        self.train_people = self.people - held
        meta = Path(folder) / "meta.json"
        self.meta: dict[str, object] = json.loads(meta.read_text()) if meta.is_file() else {}

    def sha256(self) -> str:
        """Hash of faces.npy as it lies on the disk."""
        digest = hashlib.sha256()
        with self.path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()

    def get(self, people: Tensor, views: Tensor) -> Tensor:
        """The faces (people[i], views[i]) as float32 [n, 3, s, s] in [-1, 1]."""
        return to_tensor(self.faces[people.numpy(), views.numpy()])
