"""Millions of faces as tar shards (the layout of WebDataset), written by `smoothswap.prepare --shards N` and streamed here.

    faces-000000.tar   000000000.png (or .jpg), 000000000.json {"person": 17, "name": "n000042", "photo": "..."}, ...
    meta.json          "shards": [{"file", "photos", "bytes", "sha256"}, ...]

    data = ShardedFaces("shards", "train", seed=1)
    for epoch in range(10):
        data.set_epoch(epoch)
        for faces, people in shard_loader(data, batch=256, workers=4):      # uint8 [n, 3, s, s], int64 [n]
            x = faces.to("cuda", non_blocking=True).float().div_(127.5).sub_(1)

Shards are split over ranks, a rank's over the loader's workers: each photo comes exactly once an epoch. Members are
read in memory, never unpacked to the disk; nothing is unpickled.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.distributed as dist
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from smoothswap.data.store import read_json, sha256_of, validation_people
from smoothswap.errors import DataError
from smoothswap.media.files import replacing
from smoothswap.media.images import FORMATS
from smoothswap.plumbing.texts import json_of

MAX_MEMBER = 64 << 20  # bytes; no crop and no JSON of ours is near it
SPLITS = ("train", "validation", "all")


class Sample(NamedTuple):
    """A photo in a shard: its number in the set, PNG or JPEG bytes, its person's number and name, its path once."""

    number: int
    content: bytes
    person: int
    name: str
    photo: str


def write_shards(out: Path, samples: Iterable[Sample], size: int, form: str) -> list[dict[str, Any]]:
    """Write tars of `size` photos each (the last may have fewer), each whole or not at all.

    The same samples give the same bytes: no times, owners or names of this machine.

    Args:
        out: A folder that exists; the tars are its faces-000000.tar, faces-000001.tar, ...
        samples: The photos, taken one tar at a time.
        size: Photos a tar, 1 or more.
        form: "png" or "jpg", what the photos are encoded as: their suffix in the tar.

    Returns:
        The manifest's rows, one a tar: {"file", "photos", "bytes", "sha256"}.

    Raises:
        OutputError: A tar cannot be written.
    """
    left = iter(samples)
    manifest: list[dict[str, Any]] = []
    while group := list(islice(left, size)):
        path = out / f"faces-{len(manifest):06d}.tar"
        with replacing(path) as part, tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as tar:
            for sample in group:
                about = {"person": sample.person, "name": sample.name, "photo": sample.photo}
                _add(tar, f"{sample.number:09d}.{form}", sample.content)
                _add(tar, f"{sample.number:09d}.json", json.dumps(about).encode())
        manifest.append(
            {"file": path.name, "photos": len(group), "bytes": path.stat().st_size, "sha256": sha256_of(path)}
        )
    return manifest


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o644
    tar.addfile(entry, io.BytesIO(content))


