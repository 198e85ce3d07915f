"""Swap the face of a picture or of a video.

    python -m smoothswap.swap SOURCE TARGET -o OUT

SOURCE shows the person, TARGET the scene; OUT is TARGET with the person's identity, of the same size and, for a video,
with the same times and sound, marked in its metadata as synthetic media (see smoothswap.media.files). Arrays and tensors:
smoothswap.swap_faces. Heavy imports wait until the options are known to be right.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from smoothswap.cli import Parser, between, command_with
from smoothswap.errors import EXIT_OK, DataError, UsageError, suggestion
from smoothswap.media.suffixes import PICTURES, PICTURES_OUT, VIDEOS, VIDEOS_OUT

if TYPE_CHECKING:
    from smoothswap.faces.detect import Detector
    from smoothswap.faces.face import Face
    from smoothswap.inference import FaceSwapper
    from smoothswap.networks.model import SmoothSwap
    from smoothswap.pixels import Image

EXAMPLES = """
examples:
  python -m smoothswap.swap anna.jpg group.jpg -o out.png                  the largest face of group.jpg
  python -m smoothswap.swap anna.jpg group.jpg -o out.png --face 2         the second from the left
  python -m smoothswap.swap anna.jpg talk.mp4 -o out.mp4                   a video, its sound kept
  python -m smoothswap.swap anna.mp4 talk.mov -o out.mkv --face all --model my.safetensors --device cuda

A video's face is followed from frame to frame; frames that do not show it are kept and counted in the closing line.
The largest face of SOURCE is taken, in a video that of the first frame with a face. Transparency, EXIF and subtitles
are not carried over. OUT says in its metadata that it is synthetic media (IPTC trainedAlgorithmicMedia).

exit codes: 0 swapped, 2 a wrong option, 3 files that cannot be used, or no face in them, 128 + n after signal n
"""


def _face(text: str) -> str | int:
    if text in ("largest", "all"):
        return text
    if not text.isdecimal() or int(text) < 1:
        hint = suggestion(text, ["largest", "all"])
        raise argparse.ArgumentTypeError(f"{text!r} is not largest, all or a number from 1.{hint}")
    return int(text)


def parser() -> Parser:
    """The command line."""
    made = Parser(
        "python -m smoothswap.swap",
        description="Put the face of SOURCE into TARGET, a picture or a video.",
        epilog=EXAMPLES,
    )
    add = made.add_argument
    add("source", type=Path, metavar="SOURCE", help="picture or video of the person")
    add("target", type=Path, metavar="TARGET", help="picture or video to put the face into")
    add(
        "-o",
        "--out",
        type=Path,
        required=True,
        metavar="OUT",
        help=".jpg .png .webp for a picture, .mp4 .m4v .mov .mkv for a video (H.264)",
    )
    add("--force", action="store_true", help="replace OUT where it exists")
    add(
        "--face",
        type=_face,
        default="largest",
        metavar="WHICH",
        help="which face of TARGET: largest, all, or a number from 1, left to right (%(default)s)",
    )
    add(
        "--model",
        default="smoothswap",
        metavar="NAME|PATH",
        help="weights; smoothswap: those for photographs, which it names (%(default)s)",
    )
    add("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (%(default)s)")
    add("--batch-size", type=between(1, 4096), default=16, metavar="N", help="faces at once (%(default)s)")
    add("--quality", type=between(1, 100), metavar="Q", help="of a .jpg or .webp, 1 to 100 (95)")
    add("--crf", type=between(0, 51), metavar="CRF", help="of a video, 0 (best) to 51 (18)")
    return made


@command_with(stopped="stopped; OUT was not written")
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code (argparse raises SystemExit itself)."""
    options = parser().parse_args(argv)
    video = check(options)
    model = load_model(options.model, options.device)
    from smoothswap.media.patience import patient

    with patient():
        print((_swap_video if video else _swap_picture)(options, model), file=sys.stderr)
    return EXIT_OK


def check(options: argparse.Namespace) -> bool:
    """Whether TARGET is a video, after all that can be refused before anything is read. Raises UsageError, DataError."""
    for path in (options.source, options.target):
        if path.suffix.lower() not in (*PICTURES, *VIDEOS):
            raise UsageError(
                f"{path}: unsupported extension {path.suffix!r}; pictures: {' '.join(PICTURES)}, "
                f"videos: {' '.join(VIDEOS)}"
            )
    video = options.target.suffix.lower() in VIDEOS
    kinds, what = (VIDEOS_OUT, "a video") if video else (PICTURES_OUT, "a picture")
    suffix = options.out.suffix.lower()
    if suffix not in kinds:
        raise UsageError(
            f"{options.out}: unsupported extension {suffix!r} for {what}; there are {' '.join(kinds)}"
        )
    if options.crf is not None and not video:
        raise UsageError("--crf is for videos; --quality sets the quality of a picture")
    if options.quality is not None and suffix not in (".jpg", ".jpeg", ".webp"):
        raise UsageError(f"--quality is for .jpg and .webp; {'--crf' if video else 'a .png is exact'}")
    _check_files(options)
    return video


