"""The study of detectors as a Markdown table."""

from __future__ import annotations

from typing import Any


def table(study: dict[str, Any]) -> str:
    """The study as a Markdown table.

    Args:
        study: As `main` writes it.

    Returns:
        Its rows, a newline after each: missed and doubted faces beside the errors of those that were read.
    """
    names = list(study["rendered"])
    lines = [
        "| | " + " | ".join(f"{name}: error | lost | wrong" for name in names) + " |",
        "| --- | " + " | ".join(["---: | ---: | ---:"] * len(names)) + " |",
    ]
    for case in study["rendered"][names[0]]:
        cells = []
        for name in names:
            row = study["rendered"][name][case]
            far = "-" if row["points"] is None else f"{row['points']:.3f} ({row['points_ninth_decile']:.3f})"
            cells.append(f"{far} | {row['missed'] + row['doubted']} of {row['pictures']} | {row['wrong']}")
        lines.append(f"| {case} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
