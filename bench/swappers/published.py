"""What published methods were trained with, so that their finished swaps carry the dagger unasked.

Only what a paper or its authors' code says, each with its source. The names are looked for in what a model is called in the
tables: a folder of manipulated_sequences, the folder of images:DIR, NAME of NAME=MODEL. Capitals do not count, nor what
stands beside the name: SimSwap, simswap_256 and my-simswap are one method. A model that states its own trained_with is
believed; --trained-with adds to either.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.swappers.base import Swapper

PUBLISHED_WITH: dict[str, tuple[str, ...]] = {
    # Li et al. 2019: ArcFace is the identity encoder and reads the identity loss; dagger in Smooth-Swap's Table 1
    "FaceShifter": ("arcface",),
    # Chen et al. 2020 and neuralchen/SimSwap, which loads arcface_checkpoint.tar; dagger in Smooth-Swap's Table 1
    "SimSwap": ("arcface",),
    # Zhu et al. 2021: ArcFace reads the identity loss; dagger in Smooth-Swap's Table 1
    "MegaFS": ("arcface",),
    # Gao et al. 2021: the bottleneck filters the features of an ArcFace network
    "InfoSwap": ("arcface",),
    # Wang et al. 2021 take the network of Huang et al. 2020; their page names HuangYG123/CurricularFace as its code
    "HifiFace": ("curricularface",),
    # deepinsight/insightface, model_zoo/inswapper.py: the source enters as the embedding of a pack's recogniser
    "inswapper": ("arcface",),
}
"""Method -> families of recognisers."""


def known_training(name: str) -> tuple[str, ...]:
    """The families that a published method was trained with; () where the name is none of theirs.

    >>> known_training("simswap_256"), known_training("mine")
    (('arcface',), ())
    """
    words = {re.sub(r"\d+$", "", word) for word in re.split(r"[^a-z0-9]+", name.casefold())}
    return next((families for method, families in PUBLISHED_WITH.items() if method.casefold() in words), ())


def marked(swapper: Swapper) -> Swapper:
    """The swapper with what its name says of its training, where it says nothing itself."""
    families = known_training(swapper.name)
    if not families or "trained_with" in swapper.info:
        return swapper
    return replace(swapper, info={**swapper.info, "trained_with": list(families)})
