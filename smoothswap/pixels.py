"""What a picture is everywhere in the project. Knows no torch; as tensors: smoothswap.tensors."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
"""A picture or a frame: RGB, uint8 [h, w, 3]."""

Images: TypeAlias = NDArray[np.uint8]
"""Pictures of one size in one array: RGB, uint8 [n, h, w, 3], or more axes before h."""
