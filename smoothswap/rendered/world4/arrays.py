"""Numpy's arrays on a warp device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import warp as wp

from smoothswap.rendered.world4.vectors import vec  # noqa: F401  # its import starts warp


@dataclass(frozen=True)
class Device:
    """Where arrays are put: "cpu", or "cuda:0"."""

    name: str = "cpu"

    def floats(self, values: Any) -> wp.array:
        """A copy as float32, of its own shape."""
        return wp.array(np.ascontiguousarray(values, np.float32), dtype=float, device=self.name)

    def vectors(self, values: Any) -> wp.array:
        """A copy as vectors of three, [..., 3] to [...]."""
        return wp.array(np.ascontiguousarray(values, np.float32), dtype=wp.vec3, device=self.name)

    def ints(self, values: Any) -> wp.array:
        """A copy as int32."""
        return wp.array(np.ascontiguousarray(values, np.int32), dtype=int, device=self.name)

    def launch(self, kernel: Any, dim: Any, inputs: list[Any], outputs: list[Any]) -> None:
        """Run a kernel over `dim` threads.

        Args:
            kernel: A warp kernel.
            dim: A number or a shape.
            inputs: Its first parameters.
            outputs: The rest, which it writes.
        """
        wp.launch(kernel, dim=dim, inputs=inputs, outputs=outputs, device=self.name)


def vector(values: Any) -> wp.vec3:
    """Three numbers as warp's vector."""
    return wp.vec3(*(float(v) for v in values))


def matrix(values: np.ndarray) -> wp.mat33:
    """[3, 3] as warp's matrix."""
    return wp.mat33(*(float(v) for v in values.reshape(-1)))
