"""Trained weights: safetensors with a JSON card beside, both in `smoothswap/weights/`.

The card holds what made them (command, data hash, seed, steps, configuration) and the file's sha256, which loading checks.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from pathlib import Path
from typing import Any

from torch import nn

from smoothswap.checkpoint import CheckpointError, load_module, read_tensors, write_atomic, write_tensors
from smoothswap.embedder import Embedder
from smoothswap.generator import Generator
from smoothswap.model import SmoothSwap
from smoothswap.presets import EmbedderConfig, OptionError, SwapperConfig, from_json

FOLDER = Path(__file__).parent / "weights"
ALIASES = {"smoothswap": "smoothswap-64", "embedder": "embedder-64"}


class WeightsError(ValueError):
    """Weights that are missing, truncated, altered or of another kind; the message says which file and what to do."""


def names() -> list[str]:
    """Names of the weights that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.safetensors"))


def locate(name: str | Path) -> Path:
    """Path of a .safetensors file from a name, an alias or a path. Raises WeightsError with a suggestion."""
    text = str(name)
    path = Path(text) if text.endswith(".safetensors") else FOLDER / f"{ALIASES.get(text, text)}.safetensors"
    if not path.is_file():
        near = difflib.get_close_matches(text, [*names(), *ALIASES], 1)
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
        found = json.loads(beside.read_text())
        wanted = found["sha256"]
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
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


def save(path: Path, modules: dict[str, nn.Module], about: dict[str, Any]) -> dict[str, Any]:
    """Write modules in float32 and the card. `about` must hold `part` and the `config` of every module by name."""
    tensors = {f"{n}.{k}": v for n, m in modules.items() for k, v in m.state_dict().items()}
    write_tensors(path, tensors, {"part": about["part"], "config": about["config"]})
    found = {"sha256": sha256(path), "bytes": path.stat().st_size, "parameters": _count(modules), **about}
    write_atomic(path.with_suffix(".json"), (json.dumps(found, indent=1) + "\n").encode())
    return found


def _count(modules: dict[str, nn.Module]) -> dict[str, int]:
    return {name: sum(p.numel() for p in module.parameters()) for name, module in modules.items()}


def _read(name: str | Path, part: str) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    path = locate(name)
    card(path)
    try:
        tensors, scalars = read_tensors(path)
    except CheckpointError as error:
        raise WeightsError(str(error)) from None
    if scalars.get("part") != part:
        raise WeightsError(f"{path} holds the weights of a {scalars.get('part')}, not of a {part}")
    return path, tensors, scalars["config"]


def load(name: str | Path = "smoothswap") -> SmoothSwap:
    """A swapper by name ("smoothswap"), or by path to its .safetensors, on the CPU in eval mode. Raises WeightsError."""
    path, tensors, config = _read(name, "swapper")
    try:
        swapper: SwapperConfig = from_json("swapper", config["swapper"])
        embedder: EmbedderConfig = from_json("embedder", config["embedder"])
        model = SmoothSwap(Generator(swapper.generator), Embedder(embedder.network))
        load_module(model, tensors, "", path)
    except (CheckpointError, OptionError, KeyError) as error:
        raise WeightsError(f"{path} does not fit this version: {error}") from None
    return model


def training_of(name: str | Path) -> dict[str, Any]:
    """How an embedder was trained: steps, scores, command, data and history of a run's folder, or of the weights' card."""
    keys = ("steps", "minutes", "scores", "command", "data", "history")
    path = Path(name) / "checkpoint.safetensors"
    if not path.is_file():
        about = card(name)
        return {key: about[key] for key in keys if key in about}
    _, stored = read_tensors(path)
    about = {"steps": stored["step"], "minutes": round(stored["seconds"] / 60, 1), "scores": stored["scores"]}
    about |= stored["provenance"]
    return {key: about[key] for key in keys}


def load_embedder(name: str | Path) -> tuple[Embedder, EmbedderConfig]:
    """An embedder from weights (by name or path) or from a training run's folder or checkpoint. Raises WeightsError."""
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
        tensors = {k: v for k, v in tensors.items() if k.startswith("embedder.")}
    else:
        path, tensors, stored = _read(name, "embedder")
        config = stored["embedder"]
    try:
        options: EmbedderConfig = from_json("embedder", config)
        embedder = Embedder(options.network)
        load_module(embedder, tensors, "embedder.", path)
    except (CheckpointError, OptionError) as error:
        raise WeightsError(f"{path} does not fit this version: {error}") from None
    return embedder.eval().requires_grad_(False), options
