"""ablation.html: the page of bench.ablation, from ablation.json and the pictures at fixed steps."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reports.html import environment
from reports.paper import figure_7
from reports.results import write_atomic
from reports.studies import ablation_plots as plots
from reports.studies import schema
from reports.studies.ablation_words import number, verdict
from reports.studies.schema_ablation import Ablation

Grid = tuple[str, list[int], NDArray[np.uint8]]  # arm, steps, uint8 [pairs, 2 + steps, s, s, 3]
BUDGET = 600_000  # bytes of all grids as data: URIs
QUALITIES = (82, 70, 55, 40)
TITLES = {
    "val_id": "Identity loss, own embedder",
    "val_chg": "Change loss",
    "judge_id": "Distance by the judge",
}


def read_ablation(path: Path) -> dict[str, Any]:
    """ablation.json as a dictionary.

    Args:
        path: The file.

    Returns:
        Its content, checked (reports.studies.schema_ablation.Ablation).

    Raises:
        ResultsError: Where it is missing, another file, or does not fit, with the path of the field.
    """
    return schema.read(path, Ablation, "python -m bench.ablation")


def write_ablation(out: Path, study: Mapping[str, Any]) -> Path:
    """Write out/ablation.json atomically, once it fits its schema.

    Args:
        out: The study's folder.
        study: Its content.

    Returns:
        The path.

    Raises:
        ResultsError: For what does not fit.
        OutputError: Where the folder cannot take it.
    """
    return schema.write(out / "ablation.json", study, Ablation)


def write_page(out: Path, study: Mapping[str, Any], grids: Sequence[Grid]) -> Path:
    """Write out/ablation.html and out/pictures/<arm>.webp atomically.

    Args:
        out: The study's folder.
        study: Content of ablation.json.
        grids: The pictures at fixed steps, by arm.

    Returns:
        The page's path.

    Raises:
        OutputError: When the folder cannot take the files.
    """
    pictures = encoded(grids)
    for name, _, content in pictures:
        write_atomic(out / "pictures" / f"{name.replace(':', '-')}.webp", content)
    shown = [(name, steps, base64.b64encode(content).decode("ascii")) for name, steps, content in pictures]
    return write_atomic(out / "ablation.html", render(study, shown))


def encoded(grids: Sequence[Grid]) -> list[tuple[str, list[int], bytes]]:
    """Every grid as a WebP, at the best of QUALITIES that keeps all of them within BUDGET.

    Args:
        grids: By arm.

    Returns:
        (arm, steps, WebP) each.
    """
    found = []
    for quality in QUALITIES:
        found = [(name, steps, _webp(cells, quality)) for name, steps, cells in grids]
        if sum(len(content) for _, _, content in found) * 4 / 3 <= BUDGET:
            break
    return found


def _webp(cells: NDArray[np.uint8], quality: int) -> bytes:
    """uint8 [rows, columns, s, s, 3] as one picture."""
    rows, columns, size = cells.shape[:3]
    picture = cells.transpose(0, 2, 1, 3, 4).reshape(rows * size, columns * size, 3)
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(content, "WEBP", quality=quality)
    return content.getvalue()


def render(study: Mapping[str, Any], pictures: Sequence[tuple[str, list[int], str]] = ()) -> str:
    """The page's text.

    Args:
        study: Content of ablation.json.
        pictures: (arm, steps, WebP in base64) each.

    Returns:
        HTML.
    """
    judge = study["judge"]
    templates = environment()
    templates.globals.update(number=number, verdict=verdict, quoted=figure_7.quoted)
    charts = [
        (
            "Identity loss on held-out pairs, under each arm's own embedder",
            plots.curves(study, "val_id", "identity loss"),
            plots.quoted(study, "identity", "identity loss"),
        ),
        (
            f"Change loss ({study['change_unit']})",
            plots.curves(study, "val_chg", "change loss"),
            plots.quoted(study, "change", "change loss"),
        ),
    ]
    judged = None
    if judge:
        ends = study["references"]["judge"]
        lines = {
            "nothing swapped": ends["untouched"]["value"],
            "another photo of the source": ends["same_person"]["value"],
        }
        judged = (
            plots.curves(
                study, "judge_id", f"1 − cosine to the source, {judge['name'].split(':')[0]}", lines
            ),
            plots.tradeoff(study, "judge_share", "share of the way to the source by the judge"),
        )
    return templates.get_template("ablation.html.j2").render(
        study=study,
        charts=charts,
        judged=judged,
        pictures=pictures,
        titles=TITLES,
        source=figure_7.SOURCE,
        id_error=figure_7.ID_ERROR,
        change_error=figure_7.CHANGE_ERROR,
        marks=list(next(iter(study["arms"].values()))["steps_to"]) if study["arms"] else [],
    )
