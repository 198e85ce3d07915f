"""Mouth and eye opening by 68 landmarks, examined on rendered faces before any of them may become a column.

    python -m bench.validity.openings --people 30 --out results/openings.json

The jaw and both lids are drawn evenly from shut to wide, all else as in the free pictures of bench.validity. What was
found, and what follows, stands in docs/instruments.md.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from bench.cli import command
from bench.errors import EXIT_OK
from bench.validity import examination
from bench.validity.samples import drawn_state
from metrics.openings import eye_opening, mouth_opening
from metrics.statistics.agreement import Estimate, rank_correlation
from smoothswap.faces.detect import Detector
from smoothswap.rendered import streams
from smoothswap.rendered.head import load_head
from smoothswap.rendered.motion import State
from smoothswap.rendered.people import sample_identity, sample_styling
from smoothswap.rendered.render import Actor
from smoothswap.rendered.scene import sample_scene

PICTURES = 4  # of a person
_LIDS = ("eyeBlinkLeft", "eyeBlinkRight")


def examine(people: int, size: int, seed: int) -> dict[str, Estimate]:
    """How well the openings follow the truth, and each the other's.

    Args:
        people: How many, each in PICTURES pictures.
        size: Side of a picture, pixels.
        seed: Of people and draws.

    Returns:
        "mouth" and "eyes": rank correlation, over pairs of people, of the difference of the reading with that of the truth
        (the jaw's weight, the lids'); "mouth_by_lids" and "eyes_by_jaw" with the other's truth, which should be 0.
    """
    head, detector = load_head(), Detector()
    lids = [head.expression_index(name) for name in _LIDS]
    who, truth, read = [], [], []
    for person in range(people):
        rng = np.random.default_rng([seed, streams.OPENINGS, person])
        identity = sample_identity(rng)
        for _ in range(PICTURES):
            actor, scene, state = (
                Actor(identity, sample_styling(rng)),
                sample_scene(rng, size),
                drawn_state(rng),
            )
            jaw, lid = rng.uniform(0, 1, 2)
            expression = state.expression.copy()
            expression[head.expression_index("jawOpen")], expression[lids] = jaw, lid
            faces = detector.detect(actor.shot(State(state.pose, expression, state.gaze), scene).image)
            if faces:
                points = faces[0].landmarks[None]
                who.append(person)
                truth.append((jaw, lid))
                read.append((mouth_opening(points)[0], eye_opening(points)[0].mean()))
    return agreement(np.array(who), np.array(truth), np.array(read))


def agreement(people: np.ndarray, truth: np.ndarray, read: np.ndarray) -> dict[str, Estimate]:
    """The figures of `examine` from what was drawn and read.

    Args:
        people: int [n], whose picture each is.
        truth: float [n, 2], weights of the jaw and of the lids, 0 shut jaw and open lids.
        read: float [n, 2], openings of mouth and eyes.

    Returns:
        As `examine`.
    """
    a, b = np.triu_indices(len(people), 1)
    other = people[a] != people[b]
    a, b = a[other], b[other]
    apart, true = (np.abs(rows[a] - rows[b]) for rows in (read, truth))
    names = {"mouth": (0, 0), "eyes": (1, 1), "mouth_by_lids": (0, 1), "eyes_by_jaw": (1, 0)}
    return {
        name: rank_correlation(apart[:, i], true[:, j], people[a], people[b])
        for name, (i, j) in names.items()
    }


@command
def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    options = examination.parsed(examination.parser("bench.validity.openings", __doc__), argv)
    found = examine(options.people, options.size, options.seed)
    figures = {name: asdict(estimate) for name, estimate in found.items()}
    examination.give({"detector": Detector().name, "figures": figures}, options.out)
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
