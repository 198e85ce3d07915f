"""Trained weights: safetensors with a JSON card beside, both in `smoothswap/weights/`.

The card holds what made them (command, data hash, seed, steps, configuration) and the file's sha256, which loading checks.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torch import nn

from smoothswap import lineage
from smoothswap.cards import wrong_in
from smoothswap.checkpoint import (
    CheckpointError,
    load_module,
    not_finite,
    read_tensors,
    write_atomic,
    write_tensors,
)
from smoothswap.config import EmbedderConfig, SwapperConfig, from_json
from smoothswap.errors import DataError
from smoothswap.networks.embedder import Embedder
from smoothswap.networks.generator import Generator
from smoothswap.networks.model import SmoothSwap
from smoothswap.plumbing.texts import TextError, read_json
from smoothswap.supervision import PAPER, supervision

FOLDER = Path(__file__).parent / "weights"
CHOSEN = "smoothswap"  # not a file's name: the weights that fit the data
Domain = Literal["rendered", "photos"]
DOMAINS: dict[Domain, str] = {"rendered": "rendered faces", "photos": "photographs"}


class WeightsError(DataError):
    """Weights that are missing, truncated, altered or of another kind; the message says which file and what to do."""


def names() -> list[str]:
    """Names of the weights that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.safetensors"))


def locate(name: str | Path) -> Path:
    """Path of a .safetensors file from a name or a path; CHOSEN: what choose() takes for photographs.

    Raises WeightsError with a suggestion.
    """
    text = str(name)
    if text == CHOSEN:
        return choose("photos").path
    path = Path(text) if text.endswith(".safetensors") else FOLDER / f"{text}.safetensors"
    if not path.is_file():
        near = difflib.get_close_matches(text, [*names(), CHOSEN], 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names()) or 'none yet'}"
        raise WeightsError(f"no weights {text!r} ({path} does not exist); {hint}")
    return path


def sha256(path: Path) -> str:
    """Hash of a file, as cards hold it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fingerprint(module: nn.Module) -> str:
    """Hash of a network's numbers: the same in whichever file they lie, so that it tells who was trained with whom."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(name.encode() + tensor.contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()


def card(name: str | Path) -> dict[str, Any]:
    """The JSON card of weights. Raises WeightsError where it is missing, broken, or names another hash than the file's."""
    path = locate(name)
    beside = path.with_suffix(".json")
    try:
        found = read_json(beside)
        if said := wrong_in(found):
            raise TextError(said)
        wanted = found["sha256"]
    except (OSError, TextError) as error:
        raise WeightsError(
            f"{beside}: the card of {path.name} is missing or broken ({error}); restore both files"
        ) from None
    actual = sha256(path)
    if actual != wanted:
        raise WeightsError(
            f"{path} has sha256 {actual[:12]}..., its card says {wanted[:12]}...: truncated or altered; restore both files"
        )
    result: dict[str, Any] = found
    return result


def domain(about: Mapping[str, Any]) -> Domain:
    """What faces weights were trained on, from their card: as it states, or for older cards from where the data came."""
    stated = about.get("domain")
    if stated in DOMAINS:
        return "rendered" if stated == "rendered" else "photos"
    return domain_of(about.get("data", {}))


def domain_of(data: Mapping[str, Any]) -> Domain:
    """The same of a training's data (FaceData.about()): smoothswap.rendered says whom it drew."""
    meta = data.get("meta") or {}
    return "rendered" if str(meta.get("people_ids", "")).startswith("rendered:") else "photos"


def variant(about: Mapping[str, Any]) -> str:
    """In what a swapper differs from the paper's main model (Table 1), "" for none: "ArcFace embedder, lambda_id 1"."""
    config = about["config"]
    swapper, embedder = config["swapper"], config["embedder"]
    said = []
    if (loss := embedder.get("loss", "contrastive")) != "contrastive":
        said.append(f"{'ArcFace' if loss == 'arcface' else loss} embedder")
    if (weight := swapper["lambda_id"]) != SwapperConfig.lambda_id:
        said.append(f"lambda_id {weight:g}")
    if (way := swapper.get("generator.identity_injection", "add")) != "add":
        said.append({"adalin": "AdaLIN", "map": "identity map"}.get(way, way))
    if others := about.get("also"):
        said.append(f"L_id over {1 + len(others)} embedders")
    if (taught := supervision(about)) != PAPER:
        said.append(f"trained by {taught}")
    return ", ".join(said)


