"""Pictures and videos that were altered: written whole or not at all, and marked as synthetic media.

The mark is IPTC's digital source type `trainedAlgorithmicMedia` (cv.iptc.org/newscodes/digitalsourcetype), the XMP
property Iptc4xmpExt:DigitalSourceType, stored where the XMP specification (ISO 16684-1, part 3) puts it:

    .jpg .jpeg   APP1 segment                     .mp4 .m4v .mov   a box `uuid` at the end of the file
    .png         iTXt XML:com.adobe.xmp           .mkv             has no place for XMP: tag DIGITAL_SOURCE_TYPE
    .webp        chunk XMP

.mkv keeps times in whole milliseconds and none below zero: where sound starts before, all streams move by the same.
Videos also carry it as text in the common tag `comment`, which players show. FFmpeg writes comments, and no XMP into
any video: the box is appended here. FFmpeg reads it back with the option export_xmp.
A picture's colour profile is kept. Its EXIF is not: the picture is no longer what that camera took.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import Colorspace, Interpolation
from PIL import Image as Pillow
from PIL import PngImagePlugin

from smoothswap.errors import DataError
from smoothswap.media.film import EXACT, Film, VideoError
from smoothswap.media.orientation import AS_STORED, orientation
from smoothswap.media.suffixes import VIDEOS_OUT
from smoothswap.pixels import Image
from smoothswap.plumbing import files

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
COMMENT = f"Synthetic media: a face was swapped by a trained model. Digital source type: {SOURCE_TYPE}"
XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
    f"<Iptc4xmpExt:DigitalSourceType>{SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>"
    '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
).encode()
XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")  # the uuid that says: this box holds XMP

QUALITY = 95  # of JPEG and WebP, 1 .. 100
CRF = 18  # of H.264, 0 .. 51, lower is better: no loss that is easily seen
_PIXELS = ("yuv420p", "yuv422p", "yuv444p")  # kept as they are; any other becomes one of these
_MATRICES = (
    1,
    4,
    7,
    9,
)  # declared by these numbers (ISO 23091-2) and known to the scaler; others are taken for BT.601


# (number of the first frame, frames) -> a new frame for each, or None to keep it
Change = Callable[[int, list[Image]], Sequence[Image | None]]


class OutputError(DataError):
    """The output cannot be written; the message says why."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """smoothswap.plumbing.files.replacing, whose errors say how to mend them.

    Raises OutputError for a folder that is missing, not writable or full.
    """
    try:
        with files.replacing(path) as part:
            yield part
    except OSError as error:
        raise OutputError(
            f"cannot write {path} ({error.strerror or error}); is the folder there, writable and not full?"
        ) from error


def write_picture(path: Path, image: Image, quality: int = QUALITY, profile: bytes | None = None) -> None:
    """Write a picture as JPEG, PNG or WebP by the suffix, with the mark, whole or not at all.

    Args:
        path: A file with one of the suffixes PICTURES_OUT.
        image: uint8 [h, w, 3], RGB.
        quality: Of JPEG and WebP, 1 to 100; PNG is exact.
        profile: ICC profile to embed, as from images.read_profiled; None: none is embedded.

    Raises:
        OutputError: For a folder that is missing, not writable or full.
    """
    kind = path.suffix.lower()
    options: dict[str, Any] = {"icc_profile": profile} if profile else {}
    if kind == ".png":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        options |= {"pnginfo": info}
    else:
        options |= {"xmp": XMP, "quality": quality}
        options |= {"method": 4} if kind == ".webp" else {"subsampling": 0}
    with replacing(path) as part:
        Pillow.fromarray(image).save(part, **options)


def rewrite_video(
    path: Path,
    out: Path,
    change: Change,
    crf: int = CRF,
    batch_size: int = 16,
) -> list[str]:
    """Write a video anew with changed frames, whole or not at all, with the mark.

    Frames are H.264 with the input's times (time base and pts, so also a variable frame rate), size, aspect
    ratio and declared colours, in 8 bits, with the input's chroma subsampling (4:4:4 where a side is odd). A
    frame that is kept goes from the decoder to the encoder without a detour over RGB, unless the recording is
    turned or has another pixel format than the output. Where pixels are not square, what changed of a frame is
    fitted into them and nothing else. Sound is copied packet by packet. A turned recording
    comes out upright, without the turn in its metadata, because an encoder in PyAV cannot declare one. Tags
    are kept.

    Args:
        path: The video to read.
        out: The file to write, with one of the suffixes VIDEOS_OUT.
        change: Given the number of the first of some frames and the frames as they are shown, uint8 [h, w, 3]
            RGB, a new frame of the same size for each, or None to keep it. It is called for batches in the
            order of presentation.
        crf: Quality of H.264, 0 to 51, lower is better.
        batch_size: Frames that `change` is given at once; the last batch may be smaller.

    Returns:
        The kinds of the streams that were left out: "subtitle", "data", "video" for a second one, and so on.

    Raises:
        VideoError: For what cannot be read, a size of the frames that changes within the input, and sound
            that the container cannot hold.
        OutputError: For what cannot be written.
    """
    with Film(path) as film:
        first = next(film.frames())
    kind = VIDEOS_OUT[out.suffix.lower()]
    with replacing(out) as part:
        with Film(path) as film:
            bases = [stream.time_base.denominator for stream in film.container.streams if stream.time_base]
            options = {
                "movflags": "faststart",
                # With these, every time of the input is a whole number of ticks in the output too.
                "video_track_timescale": str(film.stream.time_base.denominator),
                "movie_timescale": str(min(math.lcm(*bases), 2**31 - 1)),
            }
            with av.open(str(part), "w", format=kind, options=options if kind != "matroska" else {}) as sink:
                rewriter = _Rewriter(film, sink, first, crf, out)
                try:
                    rewriter.run(change, batch_size)
                except av.FFmpegError as error:
                    if isinstance(error, OSError):  # of the disk: told by replacing()
                        raise
                    raise VideoError(f"{path}: cannot be written as {out.suffix} ({error})") from error
        if kind != "matroska":
            with part.open("ab") as file:
                file.write(struct.pack(">I4s16s", 24 + len(XMP), b"uuid", XMP_BOX) + XMP)
    return rewriter.left_out


class _Rewriter:
    """The streams of one rewrite_video."""

    def __init__(self, film: Film, sink: Any, first: Any, crf: int, out: Path) -> None:
        source = film.container
        self.film, self.source, self.sink, self.stream = film, source, sink, film.stream
        self.size, self.turn = (first.width, first.height), orientation(first)
        sink.metadata.update({k: v for k, v in source.metadata.items() if k not in _OF_THE_CONTAINER})
        old = source.metadata.get("comment", "")
        sink.metadata["comment"] = f"{COMMENT}. {old}".rstrip(". ") if old else COMMENT
        # Matroska keeps any tag, the others only those they know.
        sink.metadata["DIGITAL_SOURCE_TYPE"] = SOURCE_TYPE
        self.encoder = self._encoder(first, crf)
        try:
            self.copies = {stream.index: self._copy(stream) for stream in source.streams.audio}
            sink.start_encoding()
        except (av.FFmpegError, OSError, ValueError) as error:  # ValueError: PyAV's own check of the codec
            codecs = ", ".join(stream.codec_context.name for stream in source.streams.audio) or "none"
            raise VideoError(
                f"{out}: {out.suffix} cannot hold these streams ({error}; sound: {codecs}); write to a .mkv instead"
            ) from error
        kept = {self.stream.index, *self.copies}
        self.left_out = [stream.type for stream in source.streams if stream.index not in kept]
        self.last: int | None = None
        self.durations: dict[int, int] = {}

    def _encoder(self, first: Any, crf: int) -> Any:
        rate = self.stream.average_rate or self.stream.guessed_rate or Fraction(25)
        encoder = self.sink.add_stream("libx264", rate=rate)
        width, height = self.size[:: -1 if self.turn.transposed else 1]
        encoder.width, encoder.height = width, height
        shape = first.format.name.replace("yuvj", "yuv").replace("p10le", "p")
        shape = shape if shape in _PIXELS else "yuv420p"
        encoder.pix_fmt = "yuv444p" if width % 2 or height % 2 else shape
        encoder.options = {"crf": str(crf), "preset": "medium"}
        context = encoder.codec_context
        context.time_base = self.stream.time_base
        context.colorspace, context.color_range = first.colorspace, first.color_range
        declared = self.stream.codec_context
        context.color_trc, context.color_primaries = declared.color_trc, declared.color_primaries
        if ratio := self.stream.sample_aspect_ratio:
            context.sample_aspect_ratio = 1 / ratio if self.turn.transposed else ratio
        encoder.metadata.update(self.stream.metadata)
        return encoder

    def _copy(self, stream: Any) -> Any:
        copy = self.sink.add_stream_from_template(stream)
        copy.metadata.update(stream.metadata)
        copy.disposition = stream.disposition
        return copy

    def run(self, change: Change, batch: int) -> None:
        waiting: list[Any] = []
        count = 0
        for item in self.film.frames(self.source.streams.audio):
            if not isinstance(item, av.VideoFrame):
                if item.dts is not None:
                    item.stream = self.copies[item.stream.index]
                    self.sink.mux(item)
                continue
            if (item.width, item.height) != self.size:
                raise VideoError(
                    f"{self.film.path}: frame {count + len(waiting)} is {item.width} x {item.height} after frames of "
                    f"{self.size[0]} x {self.size[1]}; one H.264 stream has one size"
                )
            waiting.append(item)
            if len(waiting) == batch:
                self._encode(waiting, count, change)
                count += len(waiting)
                waiting = []
        if waiting:
            self._encode(waiting, count, change)
        self._mux(self.encoder.encode())

    def _encode(self, frames: list[Any], first: int, change: Change) -> None:
        shown = [self.film.rgb(frame) for frame in frames]
        for frame, before, image in zip(frames, shown, change(first, shown), strict=True):
            new = frame
            if image is not None or self.turn != AS_STORED or frame.format.name != self.encoder.pix_fmt:
                stored = before if self.film.aspect == 1 else self.film.rgb(frame, square=False)
                whole = (
                    stored if image is None else image if stored is before else _fitted(image, before, stored)
                )
                rgb = av.VideoFrame.from_ndarray(np.ascontiguousarray(whole), format="rgb24")
                new = rgb.reformat(
                    format=self.encoder.pix_fmt,
                    dst_colorspace=_matrix(frame),
                    dst_color_range=frame.color_range or None,
                    interpolation=Interpolation.AREA | EXACT,
                )
            new.pts, new.time_base, new.pict_type = self._time(frame), self.stream.time_base, 0
            self.durations[new.pts] = frame.duration
            self._mux(self.encoder.encode(new))

    def _time(self, frame: Any) -> int:
        """The frame's pts. A missing one follows the last by a frame's length, one that does not rise by a tick."""
        # AVI stores no times of presentation: FFmpeg's guesses jump with B-frames, those of decoding are even.
        pts: int | None = frame.dts if self.source.format.name == "avi" else frame.pts
        if pts is None:
            pts = 0 if self.last is None else self.last + max(frame.duration, 1)
        self.last = pts if self.last is None else max(pts, self.last + 1)
        return self.last

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            packet.duration = self.durations.pop(packet.pts, 0) or packet.duration
            self.sink.mux(packet)


_OF_THE_CONTAINER = ("major_brand", "minor_version", "compatible_brands", "encoder", "comment")


def _fitted(image: Image, before: Image, stored: Image) -> Image:
    """`stored` with what `image` changed of `before`, both in square pixels, made as narrow as it is itself."""
    size = stored.shape[1::-1]
    changed = (image != before).any(axis=2).astype(np.float32)
    where = cv2.resize(changed, size, interpolation=cv2.INTER_AREA) > 0
    return np.where(where[..., None], cv2.resize(image, size, interpolation=cv2.INTER_AREA), stored)


def _matrix(frame: Any) -> int:
    return int(frame.colorspace if frame.colorspace in _MATRICES else Colorspace.ITU601)
