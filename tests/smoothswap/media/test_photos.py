"""Photos: turned upright, and one clear error for each kind of bad file."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from smoothswap.media.identical import fingerprint, identical_files
from smoothswap.media.images import ImageError, read_image


def png_header_of(width: int, height: int) -> bytes:
    """A PNG that claims a size; its pixels are missing, as decoding them must never be tried."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_modes_become_rgb(tmp_path: Path, smooth_frame: np.ndarray) -> None:
    image = Image.fromarray(smooth_frame)
    for mode in ("RGB", "RGBA", "L", "P"):
        image.convert(mode).save(tmp_path / "photo.png")
        read = read_image(tmp_path / "photo.png")
        assert read.shape == smooth_frame.shape
        assert read.dtype == np.uint8
        if mode in ("RGB", "RGBA"):
            np.testing.assert_array_equal(read, smooth_frame)


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (6, -1), (3, 2), (8, 1)])
def test_exif_orientation(tmp_path: Path, smooth_frame: np.ndarray, orientation: int, turns: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(smooth_frame).save(tmp_path / "photo.png", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "photo.png"), np.rot90(smooth_frame, turns))


def test_one_pixel(tmp_path: Path) -> None:
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    with pytest.raises(ImageError, match=r"dot\.png: the photo is 1 x 1 pixels, too small"):
        read_image(tmp_path / "dot.png")


def test_huge_photos_are_refused_from_the_header(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(png_header_of(20_000, 20_000))  # beyond Pillow's own limit
    with pytest.raises(
        ImageError, match=r"huge\.png: .* more than the limit of 64,000,000 pixels; scale it down"
    ):
        read_image(path)
    path.write_bytes(png_header_of(10_000, 10_000))  # within Pillow's limit, beyond ours
    with pytest.raises(ImageError, match="10000 x 10000 pixels, more than the limit"):
        read_image(path)
    Image.new("RGB", (40, 40)).save(path)
    with pytest.raises(ImageError, match="40 x 40 pixels, more than the limit of 1,000 pixels"):
        read_image(path, max_pixels=1_000)


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "tif", "webp"])
@pytest.mark.parametrize("part", [0.5, 0.02])
def test_truncated(tmp_path: Path, smooth_frame: np.ndarray, suffix: str, part: float) -> None:
    path = tmp_path / f"photo.{suffix}"
    Image.fromarray(smooth_frame).save(path)
    assert read_image(path).shape == smooth_frame.shape
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(ImageError, match="not a whole image") as caught:
        read_image(path)
    assert path.name in str(caught.value)


def test_not_a_photo(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("no image")
    (tmp_path / "folder.jpg").mkdir()
    for name in ("empty.jpg", "text.jpg", "folder.jpg"):
        with pytest.raises(ImageError, match=f"{name}: not a whole image"):
            read_image(tmp_path / name)
    with pytest.raises(ImageError, match="no such file"):
        read_image(tmp_path / "missing.jpg")


@pytest.mark.parametrize("format", ["EPS", "PDF", "GIF", "DDS", "ICO", "AVIF", "PPM", "TGA"])
def test_other_formats_are_refused_by_whatever_name(
    format: str, tmp_path: Path, smooth_frame: np.ndarray
) -> None:
    """Pillow would open them, PostScript by starting a program."""
    path = tmp_path / "photo.jpg"
    if format in Image.registered_extensions().values() and format in Image.SAVE:
        Image.fromarray(smooth_frame).save(path, format)
    else:  # Pillow was built without it
        path.write_bytes(b"\0\0\0\x20ftypavif" + bytes(64))
    with pytest.raises(ImageError, match=r"photo\.jpg: not a whole image in one of PNG, JPEG"):
        read_image(path)


def test_what_only_looks_like_postscript_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    monkeypatch.setattr("subprocess.check_call", lambda *a, **_: started.append(a))
    path = tmp_path / "photo.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\nshowpage\n%%EOF\n")
    with pytest.raises(ImageError, match="not a whole image"):
        read_image(path)
    assert not started


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "photo.png")
    for path in (tmp_path / "photo.png", Path("/dev/zero")):
        with pytest.raises(ImageError, match="a folder, a pipe or a device"):
            read_image(path)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_of_sixteen_bits_the_upper_eight_count(tmp_path: Path, suffix: str, smooth_frame: np.ndarray) -> None:
    path = tmp_path / f"deep.{suffix}"
    Image.fromarray(smooth_frame[..., 0].astype(np.uint16) * 256 + 200).save(path)
    np.testing.assert_array_equal(read_image(path), smooth_frame[..., :1].repeat(3, axis=2))
    deep = cv2.cvtColor(smooth_frame, cv2.COLOR_RGB2BGR).astype(np.uint16) * 256 + 200
    cv2.imwrite(str(path), deep)
    np.testing.assert_array_equal(read_image(path), smooth_frame)


