"""All commands under one name: `smoothswap-bench ffpp --model smoothswap` is `python -m bench.ffpp --model smoothswap`.

A command is imported when it is asked for, so that the list of them is there at once.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from smoothswap.cli import command
from smoothswap.errors import EXIT_OK, EXIT_USAGE, UsageError, suggestion

COMMANDS = {
    "ffpp": ("bench.ffpp.__main__", "score face-swap models on FaceForensics++ and write a report"),
    "pairs": ("bench.pairs.__main__", "score face-swap models on a list of pairs, with slices"),
    "list": ("bench.list", "models, instruments, metrics and protocols that are there"),
    "compare": ("bench.compare.__main__", "compare two scored models frame by frame"),
    "regress": ("bench.regress.__main__", "guard a model against getting worse"),
    "verify": ("bench.verify.__main__", "check a finished run again from its stored readings"),
    "rescore": ("bench.rescore", "score a finished run again from its stored readings"),
    "false-words": ("bench.false_words", "how often equal models are called different"),
    "faults": ("bench.faults.__main__", "inject faults by kind and count what survives them"),
    "report": ("reports.__main__", "build a report again from results alone"),
    "embedders": ("bench.embedders.__main__", "embedders side by side on the same people"),
    "ablation": ("bench.ablation.__main__", "train and measure the arms of an ablation study"),
    "validity": ("bench.validity.__main__", "examine the instruments on faces of known truth"),
    "lfw": ("bench.lfw", "an instrument on Labeled Faces in the Wild"),
    "make-ffpp": ("bench.make_ffpp", "a FaceForensics++ tree from folders of photos"),
    "make-pairs": ("bench.make_pairs", "a pair list from a folder of identities"),
    "rendered": ("bench.rendered", "a FaceForensics++ tree of rendered faces"),
    "swap": ("smoothswap.swap", "swap the face of a picture or a video"),
    "prepare": ("smoothswap.prepare", "align and crop photos for training"),
    "train": ("smoothswap.train", "train the embedder and the swapper, and export them"),
    "stand-ins": ("smoothswap.stand_ins", "swaps whose answer is known, for training"),
    "export-onnx": ("smoothswap.export_onnx", "export weights to ONNX"),
    "convert": ("smoothswap.convert", "pickled weights of others to safetensors"),
    "recipe": ("smoothswap.recipe", "make the committed weights again"),
}
"""Module and one line of help of each command."""


def usage() -> str:
    """The page of --help."""
    lines = [f"  {name:12} {text}" for name, (_, text) in COMMANDS.items()]
    head = "usage: smoothswap-bench COMMAND [options]\n\ncommands:"
    tail = "\nsmoothswap-bench COMMAND --help shows the options of one; --version the version."
    return "\n".join([head, *lines, tail])


def version_here() -> str:
    """The installed version, or that there is none."""
    try:
        return version("smoothswap-bench")
    except PackageNotFoundError:
        return "not installed"


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Hand the arguments to the command that the first of them names; returns its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments:
        print(usage(), file=sys.stderr)
        return EXIT_USAGE
    name, *rest = arguments
    if name in ("-h", "--help"):
        print(usage())
        return EXIT_OK
    if name == "--version":
        print(f"smoothswap-bench {version_here()}")
        return EXIT_OK
    if name not in COMMANDS:
        raise UsageError(f"no command {name!r}.{suggestion(name, COMMANDS)} (see smoothswap-bench --help)")
    return int(importlib.import_module(COMMANDS[name][0]).main(rest) or 0)
