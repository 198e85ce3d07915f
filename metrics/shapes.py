"""Shapes of arrays in signatures. A list of lists is taken as well; of an array the shape is checked in the test run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Real
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    Rows = ArrayLike
    Column = ArrayLike
else:
    Rows = Real[np.ndarray, "n d"] | Sequence[Any]
    """n readings of d numbers."""
    Column = Real[np.ndarray, " n"] | Sequence[Any]
    """A number for each of n frames."""
