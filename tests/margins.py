"""How far learned quantities stay from the bounds that tests assert, over seeds, threads and instruction sets.

python tests/margins.py                         every learning test, three seeds, each setting: about an hour of one core
python tests/margins.py --seeds 8 -k injection  more seeds of some tests
python tests/margins.py --settings avx2,1,float32 default,2,float32

A setting is instruction set, threads and precision. Instruction sets are those of ATEN_CPU_CAPABILITY that this
processor has, each with oneDNN's of the same width. Printed per test: the worst value, median, standard deviation and how
many of them lie between median and bound.

Measured on an AMD processor of AVX2 (no AVX-512, bfloat16 not yet), two seeds each of default and avx2 with one thread:

| quantity | n | worst | median | sd | bound |
|---|---|---|---|---|---|
| loss of the embedder, share of the start | 6 | 0.57 | 0.46 | 0.097 | 0.9 |
| the same of supcon_in, arcface, softmax | 5 or 6 | 0.57, 0.48, 0.76 | 0.47, 0.46, 0.71 | 0.08, 0.01, 0.03 | 0.9 |
| L_id moved by the generator, share of the start | 6 | 0.024 | 0.018 | 0.003 | 0.5 |
| L_id of eight pictures | 4 | 0.20 | 0.14 | 0.037 | 0.35 |
| loss of adalin, add, map | 4 | 0.006, 0.006, 0.010 | 0.003, 0.005, 0.008 | 0.001 | 0.04 |
| grid seen: plain (below), fir (above), share of chance | 4 | 0.010, 0.98 | 0.008, 0.99 | 0.002, 0.008 | 0.5 |
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from itertools import product
from pathlib import Path
from statistics import median, stdev

ROOT = Path(__file__).resolve().parents[1]
ONEDNN = {"default": "SSE41", "avx2": "AVX2", "avx512": "AVX512_CORE"}
LEARNING = [
    "tests/smoothswap/training/test_training.py",
    "tests/smoothswap/networks/test_injection.py",
    "tests/smoothswap/networks/test_networks.py",
]


def instruction_sets() -> list[str]:
    """Those that this processor has, of the ones torch and oneDNN can be held to."""
    import torch

    best = torch.backends.cpu.get_cpu_capability().lower()
    return ["default", *(name for name in ("avx2", "avx512") if name == best or best == "avx512")]


def all_settings() -> list[str]:
    """Every instruction set with one and two threads in float32, and with one thread in bfloat16."""
    runs = [*product(("1", "2"), ("float32",)), ("1", "bfloat16")]
    return [f"{name},{threads},{precision}" for name in instruction_sets() for threads, precision in runs]


def measure(setting: str, seeds: int, pattern: str, out: Path) -> None:
    """Run the learning tests under one setting; every value becomes a line of `out`."""
    isa, threads, precision = setting.split(",")
    environment = os.environ | {
        "ATEN_CPU_CAPABILITY": isa,
        "ONEDNN_MAX_CPU_ISA": ONEDNN[isa],
        "OMP_NUM_THREADS": threads,
    }
    command = [sys.executable, "-m", "pytest", *LEARNING, "-q", "-m", "learning", "--seeds", str(seeds)]
    command += ["--learning-threads", threads, "--learning-precision", precision, "--measured", str(out)]
    subprocess.run(
        [*command, *(["-k", pattern] if pattern else [])], cwd=ROOT, env=environment, check=True, stdout=2
    )


def table(rows: list[dict[str, object]]) -> list[str]:
    """One line per asserted quantity."""
    values = defaultdict(list)
    for row in rows:
        test = str(row["test"]).split("::")[-1]
        values[test, row["name"], row["side"], row["bound"]].append(float(str(row["value"])))
    lines = ["| test | quantity | n | worst | median | sd | bound | sd to the bound |", "|" + "---|" * 8]
    for (test, name, side, bound), found in values.items():
        worst, middle = (max if side == "below" else min)(found), median(found)
        spread = stdev(found) if len(found) > 1 else float("nan")
        margin = abs(float(str(bound)) - middle) / spread if spread else float("inf")
        lines.append(
            f"| {test} | {name} | {len(found)} | {worst:.3g} | {middle:.3g} | {spread:.2g} "
            f"| {side} {bound} | {margin:.1f} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("-k", dest="pattern", default="", help="only tests whose name holds this")
    parser.add_argument("--settings", nargs="+", default=all_settings(), metavar="ISA,THREADS,PRECISION")
    parser.add_argument(
        "--out", type=Path, help="keep the values here, one JSON object a line, and add to them"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = options.out.resolve() if options.out else Path(folder) / "values.jsonl"
        for setting in options.settings:
            print(setting, file=sys.stderr)
            measure(setting, options.seeds, options.pattern, out)
        print(*table([json.loads(line) for line in out.read_text().splitlines()]), sep="\n")


if __name__ == "__main__":
    main()
