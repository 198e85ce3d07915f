"""One instrument reads the identity of every arm's swaps, since losses under different embedders do not compare.

The pictures are FFHQ-aligned crops already. Where the judge wants another crop, they are enlarged to FRAME pixels and cut
by 68 landmarks: a swap by those of its target, whose outline and expression it keeps, so that no arm's swaps can fail to
be found and all arms are judged on the same pairs. Pairs with a photo in which no face is found are left out for all.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from bench.ablation.training import HELD_OUT, JUDGED
from bench.errors import UsageError
from bench.reading.aligned import cut_found, points_of, resized
from bench.reading.embedder import embedder_family
from bench.reading.instruments import create
from metrics.distances import cosine_distance
from metrics.instruments import Instrument
from smoothswap.checkpoint import read_tensors, write_tensors
from smoothswap.pixels import Images


@dataclass(frozen=True)
class Scale:
    """The judge's distances (1 - cosine) of the pairs, float64 [n], NaN where unread: to the source's own photo."""

    untouched: NDArray[np.float64]  # the target as it is: nothing swapped
    same: NDArray[np.float64]  # another photo of the source: as near as a perfect swap could be expected


class Judge:
    """An identity instrument on the held-out pairs of a study.

    pictures: source, target, other uint8 [n, s, s, 3]. Raises UsageError for an instrument that reads no identity or that
    is the embedder of an arm (`fingerprints`), InstrumentError for one that cannot be had.
    """

    def __init__(self, spec: str, pictures: dict[str, Images], fingerprints: Sequence[str] = ()) -> None:
        self.instrument: Instrument = create(spec, single=True)
        if "identity" not in self.instrument.reads:
            raise UsageError(
                f"--judge {spec} reads {', '.join(self.instrument.reads)}; choose one that reads identity"
            )
        if self.instrument.family in map(embedder_family, fingerprints):
            raise UsageError(f"--judge {spec} is the embedder of an arm; an outsider has to judge")
        self.aligned = self.instrument.crop.template == "ffhq"
        source, target = (
            (None, None) if self.aligned else (points_of(pictures[k]) for k in ("source", "target"))
        )
        self._target = target
        self._source = self.read(pictures["source"], source)
        other = None if self.aligned else points_of(pictures["other"])
        self.scale = Scale(
            self.distance(pictures["target"]),
            cosine_distance(self.read(pictures["other"], other), self._source),
        )

    def about(self) -> dict[str, Any]:
        """What ablation.json says of the judge."""
        one = self.instrument
        return {
            "name": one.name,
            "description": one.description,
            "weights_sha256": one.weights_sha256,
            "licence": one.licence,
            "family": one.family,
            "parameters": one.parameters,
            "crop": {"template": one.crop.template, "size": one.crop.size},
            "landmarks": "none: the crops are aligned" if self.aligned else "of the target, in all its swaps",
            "unit": "1 - cosine",
        }

    def distance(self, swaps: Images) -> NDArray[np.float64]:
        """1 - cosine between each swap [n, s, s, 3] and its source's photo, float64 [n]; NaN where unread."""
        return cosine_distance(self.read(swaps, self._target), self._source)

    def read(self, pictures: Images, points: list[NDArray[np.float32] | None] | None) -> NDArray[np.float64]:
        """Identity of pictures, as the judge reads it from the crops that it wants.

        Args:
            pictures: uint8 [n, s, s, 3] RGB, FFHQ-aligned.
            points: Of each the landmarks float32 [68, 2] in pixels of FRAME (bench.reading.aligned), or None
                where no face was found. None for all: the judge wants FFHQ crops, and the pictures are only
                resized.

        Returns:
            float64 [n, d]; rows of NaN where there are no landmarks, or landmarks that are no face.

        Raises:
            UsageError: Where this leaves no picture at all.
        """
        crop = self.instrument.crop
        if points is None:
            crops = np.stack([resized(picture, crop.size) for picture in pictures])
            at, marks = list(range(len(crops))), np.zeros((len(crops), 68, 2), np.float32)
        else:
            crops, marks, at = cut_found(pictures, points, crop)
        if not len(crops):
            raise UsageError(
                f"{self.instrument.name} finds no face in the held-out photos; use another --judge"
            )
        found = self.instrument.read(crops, marks)["identity"]
        rows = np.full((len(pictures), found.shape[1]), np.nan)
        rows[at] = found
        return rows


def judge_run(judge: Judge, folder: Path) -> dict[int, NDArray[np.float64]]:
    """The judge's distances of a run's swaps at every validation, read once and kept in the run's folder.

    Args:
        judge: Who reads; what another judge left there is read anew and overwritten.
        folder: The run's.

    Returns:
        Step -> 1 - cosine of each swap to its source's photo, float64 [n] in 0..2, NaN where unread; by step.
    """
    about, path = judge.about(), folder / JUDGED
    known: dict[int, NDArray[np.float64]] = {}
    if path.is_file():
        tensors, scalars = read_tensors(path)
        if scalars["judge"] == about:
            known = {int(step): rows.numpy() for step, rows in tensors.items()}
    steps = {int(p.stem): p for p in sorted((folder / HELD_OUT).glob("*.safetensors"))}
    known = {step: rows for step, rows in known.items() if step in steps}
    fresh = [step for step in steps if step not in known]
    for step in tqdm(
        fresh,
        desc=f"{judge.instrument.name} reads {folder.parent.name}/{folder.name}",
        file=sys.stderr,
        leave=False,
        disable=len(fresh) < 3,
    ):
        known[step] = judge.distance(read_tensors(steps[step])[0]["swap"].numpy())
    if fresh:
        write_tensors(path, {str(k): torch.from_numpy(v) for k, v in known.items()}, {"judge": about})
    return dict(sorted(known.items()))