def read_shard(path: Path) -> Iterator[Sample]:
    """The samples of a tar, in order. Raises DataError for a missing, truncated or foreign file."""
    try:
        with tarfile.open(path, "r:") as tar:
            pictures: dict[str, bytes] = {}
            for entry in tar:
                content = tar.extractfile(entry) if entry.isreg() and entry.size <= MAX_MEMBER else None
                if content is None:
                    raise DataError(f"{path}: {entry.name!r} is no photo of this form")
                name = PurePath(entry.name)
                body = content.read()
                if len(body) < entry.size:
                    raise DataError(f"{path} is cut short; fetch it again")
                if name.suffix != ".json":
                    pictures[name.stem] = body
                    continue
                about = json_of(body)
                yield Sample(
                    int(name.stem),
                    pictures.pop(name.stem),
                    int(about["person"]),
                    str(about["name"]),
                    str(about["photo"]),
                )
            if pictures:
                raise DataError(f"{path} is cut short; fetch it again")
    except DataError:
        raise
    except (OSError, tarfile.TarError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is no whole shard ({error}); fetch it again, or prepare it anew") from None


class ShardedFaces(IterableDataset[tuple[np.ndarray, int]]):
    """Streams (uint8 [s, s, 3] RGB, person's number) of a prepared folder of shards.

    split: "train", "validation" (split.json's people, or the last `held_out` share) or "all".  seed, epoch (set_epoch):
    of the order of shards and of the shuffle buffer of `buffer` photos, kept encoded; buffer 0: in the order stored.
    rank, ranks: default to torch.distributed's, where it is in use.  Raises DataError for a folder that is not whole, and
    for fewer shards than ranks; while streaming, for a damaged shard.
    """

    def __init__(
        self,
        folder: str | Path,
        split: str = "train",
        held_out: float = 0.1,
        seed: int = 0,
        buffer: int = 4096,
        rank: int | None = None,
        ranks: int | None = None,
    ) -> None:
        if split not in SPLITS:
            raise ValueError(f"split is {split!r}; choose one of {', '.join(SPLITS)}")
        together = dist.is_available() and dist.is_initialized()
        self.rank = rank if rank is not None else (dist.get_rank() if together else 0)
        self.ranks = ranks if ranks is not None else (dist.get_world_size() if together else 1)
        self.folder, self.seed, self.buffer, self.epoch = Path(folder), seed, buffer, 0
        self.meta = read_json(self.folder / "meta.json", {})
        if not isinstance(self.meta, dict) or not self.meta.get("shards"):
            raise DataError(
                f"{folder} has no meta.json with shards: python -m smoothswap.prepare --shards N writes them"
            )
        self.shards: list[dict[str, Any]] = self.meta["shards"]
        for shard in self.shards:
            path = self.folder / Path(str(shard["file"])).name
            if not path.is_file() or path.stat().st_size != shard["bytes"]:
                raise DataError(f"{path} is missing or not {shard['bytes']} bytes long; fetch it again")
        if len(self.shards) < self.ranks:
            raise DataError(
                f"{folder} has {len(self.shards)} shards for {self.ranks} ranks; prepare it with smaller --shards"
            )
        self.names: list[str] = read_json(self.folder / "names.json", [])
        self.size: int = self.meta["plan"]["size"]
        self._wanted = np.ones(len(self.names), bool)
        if split != "all":
            said = read_json(self.folder / "split.json", None)
            held = validation_people(
                self.names, None if said is None else frozenset(said["validation"]), held_out
            )
            self._wanted = held if split == "validation" else ~held

    def set_epoch(self, epoch: int) -> None:
        """Another epoch, another order. To be called before the loader's iterator is made."""
        self.epoch = epoch

    def check(self) -> None:
        """Compare every shard with its hash; reads all of them. Raises DataError naming the first that differs."""
        for shard in self.shards:
            path = self.folder / Path(str(shard["file"])).name
            if sha256_of(path) != shard["sha256"]:
                raise DataError(f"{path} is not the file that was written; fetch it again")

    def __iter__(self) -> Iterator[tuple[np.ndarray, int]]:
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        order = np.arange(len(self.shards))
        if self.buffer:
            order = np.random.default_rng([self.seed, self.epoch]).permutation(
                order
            )  # the same on every rank
        mine = order[self.rank :: self.ranks][worker::workers]
        rng = np.random.default_rng([self.seed, self.epoch, self.rank, worker])
        for content, person in shuffled(self._samples(mine), self.buffer, rng):
            yield self._decode(content), person

    def _samples(self, numbers: np.ndarray) -> Iterator[tuple[bytes, int]]:
        for number in numbers:
            shard = self.shards[number]
            path, count = self.folder / Path(str(shard["file"])).name, 0
            for sample in read_shard(path):
                count += 1
                if not 0 <= sample.person < len(self._wanted):
                    raise DataError(f"{path}: person {sample.person} is not in names.json")
                if self._wanted[sample.person]:
                    yield sample.content, sample.person
            if count != shard["photos"]:
                raise DataError(f"{path} holds {count} photos, meta.json says {shard['photos']}")

    def _decode(self, content: bytes) -> np.ndarray:
        try:
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                if image.size != (self.size, self.size):  # known before any pixel is decoded
                    raise DataError(
                        f"{self.folder}: a photo of {image.size} pixels among those of {self.size}"
                    )
                return np.array(image.convert("RGB"))
        except (OSError, SyntaxError, Image.DecompressionBombError) as error:
            raise DataError(
                f"{self.folder}: a photo in a shard is damaged ({error}); check() names the shard"
            ) from None


def shuffled(samples: Iterable[Any], buffer: int, rng: np.random.Generator) -> Iterator[Any]:
    """All samples, each once, in an order drawn through a buffer.

    Args:
        samples: Of any kind.
        buffer: How many are held at once, from which the next is drawn; 0 or 1: they come as they are.
        rng: What draws.

    Yields:
        Each of `samples`, once.

    Examples:
        >>> list(shuffled(range(4), 1, np.random.default_rng(0)))
        [0, 1, 2, 3]
        >>> sorted(shuffled("edcba", 3, np.random.default_rng(0)))
        ['a', 'b', 'c', 'd', 'e']
    """
    held: list[Any] = []
    for sample in samples:
        if len(held) < buffer:
            held.append(sample)
        elif held:
            i = int(rng.integers(len(held)))
            held[i], sample = sample, held[i]
            yield sample
        else:
            yield sample
    yield from (held[i] for i in rng.permutation(len(held)))


def _collate(samples: list[tuple[np.ndarray, int]]) -> tuple[Tensor, Tensor]:
    faces = torch.from_numpy(np.stack([face for face, _ in samples])).permute(0, 3, 1, 2)
    return faces, torch.tensor([person for _, person in samples])


def shard_loader(
    data: ShardedFaces, batch: int, workers: int = 0, drop_last: bool = False, pin_memory: bool = False
) -> DataLoader[Any]:
    """A loader of batches from shards.

    Each worker fills its own batches, so up to `workers` of them are short. Ranks may hold photos in unequal
    number: under DDP, stop all at the same step.

    Args:
        data: The stream; its set_epoch is called before each pass.
        batch: Photos a batch.
        workers: Processes that read and decode; 0: this one.
        drop_last: Whether short batches are left out, and their photos with them.
        pin_memory: Whether batches lie in page-locked memory, for asynchronous copies to a GPU.

    Returns:
        A loader of (faces uint8 [n, 3, s, s] RGB in 0 .. 255, channels last in memory; people int64 [n]).
    """
    return DataLoader(
        data, batch, num_workers=workers, collate_fn=_collate, drop_last=drop_last, pin_memory=pin_memory
    )
