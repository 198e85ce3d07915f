"""What embedders.json says, in words: the paper's claims held against the measured differences, with reservations.

Nothing is called better or worse unless the difference is separated from 0 after Holm's correction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SMOOTH = ("contrastive", "supcon_out", "supcon_in")
# key -> (what the paper says of smooth against the other, in words, whether smooth should be higher)
CLAIMS = {
    "d_smooth": ("d_smooth of the smooth embedder is below {other}'s", False),
    "interpolation_count": ("the smooth embedder meets more different faces along a path than {other}", True),
}
OURS = {
    "path_extent@age": ("{smooth} keeps more of ageing within one person than {other}", True),
    "path_extent@weight": ("{smooth} keeps more of a gain in weight within one person than {other}", True),
    "path_curvature@morph": ("{smooth} follows a morph between two people more evenly than {other}", False),
    "gradient_agreement@morph": (
        "the identity loss's gradients at neighbouring points of a morph agree more for {smooth} than for {other}",
        True,
    ),
}
FEW_DIMENSIONS = 0.5  # of the largest effective rank; a space with less is called narrow
AUC_GAP = 0.05  # embedders whose verification differs by more are no equals but for their loss


def kinds(results: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Which embedders are smooth, by the loss of their networks.

    Args:
        results: Content of embedders.json.

    Returns:
        (names of smooth embedders, names of all others).
    """
    losses = {
        name: {str(n.get("loss", "")) for n in one["networks"]} for name, one in results["embedders"].items()
    }
    smooth = [name for name, found in losses.items() if found <= set(SMOOTH)]
    return smooth, [name for name in losses if name not in smooth]


def findings(results: Mapping[str, Any]) -> list[dict[str, str]]:
    """Sentences with their reasons, the paper's claims first.

    Args:
        results: Content of embedders.json.

    Returns:
        {"says", "because"} each.
    """
    smooth, others = kinds(results)
    found = []
    for claims, whose in ((CLAIMS, "The paper: "), (OURS, "The paper's argument: ")):
        for key, (claim, higher) in claims.items():
            for a in smooth:
                for b in others:
                    gap = _gap(results, key, a, b)
                    if gap is not None:
                        said = whose + claim.format(smooth=a, other=b)
                        found.append(_judged(said, key, a, b, gap, higher, _unlike(results, a, b)))
    found += _unequal(results, smooth, others) + _collapsed(results)
    single = [name for name, one in results["embedders"].items() if len(one["networks"]) == 1]
    if single:
        found.append(
            {
                "says": f"One network only: {', '.join(single)}.",
                "because": "Intervals and tests with it speak of that network; another seed of the same training may "
                "differ by more.",
            }
        )
    return found


def _gap(results: Mapping[str, Any], key: str, a: str, b: str) -> dict[str, Any] | None:
    """The difference a - b of a key, whichever way round it is stored."""
    stored = results["differences"].get(key, {})
    if (found := stored.get(f"{a} - {b}")) is not None:
        return dict(found) if found["value"] is not None else None
    if (found := stored.get(f"{b} - {a}")) is None or found["value"] is None:
        return None
    ends = found["ci95"]
    return dict(found) | {"value": -found["value"], "ci95": None if ends is None else [-ends[1], -ends[0]]}


def _judged(
    claim: str, key: str, a: str, b: str, gap: Mapping[str, Any], higher: bool, unlike: bool
) -> dict[str, str]:
    if not gap["separated"]:
        verdict = "Not decided here."
    else:
        verdict = "Holds here." if (gap["value"] > 0) == higher else "The opposite is measured here."
    interval = ""
    if gap["ci95"] is not None:
        interval = f" (95 % interval {gap['ci95'][0]:+.3f} to {gap['ci95'][1]:+.3f})"
    p = ""
    if gap["p_holm"] is not None:
        p = ", Holm p < 0.0001" if gap["p_holm"] < 1e-4 else f", Holm p {gap['p_holm']:.2g}"
    because = f"{key}: {a} minus {b} = {gap['value']:+.3f}{interval}{p}."
    if gap["separated"] and unlike:
        verdict = verdict.rstrip(".") + ", between networks that differ in more than their loss (see below)."
    return {"says": f"{claim}. {verdict}", "because": because.replace("-0.", "−0.")}


def _unlike(results: Mapping[str, Any], a: str, b: str) -> bool:
    """Whether two embedders tell people apart so differently well that no difference can be put down to the loss."""
    gap = _gap(results, "verification_auc", a, b)
    return gap is not None and abs(gap["value"]) > AUC_GAP


def _unequal(results: Mapping[str, Any], smooth: list[str], others: list[str]) -> list[dict[str, str]]:
    """A reservation wherever the two do not tell people apart equally well."""
    found = []
    for a in smooth:
        for b in others:
            if not _unlike(results, a, b):
                continue
            values = [results["embedders"][name]["verification_auc"]["value"] for name in (a, b)]
            found.append(
                {
                    "says": f"{a} and {b} do not tell these people apart equally well.",
                    "because": f"Verification AUC {values[0]:.3f} against {values[1]:.3f}: what separates them may be "
                    "how far the training came, and not the loss.",
                }
            )
    return found


def _collapsed(results: Mapping[str, Any]) -> list[dict[str, str]]:
    """A reservation wherever a space has far fewer dimensions than another: there a gallery lies densely."""
    ranks = {name: one["effective_rank"]["value"] for name, one in results["embedders"].items()}
    known = {name: value for name, value in ranks.items() if value is not None}
    most = max(known.values(), default=0.0)
    narrow = [name for name, value in known.items() if value < FEW_DIMENSIONS * most]
    return [
        {
            "says": f"The space of {name} is narrow.",
            "because": f"Its effective rank is {known[name]:.1f} dimensions, the widest has {most:.1f}. In few "
            "dimensions the same gallery lies nearer to every path, so d_smooth falls and counts rise without any "
            "change being followed more smoothly; d_smooth (ends) divides by how near faces lie in that space anyway.",
        }
        for name in narrow
    ]
