"""Where a result comes from: the "run" part of results.json."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bench import leaks
from bench.data.lists.pair_list import PairList
from bench.environment import environment
from bench.ffpp.presets import name_of
from bench.reading.instruments import describe
from smoothswap.faces.detect import create as create_detector

if TYPE_CHECKING:
    from bench.data.pairs import Dataset, Pair
    from bench.ffpp.plan import Plan
    from bench.swappers import Swapper


def of(plan: Plan, swapper: Swapper, command: str, started: datetime, seconds: float) -> dict[str, Any]:
    """Everything that reports.results.Run holds, for one model of a run.

    Args:
        plan: The run.
        swapper: The model.
        command: The command line, as it stands in results.json.
        started: When the run began, with its time zone.
        seconds: Wall time from the run's start until this model's metrics were there.

    Returns:
        The fields of Run by name, as plain values. The face detector is the first of the instruments, then
        come the run's own, then the networks behind picture quality.
    """
    detector = create_detector(plan.detector)
    people = leaks.people_of(plan.dataset, plan.pairs)
    found = {
        "name": detector.name, "weights_sha256": detector.weights_sha256, "reads": ["box", "landmarks"],
        "parameters": detector.parameters, "licence": detector.licence,
    }  # fmt: skip
    return {
        "command": command,
        "model": {
            "name": swapper.name, "spec": swapper.spec, "kind": swapper.kind, "reference": swapper.reference,
            **(_crop(swapper.run.size) if swapper.kind == "crop" else {}),
            **{key: value for key, value in swapper.info.items() if value is not None},
        },
        "protocol": {
            **plan.protocol.model_dump(mode="json"), "hash": plan.protocol.hash,
            "name": name_of(plan.protocol, plan.kind, len(plan.pairs)),
            "identity_map_sha256": plan.protocol.identity_map_hash,
        },
        "data": data(plan.kind, plan.dataset, plan.pairs),
        "instruments": [found, *map(describe, plan.instruments), *plan.pictures.described(), *plan.outside.described()],
        "environment": environment(plan.device, plan.workers),
        "seed": plan.protocol.seed, "started": started, "seconds": seconds,
        "seen": [*leaks.of_instruments(plan.instruments, people), *leaks.of_model(swapper, people)],
    }  # fmt: skip


def _crop(size: int) -> dict[str, Any]:
    """What a crop swapper is given, and how its answer comes back into the frame (paste_back's defaults)."""
    return {"crop": {"template": "ffhq", "size": size}, "paste": {"mask": "square", "feather": 0.15}}


def data(kind: str, dataset: Dataset, pairs: list[Pair]) -> dict[str, Any]:
    """The data's name and a hash over its original clips' names and sizes, which tells two downloads apart.

    A folder of frames enters the hash as "folder" and a clip that is not on the disk as "missing", both
    without a size.

    Args:
        kind: Of the data set, as bench.data names it.
        dataset: Where the clips lie.
        pairs: The run's swaps.

    Returns:
        kind, name (that of the root's folder), clips (how many swaps), originals (how many original clips
        they are made of), manifest_sha256 (hex) and manifest, which says in words what was hashed; and what the data set
        says of itself by a method `described(pairs)`. Of a pair list the list is hashed too and gives the name.
    """
    keys = {str(key): key for pair in pairs for key in map(dataset.original, pair.clips)}
    lines = []
    for name, key in sorted(keys.items()):
        path = dataset.path(key)
        size = "missing" if path is None else path.stat().st_size if path.is_file() else "folder"
        lines.append(f"{name} {size}")
    described = getattr(dataset, "described", None)
    more: dict[str, Any] = {} if described is None else described(pairs)
    named, what = dataset.root.resolve().name, "names and sizes of the original clips"
    if isinstance(dataset, PairList):
        named, what = more["list"], f"{what}, and the list"
        lines.append(f"list {more['list_sha256']}")
    return {
        "kind": kind, "name": named, "clips": len(pairs), "originals": len(keys),
        "manifest_sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        "manifest": what, **more,
    }  # fmt: skip
