"""Photos, read exactly and turned upright."""

from __future__ import annotations

import os
import stat
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

from smoothswap.errors import DataError
from smoothswap.media.patience import reading
from smoothswap.media.transparency import over_white
from smoothswap.pixels import Image

MAX_PIXELS = 64_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
"""What is opened, by Pillow's names and whatever a file is called. Of the others PostScript's starts a program."""
MIN_SIDE = 16


class ImageError(DataError):
    """A photo that cannot be used; the message says which file, why and how to mend it."""


class SmallImageError(ImageError):
    """A photo with a side under MIN_SIDE pixels."""


def read_image(path: str | os.PathLike[str], max_pixels: int = MAX_PIXELS) -> Image:
    """A photo as a person sees it: turned upright by its EXIF orientation, and over white where it is transparent.

    Of samples of 16 bits the upper eight count. The size is read from the header before any pixel is decoded.

    Args:
        path: Of a file in one of FORMATS.
        max_pixels: Width times height that are still decoded.

    Returns:
        uint8 [h, w, 3], RGB.

    Raises:
        ImageError: For a missing or truncated file, a pipe or a device, no image or one of another format, an animation,
            more than `max_pixels`, or samples of 32 bits.
        SmallImageError: For a side under 16 pixels.
    """
    return read_profiled(path, max_pixels)[0]


def read_profiled(path: str | os.PathLike[str], max_pixels: int = MAX_PIXELS) -> tuple[Image, bytes | None]:
    """As read_image, with the colour profile that the file has.

    Args:
        path: Of a file in one of FORMATS.
        max_pixels: Width times height that are still decoded.

    Returns:
        uint8 [h, w, 3], RGB, and the ICC profile of an RGB picture or None.

    Raises:
        ImageError: As read_image.
    """
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):  # reading a pipe would wait without end
            raise ImageError(
                f"{path}: not a whole image but a folder, a pipe or a device; give the photo itself"
            )
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # our own limit is checked below; damaged EXIF says so at every photo
            with reading(path), Pillow.open(path, formats=FORMATS) as image:
                _check(path, image, max_pixels)
                profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA") else None
                return _rgb(_upright(image)), profile
    except Pillow.DecompressionBombError as error:
        raise ImageError(_too_large(path, "a huge image", max_pixels)) from error
    except FileNotFoundError as error:
        raise ImageError(f"{path}: no such file") from error
    except ImageError:
        raise
    except Pillow.UnidentifiedImageError as error:
        raise ImageError(
            f"{path}: not a whole image in one of {', '.join(FORMATS)}; export it as PNG"
        ) from error
    # A decoder of a damaged file may raise anything.
    except Exception as error:
        raise ImageError(f"{path}: not a whole image ({error}); fetch or export it again") from error


def _check(path: str | os.PathLike[str], image: Any, max_pixels: int) -> None:
    width, height = image.size
    if min(width, height) < MIN_SIDE:
        raise SmallImageError(f"{path}: the photo is {width} x {height} pixels, too small to hold a face")
    if width * height > max_pixels:
        raise ImageError(_too_large(path, f"{width} x {height} pixels", max_pixels))
    if image.mode in ("I", "F"):
        raise ImageError(f"{path}: 32 bits a sample (mode {image.mode}); save it as 8-bit RGB")
    # The further pictures of a phone's JPEG or of a TIFF are views and thumbnails of the first.
    count = getattr(image, "n_frames", 1) if image.format in ("PNG", "WEBP") else 1
    if count > 1:
        raise ImageError(f"{path}: an animation of {count} pictures; convert it to a video")


def _upright(image: Any) -> Any:
    """Turned by its EXIF orientation; a picture with EXIF that nobody can read is shown as it is stored."""
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001  # the pixels themselves are whole
        return image


def _rgb(image: Any) -> Image:
    if image.mode.startswith("I;16"):
        grey = (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if image.has_transparency_data:
        return over_white(np.asarray(image.convert("RGBA")))
    return np.asarray(image.convert("RGB"))


def _too_large(path: str | os.PathLike[str], what: str, limit: int) -> str:
    return f"{path}: {what}, more than the limit of {limit:,} pixels; scale it down, or raise max_pixels"
