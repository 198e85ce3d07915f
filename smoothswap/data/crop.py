"""From a photo to an aligned crop or a reason why not: what the workers of smoothswap.prepare do.

One cut from the original photo, step by step as FFHQ was made (faces.align.ffhq_crop on dlib's 68 points). Knows no torch.
"""

from __future__ import annotations

import io
import json
import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from smoothswap.data.sources import Photo
from smoothswap.faces.align import AlignmentError, ffhq_crop
from smoothswap.faces.detect import Detector
from smoothswap.faces.face import Face
from smoothswap.guarded import WorkerLost, Workers
from smoothswap.media.files import replacing
from smoothswap.media.identical import fingerprint
from smoothswap.media.images import ImageError, SmallImageError, read_image
from smoothswap.plumbing.texts import json_of

STATUSES = ("ok", "no_face", "many_faces", "decode_error", "too_small")
RULES = ("centre", "largest", "refuse")
FORMATS = ("raw", "png", "jpg")
PHOTO_SECONDS = 60.0  # that a process may be at one photo before it is given up
JPEG_QUALITY = 95  # with full colour resolution


@dataclass(frozen=True)
class Cutter:
    """How photos are cut.

    size: pixels of a crop; rule: of several faces, the one nearest to the photo's centre, the largest, or "refuse";
    aligned: photos are aligned crops already, only resized (Lanczos); min_face: pixels, the least side of the face's
    FFHQ square in the photo; form: "raw" pixels, "png" or "jpg".
    """

    root: str
    size: int
    rule: str = "largest"
    aligned: bool = False
    min_face: float = 0.0
    form: str = "raw"

    def cut(self, photo: Photo) -> tuple[dict[str, Any], bytes]:
        """The photo's row of the ledger and its crop, encoded (nothing where the status is not "ok"). Raises nothing."""
        row = self._row(photo)
        try:
            crop, found = self._crop(Path(self.root) / photo.path)
        except _Refused as refused:
            return row | refused.row, b""
        return row | found, encoded(crop, self.form)

    def refused(self, photo: Photo, reason: str) -> dict[str, Any]:
        """The row of a photo that could not be cut at all.

        Args:
            photo: It.
            reason: Why, in words.

        Returns:
            Its row of the ledger.
        """
        return self._row(photo) | {"status": "decode_error", "reason": reason}

    def _row(self, photo: Photo) -> dict[str, Any]:
        named = {"photo": shown(photo.path), "person": shown(photo.person)}
        return named | {"status": "ok", "reason": "", "faces": -1, "square": 0.0}

    def _crop(self, path: Path) -> tuple[np.ndarray, dict[str, Any]]:
        image = self._read(path)
        if self.aligned:
            height, width = image.shape[:2]
            if height != width:
                raise _Refused("decode_error", f"{width} x {height} pixels: aligned photos are square")
            self._check_side(width)
            picture = Image.fromarray(image).resize((self.size, self.size), Image.Resampling.LANCZOS)
            return np.asarray(picture), {"square": float(width), "pixels": fingerprint(image)}
        faces = Detector().detect(image)
        if not faces:
            raise _Refused("no_face", "the detector finds none", faces=0)
        found: dict[str, Any] = {"faces": len(faces)}
        if len(faces) > 1 and self.rule == "refuse":
            raise _Refused("many_faces", f"{len(faces)} faces, and the rule is to refuse", **found)
        face = faces[0] if self.rule != "centre" else central(faces, image.shape[:2])
        try:
            crop, quad = ffhq_crop(image, face.landmarks, self.size)
        except AlignmentError as error:
            raise _Refused("no_face", f"the face cannot be cut out: {error}", **found) from None
        found["square"] = round(float(np.hypot(*(quad[3] - quad[0]))), 2)
        self._check_side(found["square"], **found)
        return crop, found | {"pixels": fingerprint(image)}

    def _check_side(self, side: float, **row: Any) -> None:
        if side < self.min_face:
            said = f"the face's square is {side:.1f} pixels wide, under --min-face {self.min_face:g}"
            raise _Refused("too_small", said, **row)

    def _read(self, path: Path) -> np.ndarray:
        if not path.is_file():  # before it is opened: a pipe would keep its reader waiting for ever
            raise _Refused("decode_error", "no such file, or no regular one")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of damaged EXIF and the like, a line a photo
                return read_image(path)
        except ImageError as error:
            status = "too_small" if isinstance(error, SmallImageError) else "decode_error"
            raise _Refused(status, self._said(str(error).removeprefix(f"{path}: "))) from None
        except Exception as error:  # noqa: BLE001  # decoders fail on hostile files in ways that no list covers
            raise _Refused("decode_error", self._said(f"{type(error).__name__}: {error}")) from None

    def _said(self, reason: str) -> str:
        """Without the source's own place, which is nobody's business and would make ledgers differ."""
        for root in (self.root, repr(self.root)[1:-1]):
            reason = reason.replace(f"{root}/", "")
        return shown(reason)


class _Refused(Exception):
    def __init__(self, status: str, reason: str, **row: Any) -> None:
        self.row = {"status": status, "reason": reason, **row}


def central(faces: Sequence[Face], shape: tuple[int, ...]) -> Face:
    """The face whose box's middle lies nearest to the middle of a photo of shape (h, w); of equals the first.

    Args:
        faces: One or more, their boxes in pixels of the photo.
        shape: (h, w) of the photo, pixels.

    Returns:
        One of `faces`.
    """
    middle = ((shape[1] - 1) / 2, (shape[0] - 1) / 2)

    def distance(face: Face) -> float:
        x0, y0, x1, y1 = face.box
        return float(np.hypot((x0 + x1) / 2 - middle[0], (y0 + y1) / 2 - middle[1]))

    return min(faces, key=distance)


