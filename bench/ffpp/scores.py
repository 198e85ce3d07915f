"""From the rows of a run to the metrics of each model.

A metric has its plain key (identity) from the first instrument that reads what it needs, and identity@NAME
from every further one. Metrics of video come from the run over frames that follow each other, picture quality from the
features of whole pictures (bench.reading.pictures).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.pairs import Dataset
from bench.ffpp import modes
from bench.ffpp.frame import Frame
from bench.ffpp.protocol import Protocol
from bench.ffpp.run import Outcome
from bench.reading.pictures import PictureReader
from bench.reading.reader import Reading
from metrics import METRICS, Sides, Value, applicable, evaluate
from metrics.frames.retrieval import people_of
from metrics.gallery_curve import gallery_curve
from metrics.pictures.sets import networks, picture_distances
from metrics.spec import Metric
from reports.galleries import GalleryPoint
from reports.results import MetricValue

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Scores:
    """metrics: key -> value with interval; per_frame: key -> float64 [n], NaN where a frame has no value.

    missing: key -> float64 [n], what a posed frame without a value scores where missing faces count, NaN for the others.
    ranks: key -> float64 [n], where the person looked for stands in the whole gallery, of the metrics that search one.
    """

    metrics: dict[str, MetricValue]
    per_frame: dict[str, npt.NDArray[np.float64]]
    missing: dict[str, npt.NDArray[np.float64]]
    ranks: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)


@dataclass(frozen=True)
class Gallery:
    """Every readable frame of every original clip of the run. at: (clip, position) -> row."""

    rows: list[Reading]
    ids: Array
    at: dict[tuple[str, int], int]

    @classmethod
    def of(cls, outcome: Outcome, dataset: Dataset) -> Gallery:
        """The gallery of a run: its original frames in their order, those that were read.

        Args:
            outcome: Of the run.
            dataset: Says whose face each clip shows.

        Returns:
            A row for each original frame with a usable face ("ok"), with its person.
        """
        rows: list[Reading] = []
        ids: list[str] = []
        at = {}
        for clip, readings in outcome.originals.items():
            for position, (_, reading) in enumerate(readings):
                if reading.status == "ok":
                    at[clip, position] = len(rows)
                    rows.append(reading)
                    ids.append(dataset.person(clip))
        return cls(rows, np.array(ids, dtype=str), at)

    def described(self, size: int | None) -> dict[str, int | None]:
        """What results.json says of it.

        Args:
            size: Protocol.gallery_size.

        Returns:
            The fields of reports.galleries.GalleryInfo.
        """
        clips = len({clip for clip, _ in self.at})
        return {"people": len(set(self.ids.tolist())), "clips": clips, "frames": len(self.rows), "size": size}


@dataclass(frozen=True)
class Source:
    """Where readings come from: an instrument's name, what it reads, and its family ("": its name up to a colon)."""

    name: str
    reads: tuple[str, ...]
    family: str = ""


@dataclass(frozen=True)
class Scoring:
    """What the models of one run are scored with."""

    instruments: Sequence[Source]
    protocol: Protocol
    gallery: Gallery
    video_gallery: Gallery | None
    has_truth: bool


@dataclass(frozen=True)
class ModelScores:
    """Everything that is computed of one model. video: of the frames that follow each other, where they were read."""

    metrics: dict[str, MetricValue]
    frames: Scores
    video: Scores | None


def score_model(scoring: Scoring, frames: Sequence[Frame], video: Sequence[Frame] | None) -> ModelScores:
    """Score one model.

    Args:
        scoring: What all models of the run share.
        frames: Its rows (with_black).
        video: Its rows of frames that follow each other, where the protocol reads them.

    Returns:
        Metrics with intervals, and the value of every frame.
    """
    instruments, protocol = scoring.instruments, scoring.protocol
    scores = score(frames, scoring.gallery, instruments, protocol, scoring.has_truth)
    quality = score_quality(frames, protocol)
    metrics = scores.metrics | {key: modes.stated(key, one, protocol.mode) for key, one in quality.items()}
    if video is None or scoring.video_gallery is None:
        return ModelScores(metrics, scores, None)
    steadiness = score(video, scoring.video_gallery, instruments, protocol, False, video=True)
    return ModelScores(metrics | steadiness.metrics, scores, steadiness)


