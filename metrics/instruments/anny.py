"""Shape, expression and pose of the open morphable head of anny, regressed from the pixels of one face.

A small network trained on rendered faces whose codes are known (`python -m bench.make_anny.regressor`).  It reads
the same crop as DECA.  Its sibling `anny-landmarks` fits the same head to 68 points and sees no pixel.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metrics.instruments.base import Crop, check_crops, file_sha256

REGRESSOR = Path(__file__).parent.parent / "weights" / "anny-regressor.safetensors"
BATCH = 64
OVERSAMPLE = 2  # the crop is cut twice as wide and averaged, so that a large photograph does not alias


class Anny:
    """The instrument. Shape and expression in mm, pose as axis-angle in radians.

    The L2 distance of two shapes is the root mean square distance of two faces' vertices, place, size and turn taken
    out; that of two expressions is of the moves of a face's vertices (a neutral face reads near 0). The axes of pose: x
    right of the picture (a nod is about x), y up (turning is about y), z to the viewer.
    """

    name = "anny"
    reads = ("shape", "expression", "pose")
    licence = "Apache-2.0 (weights and anny's code), CC0-1.0 (anny's shapes)"
    description = "regressor of the anny head, trained on renders: shape and expression in mm, axis-angle"
    needs = None
    family = "anny"
    # the seeds, stream and people of bench.make_anny that the weights' own record names
    people: tuple[str, ...] = ("rendered:6:78:0..9999", "rendered:5:78:0..19999")

    def __init__(self) -> None:
        from metrics.instruments.anny_network import SIZE, load_regressor

        self._network, self._layout = load_regressor(REGRESSOR)
        self._size = SIZE
        self.crop = Crop("deca", SIZE * OVERSAMPLE)
        self.parameters: dict[str, Any] = {"scale": 1.25}
        self.weights_sha256 = file_sha256(REGRESSOR)

    def read(
        self, crops: NDArray[np.uint8], landmarks: NDArray[np.float32]
    ) -> dict[str, NDArray[np.float32]]:
        """Read a batch of faces; a face's codes are the mean of those of its crop and of its mirror image.

        Args:
            crops: uint8 [n, 320, 320, 3] RGB, DECA's square.
            landmarks: Not used: they only made the crop.

        Returns:
            {"shape": [n, 40] in mm, "expression": [n, 20] in mm, "pose": [n, 3], axis-angle in radians}, all
            float32.

        Raises:
            InstrumentError: For crops of another shape or type.
        """
        import torch
        import torch.nn.functional as F

        images = check_crops(self.name, crops, self.crop.size)
        codes = np.empty((len(images), self._layout.total), np.float32)
        with torch.inference_mode():
            for i in range(0, len(images), BATCH):
                pixels = torch.from_numpy(images[i : i + BATCH]).permute(0, 3, 1, 2).float().div(127.5).sub(1)
                small = F.avg_pool2d(pixels, OVERSAMPLE)
                codes[i : i + BATCH] = self._network.read(small).numpy()
        k = self._layout.shape
        return {"shape": codes[:, :k], "expression": codes[:, k:-3], "pose": codes[:, -3:]}


def create() -> Anny:
    """The factory that the registry calls."""
    return Anny()
