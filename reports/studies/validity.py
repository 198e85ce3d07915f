"""The page and the tables of bench.validity: how good each instrument is.

They are made from validity.json alone (reports.studies.schema_validity).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reports.html import environment
from reports.results import write_atomic
from reports.studies import schema
from reports.studies.schema_validity import Validity

# figure -> (heading, unit, digits, what is good)
FIGURES: dict[str, tuple[str, str, int, str]] = {
    "identity_auc": ("Identity AUC, rendered", "", 3, "1, chance 0.5"),
    "shape_auc": ("Same-person AUC of shape, rendered", "", 3, "1, chance 0.5"),
    "expression_auc": ("Same-person AUC of expression, rendered", "", 3, "0.5: it must not know the person"),
    "pose_auc": ("Same-person AUC of pose, rendered", "", 3, "0.5: it must not know the person"),
    "shape_rank_correlation": ("Shape against truth", "rank correlation", 2, "1"),
    "expression_rank_correlation": ("Expression against truth", "rank correlation", 2, "1"),
    "pose_rank_correlation": ("Pose against truth", "rank correlation", 2, "1"),
    "pose_median_error_deg": ("Pose error", "degrees, median", 2, "0"),
    "lfw_identity_accuracy": ("LFW View 2 accuracy", "%", 2, "100, missed faces are wrong"),
    "lfw_identity_auc": ("LFW identity AUC", "", 4, "1, chance 0.5"),
    "lfw_shape_auc": ("LFW same-person AUC of shape", "", 3, "1, chance 0.5"),
    "lfw_expression_auc": ("LFW same-person AUC of expression", "", 3, "0.5: it must not know the person"),
    "lfw_pose_auc": ("LFW same-person AUC of pose", "", 3, "0.5: it must not know the person"),
}
FACTORS = {
    "identity": "other person",
    "expression": "other expression",
    "pose": "other pose",
    "light": "other light",
    "blur": "blurred",
    "compression": "JPEG",
    "again": "same again",
    "mirror": "mirrored",
    "shift": "crop moved",
    "jpeg": "JPEG",
    "resolution": "half resolution",
}


def read_validity(path: Path) -> dict[str, Any]:
    """validity.json as a dictionary.

    Args:
        path: The file.

    Returns:
        Its content, checked (reports.studies.schema_validity.Validity).

    Raises:
        ResultsError: Where it is missing, another file, or does not fit, with the path of the field.
    """
    return schema.read(path, Validity, "python -m bench.validity")


def write_validity(out: Path, validity: Mapping[str, Any]) -> Path:
    """Write out/validity.json atomically, once it fits its schema.

    Args:
        out: The study's folder.
        validity: Its content.

    Returns:
        The path.

    Raises:
        ResultsError: For what does not fit.
        OutputError: Where the folder cannot take it.
    """
    return schema.write(out / "validity.json", validity, Validity)


def shown(figure: Mapping[str, Any] | None, digits: int, interval: bool = True) -> str:
    """A figure with its interval.

    Args:
        figure: Of validity.json; None: it does not apply.
        digits: Decimals.
        interval: Whether the interval is shown.

    Returns:
        "" for a figure that does not apply or has no value.

    Examples:
        >>> shown({"value": 0.812, "ci95": [0.771, 0.843]}, 2)
        '0.81 (0.77 to 0.84)'
    """
    if figure is None or figure["value"] is None:
        return ""
    text = f"{figure['value']:.{digits}f}"
    low, high = figure["ci95"] or (None, None)
    if not interval or low is None or math.isnan(low):
        return text
    return f"{text} ({low:.{digits}f} to {high:.{digits}f})"


def markdown(validity: Mapping[str, Any]) -> str:
    """One row a figure, one column an instrument: value (95 % interval).

    Args:
        validity: Content of validity.json.

    Returns:
        The table, then the verdicts.
    """
    names = list(validity["instruments"])
    lines = [f"| | {' | '.join(names)} | best |", f"|---|{'---:|' * len(names)}---|"]
    for key, (heading, unit, digits, good) in FIGURES.items():
        cells = [shown(validity["instruments"][name].get(key), digits) for name in names]
        if any(cells):
            lines.append(f"| {heading}{f' ({unit})' if unit else ''} | {' | '.join(cells)} | {good} |")
    for name in names:
        for reading, verdict in validity["verdicts"].get(name, {}).items():
            reasons = "; ".join(verdict["reasons"])
            lines.append(f"\n{name}, {reading}: **{verdict['verdict']}**{f' ({reasons})' if reasons else ''}")
    return "\n".join(lines) + "\n"


def write_page(out: Path, validity: Mapping[str, Any]) -> Path:
    """Write out/validity.html atomically.

    Args:
        out: The study's folder.
        validity: Content of validity.json.

    Returns:
        The page's path.

    Raises:
        OutputError: When the folder cannot take the file.
    """
    return write_atomic(out / "validity.html", render(validity))


def render(validity: Mapping[str, Any]) -> str:
    """The page's text.

    Args:
        validity: Content of validity.json.

    Returns:
        HTML.
    """
    templates = environment()
    templates.globals.update(shown=shown)
    return templates.get_template("validity.html.j2").render(
        validity=validity,
        figures={k: v for k, v in FIGURES.items() if any(k in f for f in validity["instruments"].values())},
        factors=FACTORS,
        names=list(validity["instruments"]),
    )