def shown(name: str) -> str:
    r"""A file's name as text that any encoding can hold: bytes that are no UTF-8 become \xNN."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def encoded(crop: np.ndarray, form: str) -> bytes:
    """uint8 [s, s, 3] as raw bytes, PNG (lossless) or JPEG (quality 95, full colour resolution).

    Args:
        crop: RGB.
        form: One of FORMATS, which is not checked.

    Returns:
        The file's content; for "raw" the s * s * 3 values in the array's order, without a header.
    """
    if form == "raw":
        return crop.tobytes()
    content = io.BytesIO()
    options = {"quality": JPEG_QUALITY, "subsampling": 0} if form == "jpg" else {}
    Image.fromarray(crop).save(content, "JPEG" if form == "jpg" else "PNG", **options)
    return content.getvalue()


def cut_part(cutter: Cutter, photos: Sequence[Photo], path: Path) -> int:
    """Cut some photos into one part file, written whole or not at all.

    Args:
        cutter: How.
        photos: One or more, with paths below the cutter's root.
        path: The part, an .npz in a folder that exists; read_part reads it.

    Returns:
        The number of photos, good or not: each has its row of the ledger in the part.

    Raises:
        OutputError: The part cannot be written.
    """
    return write_part(list(map(cutter.cut, photos)), path)


def write_part(cut: Sequence[tuple[dict[str, Any], bytes]], path: Path) -> int:
    """Write what was cut into one part file, whole or not at all.

    Args:
        cut: Of each photo its row of the ledger and its encoded crop, one or more.
        path: The part, an .npz in a folder that exists; read_part reads it.

    Returns:
        The number of photos.

    Raises:
        OutputError: The part cannot be written.
    """
    rows, crops = zip(*cut, strict=True)
    content = io.BytesIO()
    text = json.dumps(rows).encode()
    ends = np.cumsum([len(crop) for crop in crops], dtype=np.int64)
    np.savez(
        content, rows=np.frombuffer(text, np.uint8), crops=np.frombuffer(b"".join(crops), np.uint8), ends=ends
    )
    with replacing(path) as part:
        part.write_bytes(content.getvalue())
    return len(rows)


def cut_all(
    cutter: Cutter, jobs: list[tuple[list[Photo], Path]], workers: int, seconds: float = PHOTO_SECONDS
) -> Iterator[int]:
    """Cut photos into part files, in this process or in spawned ones.

    The parts that are written stay, whatever happens. A photo over which a process hangs or dies is refused with that
    reason: the part is cut again photo by photo, so that it costs no other.

    Args:
        cutter: How.
        jobs: The photos of each part, and its path.
        workers: Processes; 1: this one, which also does a single job.
        seconds: That a process may be at one photo, or at eight of a part, before it is given up.

    Yields:
        The number of photos of a part, when it is written: with one worker in the order of `jobs`, else as
        they are done.

    Raises:
        DataError: No worker process can be started.
        OutputError: A part cannot be written.
    """
    if workers == 1 or len(jobs) < 2:
        for photos, part in jobs:
            yield cut_part(cutter, photos, part)
        return
    with Workers(min(workers, len(jobs)), seconds=seconds) as pool:
        waiting: dict[Future[int], tuple[list[Photo], Path]] = {}
        for photos, part in jobs:
            waiting[pool.submit(_cut_part, cutter, photos, part, weight=len(photos) / 8)] = photos, part
            while len(waiting) >= 3 * workers:
                yield from _done(pool, cutter, waiting)
        while waiting:
            yield from _done(pool, cutter, waiting)


def _done(
    pool: Workers, cutter: Cutter, waiting: dict[Future[int], tuple[list[Photo], Path]]
) -> Iterator[int]:
    """Wait for a part, and take what is done out of `waiting`."""
    ready, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for future in ready:
        photos, part = waiting.pop(future)
        try:
            yield future.result()
        except WorkerLost:
            yield write_part([_alone(pool, cutter, photo) for photo in photos], part)


def _alone(pool: Workers, cutter: Cutter, photo: Photo) -> tuple[dict[str, Any], bytes]:
    try:
        row: tuple[dict[str, Any], bytes] = pool.submit(_cut, cutter, photo, urgent=True).result()
        return row
    except WorkerLost as error:
        return cutter.refused(photo, f"the process that read it {error}"), b""


def _cut_part(_: None, cutter: Cutter, photos: list[Photo], path: Path) -> int:
    return cut_part(cutter, photos, path)


def _cut(_: None, cutter: Cutter, photo: Photo) -> tuple[dict[str, Any], bytes]:
    return cutter.cut(photo)


def read_part(path: Path, crops: bool = True) -> tuple[list[dict[str, Any]], list[bytes]]:
    """What cut_part wrote.

    Args:
        path: The part.
        crops: Whether the crops are wanted; the rows alone are read faster.

    Returns:
        One row of the ledger for each photo (photo, person, status, reason, faces, square), and each one's
        encoded crop, b"" where its status is not "ok"; [] in place of the crops where they are not wanted.

    Raises:
        OSError: The file is missing or cannot be read.
        ValueError: It is damaged; so say KeyError, EOFError and zipfile.BadZipFile.
    """
    with np.load(path, allow_pickle=False) as stored:
        rows = json_of(stored["rows"].tobytes())
        if not crops:
            return rows, []
        content, ends = stored["crops"].tobytes(), stored["ends"].tolist()
    return rows, [content[start:end] for start, end in zip([0, *ends], ends, strict=False)]
