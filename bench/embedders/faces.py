"""The faces that embedders are compared on, and what every network reads from them: the same photos for all.

A network that wants another crop than the stored FFHQ one gets it from the photos (--lfw), or else cut out of the
stored crop: ArcFace's by one fixed similarity, the place where its own five points would put it, any other by landmarks
found in the enlarged crop. Which it was is in the result. Readings are kept in OUT/readings, so that a run that was
stopped does not read again.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors
from tqdm import tqdm

from bench.embedders.networks import Image, Network, Rows
from bench.errors import DataError, UsageError, few
from bench.reading.aligned import FRAME, cut_found, points_of, resized
from metrics.instruments import Crop
from reports.parquet import read_frame
from reports.results import ResultsError, write_atomic
from smoothswap.data.store import read_stored, sha256_of, validation_people
from smoothswap.faces.align import arcface_template, ffhq_affine, ffhq_quad

BLOCK = 1024  # faces that are read between two moves of the progress bar
HELD_OUT = 0.1
RECUT = ("ffhq", "arcface")  # templates whose place in an FFHQ crop is fixed


@dataclass(frozen=True, eq=False)
class Faces:
    """n aligned faces: pictures uint8 [n, s, s, 3], people int [n], names of the people, photos' names if known.

    sha256: of the files that they come from, and which part of them.
    """

    pictures: Image
    people: npt.NDArray[np.int64]
    names: tuple[str, ...]
    photos: tuple[str, ...] | None
    sha256: str
    named: bool  # whether the names are people's, or only numbers

    @property
    def size(self) -> int:
        """The side of its pictures, pixels."""
        return int(self.pictures.shape[1])

    def part(self, held: npt.NDArray[np.bool_], which: str) -> Faces:
        """Some of the people with all their faces, renumbered from 0 in the same order.

        Args:
            held: bool [people], who stays.
            which: What the part is, said behind the hash: "train".

        Returns:
            Copies of their pictures and names.
        """
        rows = np.flatnonzero(held[self.people])
        kept = np.flatnonzero(held)
        return replace(
            self,
            pictures=self.pictures[rows],
            people=np.searchsorted(kept, self.people[rows]),
            names=tuple(self.names[i] for i in kept),
            photos=None if self.photos is None else tuple(self.photos[i] for i in rows),
            sha256=f"{self.sha256} {which}",
        )

    def about(self) -> dict[str, Any]:
        """For the result: hash, counts, size."""
        return {
            "sha256": self.sha256,
            "photos": len(self.people),
            "people": len(self.names),
            "size": self.size,
        }


def open_faces(data: Path, test: Path | None) -> tuple[Faces, Faces]:
    """The gallery (people of the training) and the test faces.

    Args:
        data: Folder of prepared faces that embedders were trained on.
        test: Folder of other people's, and the gallery is then all of `data`. None: the test faces are the
            validation people of `data` (split.json's, or else its last HELD_OUT share), the gallery the
            others.

    Returns:
        (gallery, test faces), pictures of one size.

    Raises:
        DataError: Where somebody is in both, by name where people have names, or both are the same files; for
            pictures of two sizes; for files that cannot be used.
    """
    gallery, held = _open(data)
    if test is None:
        return gallery.part(~held, "train"), gallery.part(held, "held out")
    faces, _ = _open(test)
    common = sorted(set(gallery.names) & set(faces.names)) if gallery.named and faces.named else []
    if common or faces.sha256 == gallery.sha256:
        who = few(common) if common else "everybody"
        raise DataError(f"{who} of {test} is among the people of {data}; test on people that no training saw")
    if faces.size != gallery.size:
        raise DataError(
            f"{test} has faces of {faces.size} pixels, {data} of {gallery.size}; prepare both at one size"
        )
    return gallery, faces


def _open(folder: Path) -> tuple[Faces, npt.NDArray[np.bool_]]:
    size = 0
    if (folder / "faces.npy").is_file():
        try:
            shape = np.load(folder / "faces.npy", mmap_mode="r", allow_pickle=False).shape
        except (ValueError, OSError, EOFError):
            shape = ()  # read_stored says what is wrong
        size = int(shape[-2]) if len(shape) >= 4 else 0
    stored = read_stored(folder, size)
    held = validation_people(stored.names, stored.validation, HELD_OUT)
    faces = Faces(
        pictures=stored.faces,
        people=stored.people.astype(np.int64),
        names=tuple(stored.names),
        photos=_photos(folder, len(stored.people)),
        sha256=sha256_of(*stored.files),
        named=(folder / "names.json").is_file(),
    )
    return faces, held


def _photos(folder: Path, count: int) -> tuple[str, ...] | None:
    """Names of the photos by row, from the ledger that smoothswap.prepare leaves; None without one."""
    path = folder / "ledger.parquet"
    if not path.is_file():
        return None
    wanted = ("photo", "row", "status")
    try:
        ledger = read_frame(path, wanted, wanted)
    except ResultsError as error:
        raise DataError(f"{error}; run python -m smoothswap.prepare again") from None
    used = ledger[ledger["status"] == "ok"].sort_values("row")
    if len(used) != count:
        raise DataError(f"{path} tells of {len(used)} faces, faces.npy holds {count}; prepare {folder} again")
    return tuple(Path(name).stem for name in used["photo"])


def recut(pictures: Image, crop: Crop) -> Image:
    """FFHQ crops as another crop that has a fixed place in them.

    arcface: ffhq_affine of the template's own points leads from its 112-pixel frame into the FFHQ crop.

    Args:
        pictures: uint8 [n, s, s, 3].
        crop: Template, one of RECUT, and side in pixels.

    Returns:
        uint8 [n, size, size, 3]; what lies beyond the FFHQ crop repeats its border.

    Raises:
        UsageError: For a template that is not ffhq or arcface.
    """
    if crop.template not in RECUT:
        raise UsageError(
            f"a crop {crop.template!r} cannot be had from aligned faces; give the photos with --lfw"
        )
    if crop.template == "ffhq":
        return _resized(pictures, crop.size)
    left, right, nose, corner, other = arcface_template(crop.size)
    landmarks = np.tile(nose, (68, 1))
    landmarks[36:42], landmarks[42:48], landmarks[48], landmarks[54] = left, right, corner, other
    quad = ffhq_quad(landmarks)
    pictures = _resized(pictures, min(pictures.shape[1], round(float(np.hypot(*(quad[3] - quad[0]))))))
    affine, side = ffhq_affine(landmarks, pictures.shape[1]), (crop.size, crop.size)
    flags = cv2.WARP_INVERSE_MAP | cv2.INTER_CUBIC
    cut = [
        cv2.warpAffine(one, affine, side, flags=flags, borderMode=cv2.BORDER_REPLICATE) for one in pictures
    ]
    return np.stack(cut).astype(np.uint8)


def _resized(pictures: Image, size: int) -> Image:
    return np.stack([resized(one, size) for one in pictures])


def source_of(network: Network, faces: Faces, photos: Path | None) -> str:
    """Where a network's crops come from, in words for the result.

    Args:
        network: Whose crop is meant.
        faces: The stored ones.
        photos: Folder of the photos that they were cut from, None where it is not given. Networks of ours
            read FFHQ crops and never need it.

    Returns:
        One of four phrases; `read` does what it says.
    """
    if network.crop == Crop("ffhq", faces.size):
        return "the stored faces"
    if photos is not None and network.instrument is not None:
        return "the photos, detected and cut anew"
    if network.crop.template in RECUT:
        return f"cut by one fixed similarity from the stored faces of {faces.size} pixels"
    return f"cut by landmarks found in the stored faces of {faces.size} pixels, enlarged to {FRAME}"


def read(network: Network, faces: Faces, photos: Path | None, kept: Path, what: str) -> Rows:
    """What a network reads from all faces, from the crops that it wants; kept, and not read twice.

    Args:
        network: Who reads.
        faces: The n faces.
        photos: Folder of Name/Name_0001.jpg, for crops that the stored faces do not have; None: cut from
            those.
        kept: Folder for readings, by a hash of network, faces and crops. A damaged file there is read anew.
        what: The faces' name on the progress bar.

    Returns:
        float32 [n, d]; rows of NaN where no face was found.

    Raises:
        DataError: Where photos are missing or not known by name, or no face was found in any.
        InstrumentError: For a crop that nobody knows how to cut.
    """
    source = source_of(network, faces, photos)
    path = kept / f"{_key(network, faces, source)}.safetensors"
    if path.is_file():
        try:
            stored = load_tensors(path.read_bytes())
            rows = np.asarray(stored["rows"], np.float32)
            if stored["sha256"].tobytes() == hashlib.sha256(rows.tobytes()).digest():
                return rows
            print(f"{path} is damaged: the faces are read again", file=sys.stderr)
        except (SafetensorError, OSError):
            print(f"{path} is damaged: the faces are read again", file=sys.stderr)
        except KeyError:
            pass  # of an older version, without a hash
    with tqdm(total=len(faces.people), desc=f"{network.name}: {what}", unit="face", file=sys.stderr) as bar:
        if source.startswith("the photos"):
            rows = _read_photos(network, faces, photos, bar.update)
        else:
            rows = _read_crops(network, faces, source, bar.update)
    digest = np.frombuffer(hashlib.sha256(rows.tobytes()).digest(), np.uint8)
    write_atomic(path, save_tensors({"rows": rows, "sha256": digest}))
    return rows


def _read_crops(network: Network, faces: Faces, source: str, progress: Callable[[int], object]) -> Rows:
    parts: list[Rows] = []
    at: list[int] = []
    for i in range(0, len(faces.people), BLOCK):
        crops = np.array(faces.pictures[i : i + BLOCK])
        size, where = len(crops), list(range(len(crops)))
        if network.crop.template not in RECUT:
            crops, _, where = cut_found(crops, points_of(crops), network.crop)
        elif source != "the stored faces":
            crops = recut(crops, network.crop)
        if len(crops):
            parts.append(network.read(crops))
            at += [i + k for k in where]
        progress(size)
    if not parts:
        raise DataError(f"{network.name} needs landmarks, and no face was found in the stored faces")
    rows = np.full((len(faces.people), parts[0].shape[1]), np.nan, np.float32)
    rows[at] = np.concatenate(parts)
    return rows


def _read_photos(network: Network, faces: Faces, photos: Path | None, progress: Callable[[], object]) -> Rows:
    from bench.lfw import read_photos

    if faces.photos is None or photos is None or network.instrument is None:
        raise DataError(
            "the prepared faces have no ledger.parquet, so their photos are not known; prepare them with "
            "python -m smoothswap.prepare, or leave out --lfw"
        )
    one = network.instrument
    found = read_photos(photos, faces.photos, [one], progress=progress)[f"{one.name}/identity"]
    if not found:
        raise DataError(f"{one.name} could read none of the photos in {photos}")
    blank = np.full(len(next(iter(found.values()))), np.nan, np.float32)
    return np.stack([found.get(name, blank) for name in faces.photos])


def _key(network: Network, faces: Faces, source: str) -> str:
    said = [network.about.get(k) for k in ("fingerprint", "weights_sha256", "parameters", "crop")]
    return hashlib.sha256(json.dumps([said, faces.sha256, source], sort_keys=True).encode()).hexdigest()[:24]


def usable(readings: Sequence[Rows]) -> npt.NDArray[np.bool_]:
    """bool [n]: faces that every network could read; the others are left out for all."""
    return np.asarray(np.logical_and.reduce([np.isfinite(rows).all(axis=1) for rows in readings]))
