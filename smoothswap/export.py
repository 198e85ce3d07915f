"""From a run's checkpoint to weights and their card (python -m smoothswap.train export)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from smoothswap import lineage, pretrained
from smoothswap.checkpoint import load_module, read_tensors
from smoothswap.cli import foresee_folder
from smoothswap.config import EmbedderConfig, SwapperConfig, flatten, from_json
from smoothswap.networks.embedder import Embedder
from smoothswap.networks.generator import Generator
from smoothswap.plumbing.made import make_folder
from smoothswap.plumbing.names import refuse_name
from smoothswap.supervision import supervision


def add_options(sub: argparse.ArgumentParser) -> None:
    """The options of the command."""
    sub.add_argument("--run", required=True, type=Path)
    sub.add_argument("--name", required=True, help="of the files, such as smoothswap-rendered-64")
    sub.add_argument(
        "--to", type=Path, default=pretrained.FOLDER, help="folder (default: the package's weights)"
    )
    sub.add_argument(
        "--domain",
        choices=list(pretrained.DOMAINS),
        help="what faces it was trained on (as the data's meta.json says)",
    )
    sub.add_argument(
        "--main",
        action="store_true",
        help="--model smoothswap may take these weights although they were not trained as the paper's main model",
    )
    sub.add_argument("--half", action="store_true", help="store matrices in float16: half the size")


def run(args: argparse.Namespace) -> int:
    """Weights and card of a run: the embedder, or the swapper's EMA together with its embedder."""
    refuse_name(args.name, "weights")
    foresee_folder(args.to, "--to")
    checkpoint = args.run / "checkpoint.safetensors"
    tensors, stored = read_tensors(checkpoint)
    part, provenance = stored["part"], stored["provenance"]
    config: EmbedderConfig | SwapperConfig = from_json(part, stored["config"])
    known = lineage.for_training({**provenance, "config": stored["config"]}, part)
    modules: dict[str, torch.nn.Module]
    if isinstance(config, SwapperConfig):
        generator = Generator(config.generator)
        load_module(generator, tensors, "average.", checkpoint)
        embedder, embedder_config = pretrained.load_embedder(args.run / "embedder.safetensors")
        modules = {"generator": generator, "embedder": embedder}
        configs = {"swapper": flatten(config), "embedder": flatten(embedder_config)}
        trained = {
            # with its fingerprint as it taught: half precision has another
            "embedder_training": {
                **provenance["embedder"].get("training", {}),
                "weights": provenance["embedder"]["weights"],
            },
            "also": provenance.get("also", []),
        }
    else:
        network = Embedder(config.network)
        load_module(network, tensors, "embedder.", checkpoint)
        modules, configs, trained = {"embedder": network}, {"embedder": flatten(config)}, {}
        known |= lineage.Lineage(networks=frozenset({pretrained.fingerprint(network)}))
    taught = {**provenance, "config": stored["config"]}
    about = {
        "name": args.name,
        "part": part,
        "steps": stored["step"],
        "minutes": round(stored["seconds"] / 60, 1),
        **({"supervision": supervision(taught)} if part == "swapper" else {}),
        "domain": args.domain or pretrained.domain_of(provenance["data"]),
        **({"main": True} if args.main else {}),
        **({"stored_as": "float16"} if args.half else {}),
        "seed": config.seed,
        "scores": stored["scores"],
        "command": provenance["command"],
        "data": provenance["data"],
        "history": provenance["history"],
        **{k: provenance[k] for k in ("answers", "start") if k in provenance},
        **trained,
        "torch": provenance["torch"],
        "config": configs,
        **({"origin": provenance["origin"]} if "origin" in provenance else {}),
        "lineage": known.as_json(),
    }
    make_folder(args.to)
    found = pretrained.save(args.to / f"{args.name}.safetensors", modules, about, args.half)
    print(
        f"{args.to / args.name}.safetensors: {found['bytes'] / 1e6:.1f} MB, sha256 {found['sha256']}",
        file=sys.stderr,
    )
    return 0
