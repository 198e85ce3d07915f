"""What a run of bench.ffpp will do: data, pairs, models and instruments, made and checked before it starts."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.data import FFPP, open_dataset, rendered, split_kind
from bench.data.ffpp import read_identity_map
from bench.data.pairs import DataOptions, Dataset, Pair, require
from bench.errors import DataError, UsageError, few
from bench.ffpp.protocol import SPLITS, Protocol
from bench.reading.instruments import available, create
from bench.reading.outside import Outside
from bench.reading.pictures import PictureReader
from bench.swappers import REFERENCES, Swapper, create_all, declare
from metrics.instruments import Instrument
from metrics.registry import everything
from smoothswap.device import usable
from smoothswap.workers import cores


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that a run needs.

    kind: of the data set, as bench.data names it. specs: the instruments as they were named, for the worker processes.
    """

    protocol: Protocol
    kind: str
    dataset: Dataset
    pairs: list[Pair]
    specs: list[str]
    instruments: list[Instrument]
    pictures: PictureReader
    inception: Path | None
    outside: Outside
    swappers: list[Swapper]
    workers: int
    device: str
    batch_size: int


def prepare(options: argparse.Namespace) -> Plan:
    """Make instruments, data, pairs and models. Raises UsageError, InstrumentError, RegistryError or DataError."""
    protocol = protocol_of(options)
    everything()  # a package whose metrics are broken is said now, not after hours of reading
    specs, instruments = create_instruments(options.instruments)
    pictures = PictureReader(options.inception)
    device = usable(options.device)
    kind, root = split_kind(options.data) if options.data is not None else (FFPP, rendered.ensure())
    dataset = open_dataset(
        kind,
        root,
        DataOptions(protocol.compression, protocol.sequences, options.splits, protocol.identity_map),
    )
    pairs = dataset.pairs(protocol.split, protocol.limit)
    models = options.model or ["smoothswap"]
    if not options.no_references:
        references = [name for name in REFERENCES if name != "oracle" or dataset.truth]
        models = [*models, *(name for name in references if name not in models)]
    swappers = declare(create_all(models, dataset, device), options.trained_with)
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
        outside=Outside(options.lpips),
        swappers=swappers,
        workers=options.workers or min(8, cores()),
        device=device,
        batch_size=options.batch_size,
    )


def protocol_of(options: argparse.Namespace) -> Protocol:
    """The protocol that the options ask for. Raises UsageError or DataError."""
    sequences, compression, split = _part(options)
    return Protocol.model_validate(
        {
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
            "missing_clips": "ledger" if options.skip_missing else "error",
            "identity_map": read_identity_map(options.identity_map) if options.identity_map else {},
            "seed": options.seed,
        }
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
        if sum(other.name == instrument.name for other in instruments) > 1:
            raise UsageError(f"two instruments are called {instrument.name!r}; give one of them")
    return specs, instruments


def missing_clips(plan: Plan) -> str | None:
    """What is not on the disk, as the text of an error; None when everything is there."""
    originals = [plan.dataset.original(clip) for pair in plan.pairs for clip in (pair.target, pair.source)]
    try:
        require(plan.dataset, originals)
    except DataError as error:
        return str(error)
    for swapper in plan.swappers:
        if swapper.kind != "finished":
            continue
        lacking = [pair.id for pair in plan.pairs if swapper.run.path(pair) is None]
        if lacking:
            return (
                f"{len(lacking)} of {len(plan.pairs)} swaps by {swapper.name} are not in "
                f"{swapper.run.where()}: {few(lacking)}. Finish them, choose others with --split or --limit, "
                "or count their frames as failed with --skip-missing"
            )
    return None