def test_of_32_bits_nobody_knows_the_range(tmp_path: Path) -> None:
    Image.fromarray(np.full((40, 40), 0.5, np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(ImageError, match="32 bits a sample"):
        read_image(tmp_path / "float.tif")


@pytest.mark.parametrize("form", ["RGBA", "LA", "P", "key", "webp", "tif"])
def test_what_is_transparent_is_not_seen(form: str, tmp_path: Path, smooth_frame: np.ndarray) -> None:
    """A picture whose left half is opaque, and in whose right half another lies hidden."""
    height, width = smooth_frame.shape[:2]
    alpha = np.full((height, width), 255, np.uint8)
    alpha[:, width // 2 :] = 0
    image = Image.fromarray(np.dstack([smooth_frame, alpha]))
    path, options = tmp_path / "photo.png", {}
    if form == "LA":
        image = image.convert("LA")
    elif form in ("P", "key"):  # one entry of the palette, or one colour, is transparent
        shades = np.where(alpha > 0, smooth_frame[..., 0] // 2, 200).astype(np.uint8)
        image, options = Image.fromarray(shades), {"transparency": 200}
        if form == "P":
            image = image.convert("P")
    elif form in ("webp", "tif"):
        path, options = (
            tmp_path / f"photo.{form}",
            {"lossless": True, "exact": True} if form == "webp" else {},
        )
    image.save(path, **options)
    read = read_image(path)
    assert (read[:, width // 2 :] == 255).all()
    seen = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(read[:, : width // 2], seen[:, : width // 2])


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_an_animation_is_no_photo(suffix: str, tmp_path: Path, smooth_frame: np.ndarray) -> None:
    image = Image.fromarray(smooth_frame)
    image.save(tmp_path / f"a.{suffix}", save_all=True, append_images=[image.rotate(180)])
    with pytest.raises(ImageError, match="an animation of 2 pictures; convert it to a video"):
        read_image(tmp_path / f"a.{suffix}")
    image.save(tmp_path / "phone.jpg", "MPO", save_all=True, append_images=[image.rotate(180)])
    assert read_image(tmp_path / "phone.jpg").shape == smooth_frame.shape


def test_exif_that_nobody_can_read_costs_no_photo(tmp_path: Path, smooth_frame: np.ndarray) -> None:
    Image.fromarray(smooth_frame).save(tmp_path / "photo.png", exif=b"\xff\xfe\0junk")
    np.testing.assert_array_equal(read_image(tmp_path / "photo.png"), smooth_frame)


def test_the_same_pixels_are_told_by_whatever_name_and_form(tmp_path: Path, smooth_frame: np.ndarray) -> None:
    for name in ("a.png", "b.bmp"):
        Image.fromarray(smooth_frame).save(tmp_path / name)
    (tmp_path / "c.png").write_bytes((tmp_path / "a.png").read_bytes())
    prints = [fingerprint(read_image(path)) for path in sorted(tmp_path.iterdir())]
    assert prints[0] == prints[1] == prints[2] != fingerprint(smooth_frame.swapaxes(0, 1))
    assert identical_files(sorted(tmp_path.iterdir())) == [[tmp_path / "a.png", tmp_path / "c.png"]]
