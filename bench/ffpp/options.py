"""The command line of bench.ffpp."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from bench.data.numbering import FORMS
from bench.data.people import SHIPPED
from bench.ffpp.presets import PRESETS
from bench.ffpp.protocol import COMPRESSIONS, SPLITS
from smoothswap.cli import Parser, at_least
from smoothswap.faces.detect import DETECTORS

EXAMPLES = """
examples:
  python -m bench.ffpp                                       Smooth-Swap on rendered faces, made on first use
  python -m bench.ffpp --data /data/FaceForensics++ --model Deepfakes --model FaceShifter --model smoothswap
  python -m bench.ffpp --data ROOT --protocol ff++ --model Deepfakes      all 1,000 clips, as papers do
  python -m bench.ffpp --data ROOT --model mine=images:/my/swaps --instruments dlib,arcface:w600k_r50.onnx
  python -m bench.ffpp --video 16                             with flicker, from 16 frames in a row of each clip
  python -m bench.ffpp --data people:lfw --model my_package.models:build --cycle    photographs, there and back
  python -m bench.ffpp --data ROOT --model my_package.models:build --limit 4 --dry-run

exit codes: 0 scored, 2 a wrong option, model or instrument, 3 data or output folder that cannot be used
"""

MODES = {
    "self": "a truth on photographs: the source is another photo of the target's own person, so that the true swap is the "
    "target itself (for models that can be called)",
    "cycle": "another: swap, then swap the swap back with another photo of the target's person; the true answer is the "
    "target",
}


def parser() -> Parser:
    """The command line, in three groups: what is scored, the protocol, running."""
    made = Parser(
        "python -m bench.ffpp", description="Score face-swap models on FaceForensics++, or on rendered "
        "faces laid out like it, and write a report.", epilog=EXAMPLES,
    )  # fmt: skip
    return filled(made)


def filled(made: Parser, without: Collection[str] = ()) -> Parser:
    """A parser with the options of a run.

    Args:
        made: It.
        without: Options that are left out, as "--data".

    Returns:
        The same parser.
    """
    add = _adder(made.add_argument_group("what is scored"), without)
    add(
        "--model",
        action="append",
        metavar="MODEL",
        help="what to score, may be repeated; python -m bench.list "
        "names them; images:DIR and crops:DIR for finished swaps, package.module:factory for yours, NAME=MODEL renames "
        "(smoothswap)",
    )
    add(
        "--trained-with",
        action="append",
        default=[],
        metavar="MODEL=FAMILY",
        help="networks that a model's training used (arcface, vggface2, dlib, a weights' sha256), may be repeated: its "
        "numbers by such an instrument get a dagger and are not ranked",
    )
    add(
        "--no-references",
        action="store_true",
        help="leave out the reference rows: copy-target, blur, stranger, copy-source and the oracle",
    )
    add(
        "--data",
        metavar="ROOT",
        help="FaceForensics++ root; people:DIR, photographs in a folder a person; or KIND:ROOT of a data set that a "
        "package adds (rendered faces, cached)",
    )
    add(
        "--order",
        choices=("target_source", "source_target"),
        default="target_source",
        help="what the names of finished swaps (images:DIR) say first (%(default)s); of one folder: images:DIR?order=...",
    )
    add(
        "--frame-numbers",
        default="as-named",
        metavar="FORM",
        help=f"what the numbers of their frames mean: {FORMS} (%(default)s); of one folder: images:DIR?numbers=...",
    )
    add(
        "--check",
        choices=("refuse", "warn"),
        default="refuse",
        help="finished swaps are held against their targets' backgrounds first; what does not fit is refused, or scored "
        "with a warning (%(default)s)",
    )
    add(
        "--instruments",
        action="append",
        metavar="A,B",
        help="what reads the faces (those that need nothing: dlib,sface,anny,openings,gaze)",
    )
    add(
        "--detector", choices=DETECTORS, default="yunet",
        help="what finds the faces: YuNet with the landmarks of FaceMesh, or with dlib's; or dlib's HOG, for frontal faces "
        "from 80 pixels on (%(default)s)",
    )  # fmt: skip
    add(
        "--inception",
        type=Path,
        metavar="FILE",
        help="weights of FID's Inception (pt_inception-2015-12-05), for FID and KID; torchvision's has columns of its "
        "own (without: the filter-bank distance alone)",
    )
    add(
        "--lpips",
        type=Path,
        metavar="FILE",
        help="state of lpips.LPIPS(net='alex'), for LPIPS outside the face (without: SSIM and PSNR alone)",
    )
    group = made.add_argument_group("protocol (stored and hashed in the results)")
    add = _adder(group, without)
    add(
        "--protocol",
        choices=tuple(PRESETS),
        help="rules by name: ff++, the field's (all 1,000 clips, both directions, 10 frames, c23, everybody in the "
        "gallery), or ff++-test (the 140 of the test split); another value of one of its options is refused",
    )
    add(
        "--sequences",
        choices=("youtube", "actors"),
        help="actors: the DeepFakeDetection clips (youtube)",
    )
    if modes := {f"--{mode}": (mode, words) for mode, words in MODES.items() if f"--{mode}" not in without}:
        one_of = group.add_mutually_exclusive_group()
        for option, (mode, words) in modes.items():
            one_of.add_argument(option, action="store_const", const=mode, dest="mode", help=words)
    add("--compression", choices=COMPRESSIONS, help="raw and c0 are the same (c23)")
    add(
        "--split",
        metavar="SPLIT",
        help=f"{', '.join(SPLITS)}, or one of another data set's own (test; all for --sequences actors)",
    )
    add("--splits", type=Path, metavar="DIR", help="folder of train.json, val.json, test.json (ROOT/splits)")
    add("--limit", type=at_least(1), metavar="N", help="the first N clips of the split")
    add("--frames", type=at_least(1), metavar="N", help="evenly spaced in each clip (10)")
    add(
        "--video", type=at_least(2), default=0, metavar="N",
        help="read N frames that follow each other at the middle of each clip as well, for flicker and steadiness "
        "(none: every one costs as much as one of --frames)",
    )  # fmt: skip
    add(
        "--source-rule",
        choices=("first_valid", "matched", "frontal"),
        help="the source frame: the first with a face, the one at the target's position, or the most frontal (first_valid)",
    )
    add(
        "--faces-rule",
        choices=("largest_tracked", "largest", "single"),
        help="which of several faces; single: such a frame fails (largest_tracked)",
    )
    add(
        "--missing",
        choices=("count_as_wrong", "exclude", "count_everywhere"),
        help="a swap without a face: a miss in ID retrieval, and the target itself in its columns; left out; "
        "or wrong in every metric (count_as_wrong)",
    )
    add(
        "--gallery",
        choices=("all", "without_source_frame"),
        help="where ID retrieval searches (all)",
    )
    add(
        "--gallery-size",
        type=at_least(2),
        metavar="N",
        help="each frame is searched among its source person and N - 1 others by lot (everybody); the report's curve over "
        "the size needs no such run",
    )
    add(
        "--identity-map",
        metavar="FILE",
        help='JSON of people who appear twice: {"343": "043"}; none: every clip is a person of its own; '
        f"{SHIPPED}: the map that ships, which FaceForensics++ has by itself",
    )
    add(
        "--skip-missing",
        action="store_true",
        help="score what is there; frames of clips that are not on the disk get the status not_available",
    )
    add(
        "--seed",
        type=at_least(0),
        default=0,
        metavar="N",
        help="of the bootstrap and of --gallery-size (%(default)s)",
    )
    add = _adder(made.add_argument_group("running"), without)
    add("--out", type=Path, default=Path("runs/ffpp"), metavar="DIR", help="results and report (%(default)s)")
    add("--device", default="auto", help="of the models: auto, cpu, cuda, cuda:1, mps (%(default)s)")
    add(
        "--batch-size",
        type=at_least(1),
        default=16,
        metavar="N",
        help="crops a model gets at once (%(default)s)",
    )
    add(
        "--workers",
        type=at_least(0),
        metavar="N",
        help="processes that decode clips and read faces; 0: this one, where a file that hangs stops the run (one a core, "
        "at most 8)",
    )
    add(
        "--clip-seconds",
        type=at_least(1),
        default=120,
        metavar="N",
        help="time limit of a worker for ten frames, or ten megabytes of a video: one that is over it, or dies, is "
        "replaced, and its clips are failed rows (%(default)s)",
    )
    add("--json", action="store_true", help="print the results as JSON on standard output")
    add("--dry-run", action="store_true", help="say what would run and what is missing, then stop")
    return made


def _adder(group: argparse._ArgumentGroup, without: Collection[str]) -> Callable[..., object]:
    def add(name: str, **options: Any) -> object:
        return None if name in without else group.add_argument(name, **options)

    return add
