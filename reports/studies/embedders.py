"""The page and the table of bench.embedders, from embedders.json (reports.studies.schema_embedders) and its picture."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from reports.html import environment
from reports.paper import table_1
from reports.results import write_atomic
from reports.studies import embedder_plots, schema
from reports.studies.embedder_findings import findings
from reports.studies.schema_embedders import Embedders

RESULTS, PICTURE, PAGE = "embedders.json", "interpolations.webp", "embedders.html"
HEADLINE = (
    "verification_auc",
    "d_smooth",
    "interpolation_count",
    "interpolation_people",
    "effective_rank",
    "path_extent@age",
    "path_extent@weight",
    "path_curvature@morph",
    "gradient_agreement@morph",
)


def read_embedders(path: Path) -> dict[str, Any]:
    """embedders.json as a dictionary.

    Args:
        path: The file.

    Returns:
        Its content, checked (reports.studies.schema_embedders.Embedders).

    Raises:
        ResultsError: Where it is missing, another file, or does not fit, with the path of the field.
    """
    return schema.read(path, Embedders, "python -m bench.embedders")


def write_embedders(out: Path, results: Mapping[str, Any]) -> Path:
    """Write out/embedders.json atomically, once it fits its schema.

    Args:
        out: The study's folder.
        results: Its content.

    Returns:
        The path.

    Raises:
        ResultsError: For what does not fit.
        OutputError: Where the folder cannot take it.
    """
    return schema.write(out / RESULTS, results, Embedders)


def shown(figure: Mapping[str, Any] | None) -> tuple[str, str]:
    """A figure and its interval.

    Args:
        figure: Of embedders.json; None: it does not apply.

    Returns:
        ("", "") where there is none.

    Examples:
        >>> shown({"value": 0.8124, "ci95": [0.77, 0.84]})
        ('0.812', '0.770 to 0.840')
    """
    if figure is None or figure["value"] is None:
        return "", ""
    digits = 3 if abs(figure["value"]) < 10 else 1

    def said(number: float) -> str:
        return f"{round(number, digits) + 0.0:.{digits}f}".replace("-", "−")  # + 0.0: no minus before a 0

    if figure["ci95"] is None:
        return said(figure["value"]), ""
    low, high = map(said, figure["ci95"])
    return said(figure["value"]), f"{low} to {high}"


def markdown(results: Mapping[str, Any]) -> str:
    """One row a figure, one column an embedder: value (95 % interval); then the findings in words.

    Args:
        results: Content of embedders.json.

    Returns:
        The table and the findings.
    """
    names = list(results["embedders"])
    lines = [f"| | {' | '.join(names)} | better |", f"|---|{'---:|' * len(names)}---|"]
    for _, keys in grouped(results):
        for key in keys:
            cells = [shown(results["embedders"][name].get(key)) for name in names]
            texts = [f"{value} ({interval})" if interval else value for value, interval in cells]
            definition = results["definitions"][key]
            lines.append(f"| {definition['title']} | {' | '.join(texts)} | {_arrow(definition)} |")
    lines += ["", *(f"- {one['says']} {one['because']}".rstrip() for one in findings(results))]
    return "\n".join(lines) + "\n"


def grouped(results: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """What was measured, by the groups that the definitions state.

    Args:
        results: Content of embedders.json.

    Returns:
        (heading, keys), in the groups' order; a group's keys as they were measured.
    """
    placed = sorted(results["definitions"].items(), key=lambda item: item[1]["order"])
    groups = dict.fromkeys(definition["group"] for _, definition in placed)
    keys = results["definitions"]
    return [(group, [key for key in keys if keys[key]["group"] == group]) for group in groups]


def write_page(out: Path, results: Mapping[str, Any], picture: bytes) -> Path:
    """Write out/embedders.html atomically.

    Args:
        out: The study's folder.
        results: Content of embedders.json.
        picture: The WebP of Fig. 9.

    Returns:
        The page's path.

    Raises:
        OutputError: When the folder cannot take the file.
    """
    return write_atomic(out / PAGE, render(results, picture))


def render(results: Mapping[str, Any], picture: bytes | None = None) -> str:
    """The page's text.

    Args:
        results: Content of embedders.json.
        picture: The WebP of Fig. 9; without it the page says where it is made.

    Returns:
        HTML.
    """
    templates = environment()
    templates.globals.update(shown=shown, arrow=_arrow)
    return templates.get_template("embedders.html.j2").render(
        results=results,
        names=list(results["embedders"]),
        groups=grouped(results),
        pairs=list(next(iter(results["differences"].values()), {})),
        findings=findings(results),
        panels=[(title, Markup(svg)) for title, svg in embedder_plots.panels(results, HEADLINE)],
        spectra=Markup(embedder_plots.spectra(results)),
        curves=[(title, Markup(svg)) for title, svg in embedder_plots.curves(results)],
        picture=picture and f"data:image/webp;base64,{base64.b64encode(picture).decode('ascii')}",
        paper=table_1,
    )


def _arrow(definition: Mapping[str, Any]) -> str:
    return "↑" if definition["higher_is_better"] else "↓"
