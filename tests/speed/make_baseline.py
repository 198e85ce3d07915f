"""Measure every speed test N times in processes of their own and write baseline.json with limits from the spread.

    python -m tests.speed.make_baseline 5          # this machine alone
    python -m tests.speed.make_baseline 5 --keep   # a limit of the old baseline that is higher stays

The limit of a ratio is its mean times exp(factor * sd) of the logarithms, with the factor of bench.regress.baseline.
Machines differ by more than the runs on one of them (caches, neighbours): --keep makes limits that hold on
all it was made on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from bench.regress.baseline import factor
from reports.results import write_atomic

ALARM_RATE = 0.01
HERE = Path(__file__).parent


def main(repeats: int, keep: bool = False) -> None:
    before = json.loads((HERE / "baseline.json").read_text())["paths"] if keep else {}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "ratios.jsonl"
        for i in range(repeats):
            print(f"repeat {i + 1} of {repeats}", file=sys.stderr)
            how = "--benchmark-enable --benchmark-quiet --benchmark-max-time=0.1 --benchmark-min-rounds=2"
            command = [
                sys.executable,
                "-m",
                "pytest",
                str(HERE),
                *how.split(),
                "-k",
                "not committed_baseline",
            ]
            subprocess.run(command, check=True, stdout=2, env={**os.environ, "SPEED_OUT": str(out)})
        rows = [json.loads(line) for line in out.read_text().splitlines()]
    names = list(dict.fromkeys(row["name"] for row in rows))
    k = factor(repeats, len(names), ALARM_RATE)
    paths = {}
    for name in names:
        logs = np.log([row["ratio"] for row in rows if row["name"] == name])
        mean, sd = float(logs.mean()), float(logs.std(ddof=1))
        paths[name] = {
            "ratio": round(float(np.exp(mean)), 4),
            "sd_log": round(sd, 5),
            "limit": max(round(float(np.exp(mean + k * sd)), 4), before.get(name, {}).get("limit", 0)),
        }
    made = {"repeats": repeats, "alarm_rate": ALARM_RATE, "factor": round(k, 3), "paths": paths}
    write_atomic(HERE / "baseline.json", json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    numbers = [word for word in sys.argv[1:] if word != "--keep"]
    main(int(numbers[0]) if numbers else 5, "--keep" in sys.argv)
