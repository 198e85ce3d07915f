"""Known changes of a rendered person in equal steps: a morph into somebody else, ageing, gaining weight.

Ageing and weight are anny's phenotypes of those names. The head knows them as directions in its 24 phenotype components
(`changes.json`, made by `python -m smoothswap.rendered.extract --changes smoothswap/rendered/changes.json`): the mean,
over drawn adults, of the head at the upper end of the phenotype's range minus the head at the lower end (age 0.5 to 1,
weight 0.15 to 0.85). The phenotype weight hardly reaches the head, so the head's own local changes for it (TARGETS) go
from their lower to their upper end with it. Shape alone changes: skin, hair and wrinkles stay.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from smoothswap.rendered.head import load_head
from smoothswap.rendered.people import Identity
from smoothswap.rendered.shading import LOOK

CHANGES_FILE = Path(__file__).parent / "changes.json"
PHENOTYPES = ("age", "weight")
# Local changes (head.shape_names), each from -1 to 1 around the person's own.
TARGETS: dict[str, tuple[str, ...]] = {
    "age": (),
    "weight": ("head-fat-incr", "l-cheek-volume-incr", "r-cheek-volume-incr", "neck-double-incr"),
}
_NOISE = LOOK.index("noise_seed")


@lru_cache(maxsize=1)
def directions() -> dict[str, np.ndarray]:
    """By phenotype, float32 [24]: what its range adds to the head's phenotype components, in standard deviations."""
    found = json.loads(CHANGES_FILE.read_text(encoding="utf-8-sig"))
    return {name: np.array(found[name], np.float32) for name in PHENOTYPES}


def mixed(a: Identity, b: Identity, share: float) -> Identity:
    """The person at `share` of the straight line between two: shape and look, each number by itself.

    The seed of the skin's fine pattern is no quantity and stays a's; so at 1 it is b but for that pattern.

    Args:
        a: Where the line starts.
        b: Where it ends.
        share: 0 for a, 1 for b.

    Returns:
        A new person, float32.
    """
    look = (a.look + np.float32(share) * (b.look - a.look)).astype(np.float32)
    look[_NOISE] = a.look[_NOISE]
    return Identity((a.shape + np.float32(share) * (b.shape - a.shape)).astype(np.float32), look)


def changed(identity: Identity, phenotype: str, share: float) -> Identity:
    """The person at `share` of the whole range of "age" or "weight", around the person's own.

    Args:
        identity: The person as drawn.
        phenotype: "age" or "weight".
        share: 0 (younger, lighter) to 1 (older, heavier); 0.5 is the person as drawn.

    Returns:
        A new person of another shape and the same look.

    Raises:
        KeyError: For another phenotype.
    """
    shape, names = identity.shape.copy(), load_head().shape_names
    direction = directions()[phenotype]
    shape[: len(direction)] += np.float32(share - 0.5) * direction
    shape[[names.index(name) for name in TARGETS[phenotype]]] += np.float32(2 * share - 1)
    return replace(identity, shape=shape)
