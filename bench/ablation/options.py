"""The command line of bench.ablation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smoothswap.cli import Parser, at_least, real

DESCRIPTION = """Train one generator against several embedders and weights of the identity loss, and compare (Fig. 7 and 8
of the paper): curves of identity and change loss over steps with the spread over seeds, steps to given losses, paired
differences, stability, pictures."""
EXAMPLES = """
examples:
  python -m bench.ablation --data faces --embedder smooth=runs/smooth --embedder arc=runs/arc \\
      --arms smooth:1,smooth:4,arc:4,arc:16 --seeds 2 --minutes 90 --threads 1 --out runs/ablation
  python -m bench.ablation --out runs/ablation --resume                the same study, taken up again
  python -m bench.ablation --out runs/ablation --report                figures and page of what there is, nothing trained

An arm is an embedder's name and lambda_id. All arms see the same batches in the same order and start from the same
generator; seeds come round robin (seed 0 of every arm first), so that a stopped study still compares all arms. SIGTERM
and Ctrl-C save the state; after a kill the last checkpoint is taken up. Figures and page are written after every run.

exit codes: 0 all runs done, 2 a wrong option, 3 data or output folder that cannot be used, 128 + n stopped by signal n
"""
# What a new study does without these options; --resume and --report take them from OUT/study.json.
DEFAULTS: dict[str, Any] = {
    "data": None,
    "embedder": [],
    "arms": "smooth:1,smooth:4,arc:4,arc:16",
    "seeds": 2,
    "preset": "lite-64",
    "set": [],
    "validations": 24,
    "judge": "dlib",
    "marks": "0.9,0.75,0.5,0.39,0.25,0.11",
}


def parser() -> Parser:
    """The options; --resume and --report read what OUT/study.json holds."""
    made = Parser("python -m bench.ablation", description=DESCRIPTION, epilog=EXAMPLES)
    add = made.add_argument_group("what is trained").add_argument
    add("--data", metavar="FACES", help="folder of aligned faces, as for smoothswap.train")
    add(
        "--embedder",
        action="append",
        default=[],
        metavar="NAME=FOLDER",
        help="a trained embedder and its name here: a run's folder, a .safetensors file or committed weights; "
        "repeated",
    )
    add("--arms", metavar="NAME:LAMBDA,...", help=f"embedder and lambda_id ({DEFAULTS['arms']})")
    add("--seeds", type=at_least(1), metavar="N", help=f"trainings of each arm ({DEFAULTS['seeds']})")
    add("--preset", help=f"of the generator's training ({DEFAULTS['preset']})")
    add("--set", action="append", default=[], metavar="KEY=VALUE", help="option of the preset, for all arms")
    budget = made.add_mutually_exclusive_group()
    budget.add_argument("--steps", type=at_least(1), metavar="N", help="generator steps of every run")
    budget.add_argument(
        "--minutes",
        type=real(0),
        metavar="M",
        help="minutes for every run (one arm, one seed), made into one number of steps for all runs by "
        "timing the first steps against the slowest embedder",
    )
    add = made.add_argument_group("what is measured").add_argument
    add(
        "--validations",
        type=at_least(1),
        metavar="N",
        help=f"times that held-out pairs are swapped, at equal steps ({DEFAULTS['validations']})",
    )
    add(
        "--judge",
        metavar="INSTRUMENT",
        help="reads the identity of every arm's held-out swaps, as losses under different embedders do not compare: dlib, "
        f"arcface:PATH, embedder:NAME, or none ({DEFAULTS['judge']})",
    )
    add(
        "--marks",
        metavar="L,L",
        help="identity losses to count steps to; 0.39 and 0.11 are the paper's lambda_id 4 at 20k and 100k "
        f"({DEFAULTS['marks']})",
    )
    add = made.add_argument_group("running").add_argument
    add("--out", type=Path, required=True, metavar="OUT", help="folder of the study")
    add("--resume", action="store_true", help="what is not given comes from OUT/study.json")
    add("--report", action="store_true", help="train nothing: figures and page of what OUT holds")
    add("--dry-run", action="store_true", help="say what would run, then stop")
    add("--threads", type=at_least(1), default=1, help="CPU threads (%(default)s)")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:1 (%(default)s)")
    add(
        "--checkpoint-seconds",
        type=real(0),
        default=180.0,
        metavar="S",
        help="save every S seconds (%(default)g)",
    )
    add("--json", action="store_true", help="print ablation.json on standard output")
    return made
