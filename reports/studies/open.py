"""A study's page again from its JSON alone: embedders.json, ablation.json or validity.json, under whatever file name."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import UndefinedError

import reports
from reports.results import ResultsError
from reports.studies import ablation, embedders, validity
from smoothswap.plumbing.texts import read_json

_PACKAGE = Path(reports.__file__).parent
_MISFITS = (LookupError, TypeError, AttributeError, ArithmeticError, ValueError, UndefinedError)
Render = Callable[[Mapping[str, Any]], str]
Read = Callable[[Path], dict[str, Any]]


def _conclusions(study: Mapping[str, Any]) -> str:
    return "".join(f"- {line}\n" for line in study["conclusions"])


# by a key of the file: reading, the page's text, the same as Markdown; ablation.json has "embedders" too, so it goes first
STUDIES: dict[str, tuple[Read, Render, Render]] = {
    "arms": (ablation.read_ablation, ablation.render, _conclusions),
    "embedders": (embedders.read_embedders, embedders.render, embedders.markdown),
    "instruments": (validity.read_validity, validity.render, validity.markdown),
}


def is_study(path: Path) -> bool:
    """Whether this is a JSON file rather than a run's folder.

    Args:
        path: What was given.

    Returns:
        By the ending of its name.

    Examples:
        >>> is_study(Path("results/ablation.json")), is_study(Path("runs/ffpp"))
        (True, False)
    """
    return path.suffix.lower() == ".json"


def text_of(path: Path, markdown: bool = False) -> str:
    """A study's page, or its table and findings as Markdown.

    The pages have no pictures of faces: those are not part of the JSON.

    Args:
        path: The study's JSON.
        markdown: The table rather than the page.

    Returns:
        The text.

    Raises:
        ResultsError: For anything else than a study's file.
    """
    try:
        found = read_json(path)
    except (OSError, ValueError) as error:
        raise ResultsError(f"cannot read {path} ({error}); give the JSON file of a study") from None
    keys = found.keys() if isinstance(found, dict) else ()
    kind = next((key for key in STUDIES if key in keys), None)
    if kind is None:
        raise ResultsError(
            f"{path} is no study's file; give the JSON that bench.embedders, bench.ablation or bench.validity wrote, "
            "or the folder of a run"
        )
    read, render, table = STUDIES[kind]
    study = read(path)
    try:
        return (table if markdown else render)(study)
    except ResultsError:
        raise
    except _MISFITS as error:
        # Each field is of its type, and the parts do not belong together: an arm without what its seeds name, say.
        said = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise ResultsError(
            f"{path}: its parts do not fit together, in {_part_of(error)} ({said}); make the study again"
        ) from error


def _part_of(error: BaseException) -> str:
    """Which part of a page could not be made: where the last line of this package stopped."""
    frames = traceback.extract_tb(error.__traceback__)
    here = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    last = here[-1]
    if last.filename.endswith(".j2"):
        return f"{Path(last.filename).name}, line {last.lineno}"
    return f"the {last.name.strip('_').replace('_', ' ')} of its {Path(last.filename).stem.replace('_', ' ')}"
