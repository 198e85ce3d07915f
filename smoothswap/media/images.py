"""Photos, read exactly and turned upright."""

from __future__ import annotations

import os
import stat
import warnings
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

from smoothswap.errors import DataError
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
    """A photo, turned upright by its EXIF orientation; transparency is dropped.

    The size is read from the header before any pixel is decoded.

    Args:
        path: Of a file in one of FORMATS.
        max_pixels: Width times height that are still decoded.

    Returns:
        uint8 [h, w, 3], RGB.

    Raises:
        ImageError: For a missing or truncated file, a pipe or a device, no image or one of another format, more than
            `max_pixels`, or samples of more than 8 bits.
        SmallImageError: For a side under 16 pixels.
    """
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):  # reading a pipe would wait without end
            raise ImageError(
                f"{path}: not a whole image but a folder, a pipe or a device; give the photo itself"
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)  # our own limit is checked below
            opened = Pillow.open(path, formats=FORMATS)
        with opened as image:
            width, height = image.size
            if min(width, height) < MIN_SIDE:
                raise SmallImageError(
                    f"{path}: the photo is {width} x {height} pixels, too small to hold a face"
                )
            if width * height > max_pixels:
                raise ImageError(_too_large(path, f"{width} x {height} pixels", max_pixels))
            if image.mode.startswith(("I", "F")):
                raise ImageError(f"{path}: over 8 bits a sample (mode {image.mode}); save it as 8-bit RGB")
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
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


def _too_large(path: str | os.PathLike[str], what: str, limit: int) -> str:
    return f"{path}: {what}, more than the limit of {limit:,} pixels; scale it down, or raise max_pixels"
