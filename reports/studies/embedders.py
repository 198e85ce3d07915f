"""The page and the table of bench.embedders, from embedders.json and its picture alone.

{"embedders": {NAME: {KEY: {"value", "ci95", "n", "clusters", "seeds", ...}, "networks": [...], "spectrum": [...]}},
 "differences": {KEY: {"A - B": {"value", "ci95", "p_holm", "separated", "better"}}}, "definitions": {KEY: {...}},
 "paths": {"curves", "pixels"} or null, "interpolations": {"ends", "rows"}, "data", "options", "environment"}
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from reports.html import environment
from reports.paper import table_1
from reports.results import ResultsError, write_atomic
from reports.studies import embedder_plots
from reports.studies.embedder_findings import findings

RESULTS, PICTURE, PAGE = "embedders.json", "interpolations.webp", "embedders.html"
HEADLINE = ("verification_auc", "d_smooth", "interpolation_count", "interpolation_people", "effective_rank",
            "path_extent@age", "path_extent@weight", "path_curvature@morph", "gradient_agreement@morph")  # fmt: skip
GROUPS = (
    ("Verification", ("verification_auc", "verification_eer", "tar_at_far")),
    ("Smoothness", ("d_smooth", "interpolation_count", "interpolation_people")),
    ("Shape of the space", ("effective_rank", "uniformity", "alignment")),
    ("What a recogniser sees, read off the embedding", ("probe_",)),
    ("Paths of rendered faces", ("path_", "gradient_agreement", "descent_agreement")),
)


def read_embedders(path: Path) -> dict[str, Any]:
    """embedders.json as a dictionary. Raises ResultsError where it is missing or another file."""
    try:
        found = json.loads(path.read_text())
        if not isinstance(found["embedders"], dict) or not isinstance(found["differences"], dict):
            raise TypeError("no embedders")
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ResultsError(
            f"{path} is no embedders.json ({error}); make one with python -m bench.embedders"
        ) from None
    result: dict[str, Any] = found
    return result


def shown(figure: Mapping[str, Any] | None) -> tuple[str, str]:
    """("0.812", "0.77 to 0.84") of a figure, ("", "") where there is none."""
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
    """One row a figure, one column an embedder: value (95 % interval); then the findings in words."""
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
    """(heading, keys) of what was measured, in the order of GROUPS."""
    keys = list(results["definitions"])
    found = [(title, [k for k in keys if k.startswith(names)]) for title, names in GROUPS]
    return [(title, own) for title, own in found if own]


def write_page(out: Path, results: Mapping[str, Any], picture: bytes) -> Path:
    """Write out/embedders.html atomically; picture: the WebP of Fig. 9. Raises reports.results.OutputError."""
    return write_atomic(out / PAGE, render(results, picture))


def render(results: Mapping[str, Any], picture: bytes | None = None) -> str:
    """The page's text; without the picture of Fig. 9 the page says where it is made."""
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
