"""The mean of both faces."""

import numpy as np
from numpy.typing import NDArray


class Average:
    """A swapper of aligned crops: the benchmark cuts them at `size` and pastes the answer back."""

    size = 128
    # what its training used: numbers by such an instrument get a dagger
    trained_with = ()

    def swap(self, source: NDArray[np.uint8], target: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """uint8 [n, size, size, 3] RGB each -> the same."""
        mean = (source.astype(np.uint16) + target) // 2
        return mean.astype(np.uint8)
