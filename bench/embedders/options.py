"""The command line of bench.embedders."""

from __future__ import annotations

from pathlib import Path

from bench.embedders.paths import STEPS
from smoothswap.cli import Parser, at_least

DESCRIPTION = """Embedders side by side on the same people and pairs: ArcFace against the smooth embedder (Sec. 5.5).

Verification, d_smooth, interpolation counts, the shape of the space; with --rendered how smoothly each embedding follows
a face that turns into another, ages or gains weight; with --probe how much of what a recogniser knows people by can be
read off each. Writes OUT/embedders.json, OUT/interpolations.webp (Fig. 9) and OUT/embedders.html; prints a Markdown
table, or with --json the JSON.
"""
EXAMPLES = """
an embedder:
  contrastive=runs/c0      the folder of a run of smoothswap.train embedder, weights by path or name, or an .onnx file
                           that reads 112-pixel crops; an instrument with options: mine=arcface:net.onnx?scale=128
  Several under one name are one group: other seeds of one training. Its figures are means over them.

examples:
  python -m bench.embedders --data train --test test --embedder contrastive=runs/c0 --embedder arcface=runs/a0
  python -m bench.embedders --data train --test test --train contrastive,arcface,softmax --seeds 3 --steps 1500
  python -m bench.embedders ... --probe dlib --lfw /data/lfw
  python -m bench.embedders ... --embedder recogniser=w600k_r50.onnx --lfw /data/lfw --rendered --out out/embedders

exit codes: 0 done, 2 a wrong option or embedder, 3 data or output folder that cannot be used, 128 + n a training was
stopped by signal n (the same command goes on); of a training that failed, smoothswap.train's own code
"""


def parser() -> Parser:
    """The options of `python -m bench.embedders`."""
    made = Parser("python -m bench.embedders", description=DESCRIPTION, epilog=EXAMPLES)
    add = made.add_argument_group("what is compared").add_argument
    add("--embedder", action="append", default=[], metavar="NAME=WHAT", help="may be repeated, see below")
    add("--train", metavar="LOSS,LOSS", help="train these on --data first: contrastive,arcface,softmax")
    add(
        "--seeds",
        type=at_least(1),
        default=1,
        metavar="N",
        help="networks of each --train loss: seeds 0 to N - 1 (%(default)s)",
    )
    add("--steps", type=at_least(1), metavar="N", help="steps of each training (the preset's)")
    add("--preset", default="lfw-64", help="of the trainings (%(default)s)")
    add(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="option of the trainings; LOSS.KEY=VALUE: of one loss",
    )
    add = made.add_argument_group("faces").add_argument
    add(
        "--data",
        required=True,
        metavar="FOLDER",
        help="faces that were trained on: the gallery (smoothswap.prepare, or rendered:...)",
    )
    add("--test", type=Path, metavar="FOLDER", help="faces of other people (the held-out people of --data)")
    add(
        "--lfw",
        type=Path,
        metavar="ROOT",
        help="LFW's photos in ROOT/images_deepfunneled: networks with other crops get them cut from there",
    )
    add(
        "--probe",
        metavar="WHAT",
        help="a recogniser, named as an embedder: how much of what it knows people by can be read off each embedder",
    )
    add("--rendered", action="store_true", help="also measure paths of rendered faces")
    add(
        "--paths",
        type=at_least(2),
        default=24,
        metavar="N",
        help="of each kind, with --rendered (%(default)s)",
    )
    add(
        "--path-steps",
        type=at_least(3),
        default=STEPS,
        metavar="N",
        help="equal steps of each path (%(default)s)",
    )
    add(
        "--pairs",
        type=at_least(2),
        default=400,
        metavar="N",
        help="interpolations, of different people each (%(default)s)",
    )
    add(
        "--shown",
        type=at_least(1),
        default=3,
        metavar="N",
        help="of them in the picture of Fig. 9 (%(default)s)",
    )
    add = made.add_argument_group("running").add_argument
    add("--seed", type=at_least(0), default=0, metavar="N", help="of the draws (%(default)s)")
    add("--threads", type=at_least(1), default=2, metavar="N", help="(%(default)s)")
    add("--device", default="auto", help="of the trainings (%(default)s)")
    add(
        "--out",
        type=Path,
        default=Path("runs/embedders"),
        metavar="DIR",
        help="results and page (%(default)s)",
    )
    add("--json", action="store_true", help="print embedders.json on standard output")
    return made
