"""Measure the face detectors: landmarks against rendered truth, missed photographs, and speed against dlib's HOG.

Errors are in distances of the eyes; a face is turned up to 75 degrees, nods up to 40, has 24 pixels or more, or half of it
is covered. The truth is that of our own rendered heads: their landmarks were calibrated with dlib's on frontal renders.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from bench.cli import command
from bench.detection import material, measures
from bench.detection.table import table
from bench.environment import environment
from bench.errors import EXIT_OK, DataError
from reports.results import write_atomic
from smoothswap.cli import Parser, at_least, check_file
from smoothswap.faces.detect import DETECTORS, create

EXAMPLES = """
examples:
  python -m bench.detection --photos lfw/images_deepfunneled --out results/detection.json
  python -m bench.detection --people 4 --out quick.json
"""
SPEED_FRAME = (1280, 720)
ROUNDS = 8


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = Parser("python -m bench.detection", description=__doc__, epilog=EXAMPLES)
    add = parser.add_argument
    add("--people", type=at_least(1), default=40, metavar="N", help="rendered people (%(default)s)")
    add("--seed", type=at_least(0), default=17, metavar="N", help="of the people (%(default)s)")
    add("--photos", type=Path, metavar="DIR", help="photographs with a face each, in any folders (none)")
    add("--out", type=Path, default=Path("detection.json"), metavar="FILE", help="(%(default)s)")
    given = parser.parse_args(argv)
    photos = _photographs(given.photos) if given.photos else []
    check_file(given.out)
    cv2.setNumThreads(1)  # small frames: threads would cost more than they share
    study: dict[str, Any] = {
        "what": "face detectors: landmarks on rendered heads, missed photographs, CPU time",
        "detectors": {name: _described(name) for name in DETECTORS},
        "people": given.people,
        "seed": given.seed,
        "environment": environment("cpu", 1),
        "rendered": _rendered(given.people, given.seed),
        "speed_720p_times_hog": _speed(given.seed),
    }
    if photos:
        with tqdm(total=len(photos), desc="looking at photographs", unit="photo", file=sys.stderr) as bar:
            # the boxes of "yunet-dlib" are those of "yunet"
            study["photographs"] = measures.photographs(photos, ("yunet", "hog"), bar.update)
    write_atomic(given.out, (json.dumps(study, indent=1) + "\n").encode())
    print(table(study), end="")
    print(f"{given.out}")
    return EXIT_OK


def _photographs(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*.jpg") if not path.name.startswith("."))
    if not found:
        raise DataError(f"no .jpg in {folder} or its folders; give a folder of photographs")
    return found


def _described(name: str) -> dict[str, Any]:
    made = create(name)
    return {"name": made.name, "parameters": made.parameters, "weights_sha256": made.weights_sha256}


def _rendered(people: int, seed: int) -> dict[str, dict[str, dict[str, Any]]]:
    """Detector -> "kind value" -> summary."""
    made = {name: create(name) for name in DETECTORS}
    rows: dict[str, dict[str, list[Any]]] = {name: defaultdict(list) for name in DETECTORS}
    for person in tqdm(range(people), desc="rendering people", unit="person", file=sys.stderr):
        for case in material.cases(person, seed):
            for name, detector in made.items():
                rows[name][f"{case.kind} {case.value}"].append(
                    measures.errors(case, detector.found(case.image))
                )
    return {name: {key: measures.summary(found) for key, found in of.items()} for name, of in rows.items()}


def _speed(seed: int) -> dict[str, float]:
    case = next(material.cases(0, seed))
    side = SPEED_FRAME[1]
    frame = cv2.copyMakeBorder(
        cv2.resize(case.image, (side, side)), 0, 0, (SPEED_FRAME[0] - side) // 2, (SPEED_FRAME[0] - side) // 2,
        cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return measures.speed(np.asarray(frame, np.uint8), ROUNDS)


if __name__ == "__main__":
    sys.exit(main())
