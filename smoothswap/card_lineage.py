"""The lineage of weights that were exported before cards had one: what the card says, completed by the recipe.

The rule: a card's own records are collected (smoothswap.lineage). Where a stage of smoothswap/weights/recipe.toml writes
the weights, that stage and all that it needs are the whole of their training, so losses and people of all of these are
added and nothing is left unknown. Photographs cropped from LFW by a list of people are of the people on the list. The
weights themselves stay as they are. Fingerprints of teachers that were not kept are nowhere: such a network judges nothing.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from smoothswap.config import load_preset
from smoothswap.lineage import Lineage, for_card, named_people, of_embedder, rendered_set
from smoothswap.recipe import Stage, needed


def completed(card: Mapping[str, Any], stages: dict[str, Stage], names: Iterable[str]) -> dict[str, Any]:
    """A card with `lineage`, of a swapper also in its embedder's record.

    Args:
        card: Of exported weights, without a lineage.
        stages: The recipe (read_recipe).
        names: The people of LFW's list for training, peopleDevTrain.txt.

    Returns:
        A copy; all else is as it was.
    """
    listed = named_people(names)
    last = next((stage for stage in stages.values() if stage.weights == card["name"]), None)
    whole = _with_names(for_card(card), card, listed)
    if last is None:
        teacher = _with_names(of_embedder(card), card, listed)
    else:
        run = next(stages[name] for name in last.needs if name in stages)
        whole = replace(whole, unknown=frozenset()) | of_stage(stages, last.name, listed)
        teacher = _with_names(of_embedder(card), card, listed)
        if card["part"] == "swapper":
            taught = _option(run, "--embedder").rpartition("/")[2]
            teacher = replace(teacher, unknown=frozenset()) | of_stage(stages, taught, listed)
    found = {**card, "lineage": whole.as_json()}
    if card["part"] == "swapper":
        found["embedder_training"] = {**card["embedder_training"], "lineage": teacher.as_json(names=False)}
    return found


def of_stage(stages: dict[str, Stage], name: str, listed: Mapping[str, str]) -> Lineage:
    """The losses of all embedders and the people of all data among a stage of the recipe and those that it needs.

    Args:
        stages: The recipe.
        name: The stage's.
        listed: The people of LFW's list (named_people).

    Returns:
        No fingerprints: a recipe has none.
    """
    found = Lineage()
    for stage in (stages[one] for one in needed(stages, name)):
        words = shlex.split(stage.arguments)
        if stage.module == "smoothswap.train" and words[0] == "embedder":
            loss = load_preset(_option(stage, "--preset"), "embedder").loss
            given = [word.removeprefix("loss=") for word in words if word.startswith("loss=")]
            found |= Lineage(losses=frozenset({given[-1] if given else loss}))
        elif stage.module == "smoothswap.rendered.dataset":
            meta = {"people": _option(stage, "--people"), "seed": _option(stage, "--seed")}
            kinds = {kind: f"--{kind}" in words for kind in ("lookalikes", "shapes")}
            found |= Lineage(people=frozenset({rendered_set({**meta, **kinds})}))
        elif stage.module == "smoothswap.prepare":
            found |= Lineage(people=frozenset(listed), names=listed)
    return found


def _with_names(lineage: Lineage, card: Mapping[str, Any], listed: Mapping[str, str]) -> Lineage:
    """The same with the people of LFW's list in place of sets without names, which in these cards are LFW's alone."""
    unnamed = {people for people in lineage.people if people.startswith("unnamed:")}
    if not unnamed:
        return lineage
    if "--people peopleDevTrain.txt" not in str(card):
        return lineage
    return replace(lineage, people=lineage.people - unnamed | set(listed), names={**lineage.names, **listed})


def _option(stage: Stage, name: str) -> str:
    words = shlex.split(stage.arguments)
    return words[words.index(name) + 1]