def score(
    frames: Sequence[Frame],
    gallery: Gallery,
    instruments: Sequence[Source],
    protocol: Protocol,
    has_truth: bool,
    video: bool = False,
) -> Scores:
    """Compute every metric that the instruments' readings allow, for the rows of one model.

    Only posed frames count, those in which both originals have a face: the others say nothing about a
    swapper. A posed frame in which the swap has no face counts as Protocol.missing says.

    Args:
        frames: The model's rows.
        gallery: The originals that ID retrieval searches.
        instruments: Who read what; the first that reads something has the plain keys.
        protocol: The rules.
        has_truth: Whether the data knows the true swap.
        video: Whether the rows are frames that follow each other: then the metrics of video alone, else all the others.

    Returns:
        The metrics, and the value of every frame.
    """
    metrics: dict[str, MetricValue] = {}
    per_frame: dict[str, npt.NDArray[np.float64]] = {}
    missing: dict[str, npt.NDArray[np.float64]] = {}
    ranks: dict[str, npt.NDArray[np.float64]] = {}
    first: dict[str, str] = {}  # reading, or metric of one network -> the instrument that has the plain keys
    posed = np.array([frame.posed for frame in frames], dtype=bool)
    asked = [frame for frame in frames if frame.posed]
    ways = [False, True] if protocol.mode == "cycle" else [False]
    for instrument, back in product(instruments, ways):
        sides = _sides(asked, gallery, instrument, protocol, has_truth, video, back)
        if sides is None:
            continue
        keys = [key for key in applicable(sides) if METRICS[key].needs_clips == video]
        keys = [key for key in keys if modes.measured(METRICS[key], protocol.mode, back)]
        for key, value in evaluate(sides, keys, protocol.missing, protocol.seed).items():
            reads = METRICS[key].reads
            if not reads and key in metrics:
                continue  # pixels: no instrument's
            # What is defined on one network alone needs no other name where another network came first.
            wanted = (key,) if METRICS[key].only else reads
            plain = all(first.setdefault(name, instrument.name) == instrument.name for name in wanted)
            name = key if plain else f"{key}@{instrument.name}"
            metrics[name] = modes.stated(key, _metric_value(value), protocol.mode)
            per_frame[name] = np.full(len(frames), np.nan)
            per_frame[name][posed] = value.per_frame
            missing[name] = np.full(len(frames), np.nan)
            missing[name][posed] = np.where(np.isnan(value.per_frame), value.counted, np.nan)
            rank = METRICS[key].rank
            if rank is not None:
                ranks[name] = np.full(len(frames), np.nan)
                ranks[name][posed] = rank(sides)
                metrics[name] = searched(
                    metrics[name],
                    METRICS[key],
                    ranks[name][posed],
                    missing[name][posed],
                    sides.clusters,
                    people_of(sides),
                    protocol,
                )
    return Scores(metrics, per_frame, missing, ranks)


def searched(
    value: MetricValue,
    metric: Metric,
    rank: npt.NDArray[np.float64],
    missing: npt.NDArray[np.float64],
    clusters: Array,
    people: int,
    protocol: Protocol,
) -> MetricValue:
    """A metric that searches a gallery, with its curve over the gallery's size.

    Args:
        value: The metric without.
        metric: Its spec.
        rank: float64 [n], of the posed frames in the whole gallery.
        missing: float64 [n], what those without a reading count as, NaN for the others.
        clusters: str [n], their pairs of people.
        people: How many the whole gallery holds.
        protocol: The rules.

    Returns:
        A copy that says how many people were searched, and the metric among fewer.
    """
    points = gallery_curve(
        metric, rank, missing, clusters, people=people, missing=protocol.missing, seed=protocol.seed
    )
    curve = tuple(
        GalleryPoint.model_validate(
            {"people": point.people, "value": point.found.value, "ci95": point.found.ci95}
        )
        for point in points
    )
    among = people if protocol.gallery_size is None else min(protocol.gallery_size, people)
    return value.model_copy(update={"gallery": among, "curve": curve})


