"""From the rows of a run to the metrics of each model.

A metric has its plain key (identity) from the first instrument that reads what it needs, and identity@NAME
from every further one. Metrics of video come from the run over frames that follow each other, picture quality from the
features of whole pictures (bench.reading.pictures). Frames whose source's clip is not there enter no value; what needs no
source is computed once more with them (MetricValue.without_source).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from bench.ffpp import modes
from bench.ffpp.frame import Frame
from bench.ffpp.protocol import Protocol
from bench.ffpp.sides import Array, Gallery, Source, sides_of
from bench.reading.pictures import PictureReader
from metrics import METRICS, Sides, Value, applicable, evaluate
from metrics.evaluation import Summary
from metrics.frames.retrieval import people_of
from metrics.gallery_curve import gallery_curve
from metrics.pictures.sets import networks, picture_distances
from metrics.spec import Metric
from reports.galleries import GalleryPoint
from reports.policies import WithoutSource
from reports.results import MetricValue

Floats = npt.NDArray[np.float64]
NOTHING = Summary(math.nan, (math.nan, math.nan), 0, 0)


@dataclass(frozen=True)
class Scores:
    """metrics: key -> value with interval; per_frame: key -> float64 [n], NaN where a frame has no value.

    missing: key -> float64 [n], what a posed frame without a value scores where missing faces count, NaN for the others.
    ranks: key -> float64 [n], where the person looked for stands in the whole gallery, of the metrics that search one.
    without, without_missing: as per_frame and missing, of the frames whose source's clip is not there and of the metrics
        that need none; empty where there is no such frame.
    """

    metrics: dict[str, MetricValue]
    per_frame: dict[str, Floats]
    missing: dict[str, Floats]
    ranks: dict[str, Floats] = field(default_factory=dict)
    without: dict[str, Floats] = field(default_factory=dict)
    without_missing: dict[str, Floats] = field(default_factory=dict)


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
    scores = Scores({}, {}, {})
    posed = np.array([frame.posed for frame in frames], dtype=bool)
    asked = [frame for frame in frames if frame.posed]
    for name, key, sides in _named(asked, gallery, instruments, protocol, has_truth, video):
        value = evaluate(sides, [key], protocol.missing, protocol.seed)[key]
        scores.metrics[name] = modes.stated(key, _metric_value(value), protocol.mode)
        scores.per_frame[name] = _placed(value.per_frame, posed)
        missing = np.where(np.isnan(value.per_frame), value.counted, np.nan)
        scores.missing[name] = _placed(missing, posed)
        if (rank := METRICS[key].rank) is not None:
            ranks = rank(sides)
            scores.ranks[name] = _placed(ranks, posed)
            scores.metrics[name] = searched(
                scores.metrics[name],
                METRICS[key],
                ranks,
                missing,
                sides.clusters,
                people_of(sides),
                protocol,
            )
    read = posed | np.array([frame.sourceless is not None for frame in frames], dtype=bool)
    if not (read & ~posed).any():
        return scores
    either = [frame for frame, kept in zip(frames, read, strict=True) if kept]
    for name, key, sides in _named(either, gallery, instruments, protocol, has_truth, video):
        if METRICS[key].needs_source:
            continue
        value = evaluate(sides, [key], protocol.missing, protocol.seed)[key]
        missing = np.where(np.isnan(value.per_frame), value.counted, np.nan)
        scores.without[name] = np.where(posed, np.nan, _placed(value.per_frame, read))
        scores.without_missing[name] = np.where(posed, np.nan, _placed(missing, read))
        # Where no frame has both originals the metric is known by these frames alone.
        for values in (scores.per_frame, scores.missing):
            values.setdefault(name, np.full(len(frames), np.nan))
        scores.metrics[name] = beside(scores.metrics.get(name, _unread(value)), value)
    return scores


def _named(
    frames: Sequence[Frame],
    gallery: Gallery,
    instruments: Sequence[Source],
    protocol: Protocol,
    has_truth: bool,
    video: bool,
) -> Iterator[tuple[str, str, Sides]]:
    """(name in the results, key, readings) of every metric that can be computed of some frames."""
    first: dict[str, str] = {}  # reading, or metric of one network -> the instrument that has the plain keys
    known = set()
    ways = [False, True] if protocol.mode == "cycle" else [False]
    for instrument, back in product(instruments, ways):
        sides = sides_of(frames, gallery, instrument, protocol, has_truth, video, back)
        if sides is None:
            continue
        keys = [key for key in applicable(sides) if METRICS[key].needs_clips == video]
        for key in [key for key in keys if modes.measured(METRICS[key], protocol.mode, back)]:
            reads = METRICS[key].reads
            if not reads and key in known:
                continue  # pixels: no instrument's
            # What is defined on one network alone needs no other name where another network came first.
            wanted = (key,) if METRICS[key].only else reads
            plain = all(first.setdefault(name, instrument.name) == instrument.name for name in wanted)
            name = key if plain else f"{key}@{instrument.name}"
            known.add(name)
            yield name, key, sides


def _placed(values: Floats, rows: npt.NDArray[np.bool_]) -> Floats:
    """Values of some rows at their places among all, NaN in the others."""
    placed = np.full(len(rows), np.nan)
    placed[rows] = values
    return placed


def beside(metric: MetricValue, value: Value) -> MetricValue:
    """A metric with what it is where the frames without a source are read too.

    Args:
        metric: Of the frames with both originals.
        value: Of these and the others.

    Returns:
        A copy with `without_source`.
    """
    numbers = value.applied.as_dict() | {"missing": value.missing}
    return metric.model_copy(update={"without_source": WithoutSource.model_validate(numbers)})


def searched(
    value: MetricValue,
    metric: Metric,
    rank: Floats,
    missing: Floats,
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
    """The same rows, where a frame that should have a picture and has none looks black.

    Args:
        frames: A model's rows.
        reader: What read the other pictures: its networks read the black square.

    Returns:
        New rows in the same order; `look` is filled where a frame is posed, or lacks nothing but its source, and has none;
        else nothing differs.
    """
    black = reader.black()
    return [replace(f, look=black) if (f.posed or f.sourceless) and not f.look else f for f in frames]


def score_quality(frames: Sequence[Frame], protocol: Protocol) -> dict[str, MetricValue]:
    """The distances of one model's swaps to their targets, as sets; no frame has a value of its own.

    Args:
        frames: The model's rows (with_black).
        protocol: The rules.

    Returns:
        Key -> value, for every network whose features there are.
    """
    posed = _distances([frame for frame in frames if frame.posed], protocol)
    found = {key: _metric_value(value) for key, value in posed.items()}
    if not any(frame.sourceless for frame in frames):
        return found
    for key, value in _distances([f for f in frames if f.posed or f.sourceless], protocol).items():
        if not value.spec.needs_source:
            found[key] = beside(found.get(key, _unread(value)), value)
    return found


def _distances(frames: Sequence[Frame], protocol: Protocol) -> dict[str, Value]:
    asked = [frame for frame in frames if frame.target is not None and frame.target.look]
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
    return scored


def _unread(value: Value) -> MetricValue:
    """The same metric of no frame at all."""
    return _metric_value(replace(value, excluding_missing=NOTHING, counting_missing=NOTHING, missing=0))


def _metric_value(value: Value) -> MetricValue:
    return MetricValue.model_validate(value.as_dict())
