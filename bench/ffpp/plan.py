"""What a run of bench.ffpp will do: data, pairs, models and instruments, made and checked before it starts."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.data import FFPP, open_dataset, rendered, split_kind
from bench.data.ffpp import read_identity_map
from bench.data.other_photos import cycle_pairs, self_pairs
from bench.data.pairs import DataOptions, Dataset, Pair, people_in, require
from bench.data.people import SHIPPED, map_for, shipped_map
from bench.errors import DataError, UsageError, few
from bench.ffpp import presets
from bench.ffpp.protocol import SPLITS, Protocol
from bench.ffpp.strangers import third_people
from bench.finished.judge import Verdict
from bench.reading.instruments import available, create
from bench.reading.outside import Outside
from bench.reading.pictures import PictureReader
from bench.swappers import REFERENCES, Swapper, create_all, declare
from metrics.instruments import Instrument
from metrics.registry import everything
from smoothswap.device import usable
from smoothswap.faces.detect import create as create_detector
from smoothswap.workers import cores


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that a run needs.

    kind: of the data set, as bench.data names it. specs: the instruments as they were named, for the worker processes.
    detector: as smoothswap.faces.detect.create names it.
    checks: what was found of models of finished swaps before they are scored.
    """

    protocol: Protocol
    kind: str
    dataset: Dataset
    pairs: list[Pair]
    specs: list[str]
    instruments: list[Instrument]
    pictures: PictureReader
    inception: Path | None
    detector: str
    outside: Outside
    swappers: list[Swapper]
    workers: int
    clip_seconds: float
    device: str
    batch_size: int
    checks: Mapping[str, Verdict] = field(default_factory=dict)


def prepare(options: argparse.Namespace) -> Plan:
    """Make instruments, data, pairs and models. Raises UsageError, InstrumentError, RegistryError or DataError."""
    options = presets.applied(options)
    protocol = protocol_of(options)
    kind, root = split_kind(options.data) if options.data is not None else (FFPP, None)

    def data() -> tuple[Protocol, Dataset, list[Pair]]:
        return _data(options, protocol, kind, rendered.ensure() if root is None else root)

    return planned(options, kind, data)


def planned(
    options: argparse.Namespace, kind: str, data: Callable[[], tuple[Protocol, Dataset, list[Pair]]]
) -> Plan:
    """Make instruments and models for some data.

    Args:
        options: What bench.ffpp.options gave.
        kind: Of the data set, for results.json.
        data: Opens it: the protocol, the data set and its pairs. It is asked when the instruments are known to be right.

    Returns:
        The run.

    Raises:
        UsageError, InstrumentError, RegistryError, DataError: What was asked for cannot be made.
    """
    everything()  # a package whose metrics are broken is said now, not after hours of reading
    specs, instruments = create_instruments(options.instruments)
    create_detector(options.detector)  # files that are missing are said before the data are opened
    pictures = PictureReader(options.inception)
    device = usable(options.device)
    protocol, dataset, pairs = data()
    models, strangers = options.model or ["smoothswap"], third_people(dataset, pairs)
    if not options.no_references:
        lacking = {"oracle"} if not dataset.truth or protocol.mode != "swap" else set()
        lacking |= set() if strangers else {"stranger"}
        models = [*models, *(name for name in REFERENCES if name not in (*models, *lacking))]
    swappers = declare(
        create_all(models, dataset, device, options.order, options.frame_numbers), options.trained_with
    )
    check_mode(protocol, pairs, swappers)
    if any(one.shows == "stranger" for one in swappers) and not strangers:
        raise UsageError("stranger needs a third person and this run has two: score more clips with --limit")
    for swapper in swappers:
        if reason := swapper.info.get("chosen"):
            print(f"{swapper.name}: {swapper.info['weights']}, {reason}", file=sys.stderr)
    return Plan(
        protocol=protocol,
        kind=kind,
        dataset=dataset,
        pairs=pairs,
        specs=specs,
        instruments=instruments,
        pictures=pictures,
        inception=options.inception,
        detector=options.detector,
        outside=Outside(options.lpips),
        swappers=swappers,
        workers=min(8, cores()) if options.workers is None else options.workers,
        clip_seconds=options.clip_seconds,
        device=device,
        batch_size=options.batch_size,
    )


def _data(
    options: argparse.Namespace, protocol: Protocol, kind: str, root: Path
) -> tuple[Protocol, Dataset, list[Pair]]:
    """The data, its pairs, and the protocol with the identity map that ships where it belongs to them."""

    def opened() -> tuple[Dataset, list[Pair]]:
        chosen = DataOptions(protocol.compression, protocol.sequences, options.splits, protocol.identity_map)
        dataset = open_dataset(kind, root, chosen)
        pairs = dataset.pairs(protocol.split, protocol.limit)
        if protocol.mode == "self":
            pairs = self_pairs(dataset, pairs)
        return dataset, cycle_pairs(dataset, pairs) if protocol.mode == "cycle" else pairs

    dataset, pairs = opened()
    if options.identity_map is None and protocol.sequences == "youtube":
        # Of the whole split: the first clips of it have the same people as all of them.
        known = map_for(dataset.pairs(protocol.split)) if kind == FFPP else {}
        if known:
            protocol = protocol.model_copy(update={"identity_map": dict(known)})
            dataset, pairs = opened()
    only_pictures = getattr(dataset, "only_pictures", None)
    if options.frames is None and only_pictures is not None and only_pictures(pairs):
        protocol = protocol.model_copy(update={"frames": 1})
    presets.check(options.protocol, len(pairs), root)
    check_gallery(protocol, pairs)
    return protocol, dataset, pairs


