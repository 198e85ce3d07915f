"""The command line of bench.ffpp."""

from __future__ import annotations

from pathlib import Path

from bench.ffpp.protocol import COMPRESSIONS, SPLITS
from smoothswap.cli import Parser, at_least

EXAMPLES = """
examples:
  python -m bench.ffpp                                       Smooth-Swap on rendered faces, made on first use
  python -m bench.ffpp --data /data/FaceForensics++ --model Deepfakes --model FaceShifter --model smoothswap
  python -m bench.ffpp --data ROOT --model mine=images:/my/swaps --instruments dlib,arcface:w600k_r50.onnx
  python -m bench.ffpp --video 16                             with flicker, from 16 frames in a row of each clip
  python -m bench.ffpp --data ROOT --model my_package.models:build --limit 4 --dry-run

exit codes: 0 scored, 2 a wrong option, model or instrument, 3 data or output folder that cannot be used
"""


def parser() -> Parser:
    """The command line, in three groups: what is scored, the protocol, running."""
    made = Parser(
        "python -m bench.ffpp", description="Score face-swap models on FaceForensics++, or on rendered "
        "faces laid out like it, and write a report.", epilog=EXAMPLES,
    )  # fmt: skip
    add = made.add_argument_group("what is scored").add_argument
    add(
        "--model",
        action="append",
        metavar="MODEL",
        help="what to score, may be repeated; python -m bench.list "
        "names them; images:DIR for finished swaps, package.module:factory for yours, NAME=MODEL renames "
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
    add("--no-references", action="store_true", help="leave out copy-target, copy-source and the oracle")
    add(
        "--data",
        metavar="ROOT",
        help="FaceForensics++ root, or KIND:ROOT of a data set that a package adds (rendered faces, cached)",
    )
    add(
        "--instruments",
        action="append",
        metavar="A,B",
        help="what reads the faces (those that need nothing: dlib,anny)",
    )
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
    add = made.add_argument_group("protocol (stored and hashed in the results)").add_argument
    add(
        "--sequences",
        choices=("youtube", "actors"),
        help="actors: the DeepFakeDetection clips (youtube)",
    )
    add("--compression", choices=COMPRESSIONS, help="raw and c0 are the same (c23)")
    add(
        "--split",
        metavar="SPLIT",
        help=f"{', '.join(SPLITS)}, or one of another data set's own (test; all for --sequences actors)",
    )
    add("--splits", type=Path, metavar="DIR", help="folder of train.json, val.json, test.json (ROOT/splits)")
    add("--limit", type=at_least(1), metavar="N", help="the first N clips of the split")
    add(
        "--frames", type=at_least(1), default=10, metavar="N", help="evenly spaced in each clip (%(default)s)"
    )
    add(
        "--video", type=at_least(2), default=0, metavar="N",
        help="read N frames that follow each other at the middle of each clip as well, for flicker and steadiness "
        "(none: every one costs as much as one of --frames)",
    )  # fmt: skip
    add(
        "--source-rule",
        choices=("first_valid", "matched"),
        default="first_valid",
        help="the source frame: the first with a face, or the one at the target's position (%(default)s)",
    )
    add(
        "--faces-rule",
        choices=("largest_tracked", "largest", "single"),
        default="largest_tracked",
        help="which of several faces; single: such a frame fails (%(default)s)",
    )
    add(
        "--missing",
        choices=("count_as_wrong", "exclude", "count_everywhere"),
        default="count_as_wrong",
        help="a swap without a face: a miss in ID retrieval; left out; or wrong in every metric (%(default)s)",
    )
    add(
        "--gallery",
        choices=("all", "without_source_frame"),
        default="all",
        help="where ID retrieval searches (%(default)s)",
    )
    add("--identity-map", type=Path, metavar="FILE", help='JSON of people who appear twice: {"343": "043"}')
    add("--skip-missing", action="store_true", help="count clips that are not on the disk as failed frames")
    add("--seed", type=at_least(0), default=0, metavar="N", help="of the bootstrap (%(default)s)")
    add = made.add_argument_group("running").add_argument
    add("--out", type=Path, default=Path("runs/ffpp"), metavar="DIR", help="results and report (%(default)s)")
    add("--device", default="auto", help="of the models: auto, cpu, cuda, cuda:1, mps (%(default)s)")
    add(
        "--batch-size",
        type=at_least(1),
        default=16,
        metavar="N",
        help="crops a model gets at once (%(default)s)",
    )
    add("--workers", type=at_least(1), metavar="N", help="processes that read faces (one a core, at most 8)")
    add("--json", action="store_true", help="print the results as JSON on standard output")
    add("--dry-run", action="store_true", help="say what would run and what is missing, then stop")
    return made