def with_black(frames: Sequence[Frame], reader: PictureReader) -> list[Frame]:
    """The same rows, where a posed frame without a picture looks black.

    Args:
        frames: A model's rows.
        reader: What read the other pictures: its networks read the black square.

    Returns:
        New rows in the same order; `look` is filled where a posed frame has none, else nothing differs.
    """
    black = reader.black()
    return [replace(f, look=black) if f.posed and not f.look else f for f in frames]


def score_quality(frames: Sequence[Frame], protocol: Protocol) -> dict[str, MetricValue]:
    """The distances of one model's swaps to their targets, as sets; no frame has a value of its own.

    Args:
        frames: The model's rows (with_black).
        protocol: The rules.

    Returns:
        Key -> value, for every network whose features there are.
    """
    asked = [frame for frame in frames if frame.posed and frame.target is not None and frame.target.look]
    scored: dict[str, Value] = {}
    for network in networks():
        rows = [f for f in asked if f.target is not None and network in f.look and network in f.target.look]
        if rows:
            scored |= picture_distances(
                np.stack([frame.look[network] for frame in rows]),
                np.stack([frame.target.look[network] for frame in rows if frame.target is not None]),
                np.array([frame.swap is not None for frame in rows]),
                np.array([frame.pair.cluster for frame in rows]),
                network,
                protocol.missing,
            )
    return {key: _metric_value(value) for key, value in scored.items()}


def _metric_value(value: Value) -> MetricValue:
    return MetricValue.model_validate(value.as_dict())


def _sides(
    frames: Sequence[Frame],
    gallery: Gallery,
    instrument: Source,
    protocol: Protocol,
    has_truth: bool,
    video: bool,
    back: bool = False,
) -> Sides | None:
    """One instrument's readings as arrays; None when no original face of the run was read at all.

    back: of what came back from a cycle, in the place of the swaps.
    """
    if not gallery.rows or not frames:
        return None
    widths = {name: len(gallery.rows[0].values[f"{instrument.name}/{name}"]) for name in instrument.reads}

    def side(readings: Sequence[Reading | None]) -> dict[str, Array]:
        return {
            name: _stack([r.values.get(f"{instrument.name}/{name}") if r else None for r in readings], width)
            for name, width in widths.items()
        }

    own, ways = protocol.mode != "swap", [frame.back for frame in frames]
    truth = None
    if has_truth and (back or protocol.mode != "cycle"):
        truth = side([frame.target if own else frame.truth for frame in frames])
        errors = (
            [way.pixel_error if way else np.nan for way in ways] if back else [f.pixel_error for f in frames]
        )
        truth["pixel_error"] = np.array(errors)
    measured = dict.fromkeys(key for frame in frames for key in frame.pixels)
    identity = "identity" in instrument.reads
    exclude = None
    if protocol.gallery == "without_source_frame" and identity:
        exclude = np.array(
            [gallery.at.get(frame.source_at, -1) if frame.source_at else -1 for frame in frames]
        )
    return Sides(
        swap=side([way.reading if way else None for way in ways] if back else [f.swap for f in frames]),
        source=side([frame.source for frame in frames]),
        target=side([frame.target for frame in frames]),
        wanted_id=np.array([frame.pair.source_person for frame in frames], dtype=str),
        target_id=np.array([frame.pair.target_person for frame in frames], dtype=str),
        clusters=np.array([frame.pair.cluster for frame in frames], dtype=str),
        gallery=side(gallery.rows)["identity"] if identity else None,
        gallery_ids=gallery.ids if identity else None,
        gallery_exclude=exclude,
        gallery_size=protocol.gallery_size,
        gallery_seed=protocol.seed,
        truth=truth,
        own_truth=own,
        pixels={key: np.array([f.pixels.get(key, np.nan) for f in frames]) for key in measured},
        clips=np.array([frame.row.clip for frame in frames], dtype=str) if video else None,
        frames=np.array([frame.row.frame for frame in frames], dtype=int) if video else None,
        instruments=dict.fromkeys(instrument.reads, instrument.name),
        families=dict.fromkeys(instrument.reads, instrument.family),
    )


def _stack(rows: Sequence[npt.NDArray[np.float32] | None], width: int) -> Array:
    blank = np.full(width, np.nan, np.float32)
    return np.stack([blank if row is None else row for row in rows])
