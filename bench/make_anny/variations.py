"""How a rendered face is varied before the regressor sees it: its crop moved, mirrored, at a lower resolution."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from bench.make_anny.faces import SCALE
from metrics.instruments.anny_network import SIZE
from smoothswap.rendered.codes import mirror

DECA_SCALE = 1.25
# Half-widths of the crop's movement: detectors err, heads lean.
TURN, ZOOM, SHIFT = math.radians(15), 0.12, 0.06


def movement(n: int, rng: torch.Generator | None) -> tuple[Tensor, Tensor]:
    """Draw how the crops move over their pictures.

    Args:
        n: How many crops.
        rng: None: they stay upright in the middle.

    Returns:
        Maps float [n, 2, 3] from a crop to its picture, both from -1 to 1, and their angles [n] in radians.
    """
    draw = (lambda: torch.rand(n, generator=rng) * 2 - 1) if rng is not None else (lambda: torch.zeros(n))
    angle, zoom = draw() * TURN, (1 + draw() * ZOOM) * DECA_SCALE / SCALE
    dx, dy = draw() * 2 * SHIFT, draw() * 2 * SHIFT
    cos, sin = angle.cos() * zoom, angle.sin() * zoom
    return torch.stack([torch.stack([cos, -sin, dx], 1), torch.stack([sin, cos, dy], 1)], 1), angle


def moved(
    pictures: Tensor, pose: Tensor, rng: torch.Generator | None, points: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Cut crops that are turned, zoomed and shifted where `rng` is given.

    Args:
        pictures: float [n, 3, s, s].
        pose: [n, 3], axis-angle in radians; a picture turned clockwise shows a head turned clockwise.
        rng: None: crops as the instrument cuts them.
        points: [n, k, 2] (x, y), the picture from -1 to 1.

    Returns:
        Crops [n, 3, SIZE, SIZE], and the poses and points (the crop from -1 to 1) that belong to them.
    """
    n = len(pictures)
    theta, angle = movement(n, rng)
    grid = F.affine_grid(theta, [n, 3, SIZE, SIZE], align_corners=False)
    # The grid turned by +angle (x to y, downwards) shows the picture turned by -angle there, +angle where y is up.
    turn = torch.zeros(n, 3)
    turn[:, 2] = angle
    if points is not None:
        points = torch.linalg.solve(theta[:, None, :, :2], (points - theta[:, None, :, 2])[..., None])[..., 0]
    crops = F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
    return crops, compose(turn, pose), points


def compose(first: Tensor, second: Tensor) -> Tensor:
    """One rotation after another.

    Args:
        first: float [n, 3], axis-angle in radians, the rotation applied last.
        second: float [n, 3], the one applied first.

    Returns:
        float32 [n, 3], axis-angle in radians.
    """
    from scipy.spatial.transform import Rotation

    turned = Rotation.from_rotvec(first.numpy()) * Rotation.from_rotvec(second.numpy())
    return torch.from_numpy(turned.as_rotvec()).float()


def mirrored(
    crops: Tensor, codes: Tensor, points: Tensor, rng: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """About half of the heads mirrored, with what belongs to them.

    Args:
        crops: float [n, 3, s, s].
        codes: float32 [n, 63]: shape and expression in mm, pose as axis-angle in radians.
        points: [n, k, 2] (x, y), the crop from -1 to 1, the second half mirror images of the first.
        rng: Chooses them.

    Returns:
        The three, of the same shapes.
    """
    chosen = torch.rand(len(crops), generator=rng) < 0.5
    right, left = points.chunk(2, 1)  # smoothswap.rendered.codes.point_vertices
    other = torch.cat([left, right], 1) * torch.tensor([-1.0, 1.0])
    return (
        torch.where(chosen[:, None, None, None], crops.flip(3), crops),
        torch.where(chosen[:, None], codes @ torch.from_numpy(mirror()), codes),
        torch.where(chosen[:, None, None], other, points),
    )


def soften(x: Tensor, rng: torch.Generator) -> Tensor:
    """About half of a batch at a lower resolution, as small faces and swaps have it.

    Args:
        x: float [n, c, h, w].
        rng: Draws one scale for the batch, 0.35 to 1, and which pictures are softened.

    Returns:
        float [n, c, h, w].
    """
    scale = float(torch.rand(1, generator=rng)) * 0.65 + 0.35
    chosen = (torch.rand(len(x), generator=rng) < 0.5).nonzero()[:, 0]
    low = F.interpolate(x[chosen], scale_factor=scale, mode="bilinear", antialias=True)
    return x.index_copy(0, chosen, F.interpolate(low, size=x.shape[-2:], mode="bilinear"))