def check_gallery(protocol: Protocol, pairs: Sequence[Pair]) -> None:
    """Refuse a gallery larger than the run.

    Args:
        protocol: Its rules.
        pairs: Its swaps.

    Raises:
        UsageError: They have fewer people than the gallery asks for.
    """
    people = people_in(pairs)
    if protocol.gallery_size is not None and protocol.gallery_size > len(people):
        raise UsageError(
            f"--gallery-size {protocol.gallery_size} is more than the {len(people)} people of the run: "
            "give fewer, or leave it away to search everybody"
        )


def protocol_of(options: argparse.Namespace, part: tuple[str, str, str] | None = None) -> Protocol:
    """The protocol that the options ask for.

    Args:
        options: What bench.ffpp.options gave.
        part: Sequences, compression and split; None: as the options say.

    Returns:
        The rules.

    Raises:
        UsageError: For options that do not fit the data.
        DataError: For an identity map that cannot be read.
    """
    sequences, compression, split = part or _part(options)
    stated = {
        "mode": options.mode,
        "sequences": sequences,
        "compression": compression,
        "split": split,
        "limit": options.limit,
        "frames": options.frames,
        "video": options.video,
        "source_rule": options.source_rule,
        "faces_rule": options.faces_rule,
        "missing": options.missing,
        "gallery": options.gallery,
        "gallery_size": options.gallery_size,
        "missing_clips": "ledger" if options.skip_missing else "error",
        "identity_map": _identity_map(options.identity_map),
        "seed": options.seed,
    }
    return Protocol.model_validate({name: value for name, value in stated.items() if value is not None})


def _identity_map(given: str | None) -> dict[str, str]:
    """Of --identity-map FILE, none, or the name of the one that ships; what the data itself has comes later."""
    if given is None or given == "none":
        return {}
    return shipped_map() if given == SHIPPED else read_identity_map(Path(given))


def check_mode(protocol: Protocol, pairs: Sequence[Pair], swappers: Sequence[Swapper]) -> None:
    """Refuse what cannot be scored with --self and --cycle.

    Args:
        protocol: The rules.
        pairs: The run's.
        swappers: The models.

    Raises:
        UsageError: The pairs are not of the mode, a model is finished swaps, or frames in a row are asked for.
    """
    if protocol.mode == "swap":
        return
    own = [bool(pair.again) or pair.target_person == pair.source_person for pair in pairs]
    if not all(own):
        raise UsageError(
            f"--{protocol.mode} chooses another photo of each target's person, and these pairs are given: leave it away"
        )
    if finished := [swapper.name for swapper in swappers if swapper.kind == "finished"]:
        raise UsageError(
            f"--{protocol.mode} calls the model for swaps that nobody has made before, and {few(finished)} are finished "
            f"swaps: leave them away, or leave --{protocol.mode} away"
        )
    if protocol.video:
        raise UsageError(
            f"--{protocol.mode} scores single frames: leave --video away, or leave --{protocol.mode} away"
        )


def _part(options: argparse.Namespace) -> tuple[str, str, str]:
    """Sequences, compression and split: of FaceForensics++ by their names, of other data as they are."""
    kind = FFPP if options.data is None else split_kind(options.data)[0]
    actors = options.sequences == "actors"
    if kind != FFPP:
        if options.sequences or options.compression or options.splits:
            raise UsageError(
                f"--sequences, --compression and --splits are FaceForensics++'s: leave them away with --data {kind}:ROOT"
            )
        return "other", "as_is", options.split or "test"
    if options.split not in (None, *SPLITS):
        raise UsageError(f"unknown split {options.split!r}; choose among {', '.join(SPLITS)}")
    if actors and options.split not in (None, "all"):
        raise UsageError("DeepFakeDetection has no splits: leave --split away with --sequences actors")
    split = options.split or ("all" if actors else "test")
    return options.sequences or "youtube", options.compression or "c23", split


def create_instruments(given: list[str] | None) -> tuple[list[str], list[Instrument]]:
    """The instruments of --instruments A,B (None: those that need nothing), with their names as written."""
    names = [entry.name for entry in available() if entry.default and entry.needs is None]
    specs = [spec.strip() for text in given or [",".join(names)] for spec in text.split(",") if spec.strip()]
    if not specs:
        raise UsageError(f"--instruments is empty; choose among {', '.join(e.name for e in available())}")
    instruments = [create(spec, single=True) for spec in specs]
    for instrument in instruments:
        if sum(other.name.lower() == instrument.name.lower() for other in instruments) > 1:
            raise UsageError(
                f"two instruments are called {instrument.name!r}; give one of them, or name a recogniser yourself: "
                "arcface:FILE?name=NAME"
            )
    return specs, instruments


def missing_clips(plan: Plan) -> str | None:
    """What is not on the disk, as the text of an error; None when everything is there."""
    originals = [plan.dataset.original(clip) for pair in plan.pairs for clip in pair.clips]
    try:
        require(plan.dataset, originals)
    except DataError as error:
        return str(error)
    for swapper in plan.swappers:
        if swapper.kind != "finished":
            continue
        lacking = [pair.id for pair in plan.pairs if swapper.run.path(pair) is None]
        if lacking:
            there = f" ({swapper.run.there()})" if hasattr(swapper.run, "there") else ""
            return (
                f"{len(lacking)} of {len(plan.pairs)} swaps by {swapper.name} are not in "
                f"{swapper.run.where()}: {few(lacking)}{there}. Finish them, choose others with --split or --limit, "
                "or score what is there with --skip-missing"
            )
    return None
