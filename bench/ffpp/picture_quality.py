"""Picture quality: how far a model's swaps are from the targets as sets of pictures (bench.reading.pictures)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bench.ffpp.frame import Frame
from bench.reading.pictures import PictureReader
from metrics.catalogue import PICTURES
from metrics.evaluation import MissingPolicy, Value
from metrics.pictures.sets import DISTANCES, picture_distances

DESCRIPTIONS = {metric.key: metric.description for metric in PICTURES}


def with_black(frames: Sequence[Frame], reader: PictureReader) -> list[Frame]:
    """The same rows, where a posed frame without a picture looks black."""
    black = reader.black()
    return [replace(f, look=black) if f.posed and not f.look else f for f in frames]


def score_pictures(frames: Sequence[Frame], missing: MissingPolicy) -> dict[str, Value]:
    """The metrics of sets of pictures, of the posed frames of one model (with_black)."""
    asked = [frame for frame in frames if frame.posed and frame.target is not None and frame.target.look]
    scored: dict[str, Value] = {}
    for network in DISTANCES:
        rows = [f for f in asked if f.target is not None and network in f.look and network in f.target.look]
        if rows:
            scored |= picture_distances(
                np.stack([frame.look[network] for frame in rows]),
                np.stack([frame.target.look[network] for frame in rows if frame.target is not None]),
                np.array([frame.swap is not None for frame in rows]),
                np.array([frame.pair.cluster for frame in rows]),
                network,
                missing,
            )
    return scored