def all_steps(about: Mapping[str, Any]) -> int:
    """Steps of a training and of all that it began from (train --start), one after the other."""
    begun = about.get("start")
    return int(about["steps"]) + (all_steps(begun) if begun else 0)


@dataclass(frozen=True)
class Choice:
    """Weights that were chosen for data of a domain; reason: why these, as a clause."""

    name: str
    path: Path
    sha256: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ({self.sha256[:12]}): {self.reason}"


def choose(wanted: Domain) -> Choice:
    """The committed swapper for faces of a domain.

    It is the paper's main model, or what its card calls main (export --main), trained on such faces.
    Of several the one with the most pixels, then the most steps, its start's too. Where none was trained on such faces,
    the best of the other domain, and the reason says so. Raises WeightsError where there is no swapper at all.
    """
    cards = {name: _plain_card(name) for name in names()}
    main = {n: c for n, c in cards.items() if c.get("part") == "swapper" and c.get("main", not variant(c))}
    if not main:
        raise WeightsError(
            f"no swapper's weights in {FOLDER}; train and export some (python -m smoothswap.train)"
        )
    fitting = [name for name, about in main.items() if domain(about) == wanted]
    pool = fitting or list(main)
    best = max(pool, key=lambda n: (_size(main[n]), all_steps(main[n]), n))
    if not fitting:
        other = DOMAINS[domain(main[best])]
        reason = f"no weights trained on {DOMAINS[wanted]} are here; these know {other} only and are out of their domain"
    elif len(pool) == 1:
        reason = f"the data are {DOMAINS[wanted]}, and these were trained on such"
    else:
        reason = f"the data are {DOMAINS[wanted]}; of {len(pool)} trained on such the largest, then the longest trained"
    return Choice(best, FOLDER / f"{best}.safetensors", card(best)["sha256"], reason)


def _size(about: Mapping[str, Any]) -> int:
    return int(about["config"]["swapper"]["generator.size"])


def swappers() -> list[tuple[str, str]]:
    """(name, what it is in one line) of every committed swapper."""
    cards = {name: _plain_card(name) for name in names()}
    return [
        (
            name,
            f"{_size(about)} px, trained on {_stages(about)}{', ' + variant(about) if variant(about) else ''}",
        )
        for name, about in cards.items()
        if about.get("part") == "swapper"
    ]


def _stages(about: Mapping[str, Any]) -> str:
    """The faces and steps of a training, after those of what it began from: "photographs for 20 steps, then ..."."""
    stages: list[tuple[Domain, int]] = []
    part: Mapping[str, Any] = about
    faces = domain(about)
    while part:
        if part is not about and part.get("data"):  # where a start does not say, the same faces
            faces = domain_of(part["data"])
        if stages and stages[0][0] == faces:
            stages[0] = (faces, stages[0][1] + int(part["steps"]))
        else:
            stages.insert(0, (faces, int(part["steps"])))
        part = part.get("start") or {}
    return ", then on ".join(f"{DOMAINS[faces]} for {steps:,} steps" for faces, steps in stages)


def _plain_card(name: str) -> dict[str, Any]:
    """A committed card as it stands, its file's hash not computed; {} for a broken one, which choosing passes over."""
    try:
        found = read_json(FOLDER / f"{name}.json")
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError):
        return {}


def save(
    path: Path, modules: dict[str, nn.Module], about: dict[str, Any], half: bool = False
) -> dict[str, Any]:
    """Write modules and the card.

    Args:
        path: The .safetensors; the card lies beside it, named .json.
        modules: By name, the prefix of their tensors: "generator" and "embedder", or "embedder" alone.
        about: What the card says; it must hold `part`, "swapper" or "embedder", and `config`, flat options by
            part: of "swapper" and "embedder", or of "embedder" alone.
        half: Matrices and kernels in float16, half the size; biases and BatchNorm's numbers stay float32.
            They are read back as float32 either way.

    Returns:
        The card: sha256, bytes and numbers of parameters, then `about`.

    Raises:
        WeightsError: They hold numbers that are not finite.
        DiskError: A file cannot be written.
    """
    tensors = {f"{n}.{k}": v for n, m in modules.items() for k, v in m.state_dict().items()}
    if half:
        tensors = {k: v.half() if v.is_floating_point() and v.dim() > 1 else v for k, v in tensors.items()}
    if broken := not_finite(tensors):
        why = "as float16 they would not be: leave --half away" if half else "the training had diverged"
        raise WeightsError(
            f"{path} is not written: {len(broken)} of its tensors hold numbers that are not finite ({broken[0]}); {why}"
        )
    write_tensors(path, tensors, {"part": about["part"], "config": about["config"]})
    found = {"sha256": sha256(path), "bytes": path.stat().st_size, "parameters": _count(modules), **about}
    write_atomic(path.with_suffix(".json"), (json.dumps(found, indent=1) + "\n").encode())
    return found


