"""How a decoded frame is turned and mirrored to be shown: the display matrix that recorders and editors declare."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from smoothswap.pixels import Image


class Orientation(NamedTuple):
    """The shown picture is the stored one, transposed first where asked, then with rows and columns reversed."""

    transposed: bool = False
    rows_reversed: bool = False
    columns_reversed: bool = False

    def apply(self, stored: Image) -> Image:
        """The picture as it is shown.

        Args:
            stored: uint8 [h, w, 3].

        Returns:
            uint8 [h, w, 3], or [w, h, 3] where it is transposed, contiguous; `stored` itself where nothing is to be done.

        Examples:
            >>> clockwise = Orientation(transposed=True, columns_reversed=True)
            >>> stored = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)[..., None].repeat(3, 2)
            >>> clockwise.apply(stored)[..., 0].tolist()
            [[4, 1], [5, 2], [6, 3]]
        """
        shown = stored.swapaxes(0, 1) if self.transposed else stored
        rows, columns = (slice(None, None, -1 if reverse else 1) for reverse in self[1:])
        return np.ascontiguousarray(shown[rows, columns])


AS_STORED = Orientation()


def orientation(frame: Any) -> Orientation:
    """The orientation that the display matrix of an av.VideoFrame declares, AS_STORED without one.

    The matrix takes the stored place (p, q) to the shown place (a p + c q, b p + d q). Recorders know quarter turns and
    mirrors only; of any other angle the nearest of these is taken.
    """
    matrix = next((bytes(data) for data in frame.side_data if data.type.name == "DISPLAYMATRIX"), None)
    if matrix is None:
        return AS_STORED
    a, b, _, c, d, *_ = (float(number) for number in np.frombuffer(matrix, np.int32))
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(True, rows_reversed=b < 0, columns_reversed=c < 0)
    return Orientation(False, rows_reversed=d < 0, columns_reversed=a < 0)
