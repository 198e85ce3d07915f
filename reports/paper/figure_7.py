"""Fig. 7 of the Smooth-Swap paper, digitised by eye from a reproduction: never ranked with what was measured here.

Kim, Lee and Zhang, CVPR 2022 (arXiv 2112.05907). "Ours1" there is the smooth embedder with lambda_id 1, "Arc4" ArcFace
with lambda_id 4. Uncertainty as read: 0.01 of the identity loss, 0.0005 of the change loss. The paper's pixel range and
its held-out pairs are not stated in what we could read. 256 x 256 pixels, FFHQ.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

STEPS = (20_000, 100_000, 200_000, 300_000, 400_000, 580_000)
ID_ERROR, CHANGE_ERROR = 0.01, 0.0005
SOURCE = "Fig. 7 of Kim, Lee and Zhang, Smooth-Swap, CVPR 2022, digitised"


@dataclass(frozen=True)
class Quoted:
    """A curve at STEPS. embedder: the loss that it was trained with; uncertain: steps whose identity was hard to read."""

    name: str
    embedder: str
    lambda_id: float
    identity: tuple[float, ...]
    change: tuple[float, ...]
    uncertain: tuple[int, ...] = ()


CURVES = (
    Quoted(
        "Ours1",
        "contrastive",
        1,
        (0.73, 0.21, 0.115, 0.104, 0.093, 0.081),
        (0.004, 0.0046, 0.0044, 0.0044, 0.0047, 0.0046),
    ),
    Quoted(
        "Ours4",
        "contrastive",
        4,
        (0.39, 0.11, 0.084, 0.075, 0.065, 0.065),
        (0.012, 0.010, 0.0087, 0.009, 0.009, 0.0092),
    ),
    Quoted("Arc1", "arcface", 1, (1.0, 1.0, 0.98, 0.83, 0.585, 0.39), (0, 0, 0.001, 0, 0.004, 0.007)),
    Quoted("Arc4", "arcface", 4, (1.0, 1.0, 0.97, 0.64, 0.40, 0.28), (0, 0, 0, 0.004, 0.011, 0.018)),
    Quoted(
        "Arc8",
        "arcface",
        8,
        (1.0, 0.93, 0.61, 0.35, 0.265, 0.22),
        (0, 0.001, 0.004, 0.016, 0.021, 0.028),
        (300_000,),
    ),
    Quoted(
        "Arc16",
        "arcface",
        16,
        (1.0, 0.52, 0.29, 0.24, 0.227, 0.19),
        (0.001, 0.012, 0.028, 0.0345, 0.037, 0.039),
    ),
)


def as_json() -> dict[str, Any]:
    """The curves with their source and uncertainty, for ablation.json: quoted there, not measured."""
    return {
        "source": SOURCE,
        "steps": list(STEPS),
        "uncertainty": {"identity": ID_ERROR, "change": CHANGE_ERROR},
        "curves": [asdict(curve) for curve in CURVES],
    }


def quoted(loss: str, lambda_id: float) -> Quoted | None:
    """The paper's curve of an embedder's loss and a lambda_id.

    Args:
        loss: What the embedder was trained with.
        lambda_id: The weight of the identity loss.

    Returns:
        The curve, where there is one.

    Examples:
        >>> quoted("contrastive", 4).name
        'Ours4'
    """
    return next((c for c in CURVES if (c.embedder, c.lambda_id) == (loss, lambda_id)), None)


def steps_to(curve: Quoted, mark: float) -> tuple[float, float] | None:
    """Between which two digitised steps the paper's identity loss reaches a mark.

    Args:
        curve: A quoted curve.
        mark: The loss.

    Returns:
        (before, after), (0, s) where it was there at the first point already; None where it does not in 580k steps.

    Examples:
        >>> steps_to(quoted("contrastive", 4), 0.1)
        (100000, 200000)
    """
    before = 0
    for step, loss in zip(STEPS, curve.identity, strict=True):
        if loss <= mark:
            return (before, step)
        before = step
    return None
