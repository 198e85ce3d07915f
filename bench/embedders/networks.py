"""The embedders that bench.embedders compares: how they are named, opened, read with, and what they say of themselves.

contrastive=runs/c0      a run of smoothswap.train embedder (its folder), or .safetensors weights by path or name
mine=r50.onnx            a face recogniser that reads 112-pixel crops (ONNX)
mine=arcface:net.onnx?scale=128&colour=bgr    any identity instrument of bench.reading.instruments, with its options
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from bench.errors import UsageError, suggestion
from bench.reading.instruments import available, create, describe
from metrics.instruments import Crop, Instrument, InstrumentError
from metrics.instruments.reader import TorchReader
from smoothswap.pixels import Image

Rows = npt.NDArray[np.float32]
BATCH = 128


@dataclass(frozen=True)
class Network:
    """One trained network of the group `name`.

    read: uint8 [n, s, s, 3] RGB crops of `crop` -> float32 [n, d]. differentiable: the same of float [n, 3, s, s] in
    0..255, through which gradients flow, or None where the file has none (ONNX). instrument: None for networks of ours.
    about: weights' hash, loss, seed, training; for the result.
    """

    name: str
    crop: Crop
    about: dict[str, Any]
    read: Callable[[Image], Rows]
    differentiable: Callable[[Tensor], Tensor] | None
    instrument: Instrument | None = None

    @property
    def seed(self) -> int | None:
        """The seed that it was trained with; None where its file does not say."""
        found = self.about.get("seed")
        return None if found is None else int(found)


def open_network(text: str) -> Network:
    """The network that "NAME=SPEC" names; without NAME= the name is the loss or the file's. Raises UsageError."""
    name, equals, spec = text.partition("=")
    if not equals or "?" in name or Path(text).exists():
        name, spec = "", text
    if not spec or (equals and not name and not Path(text).exists() and "?" not in text):
        raise UsageError(f"--embedder {text}: write NAME=FOLDER, NAME=WEIGHTS or NAME=FILE.onnx")
    kind = spec.partition(":")[0]
    try:
        if kind in {one.name for one in available()} and kind != "embedder":
            return _instrument(name, create(spec))
        if spec.endswith(".onnx"):
            return _instrument(name, create(f"arcface:{spec}"))
        return _ours(name, spec.removeprefix("embedder:"))
    except InstrumentError as error:
        raise UsageError(f"--embedder {text}: {error}") from None


def _instrument(name: str, one: Instrument) -> Network:
    if "identity" not in one.reads:
        raise UsageError(f"{one.name} reads {', '.join(one.reads)}, no identity: it is no embedder")
    gradients = one.differentiable if isinstance(one, TorchReader) else None
    blank = np.zeros((0, 68, 2), np.float32)
    return Network(
        name or one.name,
        one.crop,
        describe(one),
        lambda crops: one.read(crops, blank)["identity"],
        gradients,
        one,
    )


def _ours(name: str, spec: str) -> Network:
    import torch

    from smoothswap.checkpoint import CheckpointError
    from smoothswap.data.faces import to_tensor
    from smoothswap.pretrained import WeightsError, fingerprint, load_embedder, training_of

    try:
        embedder, config = load_embedder(spec)
        training = training_of(spec)
    except (WeightsError, CheckpointError) as error:
        known = [one.name for one in available()]
        hint = suggestion(spec.partition(":")[0], known) if ":" in spec else ""
        raise UsageError(
            f"--embedder {spec}: {error}.{hint} Give the folder of a run, weights by name or path, or an .onnx file"
        ) from None
    embedder = embedder.to(memory_format=torch.channels_last)

    def read(crops: Image) -> Rows:
        rows = np.empty((len(crops), embedder.options.dim), np.float32)
        with torch.inference_mode():
            for i in range(0, len(crops), BATCH):
                rows[i : i + BATCH] = embedder(to_tensor(crops[i : i + BATCH])).numpy()
        return rows

    about = {
        "fingerprint": fingerprint(embedder),
        "loss": config.loss,
        "seed": config.seed,
        "crop": {"template": "ffhq", "size": config.network.size},
        "dim": config.network.dim,
        "backbone": config.network.backbone,
        "planned_steps": config.steps,
        "training": {key: training[key] for key in ("steps", "minutes", "scores") if key in training}
        | {"data_sha256": training.get("data", {}).get("sha256")},
    }
    return Network(
        name or config.loss,
        Crop("ffhq", config.network.size),
        about,
        read,
        lambda pixels: embedder(pixels / 127.5 - 1),
    )


def grouped(networks: list[Network]) -> dict[str, list[Network]]:
    """The networks by name, in the order of their first. Raises UsageError for one network given twice."""
    groups: dict[str, list[Network]] = {}
    seen: dict[str, str] = {}
    for one in networks:
        weights = one.about.get("fingerprint") or one.about.get("weights_sha256")
        key = f"{weights} {one.about.get('parameters')}"
        if key in seen:
            raise UsageError(
                f"{seen[key]} and {one.name} are the same network; give every network once, other seeds under one name"
            )
        seen[key] = one.name
        groups.setdefault(one.name, []).append(one)
    return groups
