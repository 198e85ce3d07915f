"""One thread in every test of training and networks, and a picture that resampling leaves nearly as it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def smooth_frame() -> np.ndarray:
    """A colourful 260 x 240 frame without detail under about 12 pixels, so that resampling loses little."""
    coarse = np.random.default_rng(7).integers(20, 236, (22, 20, 3), np.uint8)
    return cv2.resize(coarse, (240, 260), interpolation=cv2.INTER_CUBIC)
