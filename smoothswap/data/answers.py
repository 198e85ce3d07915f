"""Swaps whose answer is known, for training: targets, and what the swap of each should be.

A folder beside one of faces (smoothswap.data.store), of the same size:

    targets.npy   uint8 [n, s, s, 3] RGB, what the generator is given, memory-mapped
    photos.npy    int64 [n], rows of faces.npy, which say whose face the answer shows; the source is a photo of that person
    answers.npy   uint8 [n, s, s, 3] RGB, of kind "truth"
    meta.json     kind, sha256 of the arrays and of the faces, command; written last

kind "reverse": a target is a photo with a stand-in swap of somebody else's face on it, the answer that photo itself, and
the source another one of the person (ReliableSwap, Yuan et al. 2023; DreamID, Ye et al. 2025): smoothswap.stand_ins.
kind "truth": the answer is rendered, the target's scene with the source's head: smoothswap.rendered.answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator as Rng
from torch import Tensor

from smoothswap.cli import at_least, foresee_folder
from smoothswap.data.faces import FaceData
from smoothswap.data.store import array, read_json, sha256_of
from smoothswap.errors import DataError
from smoothswap.plumbing.files import replacing, write_whole
from smoothswap.tensors import to_tensor
from smoothswap.workers import cores

KINDS = ("reverse", "truth")
"""What an answer may be, as meta.json, cards and tables say it."""
MAKE = "make it with python -m smoothswap.stand_ins, or smoothswap.rendered.answers"


class Answers:
    """A folder of swaps with known answers, of which those of people for training are drawn.

    kind: one of KINDS.  count: how many may be drawn: the person is for training and has a photo to be the source.

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
        names = ["targets.npy", "photos.npy", *(["answers.npy"] if self.kind == "truth" else [])]
        self._files = [self.folder / name for name in names]
        self._targets, rows, *answers = (array(path) for path in self._files)
        self._answers = answers[0] if answers else None
        n, side = len(rows), data.faces.shape[1]
        for path, pictures in zip(self._files[::2], [self._targets, *answers], strict=True):
            if pictures.dtype != np.uint8 or pictures.shape != (n, side, side, 3):
                raise DataError(
                    f"{path} is {pictures.dtype} {list(pictures.shape)}; "
                    f"needed is uint8 [{n}, {side}, {side}, 3], as many as {self._files[1]} has; {MAKE}"
                )
        if rows.dtype != np.int64 or rows.ndim != 1 or not n or rows.min() < 0 or rows.max() >= data.photos:
            raise DataError(
                f"{self._files[1]} must be int64 [n], rows of the {data.photos} faces, not empty; {MAKE}"
            )
        photos = data.photo_of_row(np.array(rows))
        person = data.owner[photos]
        self._own = int(self.kind == "reverse")  # photos that may not be the source: the answer itself
        fit = data.counts[person] > self._own
        self._chosen = (fit & (person < data.train_people)).nonzero().squeeze(1)
        self._held = (fit & (person >= data.train_people)).nonzero().squeeze(1)
        self._photos = photos
        self.count = len(self._chosen)
        if not self.count:
            raise DataError(
                f"{self.folder} has no answer of a person who is for training and has a photo to be the source; {MAKE}"
            )

    def draw(self, n: int, rng: Rng) -> tuple[Tensor, Tensor, Tensor]:
        """Some of them, all equally likely, each with a photo of its person as the source, any but the answer.

        Args:
            n: How many.
            rng: A generator on the CPU.

        Returns:
            Rows of this folder for `get`, then the photos of the sources and those in photos.npy, as numbers of
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
        step = (
            self._own
            + (torch.rand(len(row), generator=rng, dtype=torch.float64) * (counts - self._own)).long()
        )
        return row, self.data.photo(person, (place + step) % counts), answer

    def get(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Targets and answers of some rows, float32 [n, 3, s, s] in [-1, 1] each, on the CPU."""
        targets = to_tensor(self._targets[rows.numpy()])
        if self._answers is not None:
            return targets, to_tensor(self._answers[rows.numpy()])
        return targets, self.data.load(self._photos[rows])

    def about(self) -> dict[str, Any]:
        """What a run keeps of them: kind, hash, count, meta.json."""
        return {
            "kind": self.kind,
            "sha256": sha256_of(*self._files),
            "answers": self.count,
            "meta": self.meta,
        }


def add_places(add: Callable[..., object], faces: str) -> None:
    """The options that every command has that makes answers, and main's check of them is `refuse_full`.

    Args:
        add: A parser's add_argument.
        faces: What the folder of faces is, for its help.
    """
    add("faces", type=Path, metavar="FACES", help=faces)
    add("--out", type=Path, required=True, metavar="DIR", help="folder of the answers, new or empty")
    add("--workers", type=at_least(1), default=cores(), metavar="N", help="processes (%(default)s)")


def refuse_full(out: Path) -> None:
    """Raise DataError for an output folder that holds answers already or cannot be written."""
    if (out / "meta.json").exists():
        raise DataError(f"{out} holds answers already; name a new --out, or remove it")
    foresee_folder(out)


def write_answers(
    out: Path, shape: tuple[int, int], made: Iterable[tuple[int, Sequence[np.ndarray]]], about: dict[str, Any]
) -> int:
    """Write a folder of answers; what holds less than everything has no meta.json, and nobody reads it.

    Args:
        out: The folder, made where it is missing.
        shape: How many there are at most, and the side of a picture in pixels.
        made: Of each the row of faces.npy, and its pictures uint8 [s, s, 3]: the target, of kind "truth" the answer too.
        about: What meta.json says first, `kind` among it.

    Returns:
        How many there were; of none nothing is written.

    Raises:
        OSError: The folder cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "meta.json").unlink(missing_ok=True)
    names = ["targets.npy", *(["answers.npy"] if about["kind"] == "truth" else [])]
    rows: list[int] = []
    with ExitStack() as stack:
        parts = [stack.enter_context(replacing(out / f".{name}")) for name in names]
        files = [
            np.lib.format.open_memmap(
                part, mode="w+", dtype=np.uint8, shape=(shape[0], shape[1], shape[1], 3)
            )
            for part in parts
        ]
        for row, pictures in made:
            for file, picture in zip(files, pictures, strict=True):
                file[len(rows)] = picture
            rows.append(row)
        if rows:
            for name, file in zip(names, files, strict=True):
                _save(out / name, file[: len(rows)])
            _save(out / "photos.npy", np.array(rows, np.int64))
    for name in names:
        (out / f".{name}").unlink(missing_ok=True)
    if rows:
        digest = sha256_of(*(out / name for name in ("targets.npy", "photos.npy", *names[1:])))
        meta = {**about, "answers": len(rows), "answers_sha256": digest}
        write_whole(out / "meta.json", (json.dumps(meta, indent=1) + "\n").encode())
    return len(rows)


def _save(path: Path, content: np.ndarray) -> None:
    with replacing(path) as part, part.open("r+b") as file:
        np.save(file, content)