def _count(modules: dict[str, nn.Module]) -> dict[str, int]:
    return {name: sum(p.numel() for p in module.parameters()) for name, module in modules.items()}


def _read(name: str | Path, *parts: str) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    path = locate(name)
    card(path)
    try:
        tensors, scalars = read_tensors(path)
    except CheckpointError as error:
        raise WeightsError(str(error)) from None
    if scalars.get("part") not in parts:
        raise WeightsError(f"{path} holds the weights of a {scalars.get('part')}, not of a {parts[0]}")
    return path, tensors, scalars["config"]


def load(name: str | Path = "smoothswap") -> SmoothSwap:
    """A swapper by name or by path to its .safetensors, on the CPU in eval mode; "smoothswap": the one for photographs.

    Raises WeightsError.
    """
    path, tensors, config = _read(name, "swapper")
    try:
        swapper: SwapperConfig = from_json("swapper", config["swapper"])
        embedder: EmbedderConfig = from_json("embedder", config["embedder"])
        model = SmoothSwap(Generator(swapper.generator), Embedder(embedder.network))
        load_module(model, tensors, "", path)
    except (
        CheckpointError,
        KeyError,
        ValueError,
    ) as error:  # options refuse with ValueErrors of their own too
        raise WeightsError(f"{path} does not fit this version: {error}") from None
    return model


def training_of(name: str | Path) -> dict[str, Any]:
    """How an embedder was trained, of a run's folder or of the weights' card.

    steps, minutes, scores, command, data, history, start (train --start) where it did not begin from nothing, and lineage,
    weights (of a swapper's teacher, as it taught) and origin where they are known (smoothswap.lineage).
    """
    keys = (
        "steps",
        "minutes",
        "scores",
        "command",
        "data",
        "history",
        "start",
        "origin",
        "weights",
        "lineage",
    )
    path = Path(name) / "checkpoint.safetensors"
    if path.is_file():
        _, stored = read_tensors(path)
        about = {
            "steps": stored["step"],
            "minutes": round(stored["seconds"] / 60, 1),
            "scores": stored["scores"],
        }
        about |= stored["provenance"]
    else:
        about = card(name)
        known = lineage.of_embedder(about)
        if about["part"] == "swapper":
            about = about.get("embedder_training", {})
        about = {**about, "lineage": known.as_json()}
    return {key: about[key] for key in keys if key in about}


def lineage_of(name: str | Path) -> lineage.Lineage:
    """All that trained weights (smoothswap.lineage), with their own embedder. Raises WeightsError."""
    own = fingerprint(load_embedder(name)[0])
    return lineage.for_card(card(name)) | lineage.Lineage(networks=frozenset({own}))


def load_embedder(name: str | Path) -> tuple[Embedder, EmbedderConfig]:
    """An embedder from weights (by name or path) or from a training run's folder or checkpoint. Raises WeightsError.

    A swapper's weights hold the embedder that it was trained against.
    """
    path = Path(name)
    if (path / "checkpoint.safetensors").is_file():  # a folder may also have the name of weights
        path = path / "checkpoint.safetensors"
    if path.name == "checkpoint.safetensors":
        try:
            tensors, scalars = read_tensors(path)
        except CheckpointError as error:
            raise WeightsError(str(error)) from None
        if scalars.get("part") != "embedder":
            raise WeightsError(f"{path} is a checkpoint of a {scalars.get('part')}, not of an embedder")
        config = scalars["config"]
    else:
        path, tensors, stored = _read(name, "embedder", "swapper")
        config = stored["embedder"]
    tensors = {k: v for k, v in tensors.items() if k.startswith("embedder.")}
    try:
        options: EmbedderConfig = from_json("embedder", config)
        embedder = Embedder(options.network)
        load_module(embedder, tensors, "embedder.", path)
    except (CheckpointError, ValueError) as error:
        raise WeightsError(f"{path} does not fit this version: {error}") from None
    return embedder.eval().requires_grad_(False), options
