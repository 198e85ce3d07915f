"""Where committed weights were trained otherwise than the paper's model, from their cards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from smoothswap.config import load_preset
from smoothswap.pretrained import card, names

_GOALS = {"person": "the person's mean embedding", "view": "the photo's own"}


def departures(about: Mapping[str, Any]) -> list[str]:
    """What of a swapper's training is not the paper's, each with the paper's own in brackets.

    Args:
        about: The card of the weights. What they began from (`start`) counts for the adversarial loss.

    Returns:
        Phrases: "lambda_id 10 (4)". The embedder's loss is not among them, which the paper varies too.
    """
    ours, paper = about["config"]["swapper"], load_preset("paper-256", "swapper")
    said = []
    if others := about.get("also"):
        said.append(f"L_id over {1 + len(others)} embedders (1)")
    if ours["lambda_id"] != paper.lambda_id:
        said.append(f"lambda_id {ours['lambda_id']:g} ({paper.lambda_id:g})")
    if ours["id_target"] != paper.id_target:
        said.append(f"towards {_GOALS[ours['id_target']]} ({_GOALS[paper.id_target]})")
    if ours["id_views"] and not paper.id_views:
        said.append("over augmented swaps too (the swap)")
    if steps := max(_warmups(about)):
        said.append(f"adversarial loss warmed up over {steps} steps (no ramp stated)")
    if answers := about.get("answers"):
        kinds = " and ".join(sorted({one["kind"] for one in answers}))
        said.append(f"{ours['answers']} of {ours['batch']} pairs a batch with known answers, {kinds} (none)")
    if ours.get("adv_start"):
        said.append(f"the first {ours['adv_start']} steps without a discriminator (none)")
    size, width = ours["generator.size"], ours["generator.width"]
    if (size, width) != (paper.generator.size, paper.generator.width):
        said.append(f"{size} pixels, width {width} ({paper.generator.size}, {paper.generator.width})")
    if (patch := ours.get("generator.patch", 1)) != 1:
        said.append(f"patches of {patch} x {patch} pixels (none)")
    return said


def _warmups(about: Mapping[str, Any]) -> list[int]:
    """Of a training and of all that it began from, as far as their configuration is kept."""
    found, stage = [int(about["config"]["swapper"]["adv_warmup"])], about.get("start")
    while stage:
        found.append(int(stage.get("config", {}).get("adv_warmup", 0)))
        stage = stage.get("start")
    return found


def of_committed(weights: str | None, sha256: str | None) -> list[str]:
    """The departures of a model whose weights come with the package.

    Args:
        weights: The name of its file; None: it has none.
        sha256: Of the file.

    Returns:
        As `departures`; [] for weights of any other name or content.
    """
    name = PurePath(weights or "").stem
    if name not in names() or (about := card(name))["sha256"] != sha256:
        return []
    return departures(about)