def _check_files(options: argparse.Namespace) -> None:
    for path in (options.source, options.target):
        if not path.is_file():
            raise DataError(f"{path}: no such file")
    if options.out.is_dir():
        raise UsageError(f"{options.out} is a folder; name a file in it")
    if options.out.exists() and not options.force:
        raise UsageError(f"{options.out} exists; --force replaces it")
    if not options.out.parent.is_dir():
        raise DataError(f"{options.out.parent}: no such folder; make it first")
    if not os.access(options.out.parent, os.W_OK):
        raise DataError(f"{options.out.parent}: the folder is not writable")


def load_model(name: str, device: str) -> SmoothSwap:
    """Weights on a device. With "smoothswap" for a name, standard error says which were chosen.

    Args:
        name: Of the weights, or the path of their .safetensors.
        device: "auto", or a device as torch names it.

    Returns:
        The model, in eval mode.

    Raises:
        UsageError: There are no such weights, or no such device.
        WeightsError: Their files are damaged or do not fit this version.
    """
    from smoothswap import pretrained
    from smoothswap.device import usable

    try:
        if name == pretrained.CHOSEN:
            print(f"model: {pretrained.choose('photos')}", file=sys.stderr)
        pretrained.locate(name)
    except pretrained.WeightsError as error:
        raise UsageError(f"unknown model: {error}") from None
    return pretrained.load(name).to(usable(device))


def _swap_picture(options: argparse.Namespace, model: SmoothSwap) -> str:
    from smoothswap.faces.align import AlignmentError
    from smoothswap.faces.detect import Detector
    from smoothswap.inference import faces_to_swap
    from smoothswap.media import files
    from smoothswap.media.images import read_profiled

    detector = Detector()
    swapper = _swapper(options, model, detector)
    frame, profile = read_profiled(options.target)
    found = detector.detect(frame)
    (swapped,) = swapper.swap([frame], faces_to_swap([found], options.face, str(options.target)))
    if swapped.frame is None:
        raise AlignmentError(
            f"{options.target}: the face cannot be cut out; its square misses or dwarfs the picture"
        )
    files.write_picture(options.out, swapped.frame, options.quality or files.QUALITY, profile)
    unfit = f"; {swapped.misfits} could not be aligned" if swapped.misfits else ""
    return f"{options.out}: {swapped.faces} of {len(found)} face{'s' * (len(found) > 1)} swapped{unfit}"


def _swap_video(options: argparse.Namespace, model: SmoothSwap) -> str:
    from tqdm import tqdm

    from smoothswap.faces.align import AlignmentError
    from smoothswap.faces.detect import Detector
    from smoothswap.inference import faces_to_swap
    from smoothswap.media import files
    from smoothswap.media.video import claimed_frames, iter_frames

    detector = Detector()
    swapper = _swapper(options, model, detector)
    # Which face is followed is known only after the whole clip was seen: hence two passes, and only boxes in memory.
    frames = tqdm(
        iter_frames(options.target),
        desc="finding faces",
        unit="frame",
        file=sys.stderr,
        total=claimed_frames(options.target),
    )
    found = [detector.detect(frame) for frame in frames]
    wanted = faces_to_swap(found, options.face, str(options.target))
    swapped = misfits = 0
    with tqdm(total=len(found), desc="swapping", unit="frame", file=sys.stderr) as bar:

        def change(first: int, frames: list[Image]) -> list[Image | None]:
            nonlocal swapped, misfits
            results = swapper.swap(frames, wanted[first : first + len(frames)])
            swapped += sum(result.frame is not None for result in results)
            misfits += sum(result.frame is None and result.misfits > 0 for result in results)
            if first + len(frames) == len(found) and not swapped:
                raise AlignmentError(f"{options.target}: no face of it can be cut out")
            bar.update(len(frames))
            return [result.frame for result in results]

        crf = files.CRF if options.crf is None else options.crf
        left_out = files.rewrite_video(options.target, options.out, change, crf, options.batch_size)
    none = sum(not faces for faces in found)
    reasons = {
        "without a face": none,
        "that show other faces only": len(found) - swapped - misfits - none,
        "whose face could not be aligned": misfits,
    }
    kept = ", ".join(f"{count} {why}" for why, count in reasons.items() if count)
    line = f"{options.out}: {swapped} of {len(found)} frames swapped; kept as they were: {kept or 'none'}"
    return line + (f"; streams left out: {', '.join(left_out)}" if left_out else "")


def _swapper(options: argparse.Namespace, model: SmoothSwap, detector: Detector) -> FaceSwapper:
    from smoothswap.inference import FaceSwapper

    frame, face = first_face(options.source, detector)
    return FaceSwapper(model, frame, face, options.batch_size)


def first_face(path: Path, detector: Detector) -> tuple[Image, Face]:
    """The first frame with a face, of a picture or a video, and its largest face.

    Args:
        path: The file; which of the two it is, its suffix says.
        detector: What finds faces.

    Returns:
        The frame uint8 [h, w, 3] RGB, upright, and the face in its pixels.

    Raises:
        FaceError: No frame shows a face.
    """
    from smoothswap.inference import NOT_FOUND, FaceError

    for frame in _frames(path):
        if faces := detector.detect(frame):
            return frame, faces[0]
    raise FaceError(f"no face was found in {path}, the source; {NOT_FOUND}")


def _frames(path: Path) -> Iterator[Image]:
    from smoothswap.media.images import read_image
    from smoothswap.media.video import iter_frames

    if path.suffix.lower() in VIDEOS:
        yield from iter_frames(path)
    else:
        yield read_image(path)


if __name__ == "__main__":
    sys.exit(main())
