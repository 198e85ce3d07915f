"""Table 1 and the counts of Fig. 9 of the Smooth-Swap paper, quoted: never ranked with what was measured here.

Kim, Lee and Zhang, "Smooth-Swap: A Simple Enhancement for Face-Swapping with Smoothness", CVPR 2022
(arXiv 2112.05907). The digits were read from a reproduction of the table and checked on an enlargement.
"""

from __future__ import annotations

from dataclasses import dataclass

COLUMNS = (
    ("VGG", "↓"),
    ("VGG-R", "↓"),
    ("Arc", "↑"),
    ("Arc-R", "↑"),
    ("Shp", "↓"),
    ("Shp-R", "↓"),
    ("Expr", "↓"),
    ("Expr-R", "↓"),
    ("Pose", "↓"),
    ("Pose-R", "↓"),
    ("PoseHN", "↓"),
)
IDENTITY = 6  # the first six columns are the identity group
# None: † in the paper, for the model was trained with ArcFace. A number in bold there stands as (number,).
Cell = float | tuple[float] | None


@dataclass(frozen=True)
class Quoted:
    """A row of the paper's table. ablation: below the line there. decimals of each column as printed: 3."""

    name: str
    cells: tuple[Cell, ...]
    ablation: bool = False

    def text(self, i: int) -> str:
        """Cell i as the paper prints it."""
        cell = self.cells[i]
        return "†" if cell is None else f"{cell[0] if isinstance(cell, tuple) else cell:.3f}"

    def bold(self, i: int) -> bool:
        """Whether the paper prints cell i in bold."""
        return isinstance(self.cells[i], tuple)


ROWS = (
    Quoted("Deepfakes", (120.907, 0.493, 0.443, 0.524, 0.639, (0.464,), 0.802, 0.541, 0.188, 0.445, 4.588)),
    Quoted(
        "FaceShifter",
        (110.875, 0.482, None, None, 0.658, 0.492, (0.653,), 0.456, (0.177,), (0.381,), (3.175,)),
    ),
    Quoted(
        "SimSwap", ((99.736,), (0.435,), None, None, 0.662, 0.479, (0.644,), (0.449,), 0.178, (0.385,), 3.749)
    ),
    Quoted(
        "HifiFace",
        (106.655, 0.469, (0.527,), (0.550,), (0.616,), 0.465, 0.702, 0.484, (0.177,), 0.387, (3.370,)),
    ),
    Quoted("MegaFS", (110.897, 0.461, None, None, 0.701, 0.500, 0.678, (0.436,), 0.182, 0.398, 5.456)),
    Quoted(
        "Smooth-Swap",
        ((101.678,), (0.435,), (0.464,), (0.611,), (0.565,), (0.403,), 0.722, 0.477, 0.186, 0.395, 4.498),
    ),
    Quoted("λid = 1", (107.096, 0.446, 0.421, 0.581, 0.610, 0.415, 0.669, 0.461, 0.185, 0.398, 4.636), True),
    Quoted(
        "(Arc) λid = 1", (103.767, 0.437, None, None, 0.682, 0.460, 0.728, 0.493, 0.192, 0.416, 5.457), True
    ),
    Quoted(
        "(Arc) λid = 4", (98.115, 0.421, None, None, 0.684, 0.441, 0.914, 0.543, 0.207, 0.430, 5.655), True
    ),
)

# Fig. 9 and Sec. 5.5: different training faces met at the nine steps r = 0.1 ... 0.9, mean and deviation as printed.
# How many pairs, and whether faces nearest to the ends count, is not stated. Numbers of d_smooth were not found: in
# words, Smooth-Swap is smoother than ArcFace and VGGFace2.
INTERPOLATION_COUNTS = (("Smooth-Swap", 5.13, 1.18), ("VGGFace2", 4.42, 1.41), ("ArcFace", 4.25, 1.33))
