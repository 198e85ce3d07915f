"""Where another photo of the target's person was at hand, by the stored originals (--self, --cycle)."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd


def has_photo(mode: str, frames: pd.DataFrame, originals: pd.DataFrame) -> np.ndarray:
    """In which frames there was another photo of the target's person with a face.

    Args:
        mode: Of the protocol.
        frames: One row a frame.
        originals: As they are stored.

    Returns:
        bool [n]; True throughout where the mode asks for none.
    """
    column = {"self": "source", "cycle": "again"}.get(mode)
    if column is None or column not in frames:
        return np.ones(len(frames), dtype=bool)
    usable = Counter(originals.loc[originals["status"] == "ok", "clip"])
    # In the target's own clip the frame itself is no other photo.
    return np.array(
        [
            usable[photo] > (photo == target)
            for photo, target in zip(frames[column], frames["target"], strict=True)
        ],
        dtype=bool,
    )
